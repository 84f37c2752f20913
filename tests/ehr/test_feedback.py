"""What became of cards is kept: accepted or overridden, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import create_app
from knowledge import Knowledge
from tests.ehr import SERVICE, active, assert_outcome, call, order, schema

Json = dict[str, Any]
REASON = {"system": "urn:linewise:override-reason", "code": "separate-line", "display": "Given through a separate line or lumen"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'feedback.db'}"


def kept(client: FlaskClient) -> list[Json]:
    """What the service keeps."""
    found: list[Json] = client.application.extensions["linewise-ehr"].store.kept()
    return found


def test_feedback_on_a_card_is_kept_with_its_reason(world: Knowledge, url: str) -> None:
    client = create_app({"log": "nothing", "database": url}, knowledge=world).test_client()
    [card] = client.post(SERVICE, json=call([order("samplicin")], [active("calcium mockate")])).get_json()["cards"]
    body = {
        "feedback": [
            {
                "card": card["uuid"],
                "outcome": "overridden",
                "outcomeTimestamp": "2026-11-23T08:00:00Z",
                "overrideReason": {"reason": card["overrideReasons"][0], "userComment": "two lumens"},
            },
            {
                "card": card["uuid"],
                "outcome": "accepted",
                "outcomeTimestamp": "2026-11-23T08:01:00Z",
                "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
            },
        ]
    }
    assert not list(schema("feedback").iter_errors(body))

    response = client.post(f"{SERVICE}/feedback", json=body)

    assert (200, {}) == (response.status_code, response.get_json())
    overridden, accepted = kept(client)
    assert (card["uuid"], "overridden", "separate-line", "two lumens") == (
        overridden["card"],
        overridden["outcome"],
        overridden["reason_code"],
        overridden["comment"],
    )
    assert ("accepted", card["suggestions"][0]["uuid"]) == (accepted["outcome"], accepted["suggestions"])


def test_comments_can_be_left_out(world: Knowledge, url: str) -> None:
    client = create_app({"log": "nothing", "database": url, "keep_comments": False}, knowledge=world).test_client()
    client.post(
        f"{SERVICE}/feedback", json={"feedback": [{"card": "x", "outcome": "overridden", "overrideReason": {"userComment": "Bonnie Roe"}}]}
    )

    assert "(not kept)" == kept(client)[0]["comment"]


def test_several_and_repeated_outcomes_are_all_kept(world: Knowledge, url: str) -> None:
    client = create_app({"log": "nothing", "database": url}, knowledge=world).test_client()
    body = {"feedback": [{"card": "x", "outcome": "accepted"}] * 3}
    client.post(f"{SERVICE}/feedback", json=body)
    client.post(f"{SERVICE}/feedback", json=body)

    assert 6 == len(kept(client))


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"feedback": None},
        {"feedback": {}},
        {"feedback": [{}]},
        {"feedback": [{"card": "x"}]},
        {"feedback": [{"card": "x", "outcome": "ignored"}]},
        {"feedback": [7]},
        {"feedback": [{"card": "x", "outcome": "accepted"}] * 501},
    ],
)
def test_what_is_no_feedback_is_refused_and_nothing_kept(client: FlaskClient, body: Any) -> None:
    assert_outcome(client.post(f"{SERVICE}/feedback", json=body), 400)


@pytest.mark.parametrize(
    "body",
    [
        {"feedback": []},
        {"feedback": [{"card": "x", "outcome": "accepted", "overrideReason": "odd", "acceptedSuggestions": "odd", "outcomeTimestamp": 7}]},
    ],
)
def test_odd_but_harmless_feedback_is_taken(client: FlaskClient, body: Any) -> None:
    assert 200 == client.post(f"{SERVICE}/feedback", json=body).status_code
