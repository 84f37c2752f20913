"""What the value of a product rule may be, so that none is passed over in silence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from knowledge.model import Rule
from knowledge.units import Concentration, ConcentrationError

# values of dedicated-line: no other infusion at all, or none of a group
ALONE = frozenset(
    {
        "no-co-infusion",
        "separate-line",
        "dedicated-line",
        "no-other-drugs-same-line",
        "no-drugs-same-line",
        "separate-line-or-dextrose-flush",
        "single-agent",
        "no-co-infusion-except-listed",
    }
)
AGAINST_GROUP = {"no-calcium-same-line": "calcium-containing", "no-alkaline-same-line": "alkaline", "no-blood-products": "blood-products"}
NO_ADMIXTURE = frozenset({"any-drug", "any-drug-or-electrolyte", "any-drug-without-data"})
OF_ITSELF = frozenset({"other-presentation"})  # of no-admixture: told on the product's page, for no drug is judged against itself
NAMED = ("class:", "group:")  # of dedicated-line and no-admixture: the members of one

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


def wrong(rule: Rule, known: set[str]) -> Iterator[tuple[str, str]]:
    """Why a value cannot be weighed, and how to mend it. known: fluids by id and code, and words that stand for one."""
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
    elif rule.rule == "dedicated-line":
        yield from unknown_words(_words(rule), ALONE | AGAINST_GROUP.keys())
    elif rule.rule == "no-admixture":
        yield from unknown_words(_words(rule), NO_ADMIXTURE | OF_ITSELF)
    elif rule.rule in FLUIDS:
        for value in rule.values:
            if value.removeprefix("any-other-than-") not in known and not value.startswith("group:"):
                yield (
                    f'"{value}" is not a known fluid',
                    "write a vehicle code (NS, D5W), a fluid's id, group:<id> or a word of vocabulary.yaml, value",
                )


def _words(rule: Rule) -> tuple[str, ...]:
    """The values that name no class or group."""
    return tuple(value for value in rule.values if not value.startswith(NAMED))


def _amount(rule: Rule, units: set[str]) -> Iterator[tuple[str, str]]:
    for value in rule.values:
        if not _NUMBER.fullmatch(value):
            yield f'"{value}" is not a number', "write digits, or a range: 30 or 30-60"
    if rule.unit not in units:
        yield f'"{rule.unit}" is not a unit of this rule', f"write one of {', '.join(sorted(units))}"


def unknown_words(values: tuple[str, ...], words: frozenset[str] | set[str]) -> Iterator[tuple[str, str]]:
    """Each of `values` that is none of `words`, with the nearest one."""
    for value in values:
        if value not in words:
            near = difflib.get_close_matches(value, sorted(words), 1)
            mend = f'write "{near[0]}" if that was meant; ' if near else ""
            yield f'"{value}" is not a known value', f"{mend}the values are: {', '.join(sorted(words))}"
