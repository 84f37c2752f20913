"""A rule that the engine weighs has a value that it can weigh."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.model import Rule
from knowledge.terms import PREMIX, UNDILUTED
from knowledge.units import Concentration, ConcentrationError

code = "rule-value"
level = Level.ERROR
scope = Scope.RECORDS
description = "Limits are numbers with a unit that fits the rule; fluids of a rule are known fluids, groups or words."

CONCENTRATIONS = ("max-concentration", "min-concentration", "supplied-concentration")
RATES = {
    "mg/min",
    "mL/min",
    "mg/h",
    "mL/h",
    "mL/kg/h",
    "mg/kg/h",
    "mg/kg/min",
    "mcg/kg/min",
    "units/h",
    "units/kg/h",
    "mg PE/min",
    "mg PE/kg/min",
    "mEq/h",
    "mmol/h",
    "g/h",
    "g/kg/h",
}
FLUIDS = ("diluent-required", "diluent-contraindicated", "reconstitution-fluid", "flush-before-after")
_NUMBER = re.compile(r"\d+(\.\d+)?(-\d+(\.\d+)?)?")


def check(subject: Subject) -> Iterator[Found]:
    """Rules whose value or unit would be passed over in silence."""
    words = {word for name in ("value", "line-rule") for word in subject.records.vocabulary.get(name, {})}
    known = (
        {drug.id for drug in subject.records.drugs} | {drug.vehicle_code for drug in subject.records.drugs} | {PREMIX, UNDILUTED} | words
    )
    for drug in subject.records.drugs:
        for number, rule in enumerate(drug.rules):
            at = f"rules/{number}"
            for reason, mend in _wrong(rule, known):
                yield Found(*subject.place(drug.id, at), at, f"{rule.rule}: {reason}", mend)


def _wrong(rule: Rule, known: set[str]) -> Iterator[tuple[str, str]]:
    if rule.rule in CONCENTRATIONS:
        for value in rule.values:
            try:
                Concentration.parse(f"{value} {rule.unit}")
            except ConcentrationError as error:
                yield error.reason, "write value: 5, unit: mg/mL"
    elif rule.rule in ("min-infusion-time", "infusion-time"):
        yield from _amount(rule, {"min"})
    elif rule.rule == "max-rate":
        yield from _amount(rule, RATES)
    elif rule.rule in FLUIDS:
        for value in rule.values:
            if value.removeprefix("any-other-than-") not in known and not value.startswith("group:"):
                yield (
                    f'"{value}" is not a known fluid',
                    "write a vehicle code (NS, D5W), a fluid's id, group:<id> or a word of vocabulary.yaml, value",
                )


def _amount(rule: Rule, units: set[str]) -> Iterator[tuple[str, str]]:
    for value in rule.values:
        if not _NUMBER.fullmatch(value):
            yield f'"{value}" is not a number', "write digits, or a range: 30 or 30-60"
    if rule.unit not in units:
        yield f'"{rule.unit}" is not a unit of this rule', f"write one of {', '.join(sorted(units))}"
