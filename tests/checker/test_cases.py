"""Every clinical case, through every door: the engine, and HTTP where the API is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checker import Checker, Names, Renderer, order
from knowledge import Knowledge
from tests.cases import Case, differences, read

CASES = {"world": read("world"), "clinical": read("clinical")}
# What is said about the question itself, not about a drug, has no source to show.
NO_CLAIM = {"mixture-not-proven", "no-data/not-studied", "same-ingredient", "diluent-not-known", "not-known-as-infusion"}

both = pytest.mark.parametrize(("tree", "case"), [pytest.param(tree, case, id=case.at) for tree, cases in CASES.items() for case in cases])


class Door:
    """The engine over one knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.names, self.checker, self.renderer = Names(knowledge), Checker(knowledge), Renderer(knowledge)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        report = self.checker.check(order(question, self.names))
        return self.renderer.plain(report, explain=question.get("explain", False))


@pytest.fixture(scope="session")
def doors(world: Knowledge, real: Knowledge) -> dict[str, Door]:
    return {"world": Door(world), "clinical": Door(real)}


@both
def test_case(doors: dict[str, Door], tree: str, case: Case) -> None:
    answer = doors[tree].ask(case.ask)

    wrong = differences(answer, case.expect)

    assert not wrong, "\n".join(
        [
            case.case,
            case.why,
            *wrong,
            "findings:",
            *(f"  {item['level']} {item['kind']} {item['code']}: {item['text']}" for item in answer["findings"]),
        ]
    )


@both
def test_every_claim_carries_its_source(doors: dict[str, Door], tree: str, case: Case) -> None:
    """Law 3."""
    for finding in doors[tree].ask(case.ask)["findings"]:
        if finding["kind"] != "name" and finding["code"] not in NO_CLAIM and "Flush between with a fluid that both" not in finding["text"]:
            assert finding["sources"], finding


@both
def test_the_order_of_the_question_never_matters(doors: dict[str, Door], tree: str, case: Case) -> None:
    turned = {**case.ask, "drugs": case.ask["drugs"][::-1], "medications": case.ask.get("medications", [])[::-1]}

    answer, other = doors[tree].ask(case.ask), doors[tree].ask(turned)

    assert answer["verdict"] == other["verdict"]
    assert [item for item in answer["findings"] if item["kind"] != "name"] == [item for item in other["findings"] if item["kind"] != "name"]
    lines = [{tuple(item["pair"]): item["line"] for item in each["pairs"]} for each in (answer, other)]
    assert lines[0] == lines[1]


def test_there_are_enough_clinical_cases() -> None:
    assert 60 <= len(CASES["clinical"])
    for cases in CASES.values():
        sentences = [case.at for case in cases]
        assert len(sentences) == len(set(sentences))


@pytest.fixture(scope="session")
def clients(world: Knowledge, real: Knowledge) -> dict[str, Any]:
    """Flask test clients over both knowledge bases."""
    from api import create_app

    return {tree: create_app(knowledge=knowledge).test_client() for tree, knowledge in (("world", world), ("clinical", real))}


@both
def test_http_gives_the_same_answer(doors: dict[str, Door], clients: dict[str, Any], tree: str, case: Case) -> None:
    answer = clients[tree].post("/v1/check", json=case.ask)

    assert answer.status_code == 200, answer.text
    assert json.loads(answer.data) == doors[tree].ask(case.ask)
