"""Product rules, kind by kind: what breaks each, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from checker import Checker, Names, order, product_words
from checker.limits import highest_rate, limit, minutes
from checker.model import Level
from checker.rules import flush_fluids, own_findings
from knowledge import Knowledge
from knowledge.link import link
from knowledge.model import Cited, Drug, Records, Row, Rule, Side, Source
from knowledge.terms import Basis, Effect, Finding, Kind, Mode, Result, SourceKind


def base(*rules: tuple[str, str, str, str], rows: tuple[Row, ...] = ()) -> Knowledge:
    """One made-up drug, "one", with these rules (kind, value, unit, effect), and two fluids."""
    said = tuple(
        Rule(
            drug="one",
            rule=kind,
            values=tuple(value.split(";")),
            unit=unit,
            effect=Effect(effect),
            note="",
            cited=Cited(source="label", at="section 2"),
        )
        for kind, value, unit, effect in rules
    )
    drugs = (
        Drug(id="one", name="one", kind=Kind.DRUG, infused=True, group="made up", codes={}, rules=said),
        *(
            Drug(id=name, name=name, kind=Kind.FLUID, infused=True, group="fluid", codes={}, vehicle_code=code)
            for name, code in (("saline-x", "NS"), ("dextrose-x", "D5W"))
        ),
    )
    return link(
        Records(
            version="2026.1.1",
            date="2026-01-01",
            drugs=drugs,
            classes=(),
            groups=(),
            substances=(),
            sources=(Source(id="label", kind=SourceKind.LABEL),),
            rows=rows,
            interactions=(),
            ambiguous=(),
            vocabulary={},
        ),
        "0" * 64,
    )


def told(knowledge: Knowledge, age_days: int | None = None, **asked: Any) -> dict[str, Level]:
    """The findings of "one" alone, by code."""
    infusion = order({"drugs": [{"drug": "one", **asked}]}, Names(knowledge)).infusions[0]
    return {finding.code: finding.level for finding in own_findings(knowledge, infusion, age_days)}


S, C, N = Level.STOP, Level.CAUTION, Level.NOTE


@pytest.mark.parametrize(
    ("rules", "asked", "code", "level"),
    [
        ([("max-concentration", "5", "mg/mL", "hard")], {"conc": "6 mg/mL"}, "max-concentration", S),
        ([("max-concentration", "5", "mg/mL", "caution")], {"conc": "6 mg/mL"}, "max-concentration", C),
        ([("max-concentration", "5", "mg/mL", "info")], {"conc": "6 mg/mL"}, "max-concentration", N),
        ([("max-concentration", "5", "mg/mL", "hard")], {"conc": "5 mg/mL"}, "max-concentration", None),
        ([("max-concentration", "5", "mg/mL", "hard")], {"conc": "4-6 mg/mL"}, "max-concentration", S),  # a range that may pass the limit
        ([("max-concentration", "5", "mg/mL", "hard")], {"conc": "6 mEq/mL"}, "max-concentration", None),  # unlike units are not compared
        (
            [("max-concentration", "5", "mg/mL", "caution"), ("max-concentration", "7", "mg/mL", "hard")],
            {"conc": "6 mg/mL"},
            "max-concentration",
            C,
        ),
        (
            [("max-concentration", "5", "mg/mL", "caution"), ("max-concentration", "7", "mg/mL", "hard")],
            {"conc": "8 mg/mL"},
            "max-concentration",
            S,
        ),
        ([("min-concentration", "2", "mg/mL", "caution")], {"conc": "1 mg/mL"}, "min-concentration", C),
        ([("min-concentration", "2", "mg/mL", "caution")], {"conc": "2 mg/mL"}, "min-concentration", None),
        ([("min-infusion-time", "60", "min", "hard")], {"hours": 0.5}, "min-infusion-time", S),
        ([("min-infusion-time", "60", "min", "hard")], {"hours": 1}, "min-infusion-time", None),
        ([("max-rate", "2", "mL/min", "hard")], {"rate_ml_per_h": 121}, "max-rate", S),
        ([("max-rate", "2", "mL/min", "hard")], {"rate_ml_per_h": 120}, "max-rate", None),
        ([("max-rate", "10", "mg/min", "caution")], {"rate_ml_per_h": 60, "conc": "20 mg/mL"}, "max-rate", C),
        ([("max-rate", "10", "mg/min", "caution")], {"rate_ml_per_h": 60, "conc": "10 mg/mL"}, "max-rate", None),
        ([("max-rate", "15", "mg/h", "caution")], {"rate_ml_per_h": 100, "conc": "1 mg/mL"}, "max-rate", C),
        ([("max-rate", "15", "mg/h", "caution")], {"rate_ml_per_h": 15, "conc": "1 mg/mL"}, "max-rate", None),
        ([("max-rate", "15", "mg/h", "caution")], {"rate_ml_per_h": 15, "conc": "1-1.1 mg/mL"}, "max-rate", C),
        ([("max-rate", "15", "mg/h", "caution")], {"rate_ml_per_h": 1, "conc": "at least 1 mg/mL"}, "max-rate", C),
        ([("max-rate", "1", "g/h", "hard")], {"rate_ml_per_h": 101, "conc": "10 mg/mL"}, "max-rate", S),
        ([("max-rate", "100", "mL/h", "hard")], {"rate_ml_per_h": 101}, "max-rate", S),
        ([("max-rate", "100", "mL/h", "hard")], {"rate_ml_per_h": 100}, "max-rate", None),
        ([("max-rate", "2000", "units/h", "hard")], {"rate_ml_per_h": 21, "conc": "100 units/mL"}, "max-rate", S),
        ([("max-rate", "10", "mEq/h", "hard")], {"rate_ml_per_h": 101, "conc": "0.1 mEq/mL"}, "max-rate", S),
        ([("max-rate", "10", "mmol/h", "hard")], {"rate_ml_per_h": 100, "conc": "0.1 mmol/mL"}, "max-rate", None),
        # what cannot be compared is told, as advice at most
        ([("max-rate", "10", "mmol/h", "hard")], {"rate_ml_per_h": 101, "conc": "1 mg/mL"}, "limit-not-compared", C),
        ([("max-rate", "10", "mg/h", "info")], {"rate_ml_per_h": 101, "conc": "1 mEq/mL"}, "limit-not-compared", N),
        ([("max-rate", "10", "mg PE/min", "hard")], {"rate_ml_per_h": 101, "conc": "1 mg/mL"}, "limit-not-compared", C),
        ([("max-rate", "10", "mg/h", "hard")], {"rate_ml_per_h": 101}, "limit-not-compared", N),  # the question holds no concentration
        ([("max-rate", "10", "mg/h", "hard")], {"conc": "1 mEq/mL"}, "limit-not-compared", None),  # no rate was asked
        ([("max-rate", "10", "mL/h", "hard")], {"rate_ml_per_h": 5, "conc": "1 mEq/mL"}, "limit-not-compared", None),
        ([("max-concentration", "5", "mg/mL", "hard")], {"conc": "6 mEq/mL"}, "limit-not-compared", C),
        ([("min-concentration", "5", "mg/mL", "caution")], {"conc": "6 units/mL"}, "limit-not-compared", C),
        ([("max-concentration", "5", "mg/mL", "info")], {"conc": "6 mEq/mL"}, "limit-not-compared", N),
        ([("max-concentration", "5", "mg/mL", "hard")], {}, "limit-not-compared", None),
        ([("max-concentration", "5", "mmol/mL", "hard")], {"conc": "6 mEq/mL"}, "limit-not-compared", C),  # "one" is no salt that is known
        ([("max-rate", "3", "mg/kg/h", "hard")], {"rate_ml_per_h": 60}, "max-rate", N),  # the order holds no weight
        ([("route", "not-iv", "", "hard")], {}, "not-iv", S),
        ([("route", "not-iv", "", "hard"), ("route", "iv", "", "info")], {}, "not-iv", C),  # labels differ
        ([("route", "not-iv", "", "caution")], {}, "not-iv", C),
        ([("route", "not-iv", "", "caution"), ("route", "iv", "", "info")], {}, "not-iv", N),
        ([("route", "sc", "", "info")], {}, "not-iv", C),
        ([("route", "sc", "", "info"), ("route", "iv", "", "info")], {}, "not-iv", None),
        ([("route", "not-iv", "", "hard")], {"route": "sc"}, "not-iv", None),
        ([("diluent-required", "saline-x", "", "hard")], {}, "diluent-required", N),
        ([("diluent-required", "saline-x", "", "hard")], {"vehicle": "NS"}, "diluent-permitted", N),
        ([("diluent-required", "saline-x", "", "hard")], {"vehicle": "D5W"}, "diluent-not-listed", S),
        ([("diluent-required", "saline-x", "", "caution")], {"vehicle": "D5W"}, "diluent-not-listed", C),
        (
            [("diluent-required", "saline-x", "", "hard"), ("diluent-required", "saline-x;dextrose-x", "", "hard")],
            {"vehicle": "D5W"},
            "diluent-not-listed",
            C,
        ),
        # a list of examples permits what it names, and speaks against nothing else
        ([("diluent-required", "saline-x", "", "info")], {"vehicle": "NS"}, "diluent-permitted", N),
        ([("diluent-required", "saline-x", "", "info")], {"vehicle": "D5W"}, "diluent-not-listed", None),
        ([("diluent-required", "saline-x", "", "info")], {"vehicle": "D5W"}, "diluent-not-known", N),
        (
            [("diluent-required", "saline-x", "", "info"), ("diluent-required", "dextrose-x", "", "caution")],
            {"vehicle": "D5W"},
            "diluent-permitted",
            N,
        ),
        (
            [("diluent-required", "saline-x", "", "info"), ("diluent-required", "dextrose-x", "", "hard")],
            {"vehicle": "NS"},
            "diluent-not-listed",
            C,
        ),
        ([("diluent-contraindicated", "dextrose-x", "", "hard")], {"vehicle": "D5W"}, "diluent-contraindicated", S),
        ([("diluent-contraindicated", "dextrose-x", "", "caution")], {"vehicle": "D5W"}, "diluent-contraindicated", C),
        ([("diluent-contraindicated", "any-other-than-NS", "", "hard")], {"vehicle": "D5W"}, "diluent-contraindicated", S),
        ([("diluent-contraindicated", "any-other-than-NS", "", "hard")], {"vehicle": "NS"}, "diluent-contraindicated", None),
        ([], {"vehicle": "D5W"}, "diluent-not-known", N),
        ([("light-protection", "during-infusion", "", "caution")], {}, "light-protection", N),
        ([("light-protection", "vial-storage", "", "info")], {}, "light-protection", None),
        ([("vesicant", "yes", "", "hard")], {}, "vesicant", N),
        ([("vesicant", "no", "", "info")], {}, "vesicant", None),
        ([("fatal-if-intrathecal", "yes", "", "hard")], {}, "fatal-if-intrathecal", N),
        ([("fatal-if-intrathecal", "yes", "", "hard")], {"route": "intrathecal"}, "fatal-if-intrathecal", S),
        ([("not-intrathecal", "yes", "", "hard")], {"route": "intrathecal"}, "not-intrathecal", S),
        ([("not-intrathecal", "yes", "", "caution")], {"route": "intrathecal"}, "not-intrathecal", C),
        ([("fatal-if-intrathecal", "yes", "", "hard")], {"route": "other"}, "fatal-if-intrathecal", C),
        ([("fatal-if-intrathecal", "yes", "", "hard")], {"route": "oral"}, "fatal-if-intrathecal", None),
        ([("vesicant", "yes", "", "hard")], {"route": "intrathecal"}, "vesicant", None),
    ],
)
def test_a_rule_and_an_order(rules: list[tuple[str, str, str, str]], asked: dict[str, Any], code: str, level: Level | None) -> None:
    assert level == told(base(*rules), **asked).get(code)


@pytest.mark.parametrize(
    ("value", "age", "level"),
    [("yes", 0, S), ("yes", 28, S), ("yes", 29, None), ("yes", None, N), ("with-calcium", 5, C), ("with-calcium", 300, None)],
)
def test_neonates(value: str, age: int | None, level: Level | None) -> None:
    assert level == told(base(("neonatal-contraindication", value, "", "hard")), age).get("neonatal-contraindication")


def test_every_rule_of_the_base_that_sets_a_limit_can_be_compared(real: Knowledge) -> None:
    """A limit whose number or unit the engine cannot read would be silent for ever."""
    for drug in real.drugs.values():
        for rule in drug.rules:
            if rule.rule in ("max-concentration", "min-concentration"):
                assert limit(rule) is not None, rule
            if rule.rule == "min-infusion-time":
                assert minutes(rule) is not None, rule
            if rule.rule == "max-rate" and "/kg" not in rule.unit and "PE" not in rule.unit:  # these two are told as not judged
                assert highest_rate(rule) is not None, rule


def test_a_flush_is_one_that_neither_forbids(world: Knowledge) -> None:
    fluids, rules = flush_fluids(world, "samplicin", "exemplapenem")

    assert fluids == ("fictional-saline",)
    assert [rule.drug for rule in rules] == ["samplicin"]
    assert flush_fluids(world, "samplicin", "shamphotericin")[0] == ("fictional-dextrose",)
    assert flush_fluids(world, "nonesuch", "fictazolam") == ((), ())


def test_a_label_that_lists_a_pair_exempts_it_from_its_own_rule(world: Knowledge) -> None:
    checker, names = Checker(world), Names(world)
    listed, other = (checker.check(order({"drugs": ["alonimab", partner]}, names)).pairs[0].line for partner in ("fictazolam", "nonesuch"))

    assert listed is not None and not listed.rules
    assert other is not None and other.rules


@pytest.mark.parametrize("ban", list(Effect))
@pytest.mark.parametrize("only", list(Effect))
@pytest.mark.parametrize("test", [None, "dextrose-x"])
def test_a_weaker_word_on_a_fluid_never_hides_a_stronger_one(only: Effect, ban: Effect, test: str | None) -> None:
    """One label's list leaves a fluid out, another label bans it: the answer is as hard as the harder of the two."""
    listed, banned = ("diluent-required", "saline-x", "", str(only)), ("diluent-contraindicated", "dextrose-x", "", str(ban))
    permitted = [("diluent-required", test, "", "info")] if test else []

    def worst(*rules: tuple[str, str, str, str]) -> int:
        levels = [list(Level).index(level) for level in told(base(*rules, *permitted), vehicle="D5W").values()]
        return min(levels, default=len(Level))

    assert worst(listed, banned) <= min(worst(listed), worst(banned))


