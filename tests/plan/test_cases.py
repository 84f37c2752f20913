"""Patients as data, planned over the knowledge that ships; every plan is put to the checker and to the referee again.

What a case expects is what must be true whatever is learned of other pairs: `apart` never run together, `stays` are
not moved, `placed` have a place, `free` lumens stay empty, `conflict` is the smallest set that does not fit,
`stops` are findings to stop for, each by its code and a drug.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from checker import Checker, Names, Renderer, order
from checker.model import Status
from checker.plan import order_of, plan
from checker.plan_report import plain
from knowledge import Knowledge, files
from tests.cases import HERE
from tests.plan.referee import broken, together

EXPECTED = {"status", "apart", "stays", "placed", "free", "more_central", "conflict", "verdict", "stops"}


def cases() -> list[Any]:
    found = []
    for path in sorted((HERE / "plan").glob("*.yaml")):
        content = path.read_bytes()
        files.parse(path.name, content)  # refuses duplicate keys
        section = yaml.safe_load(content)
        for item in section["cases"]:
            assert {"case", "why", "ask", "expect"} == set(item) and set(item["expect"]) <= EXPECTED, path
            found.append(pytest.param(item["ask"], item["expect"], id=f"{path.stem}: {item['case']}"))
    return found


@pytest.mark.parametrize(("ask", "expect"), cases())
@pytest.mark.parametrize("policy", ["as asked", "strict"])
def test_patient(
    real: Knowledge,
    real_names: Names,
    real_checker: Checker,
    real_renderer: Renderer,
    ask: dict[str, Any],
    expect: dict[str, Any],
    policy: str,
) -> None:
    if policy == "strict":
        ask, expect = {**ask, "policy": "strict"}, {key: expect[key] for key in ("apart", "free") if key in expect}

    found = plan(ask, real_checker, real_names, 30.0)

    answer = plain(found, real_renderer)
    assert not broken(ask, answer, real, real_names)
    report = real_checker.check(order_of(found.question, found.placements))
    assert not [pair.pair for pair in report.pairs if pair.line is not None and pair.line.status is Status.INCOMPATIBLE]
    assert found.report == report
    assert all(item["proven"] for item in answer["goals"])
    _compare(answer, expect)


def _compare(answer: dict[str, Any], expect: dict[str, Any]) -> None:
    by_drug = {item["drug"]: item for item in answer["infusions"]}
    meeting = {frozenset((a["drug"], b["drug"])) for a, b in together(answer)}
    for pair in expect.get("apart", ()):
        assert set(pair) <= set(by_drug)
        assert frozenset(pair) not in meeting
    for drug in expect.get("stays", ()):
        assert by_drug[drug]["lumen"] and not by_drug[drug]["moved_from"]
    for drug in expect.get("placed", ()):
        assert by_drug[drug]["lumen"]
    for lumen in expect.get("free", ()):
        assert not [item for item in answer["infusions"] if item["lumen"] == lumen]
    assert expect.get("status", answer["status"]) == answer["status"]
    assert expect.get("verdict", answer["verdict"]) == answer["verdict"]
    stops = [(item["code"], drug) for item in answer["findings"] if item["level"] == "stop" for drug in item["drugs"]]
    assert {tuple(stop) for stop in expect.get("stops", ())} <= set(stops)
    if "more_central" in expect:
        assert expect["more_central"] == answer["lumens_needed"]["more_central"]
    if "conflict" in expect:
        ats = {item["at"]: item["drug"] for item in answer["infusions"]}
        assert answer["conflict"]["smallest"]
        assert set(expect["conflict"]) == {ats[at] for at in answer["conflict"]["infusions"]}


def test_pairs_that_cases_keep_apart_are_known_to_the_base(real_checker: Checker, real_names: Names) -> None:
    """A case that keeps two apart would prove nothing if the base had no word against them."""
    for case in cases():
        for pair in case.values[1].get("apart", ()):
            judged = real_checker.check(order({"drugs": pair}, real_names)).pairs[0].line
            assert judged is not None and judged.status in (Status.INCOMPATIBLE, Status.VARIABLE), pair
