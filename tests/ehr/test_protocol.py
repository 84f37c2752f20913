"""The protocol: discovery, prefetch that is missing, null, empty, partial or an error, CORS, and errors as OperationOutcomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import create_app
from knowledge import Knowledge
from tests.ehr import INSTANCE, SERVICE, active, assert_cards, assert_outcome, bundle, call, order, schema

Json = dict[str, Any]
ERROR: Json = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
NOTHING: Json = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}


def test_discovery_lists_the_hooks_with_what_they_need(client: FlaskClient) -> None:
    answer = client.get("/cds-services").get_json()

    assert {"order-select", "order-sign", "patient-view", "medication-verify"} == {entry["hook"] for entry in answer["services"]}
    assert {"iv-compatibility"} == {entry["id"] for entry in answer["services"] if entry["hook"].startswith("order-")}, (
        "one id: order-sign replaces the cards of order-select"
    )
    assert all(
        "activeMedications" in entry["prefetch"] and "{{context.patientId}}" in entry["prefetch"]["patient"] for entry in answer["services"]
    )
    assert not list(schema("discovery").iter_errors(answer))
    assert not list(schema("discovery", "3.0.0-ballot").iter_errors(answer))


def test_prefetch_uses_only_what_clients_are_sure_of(client: FlaskClient) -> None:
    for entry in client.get("/cds-services").get_json()["services"]:
        for template in entry["prefetch"].values():
            assert not any(word in template for word in ("_include", ":not", ":missing", "_revinclude")), template


def test_our_own_requests_are_as_the_schema_wants_them() -> None:
    for hook in ("order-sign", "order-select"):
        assert not list(schema("request").iter_errors(call([order("x")], [active("y")], hook=hook)))


@pytest.mark.parametrize(
    "prefetch",
    [
        None,
        {},
        {"patient": {"resourceType": "Patient", "id": "1"}},
        {"activeMedications": ERROR},
        {"activeMedications": {"resourceType": "OperationOutcome"}},
    ],
)
def test_without_the_active_orders_a_precondition_fails(client: FlaskClient, prefetch: Any) -> None:
    request = call([order("samplicin")]) | {"prefetch": prefetch}
    if prefetch is None:
        del request["prefetch"]

    outcome = assert_outcome(client.post(SERVICE, json=request), 412)

    assert any("prefetch.activeMedications" in issue.get("expression", []) for issue in outcome["issue"])


@pytest.mark.parametrize(
    "running",
    [None, bundle(), {"resourceType": "Bundle", "type": "searchset", "total": 0}, {"entry": []}, NOTHING],
    ids=["null", "empty", "no entry", "no type", "told nothing"],
)
def test_no_active_orders_is_an_answer(client: FlaskClient, running: Any) -> None:
    response = client.post(SERVICE, json=call([order("samplicin", "a"), order("calcium mockate", "b")], running))

    assert 200 == response.status_code
    assert 1 == len(assert_cards(response.get_json()))


@pytest.mark.parametrize(
    "more",
    [{"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]}, {"total": 7}],
    ids=["a next page", "fewer than the total"],
)
def test_a_partial_list_is_told(client: FlaskClient, more: Json) -> None:
    cards = assert_cards(client.post(SERVICE, json=call([order("samplicin")], bundle(active("calcium mockate"), **more))).get_json())

    assert "must not share a line" in cards[0]["summary"], "what came is checked"
    assert "only a part" in cards[-1]["summary"]


def test_a_warning_within_the_list_is_told(client: FlaskClient) -> None:
    warned = bundle(
        active("calcium mockate"), {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "incomplete"}]}
    )

    assert any(
        "only a part" in card["summary"] for card in assert_cards(client.post(SERVICE, json=call([order("samplicin")], warned)).get_json())
    )


def test_a_list_under_another_key_is_read(client: FlaskClient) -> None:
    request = call([order("samplicin")]) | {"prefetch": {"meds": bundle(active("calcium mockate"))}}

    assert 1 == len(assert_cards(client.post(SERVICE, json=request).get_json()))


def test_administrations_and_statements_stand_beside(client: FlaskClient) -> None:
    request = call([order("samplicin")])
    request["prefetch"] |= {
        "administrations": bundle(
            {
                "resourceType": "MedicationAdministration",
                "id": "a",
                "status": "in-progress",
                "medicationCodeableConcept": {"text": "calcium mockate"},
                "dosage": {"route": {"text": "IV"}},
            }
        ),
        "statements": bundle(
            {"resourceType": "MedicationStatement", "id": "s", "status": "active", "medicationCodeableConcept": {"text": "warfictin"}}
        ),
    }

    summaries = [card["summary"] for card in assert_cards(client.post(SERVICE, json=request).get_json())]

    assert any("calcium mockate" in summary for summary in summaries) and any("warfictin" in summary for summary in summaries)


def test_the_age_of_the_patient_counts(client: FlaskClient) -> None:
    def levels(born: str) -> set[str]:
        request = call([order("samplicin")])
        request["prefetch"]["patient"] = {"resourceType": "Patient", "id": "1", "birthDate": born}
        return {card["indicator"] for card in assert_cards(client.post(SERVICE, json=request).get_json())}

    assert set() == levels("1970-01-01")
    assert levels("2999") == set()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "hook"),
        ([], 400, "hook"),
        ({"hook": "order-sign"}, 400, "hookInstance"),
        ({"hook": "order-sign", "hookInstance": INSTANCE, "context": []}, 400, "context"),
        ({"hook": "order-sign", "hookInstance": INSTANCE, "context": {}, "prefetch": {"activeMedications": None}}, 400, "draftOrders"),
        (
            {"hook": "order-sign", "hookInstance": INSTANCE, "context": {"draftOrders": "x"}, "prefetch": {"activeMedications": None}},
            400,
            "draftOrders",
        ),
        ({"hook": 7, "hookInstance": INSTANCE, "context": {}}, 400, "hook"),
        ({"hook": "encounter-start", "hookInstance": INSTANCE, "context": {}}, 400, "encounter-start"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_mend(client: FlaskClient, body: Any, status: int, words: str) -> None:
    outcome = assert_outcome(client.post(SERVICE, json=body), status)

    assert words in json.dumps(outcome)


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("post", "/cds-services/nothing", {"json": {}}, 404),
        ("get", "/cds-services/iv-compatibility", {}, 405),
        ("post", "/cds-services", {"json": {}}, 405),
        ("post", SERVICE, {"data": "{", "content_type": "application/json"}, 400),
        ("post", SERVICE, {"data": "{}", "content_type": "text/plain"}, 415),
        ("post", SERVICE, {"data": "", "content_type": "application/json"}, 400),
        ("post", "/cds-services/nothing/feedback", {"json": {"feedback": []}}, 404),
        ("get", "/fhir/R4/metadata", {}, 404),
        ("post", "/fhir/R3/$check-infusions", {"json": {"resourceType": "Bundle"}}, 404),
        ("post", "/fhir/R4/$check-infusions", {"json": {}}, 400),
        ("post", SERVICE, {"data": b"{" + b" " * (5 * 1024 * 1024) + b"}", "content_type": "application/json"}, 413),
    ],
)
def test_every_error_is_an_operation_outcome(client: FlaskClient, method: str, path: str, more: Json, status: int) -> None:
    assert_outcome(getattr(client, method)(path, **more), status)


def test_too_many_orders_are_refused(client: FlaskClient) -> None:
    assert_outcome(client.post(SERVICE, json=call([order("samplicin", f"n{number}") for number in range(61)])), 400)


def test_a_body_larger_than_that_of_v1_is_taken(client: FlaskClient) -> None:
    request = call([order("samplicin")], [active("calcium mockate")]) | {"extension": {"filler": "x" * 600_000}}

    assert 200 == client.post(SERVICE, json=request).status_code


def test_no_origin_is_let_in_unless_told(client: FlaskClient) -> None:
    assert "Access-Control-Allow-Origin" not in client.get("/cds-services", headers={"Origin": "https://ehr.example"}).headers


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (("https://ehr.example",), "https://ehr.example", "https://ehr.example"),
        (("https://ehr.example",), "https://evil.example", None),
        (("*",), "https://any.example", "*"),
    ],
)
def test_origins_by_configuration(world: Knowledge, database: str, origins: tuple[str, ...], origin: str, allowed: str | None) -> None:
    client = create_app({"log": "nothing", "database": database, "cors_origins": origins}, knowledge=world).test_client()
    asked = client.options(
        SERVICE,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    got = client.post(SERVICE, json=call([order("samplicin")]), headers={"Origin": origin})

    for response in (asked, got):
        assert 200 == response.status_code
        assert allowed == response.headers.get("Access-Control-Allow-Origin")
        assert "Access-Control-Allow-Credentials" not in response.headers
    if allowed:
        assert "authorization" in asked.headers["Access-Control-Allow-Headers"].lower()


def test_nothing_of_a_request_is_logged(world: Knowledge, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    client = create_app({"log": "requests", "database": database}, knowledge=world).test_client()
    client.post(SERVICE, json=call([order("samplicin")], [active("calcium mockate")]))
    client.post(SERVICE, json=call([order("samplicin")]) | {"hook": "Bonnie Roe"})
    client.post(
        f"{SERVICE}/feedback", json={"feedback": [{"card": "x", "outcome": "overridden", "overrideReason": {"userComment": "Bonnie Roe"}}]}
    )

    logged = capsys.readouterr().err
    assert logged.count("\n") == 3
    assert "samplicin" not in logged and "Bonnie" not in logged and "Patient/1" not in logged


def test_orders_that_are_no_medicines_do_not_count(client: FlaskClient) -> None:
    others = [{"resourceType": "ServiceRequest", "id": f"s{number}", "status": "draft"} for number in range(80)]

    assert 1 == len(assert_cards(client.post(SERVICE, json=call([order("samplicin"), *others], [active("calcium mockate")])).get_json()))
