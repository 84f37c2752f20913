"""How a mistake in a knowledge file is told: where, what, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in one file.

    file: path below the knowledge folder; line: 1-based, 0 when the whole file is meant.
    code: short name of the kind of mistake; at: the field ("rows/3/result").
    """

    file: str
    line: int
    code: str
    at: str
    reason: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        at = f"{self.at}: " if self.at else ""
        return f"{place}  {self.code}\n  {at}{self.reason}\n  mend: {self.mend}"


class KnowledgeError(Exception):
    """The knowledge cannot be loaded. Holds every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        shown = "\n".join(str(problem) for problem in self.problems[:20])
        more = len(self.problems) - 20
        super().__init__(
            f"{len(self.problems)} problem(s) in the knowledge files\n{shown}" + (f"\n... and {more} more" if more > 0 else "")
        )
