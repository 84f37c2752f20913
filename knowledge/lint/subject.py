"""What a lint rule looks at, and what it says when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from knowledge.errors import Problem
from knowledge.link import Knowledge
from knowledge.load import Reading
from knowledge.model import Records


class Level(StrEnum):
    """Only an error fails the build."""

    ERROR = "error"
    WARNING = "warning"


class Scope(StrEnum):
    """What must be readable before a rule can speak.

    file: the bytes of each file. records: the records that could be read. graph: all of them, without a problem.
    """

    FILE = "file"
    RECORDS = "records"
    GRAPH = "graph"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing a rule found. `about`: the name under which accepted-*.yaml may excuse it; empty: never."""

    file: str
    line: int
    at: str
    reason: str
    mend: str
    about: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A problem with its level, as lint reports it."""

    level: Level
    problem: Problem

    def __str__(self) -> str:
        return str(self.problem)


@dataclass(kw_only=True)
class Subject:
    """The knowledge under lint: its folder, the bytes of its files, and what could be read of them."""

    root: Path
    contents: dict[str, bytes]
    reading: Reading
    records: Records
    knowledge: Knowledge | None  # None when the files hold a problem

    def place(self, key: str, at: str = "") -> tuple[str, int]:
        """File and line of a record or one of its fields."""
        return self.reading.place(key, at)


class Rule(Protocol):
    """What the module of a rule holds."""

    code: str
    level: Level
    scope: Scope
    description: str

    def check(self, subject: Subject) -> Iterator[Found]: ...
