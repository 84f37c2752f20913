"""Routes and conditions of interactions, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checker import interactions
from checker.model import Infusion, Level, Medication
from knowledge.link import Knowledge, Stated, link
from knowledge.model import Cited, Drug, Interaction, Records, Source, When
from knowledge.terms import Kind, Route, Severity, SourceKind

LABEL = Cited(source="label", at="section 7")


def base(*statements: Interaction) -> Knowledge:
    drugs = tuple(Drug(id=name, name=name, kind=Kind.DRUG, infused=True, group="made up", codes={}) for name in ("one", "two"))
    return link(
        Records(
            version="2026.1.1",
            date="2026-01-01",
            drugs=drugs,
            classes=(),
            groups=(),
            substances=(),
            sources=(Source(id="label", kind=SourceKind.LABEL),),
            rows=(),
            interactions=statements,
            ambiguous=(),
            vocabulary={},
        ),
        "0" * 64,
    )


def says(
    number: int = 1,
    *,
    roles: bool = True,
    severity: Severity = Severity.MAJOR,
    route: Route = Route.ANY,
    condition: str = "",
    when: When | None = None,
) -> Interaction:
    """That "two" changes "one" (its object), or, without roles, that the two interact."""
    return Interaction(
        id=f"made-up#{number}",
        a="one",
        b="two",
        object="one" if roles else "",
        precipitant="two" if roles else "",
        severity=severity,
        said="",
        mechanism="made-up",
        effect="",
        manage=("avoid",),
        route=route,
        condition=condition,
        when=when,
        cited=LABEL,
    )


def given(drug: str, route: str) -> Infusion | Medication:
    return (
        Infusion(drug=drug, at="drugs/0", asked=drug)
        if route == "iv"
        else Medication(drug=drug, at="medications/0", asked=drug, route=route)
    )


@pytest.mark.parametrize(
    ("route", "roles", "one", "two", "stands"),
    [
        # absorption: it is the object's route that counts
        (Route.ORAL_ONLY, True, "iv", "iv", False),
        (Route.ORAL_ONLY, True, "iv", "oral", False),
        (Route.ORAL_ONLY, True, "oral", "iv", True),
        (Route.ORAL_ONLY, True, "oral", "oral", True),
        # without roles it is silent only when both are infused
        (Route.ORAL_ONLY, False, "iv", "iv", False),
        (Route.ORAL_ONLY, False, "iv", "oral", True),
        (Route.ORAL_ONLY, False, "oral", "iv", True),
        (Route.NON_IV, False, "iv", "iv", False),
        (Route.NON_IV, False, "iv", "inhaled", True),
        (Route.IV, False, "iv", "iv", True),
        (Route.IV, False, "iv", "oral", True),
        (Route.IV, False, "oral", "oral", False),
        (Route.ANY, False, "iv", "iv", True),
        (Route.ANY, True, "oral", "oral", True),
    ],
)
def test_by_route(route: Route, roles: bool, one: str, two: str, stands: bool) -> None:
    found = interactions.hits(base(says(roles=roles, route=route)), given("one", one), given("two", two), None)

    assert stands is bool(found)


@pytest.mark.parametrize(
    ("when", "age", "one", "holds"),
    [
        (When(max_age_days=28), 28, "iv", True),
        (When(max_age_days=28), 29, "iv", "silent"),
        (When(max_age_days=28), None, "iv", None),
        (When(max_age_days=28), 0, "iv", True),
        (When(min_age_days=29), 28, "iv", "silent"),
        (When(min_age_days=29), 29, "iv", True),
        (When(min_age_days=29), None, "iv", None),
        (When(min_age_days=29, max_age_days=60), 61, "iv", "silent"),
        (When(routes=(("one", "iv"),)), None, "iv", True),
        (When(routes=(("one", "iv"),)), None, "oral", "silent"),
        (When(routes=(("one", "non-iv"),)), None, "iv", "silent"),
        (When(routes=(("one", "non-iv"),)), None, "oral", True),
        (When(max_age_days=28, routes=(("one", "iv"),)), None, "oral", "silent"),
        (When(max_age_days=28, routes=(("one", "iv"),)), None, "iv", None),
        (None, None, "iv", None),
    ],
)
def test_by_condition(when: When | None, age: int | None, one: str, holds: bool | str | None) -> None:
    found = interactions.hits(base(says(condition="when so", when=when)), given("one", one), given("two", "iv"), age)

    assert holds == (found[0].holds if found else "silent")


@pytest.mark.parametrize(
    ("severity", "certain", "conditional"),
    [
        (Severity.CONTRAINDICATED, Level.STOP, Level.CAUTION),
        (Severity.MAJOR, Level.CAUTION, Level.CAUTION),
        (Severity.MODERATE, Level.CAUTION, Level.CAUTION),
        (Severity.MINOR, Level.NOTE, Level.NOTE),
    ],
)
def test_levels(severity: Severity, certain: Level, conditional: Level) -> None:
    one, two = given("one", "iv"), given("two", "iv")
    for condition, level in (("", certain), ("high dose", conditional)):
        knowledge = base(says(severity=severity, condition=condition))

        told = interactions.findings(knowledge, one, two, interactions.hits(knowledge, one, two, None))

        assert [level] == [finding.level for finding in told]
        assert told[0].sources


def test_the_highest_unconditional_severity_leads_and_conditions_stand_apart() -> None:
    knowledge = base(
        says(1, severity=Severity.MINOR),
        says(2, severity=Severity.MAJOR),
        says(3, severity=Severity.CONTRAINDICATED, condition="high dose"),
    )
    one, two = given("one", "iv"), given("two", "iv")

    told = interactions.findings(knowledge, one, two, interactions.hits(knowledge, one, two, None))

    assert [("major", Level.CAUTION), ("contraindicated", Level.CAUTION)] == [(finding.severity, finding.level) for finding in told]
    assert "high dose" in told[1].text


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.CONTRAINDICATED, Level.CAUTION),
        (Severity.MAJOR, Level.CAUTION),
        (Severity.MODERATE, Level.CAUTION),
        (Severity.MINOR, Level.NOTE),
    ],
)
def test_the_level_of_an_order_of_administration(severity: Severity, level: Level) -> None:
    knowledge = base(replace(says(roles=False, severity=severity), manage=("sequence",), first="two"))
    one, two = given("one", "iv"), given("two", "iv")

    told = interactions.findings(knowledge, one, two, interactions.hits(knowledge, one, two, None))

    assert [(level, "order-of-administration")] == [(finding.level, finding.code) for finding in told]
    assert told[0].text.startswith("Give two before one")


def test_the_one_that_is_named_first_may_be_reached_through_its_formulation() -> None:
    from knowledge.link import Via

    stated = Stated(statement=says(), via=(Via(kind="ingredient", through="one", member="one-lipid"),))

    assert interactions._stands_for(stated, "one-lipid", "one")
    assert interactions._stands_for(stated, "one", "one")
    assert not interactions._stands_for(stated, "two", "one")
