"""One pair: how rows stand to a question, and what a bracket holds."""

from __future__ import annotations

import pytest

from checker.line import judge
from checker.model import Conditions, Judgement, Reason, Relation, Status
from knowledge.link import Knowledge, link
from knowledge.model import Cited, Drug, Records, Row, Side, Source
from knowledge.terms import Basis, Finding, Kind, Mode, Result, SeenAs, SourceKind
from knowledge.units import Concentration

Tested = tuple[str, str, str]  # concentration of one, of the other, result


def base(*tested: Tested, fluid: str = "saline-x", sources: str = "s") -> Knowledge:
    """Two made-up drugs, "one" and "two", with these tests."""
    rows = tuple(
        Row(
            id=f"s#{number}",
            a=side("one", a, fluid),
            b=side("two", b, fluid),
            mode=Mode.Y_SITE,
            result=Result(result),
            basis=Basis.PHYSICAL,
            method=(),
            hours=4.0,
            finding=Finding.NONE if result == "compatible" else Finding.PRECIPITATE,
            note="",
            cited=Cited(source=sources if sources == "s" else f"s{number}", at="Table 1", read=SeenAs.ABSTRACT),
        )
        for number, (a, b, result) in enumerate(tested)
    )
    drugs = tuple(
        Drug(id=name, name=name, kind=Kind.FLUID if name.endswith("-x") else Kind.DRUG, infused=True, group="made up", codes={})
        for name in ("one", "two", "saline-x", "dextrose-x")
    )
    known = tuple(Source(id=name, kind=SourceKind.JOURNAL) for name in ("s", *(f"s{number}" for number in range(9))))
    return link(
        Records(
            version="2026.1.1",
            date="2026-01-01",
            drugs=drugs,
            classes=(),
            groups=(),
            substances=(),
            sources=known,
            rows=rows,
            interactions=(),
            ambiguous=(),
            vocabulary={},
        ),
        "0" * 64,
    )


def side(drug: str, conc: str, fluid: str) -> Side:
    return Side(drug=drug, conc=Concentration.parse(conc) if conc else None, vehicles=(fluid,) if fluid else ())


def asked(conc: str = "", fluid: str | None = None) -> Conditions:
    return Conditions(conc=Concentration.parse(conc) if conc else None, vehicle=fluid)


def judged(knowledge: Knowledge, one: str, two: str, fluid: str | None = "saline-x") -> Judgement:
    return judge(knowledge, Mode.Y_SITE, "one", "two", asked(one, fluid), asked(two, fluid))


# As vancomycin with piperacillin-tazobactam in dextrose were tested: a staircase.
STAIRS: tuple[Tested, ...] = (
    ("4 mg/mL", "16 mg/mL", "compatible"),
    ("4 mg/mL", "40 mg/mL", "compatible"),
    ("4 mg/mL", "80 mg/mL", "incompatible"),
    ("8 mg/mL", "16 mg/mL", "incompatible"),
    ("8 mg/mL", "80 mg/mL", "incompatible"),
)


@pytest.mark.parametrize(
    ("one", "two", "status", "reason"),
    [
        ("4 mg/mL", "40 mg/mL", Status.COMPATIBLE, Reason.TESTED),  # tested itself, though incompatible tests lie all round
        ("4 mg/mL", "30 mg/mL", Status.COMPATIBLE, Reason.TESTED),  # between two compatible tests
        ("4 mg/mL", "60 mg/mL", Status.VARIABLE, Reason.OUTSIDE_TESTED),  # between a compatible and an incompatible one
        ("6 mg/mL", "30 mg/mL", Status.VARIABLE, Reason.OUTSIDE_TESTED),
        ("8 mg/mL", "40 mg/mL", Status.INCOMPATIBLE, Reason.TESTED),  # between two incompatible tests
        ("4 mg/mL", "10 mg/mL", Status.VARIABLE, Reason.OUTSIDE_TESTED),  # more dilute than anything tested
        ("2 mg/mL", "30 mg/mL", Status.VARIABLE, Reason.OUTSIDE_TESTED),
        ("10 mg/mL", "90 mg/mL", Status.VARIABLE, Reason.OUTSIDE_TESTED),
    ],
)
def test_brackets_on_a_staircase(one: str, two: str, status: Status, reason: Reason) -> None:
    found = judged(base(*STAIRS), one, two)

    assert (status, reason) == (found.status, found.reason)


