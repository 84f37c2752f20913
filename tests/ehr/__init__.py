"""The doors for EHRs: small orders of our own shapes, and ways to hold answers against the published schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from jsonschema import Draft202012Validator, FormatChecker

SHARED = Path(__file__).parents[3] / "shared"
SAMPLES = SHARED / "samples"
SCHEMAS = SHARED / "ehr" / "schemas"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
IV = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008", "display": "Intravenous route"}]}
ORAL = {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}]}
INSTANCE = "5f4b1a0e-7f55-4d0c-9d51-1f0c6d1c2a11"
SERVICE = "/cds-services/iv-compatibility"
Json = dict[str, Any]

needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the samples stand beside the checkout, in ../shared/samples, and are not there"
)


def order(drug: str | Json, identity: str = "new", *, status: str = "draft", route: Json | None = IV, **more: Any) -> Json:
    """A MedicationRequest. drug: a text, or a whole CodeableConcept."""
    concept = {"text": drug} if isinstance(drug, str) else drug
    dosage = [{"route": route}] if route else []
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "medicationCodeableConcept": concept,
        "dosageInstruction": dosage,
    } | more


def active(drug: str | Json, identity: str = "running", **more: Any) -> Json:
    """A MedicationRequest that runs."""
    return order(drug, identity, **({"status": "active"} | more))


def coded(code: str, display: str = "", system: str = RXNORM, **more: Any) -> Json:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]} | more


def mixture(*ingredients: tuple[str | Json, str, float | None], **order_more: Any) -> Json:
    """An order for a contained Medication. ingredients: name or concept, amount ("400 mg"; "" = none), per mL (None = none)."""
    listed = []
    for name, amount, per_ml in ingredients:
        item: Json = {"itemCodeableConcept": {"text": name} if isinstance(name, str) else name}
        if amount:
            value, unit = amount.split(" ")
            item["strength"] = {"numerator": {"value": float(value), "code": unit}} | (
                {"denominator": {"value": per_ml, "code": "mL"}} if per_ml else {}
            )
        listed.append(item)
    made = order("", **order_more) | {
        "contained": [{"resourceType": "Medication", "id": "bag", "ingredient": listed}],
        "medicationReference": {"reference": "#bag"},
    }
    made.pop("medicationCodeableConcept")
    return made


def bundle(*resources: Json, **more: Any) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]} | more


def call(new: list[Json], running: list[Json] | Any = (), *, hook: str = "order-sign", **more: Any) -> Json:
    """The request of a hook. running: orders, or whatever else stands at prefetch.activeMedications."""
    context: Json = {"userId": "Practitioner/1", "patientId": "1", "draftOrders": bundle(*new)}
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{resource['id']}" for resource in new]
    lists: Json = {"activeMedications": bundle(*running) if isinstance(running, (list, tuple)) else running}
    return {"hook": hook, "hookInstance": INSTANCE, "context": context, "prefetch": lists} | more


def sample(path: str) -> Json:
    """A file of ../shared/samples."""
    found: Json = json.loads((SAMPLES / path).read_text(encoding="utf-8"))
    return found


def schema(kind: str, version: str = "2.0.1") -> Draft202012Validator:
    """A published schema. Skips the test where ../shared is not there."""
    path = SCHEMAS / f"cds-hooks-{version}-{kind}.schema.json"
    if not path.is_file():
        pytest.skip("the schemas stand beside the checkout, in ../shared/ehr/schemas, and are not there")
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")), format_checker=FormatChecker())


def assert_cards(answer: Any) -> list[Json]:
    """What every answer of a service must be, by the checklist; and by the schemas where they are at hand."""
    assert set(answer) == {"cards"}, answer
    cards: list[Json] = answer["cards"]
    assert len(cards) <= 10
    assert len({card["uuid"] for card in cards}) == len(cards)
    rank = ["critical", "warning", "info"]
    assert [card["indicator"] for card in cards] == sorted((card["indicator"] for card in cards), key=rank.index), "worst first"
    for card in cards:
        assert 0 < len(card["summary"]) <= 139 and "\n" not in card["summary"], card["summary"]
        assert card["detail"] and "<" not in card["detail"], "Markdown without HTML"
        assert all(reason["display"] and reason["code"] and reason["system"] for reason in card["overrideReasons"])
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        for suggestion in card.get("suggestions", []):
            assert suggestion["uuid"] and all(action["resource"]["id"] for action in suggestion["actions"] if action["type"] == "update")
        assert not _hollow(card), "no nulls, empty texts or empty objects"
    if SCHEMAS.is_dir():
        for version in ("2.0.1", "3.0.0-ballot"):
            errors = [
                f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                for error in schema("response", version).iter_errors(answer)
            ]
            assert not errors, errors
    return cards


def _hollow(value: Any) -> bool:
    """Whether our own part of a card holds a null, an empty text, list or object. Resources are the EHR's."""
    if isinstance(value, dict):
        return not value or any(_hollow(item) for key, item in value.items() if key != "resource")
    if isinstance(value, list):
        return not value or any(map(_hollow, value))
    return value is None or value == ""


def assert_outcome(response: Any, status: int) -> Json:
    """An error as EHRs want it."""
    assert status == response.status_code, response.text[:500]
    assert response.mimetype in ("application/json", "application/fhir+json")
    outcome: Json = response.get_json()
    OperationOutcome.model_validate(outcome)
    assert "OperationOutcome" == outcome["resourceType"] and outcome["issue"]
    assert all({"severity", "code", "diagnostics"} <= set(issue) for issue in outcome["issue"])
    assert "Traceback" not in response.text and "<html" not in response.text
    return outcome
