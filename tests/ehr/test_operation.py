"""$check-infusions: a Bundle or Parameters in, a Bundle of DetectedIssues out, held against a strict FHIR library."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.bundle import Bundle as BundleR5
from fhir.resources.R4B.bundle import Bundle as BundleR4B
from flask.testing import FlaskClient

from tests.ehr import ORAL, active, bundle, mixture, needs_samples, order, sample

MODELS = {"R4": BundleR4B, "R5": BundleR5}
Json = dict[str, Any]


def check(client: FlaskClient, body: Json, version: str = "R4") -> list[Json]:
    """The issues that were detected."""
    return [resource for resource in answered(client, body, version) if resource["resourceType"] == "DetectedIssue"]


def told(client: FlaskClient, body: Json, version: str = "R4") -> list[str]:
    """What the answer says of what was read and left out."""
    outcomes = [resource for resource in answered(client, body, version) if resource["resourceType"] == "OperationOutcome"]
    assert len(outcomes) <= 1
    issues = [issue for outcome in outcomes for issue in outcome["issue"]]
    assert all(("information", "informational") == (issue["severity"], issue["code"]) for issue in issues)
    return [issue["diagnostics"] for issue in issues]


def answered(client: FlaskClient, body: Json, version: str) -> list[Json]:
    response = client.post(f"/fhir/{version}/$check-infusions", json=body, content_type="application/fhir+json")
    assert 200 == response.status_code, response.text
    assert "application/fhir+json" == response.mimetype
    answer: Json = response.get_json()
    MODELS[version].model_validate(answer)
    assert "collection" == answer["type"]
    for entry in answer.get("entry", []):
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
    return [entry["resource"] for entry in answer.get("entry", [])]


@pytest.mark.parametrize(("version", "who"), [("R4", "patient"), ("R5", "subject")])
def test_an_incompatible_pair_is_an_issue_of_high_severity(client: FlaskClient, version: str, who: str) -> None:
    [issue] = check(
        client, bundle({"resourceType": "Patient", "id": "1"}, order("samplicin", "a"), active("calcium mockate", "b")), version
    )

    assert ("final", "high", {"reference": "Patient/1"}) == (issue["status"], issue["severity"], issue[who])
    assert {"MedicationRequest/a", "MedicationRequest/b"} == {item["reference"] for item in issue["implicated"]}
    assert issue["evidence"][0]["detail"][0]["display"]
    assert "separate lines" in issue["mitigation"][0]["action"]["text"]
    assert "samplicin" in issue["detail"]


def test_without_a_draft_all_orders_are_asked_about(client: FlaskClient) -> None:
    assert 1 == len(check(client, bundle(active("samplicin", "a"), active("calcium mockate", "b"))))


def test_beside_a_draft_what_runs_is_not_paired_with_itself(client: FlaskClient) -> None:
    issues = check(client, bundle(order("mockprazole", "n"), active("samplicin", "a"), active("calcium mockate", "b")))

    assert not any(
        {"MedicationRequest/a", "MedicationRequest/b"} == {item.get("reference") for item in issue["implicated"]} for issue in issues
    )


def test_parameters_tell_new_from_active(client: FlaskClient) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "new", "resource": active("samplicin", "a")},
            {"name": "active", "resource": bundle(active("calcium mockate", "b"), active("warfictin", "c", route=ORAL))},
            {"name": "patient", "resource": {"resourceType": "Patient", "id": "9"}},
        ],
    }

    issues = check(client, body)

    assert {"high", "moderate"} == {issue["severity"] for issue in issues}
    assert all({"reference": "Patient/9"} == issue["patient"] for issue in issues)


def test_what_was_not_understood_is_an_issue_without_severity(client: FlaskClient) -> None:
    [issue] = check(client, bundle(order("xyzzymab", "x")))

    assert "severity" not in issue and "xyzzymab" in issue["detail"]
    assert "not understood, not checked" == issue["code"]["text"]


def test_orders_without_ids_are_named_by_what_they_say(client: FlaskClient) -> None:
    one, other = order("samplicin"), order("calcium mockate")
    del one["id"], other["id"]

    [issue] = check(client, bundle(one, other))

    assert {("samplicin", None), ("calcium mockate", None)} == {(item["display"], item.get("reference")) for item in issue["implicated"]}


def test_an_interaction_has_the_code_of_hl7(client: FlaskClient) -> None:
    [issue] = check(client, bundle(order("samplicin"), active("warfictin", route=ORAL)))

    assert "DRG" in [coding["code"] for coding in issue["code"]["coding"]]


def test_a_forbidden_fluid_names_its_order(client: FlaskClient) -> None:
    issues = check(client, bundle(mixture(("exemplapenem", "500 mg", None), ("fictional dextrose", "100 mL", None))))

    assert [("high", ["MedicationRequest/new"])] == [
        (issue["severity"], [item["reference"] for item in issue["implicated"]]) for issue in issues
    ]


@pytest.mark.parametrize(
    "body",
    [{"resourceType": "Bundle", "type": "collection"}, bundle(), {"resourceType": "Parameters"}, bundle({"resourceType": "Observation"})],
)
def test_nothing_asked_is_said(client: FlaskClient, body: Json) -> None:
    assert [] == check(client, body)
    assert "Nothing was checked: no order was asked about." == told(client, body)[-1]


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_orders_that_are_over_are_told_apart_from_nothing_found(client: FlaskClient, version: str) -> None:
    over = bundle(order("samplicin", "a", status="completed"), order("calcium mockate", "b", status="stopped"))

    assert [] == check(client, over, version)
    assert [
        "Orders asked about: 0; running beside them: 0; left out: 2.",
        "Left out: MedicationRequest/a (status completed)",
        "Left out: MedicationRequest/b (status stopped)",
        "Nothing was checked: no order was asked about.",
    ] == told(client, over, version)


def test_an_order_left_out_is_told_beside_what_was_found(client: FlaskClient) -> None:
    body = bundle(order("samplicin", "a"), active("calcium mockate", "b"), active("fictazolam", "c", intent="proposal"))

    assert ["high"] == [issue["severity"] for issue in check(client, body)]
    assert ["Orders asked about: 1; running beside them: 1; left out: 1.", "Left out: MedicationRequest/c (intent proposal)"] == told(
        client, body
    )


def test_all_read_and_nothing_found_is_an_empty_bundle(client: FlaskClient) -> None:
    assert [] == answered(client, bundle(order("exemplapenem")), "R4")


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Bundle", "entry": ["x"]},
        {"resourceType": "Bundle", "entry": None},
        {"resourceType": "Parameters", "parameter": [{"name": "new", "valueString": "vancomycin"}]},
        {"resourceType": "Parameters", "parameter": ["x"]},
        bundle({"resourceType": "ServiceRequest", "id": "s", "code": {"text": "IV therapy"}}),
    ],
    ids=["a text", "null", "a parameter without a resource", "a parameter that is a text", "an order of another kind"],
)
def test_what_cannot_be_read_is_an_issue(client: FlaskClient, body: Json) -> None:
    [issue] = check(client, body)

    assert "severity" not in issue and "not checked" in issue["detail"]


def test_the_same_question_gives_the_same_issues(client: FlaskClient) -> None:
    body = bundle(order("samplicin", "a"), active("calcium mockate", "b"), order("xyzzymab", "c"))

    assert check(client, body) == check(client, body)


@needs_samples
@pytest.mark.parametrize("version", ["R4", "R5"])
def test_the_examples_of_hl7_together(real_client: FlaskClient, version: str) -> None:
    names = ("0315", "0316", "0317", "0318", "0319", "0322", "0323", "0332", "0336")
    orders = [sample(f"hl7-r4-examples/MedicationRequest-medrx{name}.json") | {"status": "active"} for name in names]

    issues = check(real_client, bundle(*orders), version)

    assert {"moderate", "low", None} <= {issue.get("severity") for issue in issues}
    assert any("TPN Electrolytes" in issue["detail"] for issue in issues)
