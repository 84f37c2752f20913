"""What a report shows: sources, conditions, and why."""

from __future__ import annotations

from typing import Any

import pytest

from checker import Checker, Names, Renderer, cite_line, order
from knowledge import Knowledge
from knowledge.model import Source
from knowledge.terms import SourceKind


@pytest.fixture(scope="module")
def ask(world: Knowledge) -> Any:
    names, checker, renderer = Names(world), Checker(world), Renderer(world)
    return lambda explain=False, **question: renderer.plain(checker.check(order(question, names)), explain=explain)


PAIR = [{"drug": "exemplapenem", "conc": "20 mg/mL", "vehicle": "NS"}, {"drug": "fictazolam", "conc": "1 mg/mL", "vehicle": "NS"}]


def test_explain_shows_each_row_how_it_stands_and_which_settled_it(ask: Any) -> None:
    line = ask(explain=True, drugs=PAIR)["pairs"][0]["line"]

    shown = {row["id"]: (row["relation"], row["settled"]) for row in line["evidence"]}
    assert shown == {"roe-2015-exemplapenem#1": ("covers", True), "roe-2015-exemplapenem#2": ("excludes", False)}
    assert all(row["why"] for row in line["evidence"])


def test_without_explain_what_does_not_cover_is_nearest(ask: Any) -> None:
    line = ask(drugs=PAIR)["pairs"][0]["line"]

    assert [row["id"] for row in line["evidence"]] == ["roe-2015-exemplapenem#1"]
    assert [row["id"] for row in line["nearest"]] == ["roe-2015-exemplapenem#2"]
    assert "relation" not in line["evidence"][0]


def test_a_compatible_answer_says_for_what_it_holds(ask: Any) -> None:
    held = ask(drugs=PAIR)["pairs"][0]["line"]["holds_for"]

    assert held == [
        {
            "a": {"drug": "exemplapenem", "conc": "20 mg/mL", "vehicles": ["fictional-saline"]},
            "b": {"drug": "fictazolam", "conc": "1 mg/mL", "vehicles": ["fictional-saline"]},
            "hours": 4.0,
        }
    ]
    assert ask(drugs=["fictazolam", "mockplatin"])["pairs"][0]["line"]["holds_for"] == ["conditions not stated"]
    assert "holds_for" not in ask(drugs=["exemplapenem", "fictazolam"])["pairs"][0]["line"]


def test_a_row_carries_its_source_as_it_was_read(ask: Any) -> None:
    row = ask(drugs=PAIR)["pairs"][0]["line"]["evidence"][0]

    assert row["source"] == {
        "id": "roe-2015-exemplapenem",
        "cite": "Roe. Made-up Y-site compatibility of exemplapenem. Journal of Imaginary Pharmacy. 2015",
        "kind": "journal",
        "at": "Table 2",
        "read": "full-text",
        "review": "transcribed",
        "year": "2015",
        "pmid": "00000001",
    }
    assert (row["result"], row["basis"], row["method"], row["hours"], row["finding"]) == (
        "compatible",
        "physical",
        ["visual", "turbidity"],
        4.0,
        "none",
    )


def test_what_is_derived_says_through_what(ask: Any) -> None:
    line = ask(drugs=["samplicin", "LR"])["pairs"][0]["line"]

    derived = line["rules"][0]["derived_from"]
    assert (derived["kind"], derived["through"], derived["member"]) == ("composition", "group:calcium-containing", "fictional-ringer")
    assert [source["id"] for source in derived["sources"]] == ["label-fluids"]
    kin = ask(drugs=["mockplatin", "LR"])["pairs"][0]["line"]["derived"][0]
    assert (kin["derived_from"]["kind"], kin["derived_from"]["through"]) == ("carrier", "calcium-mockate")


def test_an_interaction_shows_roles_route_management_and_the_way_it_came(ask: Any) -> None:
    hit = ask(drugs=["mockprazole"], medications=["phonyvir"])["pairs"][0]["interactions"][0]

    assert (hit["object"], hit["precipitant"], hit["severity"], hit["route"], hit["holds"]) == (
        "phonyvir",
        "mockprazole",
        "contraindicated",
        "oral-only",
        "yes",
    )
    assert hit["management"] == [{"code": "contraindicated", "text": "Do not use together."}]
    assert hit["via"] == [{"kind": "class", "through": "class:mockprazoles", "member": "mockprazole"}]
    assert [source["id"] for source in hit["sources"]] == ["label-mockprazole"]


def test_a_condition_that_is_not_decided_is_shown(ask: Any) -> None:
    hit = ask(drugs=["exemplapenem"], medications=["warfictin"])["pairs"][0]["interactions"][0]

    assert (hit["holds"], hit["condition"]) == ("undecided", "dose above 3 g a day")


def test_findings_come_worst_first(ask: Any) -> None:
    levels = [finding["level"] for finding in ask(drugs=["samplicin", "LR", "exemplapenem", "zzzmab", "nonesuch"])["findings"]]

    assert levels == sorted(levels, key=["stop", "caution", "unknown", "note"].index)
    assert set(levels) == {"stop", "caution", "unknown", "note"}


def test_the_answer_names_its_knowledge(ask: Any, world: Knowledge) -> None:
    assert ask(drugs=["exemplapenem"])["knowledge"] == {"version": "2026.1.1", "digest": f"sha256:{world.digest}", "overlay": None}


def test_a_citation_is_made_of_what_is_known() -> None:
    assert cite_line(Source(id="x", kind=SourceKind.LABEL)) == "x"
    assert cite_line(Source(id="x", kind=SourceKind.LABEL, title="A title.", year="2020")) == "A title. 2020"
