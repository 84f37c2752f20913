"""A question as a form, as an address, and as the engine is asked."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.paste import Entry
from api.pages.question import Asked, read, to_order
from checker import AskError, Names

TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
MAYBE = st.one_of(st.just(""), TEXT)
ENTRIES = st.builds(Entry, drug=TEXT, conc=MAYBE, vehicle=MAYBE, rate=MAYBE, hours=MAYBE, line=MAYBE, form=MAYBE, extra=MAYBE)
ASKED = st.builds(
    Asked,
    entries=st.lists(ENTRIES, max_size=5).map(tuple),
    medications=st.lists(TEXT, max_size=3).map(tuple),
    mode=st.sampled_from(("y-site", "admixture", "syringe")),
    age=MAYBE,
)


@given(asked=ASKED)
def test_a_link_reproduces_its_question(world_names: Names, asked: Asked) -> None:
    assert asked == read(parse_qsl(asked.query, keep_blank_values=True), world_names)


def test_a_form_with_blanks_and_gaps_becomes_the_short_address(world_names: Names) -> None:
    asked = read(
        [("d1", "exemplapenem"), ("c1", ""), ("d4", "fictazolam"), ("v4", "NS"), ("list", "samplicin 5 mg/mL"), ("age", "")], world_names
    )

    assert not asked.canonical
    assert "d1=exemplapenem&d2=fictazolam&v2=NS&d3=samplicin&c3=5+mg/mL" == asked.query


def test_dropping_takes_one_out_and_keeps_the_rest(world_names: Names) -> None:
    asked = read([("d1", "exemplapenem"), ("d2", "fictazolam"), ("m1", "warfictin"), ("drop", "d1")], world_names)

    assert ("d1=fictazolam&m1=warfictin", False) == (asked.query, asked.canonical)


def test_what_the_address_says_beside_is_never_dropped(world_names: Names) -> None:
    asked = read([("d1", "exemplapenem"), ("drugs", "fictazolam"), ("d1", "samplicin"), ("mode", "oral")], world_names)
    order = to_order(asked, world_names, 60)

    assert ["drugs=fictazolam", "d1=samplicin (given twice)", "mode=oral"] == [item.asked for item in order.not_understood]


def test_words_without_a_place_are_not_understood(world_names: Names) -> None:
    asked = read([("d1", "exemplapenem"), ("x1", "1 g wibble")], world_names)

    assert ["wibble"] == [item.asked for item in to_order(asked, world_names, 60).not_understood]


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"d1": "exemplapenem", "c1": "5 mg"}, "drugs/0/conc"),
        ({"d1": "exemplapenem", "r1": "fast"}, "drugs/0/rate"),
        ({"c1": "5 mg/mL"}, "drugs/0"),
        ({"d1": "exemplapenem", "age": "ten"}, "age"),
        ({"d1": "exemplapenem", "d2": "exemplapenem"}, "drugs/1"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(world_names: Names, given: dict[str, str], at: str) -> None:
    with pytest.raises(AskError) as raised:
        to_order(read(given.items(), world_names), world_names, 60)

    assert at in [problem.at for problem in raised.value.problems]


def test_choosing_replaces_one_name_only(world_names: Names) -> None:
    asked = read([("d1", "MS"), ("c1", "1 mg/mL"), ("d2", "fictazolam")], world_names)

    assert "d1=samplicin&c1=1+mg/mL&d2=fictazolam" == asked.choosing("drugs/0", "samplicin").query
