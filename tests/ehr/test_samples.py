"""Captured sandbox traffic and the samples of HL7 and Synthea, replayed against the knowledge that ships."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.ehr import SAMPLES, SERVICE, active, assert_cards, call, needs_samples, order, sample, schema

pytestmark = needs_samples
REQUESTS = sorted(
    path.relative_to(SAMPLES).as_posix()
    for folder in ("sandbox-captured", "pddi-cds")
    for path in (SAMPLES / folder).glob("*.json")
    if "jwks" not in path.name
)


@pytest.mark.parametrize("path", REQUESTS)
def test_a_captured_request_is_answered(real_client: FlaskClient, path: str) -> None:
    response = real_client.post(SERVICE, json=sample(path))

    assert 200 == response.status_code, response.text
    assert_cards(response.get_json())


@pytest.mark.parametrize("path", [path for path in REQUESTS if path.startswith("sandbox")])
def test_the_captured_requests_are_as_the_schema_says(path: str) -> None:
    assert not list(schema("request").iter_errors(sample(path)))


def test_ceftriaxone_and_calcium_in_the_sandbox(real_client: FlaskClient) -> None:
    picked = assert_cards(real_client.post(SERVICE, json=sample("sandbox-captured/2-order-select-ceftriaxone.json")).get_json())
    signed = assert_cards(real_client.post(SERVICE, json=sample("sandbox-captured/3-order-sign-ceftriaxone.json")).get_json())

    for cards in (picked, signed):
        assert "critical" == cards[0]["indicator"]
        assert "calcium gluconate" in cards[0]["summary"] and "cefTRIAXone" in cards[0]["summary"]


def test_an_order_without_a_medication_yet_gives_no_cards(real_client: FlaskClient) -> None:
    assert [] == assert_cards(real_client.post(SERVICE, json=sample("sandbox-captured/1-order-select-no-medication.json")).get_json())


def test_synthea_orders_without_route_or_dosage_are_checked(real_client: FlaskClient) -> None:
    found: dict[str, Any] = {}
    for entry in sample("synthea/medicationrequests-cisplatin-paclitaxel.json")["entry"]:
        found.setdefault(entry["resource"]["medicationCodeableConcept"]["text"], entry["resource"])
    paclitaxel, cisplatin = found["PACLitaxel 100 MG Injection"], found["Cisplatin 50 MG Injection"]

    cards = assert_cards(
        real_client.post(SERVICE, json=call([cisplatin | {"status": "draft"}], [paclitaxel | {"status": "active"}])).get_json()
    )

    assert any("PACLitaxel" in card["summary"] and "CISplatin" in card["summary"] for card in cards), [card["summary"] for card in cards]


def test_synthea_orders_that_were_stopped_are_passed_over(real_client: FlaskClient) -> None:
    everything = sample("synthea/medicationrequests-cisplatin-paclitaxel.json")

    assert [] == assert_cards(real_client.post(SERVICE, json=call([order("NS")], everything)).get_json())


def test_the_sepsis_orders_of_synthea(real_client: FlaskClient) -> None:
    codes = {"norepinephrine": "242969", "vancomycin": "1807510", "pip-tazo": "1659131"}
    orders = {
        name: {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}], "text": name}
        for name, code in codes.items()
    }

    cards = assert_cards(
        real_client.post(
            SERVICE,
            json=call(
                [order(orders["norepinephrine"], "n", route=None)],
                [active(orders["vancomycin"], "v", route=None), active(orders["pip-tazo"], "p", route=None)],
            ),
        ).get_json()
    )

    assert not any("piperacillin-tazobactam + vancomycin" in card["detail"] for card in cards), "both run already"


@pytest.mark.parametrize(
    "path", sorted(path.relative_to(SAMPLES).as_posix() for path in (SAMPLES / "hl7-r4-examples").glob("Medication*.json"))
)
def test_every_example_of_hl7_is_answered_as_new_and_as_running(real_client: FlaskClient, path: str) -> None:
    resource = sample(path) | {"status": "active"}

    for request in (call([resource], [active("ceftriaxone")]), call([order("ceftriaxone")], [resource])):
        response = real_client.post(SERVICE, json=request)
        assert 200 == response.status_code, response.text
        assert_cards(response.get_json())


def test_intramuscular_ceftriaxone_raises_no_line_card(real_client: FlaskClient) -> None:
    cards = assert_cards(
        real_client.post(
            SERVICE, json=call([sample("hl7-r4-examples/MedicationRequest-medrx0332.json")], [active("calcium gluconate")])
        ).get_json()
    )

    assert not any(card["source"]["topic"]["code"] == "line" for card in cards)
