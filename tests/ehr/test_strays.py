"""What an EHR sends and nobody can read is named on a card; what is unmistakable though damaged is read."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.ehr import SERVICE, active, assert_cards, bundle, call, order

Json = dict[str, Any]


def cards(client: FlaskClient, request: Json) -> list[Json]:
    response = client.post(SERVICE, json=request)
    assert 200 == response.status_code, response.text
    return assert_cards(response.get_json())


def without(resource: Json, *names: str) -> Json:
    return {name: value for name, value in resource.items() if name not in names}


@pytest.mark.parametrize(
    "draft",
    [
        without(order("samplicin"), "resourceType"),
        order("samplicin") | {"resourceType": "medicationrequest"},
        order("samplicin") | {"resourceType": None},
        without(order("samplicin"), "resourceType", "intent", "status"),
    ],
    ids=["no type", "misspelt", "null", "nothing but drug and dosage"],
)
def test_an_order_that_does_not_say_what_it_is_is_read(client: FlaskClient, draft: Json) -> None:
    found = cards(client, call([draft], [active("calcium mockate")]))

    assert ["critical"] == [card["indicator"] for card in found]


def test_an_active_order_without_its_type_is_read(client: FlaskClient) -> None:
    found = cards(client, call([order("samplicin")], [without(active("calcium mockate"), "resourceType")]))

    assert ["critical"] == [card["indicator"] for card in found]


def test_an_entry_without_its_wrapping_is_read(client: FlaskClient) -> None:
    request = call([order("samplicin")], {"resourceType": "Bundle", "entry": [active("calcium mockate")]})

    assert ["critical"] == [card["indicator"] for card in cards(client, request)]


def test_a_bundle_within_a_bundle_is_read(client: FlaskClient) -> None:
    assert ["critical"] == [card["indicator"] for card in cards(client, call([order("samplicin")], [bundle(active("calcium mockate"))]))]


DRAFTS: list[tuple[str, Any, str]] = [
    ("null entries", {"resourceType": "Bundle", "entry": None}, "draftOrders.entry"),
    ("a null entry", {"resourceType": "Bundle", "entry": [None]}, "draftOrders.entry[0]"),
    ("a text", {"resourceType": "Bundle", "entry": ["MedicationRequest/7"]}, "MedicationRequest/7"),
    ("an entry without resource", {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:7"}]}, "urn:uuid:7"),
    ("nothing that tells its type", bundle({"id": "x7", "code": {"text": "?"}}), "x7"),
    ("an empty object", {}, "draftOrders"),
    ("a list with a text", ["vancomycin"], "vancomycin"),
]


@pytest.mark.parametrize(("drafts", "named"), [pytest.param(*row[1:], id=row[0]) for row in DRAFTS])
def test_a_draft_that_cannot_be_read_is_named(client: FlaskClient, drafts: Any, named: str) -> None:
    request = call([])
    request["context"]["draftOrders"] = drafts

    [card] = cards(client, request)

    assert "warning" == card["indicator"]
    assert named in card["summary"] + card["detail"].replace("\\", "")


@pytest.mark.parametrize("name", ["activeMedications", "administrations", "statements", "patient"])
@pytest.mark.parametrize("value", [{}, "none", [None], 7])
def test_a_list_that_cannot_be_read_is_named(client: FlaskClient, name: str, value: Any) -> None:
    request = call([order("samplicin")])
    request["prefetch"][name] = value

    [card] = cards(client, request)

    assert "warning" == card["indicator"]
    assert f"prefetch.{name}" in card["summary"]


def test_many_unread_entries_are_counted(client: FlaskClient) -> None:
    [card] = cards(client, call([order("samplicin")], {"resourceType": "Bundle", "entry": ["x"] * 500}))

    assert "490 more" in card["detail"]


def test_a_list_that_the_ehr_could_not_get_is_told(client: FlaskClient) -> None:
    request = call([order("samplicin")])
    request["prefetch"]["administrations"] = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}

    [card] = cards(client, request)

    assert "administrations" in card["summary"]


OTHERS: list[tuple[str, Json, bool]] = [
    ("therapy by vein", {"code": {"text": "IV therapy: calcium gluconate"}}, True),
    ("by its display", {"code": {"coding": [{"code": "14152002", "display": "Intravenous infusion"}]}}, True),
    ("in R5", {"code": {"concept": {"text": "Infusion of iron"}}}, True),
    ("only a code", {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "14152002"}]}}, True),
    ("with a medication in it", {"medicationCodeableConcept": {"text": "samplicin"}}, True),
    ("with an order in it", {"contained": [order("samplicin")]}, True),
    ("a test of the laboratory", {"code": {"text": "Potassium"}}, False),
    ("a test by its code", {"code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}}, False),
    ("an image", {"code": {"text": "CT with IV contrast"}, "category": [{"text": "Imaging"}]}, False),
    ("cancelled", {"code": {"text": "IV therapy"}, "status": "cancelled"}, False),
]


@pytest.mark.parametrize(("more", "told"), [pytest.param(*row[1:], id=row[0]) for row in OTHERS])
def test_an_order_of_another_kind_is_named_where_it_may_hold_a_medicine(client: FlaskClient, more: Json, told: bool) -> None:
    service = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "intent": "order"} | more

    found = cards(client, call([service]))

    assert ["warning"] * told == [card["indicator"] for card in found]
    assert all("ServiceRequest" in card["detail"] for card in found)