@pytest.mark.parametrize("ban", list(Effect))
def test_advice_against_a_fluid_never_hides_a_test_that_failed_in_it(ban: Effect) -> None:
    failed = Row(
        id="label#1",
        a=Side(drug="dextrose-x"),
        b=Side(drug="one"),
        mode=Mode.ADMIXTURE,
        result=Result.INCOMPATIBLE,
        basis=Basis.PHYSICAL,
        method=(),
        hours=None,
        finding=Finding.PRECIPITATE,
        note="",
        cited=Cited(source="label", at="section 3"),
    )
    found = told(base(("diluent-contraindicated", "dextrose-x", "", str(ban)), rows=(failed,)), vehicle="D5W")

    assert Level.STOP in found.values()


@pytest.mark.parametrize(
    ("drug", "source", "says"),
    [
        ("siltuximab", "", "Dilute only in D5W."),
        ("vincristine", "msf-", "Dilute in NS or D5W."),
        ("vincristine", "label-vincasar", "Diluents named: NS."),
        ("digoxin", "label-digosin", "Given as supplied (undiluted)."),
    ],
)
def test_only_is_said_of_a_closed_list_alone(real: Knowledge, drug: str, source: str, says: str) -> None:
    listed = [rule for rule in real.drugs[drug].rules if rule.rule == "diluent-required" and rule.cited.source.startswith(source)]

    assert says in [product_words.demand(real, [rule]).partition(": ")[2] for rule in listed]
