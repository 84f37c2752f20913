"""POST /v1/plan: a plan with a proof, and problems that name their place."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from api import examples
from checker.plan_schema import PlanSchema
from tests.api.test_problems import assert_problem

QUESTION = {
    "infusions": [{"drug": "samplamycin"}, {"drug": "mockprazole"}, {"drug": "fictazolam"}],
    "lumens": [{"name": "brown", "kind": "central"}, {"name": "white", "kind": "central"}],
}


def test_incompatible_drugs_get_lumens_of_their_own(client: FlaskClient) -> None:
    answer = client.post("/v1/plan", json=QUESTION)
    told = answer.get_json()

    assert answer.status_code == 200
    assert told["status"] == "optimal"
    places = {item["drug"]: item["lumen"] for item in told["infusions"]}
    assert places["mockprazole"] != places["fictazolam"]
    assert answer.headers["Linewise-Knowledge"]


def test_the_same_question_gives_the_same_plan(client: FlaskClient) -> None:
    assert client.post("/v1/plan", json=QUESTION).data == client.post("/v1/plan", json=QUESTION).data


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"lumens": []}, "lumens"),
        ({"lumens": [{"name": "brown", "kind": "central"}, {"name": "brown", "kind": "central"}]}, "lumens/1"),
        ({"infusions": [{"drug": "zzzmab"}]}, "infusions/0"),
        ({"infusions": [{"drug": "samplamycin", "hours": 13, "every_hours": 12}]}, "infusions/0"),
        ({"infusions": [{"drug": "samplamycin", "hours": 1e-10, "every_hours": 1e-9}]}, "infusions/0/hours"),
        ({"infusions": [{"drug": "samplamycin", "bolus": True, "every_hours": 1e-9}]}, "infusions/0/every_hours"),
        ({"policy": "brave"}, "policy"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_questions_are_refused_by_name(client: FlaskClient, change: dict[str, object], at: str) -> None:
    told = assert_problem(client.post("/v1/plan", json=QUESTION | change), 422)

    assert any(error["at"].startswith(at) for error in told["errors"])


@pytest.mark.parametrize("name", examples.PLANS)
def test_examples_of_the_documentation_work(real_client: FlaskClient, name: str) -> None:
    assert set(examples.PLANS[name]["value"]) <= set(PlanSchema().fields)
    assert real_client.post("/v1/plan", json=examples.PLANS[name]["value"]).status_code == 200