def test_a_bracket_is_not_broken_by_a_test_in_another_fluid() -> None:
    other = base(*STAIRS[:2], ("4 mg/mL", "20 mg/mL", "compatible")).records.rows
    precipitated = base(("4 mg/mL", "30 mg/mL", "incompatible"), fluid="dextrose-x", sources="each").records.rows
    knowledge = base(*STAIRS[:2])
    both = link(
        type(knowledge.records)(
            **{**{name: getattr(knowledge.records, name) for name in knowledge.records.__slots__}, "rows": (*other, *precipitated)}
        ),
        "0" * 64,
    )

    assert judged(both, "4 mg/mL", "35 mg/mL").status is Status.COMPATIBLE


def test_a_bracket_is_broken_by_a_failure_within_it() -> None:
    found = judged(
        base(("1 mg/mL", "1 mg/mL", "compatible"), ("9 mg/mL", "9 mg/mL", "compatible"), ("5 mg/mL", "5 mg/mL", "incompatible")),
        "3 mg/mL",
        "3 mg/mL",
    )

    assert (Status.VARIABLE, Reason.OUTSIDE_TESTED) == (found.status, found.reason)


def test_two_sources_make_no_bracket() -> None:
    found = judged(base(("1 mg/mL", "1 mg/mL", "compatible"), ("9 mg/mL", "9 mg/mL", "compatible"), sources="each"), "3 mg/mL", "3 mg/mL")

    assert (Status.NO_DATA, Reason.OUTSIDE_TESTED) == (found.status, found.reason)


@pytest.mark.parametrize(
    ("tested", "one", "fluid", "relation"),
    [
        (("5 mg/mL", "1 mg/mL", "compatible"), "5 mg/mL", "saline-x", Relation.COVERS),
        (("5 mg/mL", "1 mg/mL", "compatible"), "5 g/L", "saline-x", Relation.COVERS),
        (("1-5 mg/mL", "1 mg/mL", "compatible"), "3 mg/mL", "saline-x", Relation.COVERS),
        (("up to 5 mg/mL", "1 mg/mL", "compatible"), "0.01 mg/mL", "saline-x", Relation.COVERS),
        (("<5 mg/mL", "1 mg/mL", "compatible"), "5 mg/mL", "saline-x", Relation.EXCLUDES),
        (("5 mg/mL", "1 mg/mL", "compatible"), "6 mg/mL", "saline-x", Relation.EXCLUDES),
        (("5 mg/mL", "1 mg/mL", "compatible"), "5 mEq/mL", "saline-x", Relation.EXCLUDES),
        (("5 mg/mL", "1 mg/mL", "compatible"), "5 mg/mL", "dextrose-x", Relation.EXCLUDES),
        (("", "1 mg/mL", "compatible"), "5 mg/mL", "saline-x", Relation.SILENT),
        (("", "1 mg/mL", "compatible"), "5 mg/mL", "dextrose-x", Relation.EXCLUDES),
        (("5 mg/mL", "1 mg/mL", "compatible"), "", None, Relation.COVERS),
    ],
)
def test_how_a_row_stands_to_a_question(tested: Tested, one: str, fluid: str | None, relation: Relation) -> None:
    found = judged(base(tested), one, "1 mg/mL", fluid)

    assert [relation] == [item.relation for item in found.weighed]


@pytest.mark.parametrize(
    ("results", "status", "reason"),
    [
        ((), Status.NO_DATA, Reason.NOT_STUDIED),
        (("compatible",), Status.COMPATIBLE, Reason.TESTED),
        (("compatible", "compatible"), Status.COMPATIBLE, Reason.TESTED),
        (("incompatible",), Status.INCOMPATIBLE, Reason.TESTED),
        (("compatible", "incompatible"), Status.VARIABLE, Reason.CONFLICTING),
        (("variable",), Status.VARIABLE, Reason.CONFLICTING),
        (("incompatible", "variable"), Status.VARIABLE, Reason.CONFLICTING),
        (("compatible", "compatible", "compatible", "incompatible"), Status.VARIABLE, Reason.CONFLICTING),  # never voted on
    ],
)
def test_conflicts_are_never_voted_on(results: tuple[str, ...], status: Status, reason: Reason) -> None:
    found = judged(base(*(("1 mg/mL", "1 mg/mL", result) for result in results), sources="each"), "1 mg/mL", "1 mg/mL")

    assert (status, reason) == (found.status, found.reason)
