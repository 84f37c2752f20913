"""Rows stand in an order in which a reader finds them."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.files import Mapping
from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.units import Concentration, ConcentrationError

code = "rows-sorted"
level = Level.WARNING
scope = Scope.FILE
description = "Rows of a study are sorted by `with`, then by `drug`, then by strength."


def check(subject: Subject) -> Iterator[Found]:
    """The first row of each study that stands behind one that should follow it."""
    for name, data in subject.reading.parsed.items():
        rows = data.get("rows") if name.startswith("studies/") and isinstance(data, dict) else None
        keys = [(_key(row), row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        for (before, _), (after, row) in zip(keys, keys[1:], strict=False):
            if after < before:
                yield Found(
                    name, row.line, "rows", f'the row of "{after[0] or after[1]}" stands too late', "sort rows by with, drug and strength"
                )
                break


def _key(row: dict[str, object]) -> tuple[str, str, float, float]:
    return str(row.get("with", "")), str(row.get("drug", "")), _strength(row.get("conc")), _strength(row.get("with_conc"))


def _strength(text: object) -> float:
    try:
        return Concentration.parse(str(text)).high if text else 0.0
    except ConcentrationError:
        return 0.0
