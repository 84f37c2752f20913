"""How a batch, or one row of it, can fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from checker.ask import AskError, AskProblem


class BatchError(Exception):
    """A batch that cannot be run, with what to do about it."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason, mend)
        self.reason, self.mend = reason, mend

    def __str__(self) -> str:
        return f"{self.reason}\n  mend: {self.mend}"


class WrongKnowledge(BatchError):
    """A worker that holds other knowledge than the batch was begun with."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one row has no answer. reason: not-json | not-a-question | damaged-row | damaged-file | split-set."""

    reason: str
    problems: tuple[AskProblem, ...]

    def told(self) -> dict[str, Any]:
        """As it stands in a result row."""
        return {"reason": self.reason, "errors": [{"at": item.at, "reason": item.reason, "mend": item.mend} for item in self.problems]}

    def text(self) -> str:
        """In one line, for a table."""
        return "; ".join(f"{item.at}: {item.reason} ({item.mend})" if item.at else f"{item.reason} ({item.mend})" for item in self.problems)


def refused(reason: str, what: str, mend: str, at: str = "") -> Refusal:
    """A refusal for a single cause."""
    return Refusal(reason, (AskProblem(at, what, mend),))


def of_ask(error: AskError, most: int = 10) -> Refusal:
    """A question that `checker.ask` refuses."""
    problems: Sequence[AskProblem] = error.problems
    return Refusal("not-a-question", tuple(problems[:most]))
