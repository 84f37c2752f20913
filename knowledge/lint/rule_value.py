"""A rule that the engine weighs has a value that it can weigh."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.rule_values import wrong
from knowledge.terms import PREMIX, UNDILUTED

code = "rule-value"
level = Level.ERROR
scope = Scope.RECORDS
description = "Limits are numbers with a unit that fits the rule; fluids of a rule are known fluids, groups or words; what is kept off a line is told in known words."


def check(subject: Subject) -> Iterator[Found]:
    """Rules whose value or unit would be passed over in silence."""
    words = {word for name in ("value", "line-rule") for word in subject.records.vocabulary.get(name, {})}
    known = (
        {drug.id for drug in subject.records.drugs} | {drug.vehicle_code for drug in subject.records.drugs} | {PREMIX, UNDILUTED} | words
    )
    for drug in subject.records.drugs:
        for number, rule in enumerate(drug.rules):
            at = f"rules/{number}"
            for reason, mend in wrong(rule, known):
                yield Found(*subject.place(drug.id, at), at, f"{rule.rule}: {reason}", mend)
