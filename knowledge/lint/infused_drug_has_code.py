"""An infused drug can be asked for by a code."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.terms import Kind

code = "infused-drug-has-code"
level = Level.WARNING
scope = Scope.RECORDS
description = "Every infused drug has a code of at least one system, or an entry in accepted-gaps.yaml that says why not."


def check(subject: Subject) -> Iterator[Found]:
    """Infused drugs without any code."""
    for drug in subject.records.drugs:
        if drug.kind is Kind.DRUG and drug.infused and not drug.codes:
            mend = "add codes: {rxnorm: [...], unii: [...]}, or excuse it in accepted-gaps.yaml"
            yield Found(
                *subject.place(drug.id),
                "codes",
                "an infused drug has no code, so no prescribing system can ask for it",
                mend,
                about=drug.id,
            )
