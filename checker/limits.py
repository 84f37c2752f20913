"""How strong, how fast and how short one infusion may be: what was asked, held against the product's limits.

A limit that is in other units than what was asked is told as not compared: what is silent would read as kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from checker import product_words
from checker.model import LEVEL_RANK, Finding, Infusion, Level
from knowledge.link import Knowledge
from knowledge.model import Rule
from knowledge.units import Concentration, ConcentrationError, Family, Rate

NOT_COMPARED = "limit-not-compared"
_ROUNDING = 1e-9  # of unit conversion, as a share


def concentration(knowledge: Knowledge, infusion: Infusion, rules: Sequence[Rule]) -> Iterator[Finding]:
    """The highest and lowest concentration. rules: of the kinds max-concentration and min-concentration."""
    conc = infusion.conditions.conc
    if conc is None:
        return
    passed: dict[str, list[Rule]] = {"max-concentration": [], "min-concentration": []}
    unlike = []
    for rule in rules:
        bound = limit(rule)
        asked = bound and _in_units_of(knowledge, infusion.drug, conc, bound.family)
        if bound is None or asked is None:
            unlike.append(rule)
            continue
        highest = rule.rule == "max-concentration"
        beyond = asked.high > bound.high * (1 + _ROUNDING) if highest else asked.low < bound.low * (1 - _ROUNDING)
        if beyond:
            passed[rule.rule].append(rule)
    for code, over in passed.items():
        if over:
            yield _passed(knowledge, infusion, code, str(conc), over)
    if unlike:
        yield _unlike(knowledge, infusion, str(conc), unlike, "Compare them by hand, or ask in the units of the limit.")


def duration(knowledge: Knowledge, infusion: Infusion, rules: Sequence[Rule]) -> Iterator[Finding]:
    """The least infusion time."""
    if infusion.hours is None:
        return
    short = [rule for rule in rules if (least := minutes(rule)) is not None and infusion.hours * 60 < least - 1e-9]
    if short:
        yield _passed(knowledge, infusion, "min-infusion-time", f"{infusion.hours * 60:g} min", short)


def rate(knowledge: Knowledge, infusion: Infusion, rules: Sequence[Rule]) -> Iterator[Finding]:
    """The highest rate, in mL or in drug a time. A limit by body weight is shown and not judged, for the order holds no weight."""
    ml_per_h, conc = infusion.rate_ml_per_h, infusion.conditions.conc
    if ml_per_h is None:
        return
    over, unlike, without, by_weight = [], [], [], []
    for rule in rules:
        highest = highest_rate(rule)
        if "/kg" in rule.unit:
            by_weight.append(rule)
        elif highest is not None and highest.family is None:
            over += [rule] if ml_per_h > highest.per_h * (1 + _ROUNDING) else []
        elif conc is None:
            without.append(rule)
        elif (
            highest is None or highest.family is None or (strength := _in_units_of(knowledge, infusion.drug, conc, highest.family)) is None
        ):
            unlike.append(rule)
        elif ml_per_h * strength.high > highest.per_h * (1 + _ROUNDING):
            over.append(rule)
    asked = f"{ml_per_h:g} mL/h"
    if over:
        yield _passed(knowledge, infusion, "max-rate", f"{asked} of {conc}" if conc else asked, over)
    if unlike:
        yield _unlike(
            knowledge, infusion, f"{asked} of {conc}", unlike, "Compare them by hand, or ask the concentration in the units of the limit."
        )
    if without:
        text = product_words.not_compared(
            knowledge, infusion.drug, f"{asked} without a concentration", without, "Give the concentration to have it judged."
        )
        yield product_words.finding(knowledge, Level.NOTE, NOT_COMPARED, infusion.drug, without, text)
    if by_weight:
        yield product_words.finding(knowledge, Level.NOTE, "max-rate", infusion.drug, by_weight)


def limit(rule: Rule) -> Concentration | None:
    """The concentration that a rule sets as its limit; None when it cannot be read."""
    try:
        return Concentration.parse(f"{rule.values[0]} {rule.unit}")
    except ConcentrationError:
        return None


def highest_rate(rule: Rule) -> Rate | None:
    """The rate that a rule sets as its limit, of a range the lower end; None for one by body weight, or that cannot be read."""
    try:
        return Rate.parse(f"{rule.values[0].partition('-')[0]} {rule.unit}")
    except ConcentrationError:
        return None


def minutes(rule: Rule) -> float | None:
    """The least time that a rule sets, of a range the lower end."""
    match = re.match(r"\d+(\.\d+)?", rule.values[0])
    return float(match[0]) if match else None


def _in_units_of(knowledge: Knowledge, drug: str, conc: Concentration, family: Family) -> Concentration | None:
    """A concentration as a limit counts it, or None where nothing that is known leads from one to the other."""
    if conc.family is family:
        return conc
    charge = _charge(knowledge, drug)
    return conc.counted_as(family, charge) if charge and {conc.family, family} == {Family.CHARGE, Family.AMOUNT} else None


def _charge(knowledge: Knowledge, drug: str) -> float | None:
    """The charge that all ions of a salt carry; None when they differ, or when one is not told."""
    substances = knowledge.records.substances
    ions = next((item.yields for item in substances if item.id == drug), ())
    charges = {item.charge for item in substances if item.id in ions}
    return charges.pop() if len(charges) == 1 else None


def _passed(knowledge: Knowledge, infusion: Infusion, code: str, asked: str, rules: Sequence[Rule]) -> Finding:
    text = product_words.limit(knowledge, infusion.drug, code, asked, rules)
    return product_words.finding(knowledge, product_words.worst(rules), code, infusion.drug, rules, text)


def _unlike(knowledge: Knowledge, infusion: Infusion, asked: str, rules: Sequence[Rule], mend: str) -> Finding:
    """Worse than advice it cannot be: the limit may be kept."""
    level = max(Level.CAUTION, product_words.worst(rules), key=LEVEL_RANK.__getitem__)
    return product_words.finding(
        knowledge, level, NOT_COMPARED, infusion.drug, rules, product_words.not_compared(knowledge, infusion.drug, asked, rules, mend)
    )
