"""Facts are coded, not quoted."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject

code = "quoted-sentence"
level = Level.WARNING
scope = Scope.RECORDS
description = "A note or condition is short: codes and a few words of our own, never a sentence of the source."

LONGEST = 200  # characters


def check(subject: Subject) -> Iterator[Found]:
    """Notes and conditions that are long enough to be a quotation."""
    for key, at, text in _texts(subject):
        if len(text) > LONGEST:
            yield Found(
                *subject.place(key, at),
                at,
                f"{len(text)} characters: longer than a note needs ({LONGEST})",
                "say it with codes and a few words of your own",
            )


def _texts(subject: Subject) -> Iterator[tuple[str, str, str]]:
    for drug in subject.records.drugs:
        for number, rule in enumerate(drug.rules):
            yield drug.id, f"rules/{number}/note", rule.note
    for row in subject.records.rows:
        yield row.id, "note", row.note
    for statement in subject.records.interactions:
        yield statement.id, "note", statement.note
        yield statement.id, "when", statement.condition
