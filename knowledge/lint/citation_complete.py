"""A paper can be found again."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.terms import SourceKind

code = "citation-complete"
level = Level.WARNING
scope = Scope.RECORDS
description = "A journal paper has a PMID, PMCID, DOI or locator, by which a reader finds it."


def check(subject: Subject) -> Iterator[Found]:
    """Journal papers that nothing leads to."""
    for source in subject.records.sources:
        if source.kind is SourceKind.JOURNAL and not (source.pmid or source.pmcid or source.doi or source.locator):
            key = source.id if source.id in subject.reading.places else f"sources:{source.id}"
            yield Found(*subject.place(key), "source", f'the paper "{source.id}" has no PMID, PMCID, DOI or locator', "add one of them")
