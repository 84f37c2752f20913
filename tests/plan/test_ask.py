"""Questions that cannot be planned: a table of what is wrong, where it is told, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from checker import AskError, Names
from checker.plan_ask import MOST_INFUSIONS, read
from checker.plan_model import DAY, Policy, Schedule, Window
from checker.plan_schema import MOST_LUMENS

WHITE = {"name": "white", "kind": "central"}
BLUE = {"name": "blue", "kind": "peripheral"}


def ask(*infusions: Any, lumens: Any = (WHITE, BLUE), **more: Any) -> dict[str, Any]:
    return {"infusions": [{"drug": item} if isinstance(item, str) else item for item in infusions], "lumens": list(lumens), **more}


def drug(**more: Any) -> dict[str, Any]:
    return {"drug": "fictazolam", **more}


# question, where, words of the reason, words of the mend
BAD: list[tuple[str, Any, str, str, str]] = [
    ("not an object", [], "", "not an object", "infusions"),
    ("nothing asked", {}, "infusions", "required", "add it"),
    ("no lumens", {"infusions": [drug()]}, "lumens", "required", "add it"),
    ("zero lumens", ask(drug(), lumens=()), "lumens", "no lumen", "at least one"),
    ("all blocked", ask(drug(), lumens=({**WHITE, "blocked": True},)), "lumens", "every lumen is blocked", "can be used"),
    ("no infusion", ask(), "infusions", "Shorter than minimum length 1", "at least one"),
    (
        "lumen twice",
        ask(drug(), lumens=(WHITE, {"name": " White ", "kind": "central"})),
        "lumens/1/name",
        "named twice",
        "a name of its own",
    ),
    ("lumen twice and unknown drug", ask("zzzmab", lumens=(WHITE, WHITE)), "lumens/1/name", "named twice", "a name of its own"),
    ("lumen without kind", ask(drug(), lumens=({"name": "white"},)), "lumens/0/kind", "required", "add it"),
    ("lumen of no kind", ask(drug(), lumens=({"name": "white", "kind": "port"},)), "lumens/0/kind", "one of: central, peripheral", ""),
    ("unknown drug", ask(drug(), "zzzmab"), "infusions/1", '"zzzmab" is not known', "nothing is planned on a guess"),
    ("near miss", ask("fictazolan"), "infusions/0", '"fictazolan" is not known', "fictazolam"),
    ("unknown vehicle", ask(drug(vehicle="zzz")), "infusions/0/vehicle", '"zzz" is not known', "write"),
    ("nonsense unit", ask(drug(conc="5 smoots/mL")), "infusions/0/conc", "unknown unit", "accepted forms"),
    ("an amount", ask(drug(conc="5 mg")), "infusions/0/conc", "amount", "accepted forms"),
    ("unknown field", ask(drug(line="white")), "infusions/0/line", "Unknown field", "correct its name"),
    (
        "longer than its interval",
        ask(drug(hours=9, every_hours=8)),
        "infusions/0/hours",
        "a dose of 9 h is longer than its interval of 8 h",
        "how long one dose runs",
    ),
    ("interval without hours", ask(drug(every_hours=8)), "infusions/0/hours", "missing", "add hours"),
    ("interval off the grid", ask(drug(hours=1, every_hours=7.99)), "infusions/0/every_hours", "multiple of 5 minutes", "steps of 5"),
    ("interval of nothing", ask(drug(hours=1e-10, every_hours=1e-9)), "infusions/0/hours", "shorter than a second", "how many hours"),
    ("interval below the grid", ask(drug(hours=0.01, every_hours=0.05)), "infusions/0/every_hours", "less than the 5 minutes", "e.g. 8"),
    ("dose of an instant", ask(drug(hours=1e-10)), "infusions/0/hours", "shorter than a second", "how many hours"),
    ("push of an instant", ask(drug(bolus=True, every_hours=1e-9)), "infusions/0/every_hours", "less than the 5 minutes", "e.g. 8"),
    ("no time", ask(drug(hours=0)), "infusions/0/hours", "greater than 0", ""),
    ("hours as text", ask(drug(hours="one")), "infusions/0/hours", "number", "without quotes"),
    (
        "window of no time",
        ask(drug(hours=1, windows=[{"from": "25:00", "to": "08:00"}])),
        "infusions/0/windows/0/from",
        "not a clock time",
        "08:00",
    ),
    ("window off the grid", ask(drug(hours=1, windows=[{"from": "06:02", "to": "08:00"}])), "infusions/0/windows/0/from", "grid", "06:00"),
    (
        "windows too narrow",
        ask(drug(hours=3, windows=[{"from": "06:00", "to": "06:30"}, {"from": "07:00", "to": "07:30"}])),
        "infusions/0/windows",
        "no room",
        "widen",
    ),
    (
        "last into first",
        ask(drug(hours=14, windows=[{"from": "06:00", "to": "06:30"}, {"from": "20:00", "to": "21:00"}])),
        "infusions/0/windows",
        "next day",
        "widen",
    ),
    (
        "windows and an odd interval",
        ask(drug(hours=1, every_hours=7, windows=[{"from": "06:00", "to": "08:00"}])),
        "infusions/0/windows",
        "other times each day",
        "leave out",
    ),
    (
        "windows longer than the day",
        ask(drug(hours=30, windows=[{"from": "06:00", "to": "08:00"}])),
        "infusions/0/hours",
        "does not end within the day",
        "leave out the windows",
    ),
    ("runs nowhere", ask(drug(now="green")), "infusions/0/now", '"green" is not one of the lumens', "white, blue"),
    ("prefers nowhere", ask(drug(prefer=["blue", "green"])), "infusions/0/prefer/1", "not one of the lumens", "white, blue"),
    (
        "in use by another",
        ask(drug(), lumens=({**WHITE, "in_use_by": ["samplicin"]}, BLUE)),
        "lumens/0/in_use_by/0",
        "not among the infusions",
        "add it to infusions",
    ),
    (
        "in use and elsewhere",
        ask(drug(now="blue"), lumens=({**WHITE, "in_use_by": ["fictazolam"]}, BLUE)),
        "infusions/0/now",
        "another lumen",
        "one place",
    ),
    (
        "in use twice",
        ask(drug(), lumens=({**WHITE, "in_use_by": ["fictazolam"]}, {**BLUE, "in_use_by": ["fictazolam"]})),
        "lumens/1/in_use_by/0",
        "two lumens",
        "second infusion",
    ),
    ("fluid a drug", ask("samplicin", lumens=({**WHITE, "fluid": "fictazolam"},)), "lumens/0/fluid", "a drug, not a fluid", "infusions"),
    ("fluid unknown", ask("samplicin", lumens=({**WHITE, "fluid": "zzz"},)), "lumens/0/fluid", "not known", "write"),
    (
        "blocked by a number",
        ask(drug(), lumens=(WHITE, {**BLUE, "blocked": 1})),
        "lumens/1/blocked",
        "neither true, false nor a reason",
        "write true",
    ),
    ("same infusion twice", ask(drug(), drug()), "infusions/1", "infusions/0 asks already", "leave one out"),
    ("unknown policy", ask(drug(), policy="brave"), "policy", "strict", ""),
    ("flush of no time", ask(drug(), flush_minutes=0), "flush_minutes", "", ""),
    ("flush as text", ask(drug(), flush_minutes="10"), "flush_minutes", "integer", "whole number"),
    ("day begins nowhere", ask(drug(), day_starts="7 am"), "day_starts", "not a clock time", "08:00"),
    ("too many infusions", ask(*["fictazolam"] * (MOST_INFUSIONS + 1)), "infusions", f"at most {MOST_INFUSIONS}", "leave out"),
    (
        "too many lumens",
        ask(drug(), lumens=[{"name": str(number), "kind": "central"} for number in range(MOST_LUMENS + 1)]),
        "lumens",
        f"at most {MOST_LUMENS}",
        "leave out",
    ),
    (
        "too many doses",
        ask(*[{"drug": name, "bolus": True, "every_hours": 0.25} for name in ("fictazolam", "samplicin")]),
        "infusions",
        "doses in a day",
        "leave out",
    ),
    ("identifying", ask(drug(), patient={"name": "Roe"}), "patient/name", "Unknown field", "remove"),
]


@pytest.mark.parametrize(("question", "at", "reason", "mend"), [pytest.param(*row[1:], id=row[0]) for row in BAD])
def test_a_bad_question_is_named_where_it_is_wrong(world_names: Names, question: Any, at: str, reason: str, mend: str) -> None:
    with pytest.raises(AskError) as caught:
        read(question, world_names)

    problems = caught.value.problems
    assert [
        problem
        for problem in problems
        if problem.at == at and reason.casefold() in problem.reason.casefold() and mend.casefold() in problem.mend.casefold()
    ], problems
    assert all(problem.mend for problem in problems)


def test_all_mistakes_are_told_at_once(world_names: Names) -> None:
    with pytest.raises(AskError) as caught:
        read(ask(drug(now="green", hours=9, every_hours=8), lumens=(WHITE, WHITE)), world_names)

    assert {"infusions/0/now", "infusions/0/hours", "lumens/1/name"} == {problem.at for problem in caught.value.problems}


def test_times_are_minutes_from_the_start_of_the_day(world_names: Names) -> None:
    question = read(
        ask(
            drug(hours=0.52, windows=[{"from": "06:00", "to": "08:00"}, {"from": "22:00", "to": "01:00"}]),
            day_starts="07:00",
            flush_minutes=7,
        ),
        world_names,
    )

    expected = Schedule(minutes=35, windows=(Window(low=15 * 60, high=18 * 60), Window(low=23 * 60, high=25 * 60)))
    assert expected == question.wishes[0].schedule
    assert 10 == question.flush
    assert 7 * 60 == question.day_starts


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        ({"hours": 48}, None),
        ({"hours": 2}, Schedule(minutes=120)),
        ({"bolus": True}, Schedule(minutes=5)),
        ({"hours": 1, "every_hours": 8}, Schedule(minutes=60, every=480)),
        ({"hours": 0.5, "every_hours": 36}, Schedule(minutes=30, every=36 * 60)),
        ({"hours": 24, "every_hours": 24}, Schedule(minutes=DAY, every=DAY)),
    ],
)
def test_what_is_told_of_times_says_how_it_runs(world_names: Names, more: dict[str, Any], expected: Schedule | None) -> None:
    assert expected == read(ask(drug(**more)), world_names).wishes[0].schedule


def test_what_is_left_out_has_a_default(world_names: Names) -> None:
    question = read(ask(drug(), lumens=({**WHITE, "in_use_by": ["fictazolam"]}, BLUE)), world_names)

    assert (Policy.ASK, 10, 0, 0) == (question.policy, question.flush, question.day_starts, question.wishes[0].now)
