"""Small made-up worlds and questions about them, for properties that must hold in every world.

A world is a Records of a few drugs and fluids with whatever rows, rules and interactions chance gives it; a
question is the body of POST /v1/check in its names. What is drawn is kept small so that things meet often.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from knowledge import Knowledge
from knowledge.link import link
from knowledge.model import (
    Alias,
    Ambiguous,
    Cited,
    ClassMembership,
    Component,
    Content,
    Drug,
    DrugClass,
    Group,
    Interaction,
    Records,
    Row,
    Rule,
    Side,
    Source,
    Substance,
    When,
)
from knowledge.terms import Basis, Effect, Finding, Kind, Mode, Result, Review, Route, SeenAs, Severity, SourceKind
from knowledge.units import Concentration

DRUGS = ("alfamicin", "bravomab", "charliecillin", "deltaplatin")
COMBINATION = "alfa-bravo"  # holds alfamicin
FORMULATION = "deltaplatin-lipid"  # shares the ingredient of deltaplatin
FLUIDS = {"saline-x": "NS", "dextrose-x": "D5W", "ringer-x": "LR"}
NUTRITION = ("feed-x", "feed-x-calcium", "feed-x-plain")
NODES = (*DRUGS, COMBINATION, FORMULATION, *FLUIDS, *NUTRITION)
OFTEN = DRUGS[:2] * 12 + ("saline-x",) * 6  # drawn more often than the rest, so that facts and questions meet
GROUPS = ("calcium-containing", "saline-containing", "alkaline", "blood-products")
CLASSES = ("class:ones", "class:twos")
SOURCES = ("smith-2001", "jones-2002", "label-a", "label-b")
# The same concentration in the units of its own family; never across families.
CONCENTRATIONS = {
    "1 mg/mL": ("1 g/L", "1000 mcg/mL", "0.1 %", "100 mg/100 mL"),
    "5 mg/mL": ("5 g/L", "0.5 %", "1 g/200 mL"),
    "20 mg/mL": ("20 g/L", "2 %"),
    "0.1 mEq/mL": ("100 mEq/L",),
    "0.1 mmol/mL": ("100 mmol/L",),
    "100 units/mL": ("100000 units/L",),
}
TESTED = (*CONCENTRATIONS, "1-5 mg/mL", "up to 5 mg/mL", ">5 mg/mL")
RULE_VALUES: dict[str, tuple[tuple[str, str], ...]] = {
    "route": (("iv", ""), ("sc", ""), ("im", ""), ("not-iv", "")),
    "dedicated-line": tuple(
        (value, "")
        for value in (
            "no-co-infusion",
            "separate-line",
            "no-co-infusion-except-listed",
            "no-calcium-same-line",
            "no-alkaline-same-line",
            "no-blood-products",
            "class:ones",
            "group:alkaline",
        )
    ),
    "no-admixture": (
        ("any-drug", ""),
        ("any-drug-or-electrolyte", ""),
        ("any-drug-without-data", ""),
        ("class:twos", ""),
        ("group:calcium-containing", ""),
    ),
    "diluent-required": (("saline-x", ""), ("dextrose-x", ""), ("premix", "")),
    "diluent-contraindicated": (
        ("dextrose-x", ""),
        ("group:calcium-containing", ""),
        ("any-other-than-NS", ""),
        ("group:saline-containing", ""),
    ),
    "max-concentration": (("2", "mg/mL"), ("10", "mg/mL")),
    "min-concentration": (("2", "mg/mL"),),
    "min-infusion-time": (("60", "min"),),
    "max-rate": (("1", "mL/min"), ("10", "mg/min"), ("5", "mg/kg/h")),
    "neonatal-contraindication": (("yes", ""), ("with-calcium", "")),
    "flush-before-after": (("saline-x", "both"), ("dextrose-x", "after")),
    "filter-required": (("0.2", "um"),),
    "light-protection": (("vial-storage", ""), ("during-infusion", "")),
    "vesicant": (("yes", ""), ("no", "")),
    "fatal-if-intrathecal": (("yes", ""),),
}
# Rules that forbid or limit. The others permit something (a diluent, a route, a flush), and may well make an answer better.
BANS = (
    "dedicated-line",
    "no-admixture",
    "diluent-contraindicated",
    "max-concentration",
    "min-concentration",
    "min-infusion-time",
    "max-rate",
    "neonatal-contraindication",
    "filter-required",
)

cited = st.builds(
    Cited, source=st.sampled_from(SOURCES), at=st.just("Table 1"), read=st.sampled_from(SeenAs), review=st.just(Review.TRANSCRIBED)
)


@st.composite
def sides(draw: st.DrawFn, drug: str) -> Side:
    conc = draw(st.sampled_from((None, *TESTED, *("1 mg/mL", "5 mg/mL", "20 mg/mL") * 3)))
    vehicles = (
        draw(st.sampled_from(((), ("saline-x",), ("saline-x",), ("dextrose-x",), ("saline-x", "dextrose-x"), ("premix",))))
        if drug in DRUGS
        else ()
    )
    return Side(
        drug=drug,
        conc=Concentration.parse(conc) if conc else None,
        vehicles=vehicles,
        formulation=draw(st.sampled_from(("", "", "", "edta"))),
    )


@st.composite
def rows(draw: st.DrawFn, result: Result | None = None, number: int | None = None) -> Row:
    ends = draw(
        st.lists(st.sampled_from((*NODES, *OFTEN, "group:calcium-containing")), min_size=2, max_size=2, unique=True).filter(
            lambda two: not all(end.startswith("group:") for end in two)
        )
    )
    a, b = sorted((draw(sides(ends[0])), draw(sides(ends[1]))), key=lambda side: side.drug)
    result = result or draw(st.sampled_from((Result.COMPATIBLE, Result.COMPATIBLE, Result.INCOMPATIBLE, Result.VARIABLE)))
    where = draw(cited)
    number = number if number is not None else draw(st.integers(100, 999))
    return Row(
        id=f"{where.source}#{number}",
        a=a,
        b=b,
        mode=draw(st.sampled_from((Mode.Y_SITE, Mode.Y_SITE, Mode.ADMIXTURE, Mode.SYRINGE))),
        result=result,
        basis=Basis.PHYSICAL,
        method=(),
        hours=draw(st.none() | st.just(4.0)),
        finding=Finding.NONE if result is Result.COMPATIBLE else Finding.PRECIPITATE,
        note="",
        cited=where,
    )


@st.composite
def rules(draw: st.DrawFn, drug: str, kinds: tuple[str, ...] = tuple(RULE_VALUES), effect: Effect | None = None) -> Rule:
    kind = draw(st.sampled_from((*kinds, "diluent-required", "diluent-required", "route") if "diluent-required" in kinds else kinds))
    value, unit = draw(st.sampled_from(RULE_VALUES[kind]))
    return Rule(
        drug=drug, rule=kind, values=(value,), unit=unit, effect=effect or draw(st.sampled_from(Effect)), note="", cited=draw(cited)
    )


@st.composite
def statements(draw: st.DrawFn, number: int) -> Interaction:
    ends = draw(st.lists(st.sampled_from((*DRUGS, *DRUGS, *CLASSES, "group:calcium-containing")), min_size=2, max_size=2))
    if ends[0] == ends[1] and not ends[0].startswith("class:"):
        ends[1] = next(drug for drug in DRUGS if drug != ends[0])
    a, b = sorted(ends)
    roles = draw(st.booleans()) and a != b
    obj = draw(st.sampled_from((a, b))) if roles else ""
    drugs = [end for end in (a, b) if ":" not in end]
    first = draw(st.sampled_from(drugs)) if drugs and not roles and draw(st.integers(0, 3)) == 0 else ""
    when = draw(
        st.sampled_from(
            (
                None,
                None,
                When(max_age_days=28),
                When(min_age_days=29),
                *(When(routes=((drug, "iv"),)) for drug in drugs),
                *(When(routes=((drug, "non-iv"),)) for drug in drugs),
            )
        )
    )
    condition = "when so" if when else draw(st.sampled_from(("", "", "high dose")))
    return Interaction(
        id=f"made-up#{number}",
        a=a,
        b=b,
        object=obj,
        precipitant=(b if obj == a else a) if roles else "",
        severity=draw(st.sampled_from(Severity)),
        said="",
        mechanism="made-up",
        effect="",
        manage=("sequence",) if first else ("avoid",),
        route=draw(st.sampled_from((Route.ANY, *Route))),
        condition=condition,
        when=when,
        first=first,
        cited=draw(cited),
    )


def _salt(component: str, amount: str = "3", role: str = "electrolyte") -> Content:
    return Content(component=component, role=role, amount=amount, unit="mEq/L", cited=Cited(source="label-a", at=component))


@st.composite
def worlds(draw: st.DrawFn, most_rows: int = 12, most_rules: int = 6, most_statements: int = 6) -> Records:
    """A world: fixed names, and chance for all that is said of them."""
    said: dict[str, list[Rule]] = {}
    for _ in range(draw(st.sampled_from((0, most_rules // 2, most_rules)))):
        rule = draw(st.sampled_from((*DRUGS, *DRUGS[:2] * 2, COMBINATION, FORMULATION)).flatmap(rules))
        said.setdefault(rule.drug, []).append(rule)
    member = {
        drug: tuple(ClassMembership(cls=cls, source="label-b") for cls in ("ones", "twos") if draw(st.booleans()))
        for drug in (*DRUGS, COMBINATION)
    }
    content = {
        "saline-x": (_salt("sodium"), _salt("chloride")),
        "ringer-x": (_salt("calcium"), _salt("sodium"), _salt("chloride")),
        "feed-x-calcium": (_salt("calcium"),),
        "feed-x-plain": (_salt("calcium", "0", "absent"),),
        "charliecillin": (_salt("calcium", role="active"),) if draw(st.booleans()) else (),
    }
    drugs = tuple(
        Drug(
            id=name,
            name=name,
            kind=Kind.FLUID if name in FLUIDS else Kind.NUTRITION if name in NUTRITION else Kind.DRUG,
            infused=True,
            group="made up",
            vehicle_code=FLUIDS.get(name, ""),
            ingredient="deltaplatin" if name.startswith("deltaplatin") else "",
            parent="feed-x" if name.startswith("feed-x-") else "",
            codes={"rxnorm": (str(1000 + number),)},
            aliases=(Alias(name=f"{name}ex", kind="brand", source="label-a"),),
            components=(Component(name="alfamicin", drug="alfamicin"), Component(name="bravon")) if name == COMBINATION else (),
            classes=member.get(name, ()),
            composition=content.get(name, ()),
            rules=tuple(said.get(name, ())),
        )
        for number, name in enumerate(NODES)
    )
    return Records(
        version="2026.1.1",
        date="2026-01-01",
        drugs=drugs,
        classes=(
            DrugClass(id="ones", name="ones", source="label-a", duplication=True),
            DrugClass(id="twos", name="twos", source="label-a"),
        ),
        groups=(
            Group(
                id="calcium-containing", name="with calcium", contains=("calcium",), carriers=("bravomab",) if draw(st.booleans()) else ()
            ),
            Group(id="saline-containing", name="with saline", contains=("sodium", "chloride"), all_of=True),
            Group(id="alkaline", name="alkaline", members=("alfamicin",)),
            Group(id="blood-products", name="blood", members=("feed-x",)),
        ),
        substances=tuple(Substance(id=name, kind="ion") for name in ("sodium", "chloride", "calcium")),
        sources=tuple(
            Source(id=name, kind=SourceKind.LABEL if name.startswith("label") else SourceKind.JOURNAL, title=f"made-up {name}")
            for name in SOURCES
        ),
        rows=tuple(draw(rows(number=number)) for number in range(draw(st.sampled_from((0, 2, most_rows // 2, most_rows))))),
        interactions=tuple(draw(statements(number)) for number in range(draw(st.sampled_from((0, most_statements // 2, most_statements))))),
        ambiguous=(Ambiguous(token="AB", candidates=("alfamicin", "bravomab"), others=(), why="made up", source="label-a"),),
        vocabulary={},
    )


@st.composite
def infusions(draw: st.DrawFn, timed: bool = True, plain: bool = False) -> dict[str, Any]:
    """One infusion of a question, by name."""
    item: dict[str, Any] = {"drug": draw(st.sampled_from((*NODES, *OFTEN)))}
    if plain:
        return item
    optional = {
        "conc": st.sampled_from((*CONCENTRATIONS, "1 mg/mL", "5 mg/mL", "5 mg/mL")),
        "vehicle": st.sampled_from(("NS", "NS", "NS", "D5W", "LR", "premix")),
        "formulation": st.just("edta"),
        "line": st.sampled_from(("white", "blue")),
        "rate_ml_per_h": st.sampled_from((30, 600)),
        "route": st.sampled_from(("iv", "iv", "sc")),
        "hours": st.sampled_from((0.5, 2)),
    }
    if timed:
        optional["start"] = st.sampled_from(("2026-01-05T08:00", "2026-01-05T08:30", "2026-01-05T12:00"))
    for key, values in optional.items():
        if draw(st.sampled_from((True, False, False) if key in ("formulation", "route", "line", "start") else (True, False))):
            item[key] = draw(values)
    return item


@st.composite
def questions(draw: st.DrawFn, least: int = 1, most: int = 4, timed: bool = True) -> dict[str, Any]:
    """A question of a few different drugs, that no reader refuses."""
    drugs = draw(st.lists(infusions(timed=timed), min_size=least, max_size=most, unique_by=lambda item: item["drug"]))
    question: dict[str, Any] = {"drugs": drugs, "mode": draw(st.sampled_from((*Mode, Mode.Y_SITE)))}
    taken = draw(st.lists(st.sampled_from(DRUGS), max_size=2, unique=True))
    question["medications"] = [{"drug": drug, "route": draw(st.sampled_from(("oral", "sc", "iv")))} for drug in taken]
    if draw(st.booleans()):
        question["patient"] = {"age_days": draw(st.sampled_from((5, 28, 29, 9000)))}
    return question


def linked(records: Records) -> Knowledge:
    return link(records, "0" * 64)


def with_rule(records: Records, rule: Rule) -> Records:
    """The same world with one more rule."""
    return replace(
        records, drugs=tuple(replace(drug, rules=(*drug.rules, rule)) if drug.id == rule.drug else drug for drug in records.drugs)
    )
