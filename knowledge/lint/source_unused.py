"""A source is there because something rests on it."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.model import Records
from knowledge.survey import citations

code = "source-unused"
level = Level.WARNING
scope = Scope.GRAPH
description = "Every source carries at least one fact."


def check(subject: Subject) -> Iterator[Found]:
    """Sources that no record names."""
    used = set(_used(subject.records))
    for source in subject.records.sources:
        if source.id not in used:
            key = source.id if source.id in subject.reading.places else f"sources:{source.id}"
            yield Found(*subject.place(key), "id", f'nothing rests on the source "{source.id}"', "enter what it says, or delete it")


def _used(records: Records) -> Iterator[str]:
    yield from (cited.source for cited in citations(records))
    for drug in records.drugs:
        yield from (item.source for item in drug.classes)
        yield from (item.source for item in drug.aliases)
        yield from (item.source for item in drug.tall_man)
    yield from (item.source for item in records.classes)
    yield from (item.source for item in records.ambiguous)
