"""The planner's page: its question as a form and an address, its answer as that of POST /v1/plan, its picture."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from api.pages.plan import EXAMPLE
from api.pages.plan_chart import AXIS
from api.pages.plan_question import PlanAsked, Running, Tube, read, to_body
from checker import AskError, Names

TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
MAYBE = st.one_of(st.just(""), TEXT)
TICKED = st.sampled_from(("", "1"))
ASKED = st.builds(
    PlanAsked,
    infusions=st.lists(
        st.builds(
            Running, drug=TEXT, conc=MAYBE, vehicle=MAYBE, hours=MAYBE, every=MAYBE, windows=MAYBE, bolus=TICKED, keep=TICKED, now=MAYBE
        ),
        max_size=4,
    ).map(tuple),
    lumens=st.lists(st.builds(Tube, name=TEXT, kind=MAYBE, fluid=MAYBE, blocked=MAYBE), max_size=3).map(tuple),
    medications=st.lists(TEXT, max_size=2).map(tuple),
    policy=st.sampled_from(("ask", "strict")),
    flush=MAYBE,
    starts=MAYBE,
    age=MAYBE,
    go=st.booleans(),
)
FULL = (
    "d1=exemplapenem&c1=20+mg/mL&v1=NS&h1=30+min&e1=8&w1=06:00-08:00&n1=white&p1=white&d2=fictazolam&k2=1&d3=samplicin&b3=1"
    "&ln1=white&ln2=hand&lk2=peripheral&lf2=NS&lb2=dialysis&m1=warfictin&policy=strict&flush=15&starts=7:00&age=12&go=1"
)


@given(asked=ASKED)
def test_a_link_reproduces_its_question(world_names: Names, asked: PlanAsked) -> None:
    assert asked == read(parse_qsl(asked.query, keep_blank_values=True), world_names)


def test_every_field_reaches_the_planner(world_names: Names) -> None:
    assert {
        "infusions": [
            {
                "drug": "exemplapenem",
                "conc": "20 mg/mL",
                "vehicle": "NS",
                "now": "white",
                "hours": 0.5,
                "every_hours": 8.0,
                "windows": [{"from": "06:00", "to": "08:00"}],
                "prefer": ["white"],
            },
            {"drug": "fictazolam", "must_not_interrupt": True},
            {"drug": "samplicin", "bolus": True},
        ],
        "lumens": [{"name": "white", "kind": "central"}, {"name": "hand", "kind": "peripheral", "fluid": "NS", "blocked": "dialysis"}],
        "policy": "strict",
        "medications": ["warfictin"],
        "flush_minutes": 15,
        "day_starts": "07:00",
        "patient": {"age_days": 12},
    } == to_body(read(parse_qsl(FULL), world_names))


def test_what_is_typed_is_read_with_its_schedule(world_names: Names) -> None:
    asked = read([("list", "exemplapenem 20 mg/mL NS over 30 min q8h; fictazolam"), ("lumens", "white, hand:peripheral")], world_names)

    assert [("exemplapenem", "20 mg/mL", "30 min", "8"), ("fictazolam", "", "", "")] == [
        (item.drug, item.conc, item.hours, item.every) for item in asked.infusions
    ]
    assert [("white", ""), ("hand", "peripheral")] == [(item.name, item.kind) for item in asked.lumens]


def test_the_link_of_a_check_is_a_beginning(world_names: Names) -> None:
    asked = read([("d1", "exemplapenem"), ("c1", "20 mg/mL"), ("l1", "shared"), ("mode", "y-site")], world_names)

    assert ("d1=exemplapenem&c1=20+mg/mL", ()) == (asked.query, asked.strange)


def test_adding_or_dropping_waits_with_the_plan(world_names: Names) -> None:
    given = [("d1", "exemplapenem"), ("d2", "fictazolam"), ("ln1", "white"), ("go", "1")]

    assert read(given, world_names).go
    assert "d1=fictazolam&ln1=white" == read([*given, ("drop", "d1")], world_names).query
    assert "d1=exemplapenem&d2=fictazolam&ln1=white&ln2=blue" == read([*given, ("lumens", "blue")], world_names).query


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("h1", "often", "infusions/0/hours"),
        ("e1", "a day", "infusions/0/every_hours"),
        ("w1", "mornings", "infusions/0/windows"),
        ("r1", "fast", "infusions/0/rate_ml_per_h"),
        ("flush", "ten", "flush_minutes"),
        ("age", "young", "patient/age_days"),
        ("wibble", "1", ""),
    ],
)
def test_what_cannot_be_read_is_named(world_names: Names, field: str, value: str, at: str) -> None:
    with pytest.raises(AskError) as caught:
        to_body(read([("d1", "exemplapenem"), ("ln1", "white"), (field, value)], world_names))

    assert [at] == [problem.at for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("d1=exemplapenem&ln1=white&ln2=White&go=1", "ln2", "named twice"),
        ("d1=exemplapenem&h1=9&e1=8&ln1=white&go=1", "h1", "longer"),
        ("d1=nosuchdrug&ln1=white&go=1", "d1", "not known"),
        ("d1=exemplapenem&n1=blue&ln1=white&go=1", "n1", "not one of the lumens"),
        ("d1=exemplapenem&ln1=white&lf1=nosuch&go=1", "lf1", "not known"),
        ("d1=exemplapenem&c1=5+mg&ln1=white&go=1", "c1", "5 mg"),
        ("d1=exemplapenem&ln1=white&starts=noon&go=1", "starts", "clock time"),
        ("d1=exemplapenem&go=1", "add-lumen", "none to plan for"),
        ("ln1=white&go=1", "add-drug", "none to plan"),
    ],
)
def test_bad_input_is_named_at_its_field(client: FlaskClient, query: str, field: str, says: str) -> None:
    response = client.get(f"/plan?{query}")

    assert 422 == response.status_code
    assert f'href="#{field}"' in response.text and f'id="{field}"' in response.text
    assert says in response.text and "Optimal" not in response.text


def test_a_form_is_answered_with_its_permanent_link(client: FlaskClient) -> None:
    response = client.post("/plan", data={"d1": "exemplapenem", "c1": "", "ln1": "white", "lk1": "", "go": "1"})

    assert (303, "/plan?d1=exemplapenem&ln1=white&go=1") == (response.status_code, response.headers["Location"])


def test_nothing_is_planned_before_it_is_asked_for(client: FlaskClient) -> None:
    told = client.get("/plan?d1=exemplapenem&ln1=white").text

    assert "Ready to plan" in told and '<svg class="chart"' not in told


def test_the_page_says_what_the_api_says(real_client: FlaskClient, real_names: Names) -> None:
    told: Any = real_client.post("/v1/plan", json=to_body(read(parse_qsl(EXAMPLE), real_names))).json
    page = real_client.get(f"/plan?{EXAMPLE}").text

    assert "optimal" == told["status"] and "Planned, with 1 pair to decide" in page
    for item in told["infusions"]:
        for dose in item["doses"]:
            assert f"{dose['start']}–{dose['end']}" in page
    for lumen in told["lumens"]:
        for flush in lumen["flushes"]:
            assert f"Flush {flush['start']}" in page or f"<b>{flush['start']}</b>" in page
    assert told["to_decide"] and "To decide" in page


def test_a_dose_over_the_end_of_the_day_is_drawn_at_both_ends(client: FlaskClient) -> None:
    page = client.get("/plan?d1=exemplapenem&h1=4&w1=22:00-22:00&ln1=white&go=1").text
    drawn = re.findall(r'<rect class="run ok" x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="19"', page)

    assert 2 == len(drawn)
    assert pytest.approx(AXIS * 4 / 24, abs=0.5) == sum(float(width) for _, width in drawn)
    assert "22:00–02:00" in page


def test_what_has_no_place_and_what_is_blocked_are_shown(client: FlaskClient) -> None:
    page = client.get("/plan?d1=soloximab&d2=imaginuximab&ln1=white&ln2=blue&lb2=dialysis&go=1").text

    assert "No plan" in page and "Without a place" in page
    assert "blocked: dialysis" in page and 'class="lumen blocked"' in page


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "a\x00b"])
def test_hostile_names_are_shown_and_never_run(client: FlaskClient, text: str) -> None:
    response = client.get(
        "/plan", query_string={"d1": text, "ln1": text, "lf1": text, "n1": text, "lb1": text, "starts": text[:5], "go": "1"}
    )

    assert response.status_code in (200, 422)
    assert (
        "<script>alert" not in response.text
        and "<img src=x" not in response.text
        and "49" not in re.findall(r'value="(\d+)"', response.text)
    )


def test_a_lumen_with_a_hostile_name_is_drawn_safely(client: FlaskClient) -> None:
    page = client.get("/plan", query_string={"d1": "exemplapenem", "ln1": "<b onclick=x>", "go": "1"}).text

    assert "&lt;b onclick=" in page and "<b onclick" not in page


def test_the_picture_cuts_no_name(real_client: FlaskClient) -> None:
    page = real_client.get("/plan?d1=piperacillin-tazobactam&c1=112.5+mg/mL&h1=0.5&d2=sulfamethoxazole-trimethoprim&ln1=distal&go=1").text
    lanes = [re.sub(r"<title>.*?</title>|<tspan[^>]*>", " ", lane) for lane in re.findall(r'<text class="lane.*?</text>', page)]

    assert 2 == len(lanes)
    assert not [lane for lane in lanes if "…" in lane]
    assert any("112.5\N{NO-BREAK SPACE}mg/mL" in lane for lane in lanes)


def test_a_push_that_a_label_forbids_stops_above_the_picture(client: FlaskClient) -> None:
    page = client.get("/plan?d1=imaginuximab&b1=1&e1=12&ln1=white&go=1").text

    assert 'class="verdict bad"' in page and "Optimal" not in page
    assert page.index("Asked as a push, against the label") < page.index('<svg class="chart"')


def test_what_is_left_out_is_said_once_and_never_clear(client: FlaskClient) -> None:
    page = client.get("/plan?d1=soloximab&d2=imaginuximab&ln1=white&go=1").text

    assert 'class="verdict bad"' in page and "No plan for all" in page
    assert "the verdict on this plan: stop" in page
    assert 1 == page.count("It needs another access, or a decision.")
