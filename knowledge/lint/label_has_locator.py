"""A label can be found again."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.terms import SourceKind

code = "label-has-locator"
level = Level.WARNING
scope = Scope.RECORDS
description = "A label has a locator: the set id, product number or address under which it was read."


def check(subject: Subject) -> Iterator[Found]:
    """Labels without a locator."""
    for source in subject.records.sources:
        if source.kind is SourceKind.LABEL and not source.locator:
            key = source.id if source.id in subject.reading.places else f"sources:{source.id}"
            yield Found(
                *subject.place(key),
                "locator",
                f'the label "{source.id}" has no locator',
                "add locator: with its set id, product number or address",
            )
