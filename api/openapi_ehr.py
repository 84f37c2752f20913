"""The doors for EHRs in the OpenAPI document. Their bodies are CDS Hooks and FHIR: described here, defined there."""

from __future__ import annotations

from typing import Any

from api.cds.services import SERVICES

Json = dict[str, Any]
_NEW: Json = {
    "resourceType": "MedicationRequest",
    "id": "new",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/1"},
    "medicationCodeableConcept": {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1665021", "display": "ceftriaxone 1000 MG Injection"}]
    },
    "dosageInstruction": [{"route": {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]}}],
}
_RUNNING: Json = {
    "resourceType": "MedicationRequest",
    "id": "running",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/1"},
    "medicationCodeableConcept": {"text": "calcium gluconate"},
    "dosageInstruction": [{"route": {"text": "IV"}}],
}
_HOOK: Json = {
    "hook": "order-sign",
    "hookInstance": "5f4b1a0e-7f55-4d0c-9d51-1f0c6d1c2a11",
    "context": {"userId": "Practitioner/1", "patientId": "1", "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": _NEW}]}},
    "prefetch": {"activeMedications": {"resourceType": "Bundle", "entry": [{"resource": _RUNNING}]}},
}
_FHIR: Json = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _NEW}, {"resource": _RUNNING}]}
_FEEDBACK = {
    "feedback": [
        {
            "card": "d0e7f64c-423a-5e14-a5b3-cfdc7512b2ac",
            "outcome": "overridden",
            "outcomeTimestamp": "2026-11-23T08:00:00Z",
            "overrideReason": {"reason": {"system": "urn:linewise:override-reason", "code": "separate-line"}},
        }
    ]
}
_OUTCOME = {
    "description": "An OperationOutcome.",
    "content": {"application/json": {"schema": {"type": "object"}}, "application/fhir+json": {"schema": {"type": "object"}}},
}


def paths() -> dict[str, Json]:
    """The paths, by address."""
    identity = _parameter("id", list(SERVICES), "an id from GET /cds-services", "iv-compatibility")
    return {
        "/cds-services": {
            "get": _operation(
                "cds_discovery",
                "CDS Hooks: discovery",
                "The services, their hooks and prefetch templates (CDS Hooks 2.0.1).",
                "application/json",
            )
        },
        "/cds-services/{id}": {
            "post": _operation(
                "cds_call",
                "CDS Hooks: ask for cards",
                "docs/ehr.md tells how it is registered and read.",
                "application/json",
                _HOOK,
                400,
                401,
                404,
                412,
                413,
                415,
            )
            | {"parameters": [identity]}
        },
        "/cds-services/{id}/feedback": {
            "post": _operation(
                "cds_feedback",
                "CDS Hooks: tell what became of cards",
                "Accepted or overridden, with the reason.",
                "application/json",
                _FEEDBACK,
                400,
                401,
                404,
                413,
                415,
            )
            | {"parameters": [identity]}
        },
        "/fhir/{version}/$check-infusions": {
            "post": _operation(
                "check_infusions",
                "FHIR: check a Bundle of orders",
                "A Bundle or Parameters in, a Bundle of DetectedIssues out; an OperationOutcome in it tells what was left out.",
                "application/fhir+json",
                _FHIR,
                400,
                401,
                404,
                413,
                415,
            )
            | {
                "parameters": [
                    _parameter("version", ["R4", "R5"], "the version of FHIR of the answer; orders of any version are read", "R4")
                ]
            }
        },
    }


def _operation(name: str, summary: str, description: str, answers: str, body: Json | None = None, *failures: int) -> Json:
    ok = {"description": "The answer.", "content": {answers: {"schema": {"type": "object"}}}}
    told: Json = {"operationId": name, "summary": summary, "description": description, "tags": ["EHR"]}
    if body is not None:
        told["requestBody"] = {"required": True, "content": {answers: {"schema": {"type": "object"}, "example": body}}}
    return told | {"responses": {"200": ok} | {str(status): _OUTCOME for status in failures} | {"default": _OUTCOME}}


def _parameter(name: str, words: list[str], description: str, example: str) -> Json:
    return {
        "in": "path",
        "name": name,
        "required": True,
        "description": description,
        "schema": {"type": "string", "enum": words},
        "example": example,
    }
