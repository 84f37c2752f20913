"""A label says what an infused drug may be diluted in, or that it is given as supplied."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.survey import without_diluent

code = "infused-drug-has-diluent"
level = Level.WARNING
scope = Scope.RECORDS
description = "Every infused drug has its diluents from a label, or an entry in accepted-gaps.yaml that says why not."


def check(subject: Subject) -> Iterator[Found]:
    """Infused drugs of which no label says in what they are given."""
    for drug in without_diluent(subject.records):
        yield Found(
            *subject.place(drug),
            "rules",
            "no label that was read says in what this infused drug is diluted",
            "add a rule diluent-required from a label (value: NS, D5W, ..., undiluted, premix), or excuse it in accepted-gaps.yaml",
            about=drug,
        )
