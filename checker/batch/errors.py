"""How a batch, or one row of it, can fail."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checker.ask import AskError, AskProblem

INTERNAL = "internal"
LOGGER = "checker.batch"
_log = logging.getLogger(LOGGER)


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
    """Why one row has no answer. reason: not-json | not-a-question | damaged-row | damaged-file | split-set | internal."""

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


def failed(at: str, error: Exception) -> Refusal:
    """What should not happen, at "line 17". It is logged by its kind and place: the words of an error may hold what was asked."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    _log.error("%s: %s", at, what)
    return refused(INTERNAL, f"{at} could not be answered: {what}", "report this as a defect; it is ours, not that of the row")


def of_ask(error: AskError, most: int = 10) -> Refusal:
    """A question that `checker.ask` refuses."""
    problems: Sequence[AskProblem] = error.problems
    return Refusal("not-a-question", tuple(problems[:most]))
