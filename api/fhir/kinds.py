"""Which resources are orders of medicines; also where a sender left out, or misspelt, what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from api.fhir.peek import Json, codings, items, text

REQUESTS = frozenset({"MedicationRequest", "MedicationOrder", "MedicationPrescription"})
ADMINISTRATIONS = frozenset({"MedicationAdministration"})
STATEMENTS = frozenset({"MedicationStatement", "MedicationUsage", "MedicationDispense"})
ALL = REQUESTS | ADMINISTRATIONS | STATEMENTS
_SPELT = {kind.casefold(): kind for kind in ALL}
_OF_MEDICINES = ("medicationCodeableConcept", "medicationReference", "medication", "dosageInstruction")
_OF_ADMINISTRATIONS = (
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveTimeDateTime",
    "effectiveTimePeriod",
    "occurenceDateTime",
    "occurencePeriod",
)
_OF_STATEMENTS = ("adherence", "taken", "dateAsserted", "informationSource")
# Orders of other kinds, in which a therapy by vein may be written.
_OTHER_ORDERS = frozenset(
    {
        "ServiceRequest",
        "ProcedureRequest",
        "NutritionOrder",
        "RequestGroup",
        "RequestOrchestration",
        "CarePlan",
        "Task",
        "DeviceRequest",
        "SupplyRequest",
        "CommunicationRequest",
    }
)
_BY_VEIN = re.compile(r"\b(?:iv|ivpb|ivp|intravenous(?:ly)?|infus\w*|drip|parenteral|tpn|intrathecal(?:ly)?)\b", re.IGNORECASE)
_NO_MEDICINE = re.compile(r"\b(?:laborator\w*|imaging|radiolog\w*|patholog\w*|insertion|placement|removal)\b", re.IGNORECASE)
_SAYING = frozenset({"display", "text", "description", "title", "instruction", "patientInstruction"})
_OF_PEOPLE = frozenset({"subject", "patient", "requester", "performer", "encounter", "contained", "insurance"})
_DEEPEST = 6


def typed(resource: Json) -> Json | None:
    """The resource with its type; a missing one is told from its fields where they leave no doubt. None = no telling."""
    written = text(resource.get("resourceType"))
    if written:
        known = _SPELT.get(written.casefold(), written)
        return resource if known == written else resource | {"resourceType": known}
    kind = _by_shape(resource)
    return resource | {"resourceType": kind} if kind else None


def _by_shape(resource: Json) -> str:
    if "medicationCodeableConcept" in resource or "medicationReference" in resource or "dosageInstruction" in resource:
        if "dosageInstruction" in resource or "intent" in resource:
            return "MedicationRequest"
        if any(name in resource for name in _OF_STATEMENTS):
            return "MedicationStatement"
        return "MedicationAdministration" if any(name in resource for name in _OF_ADMINISTRATIONS) else "MedicationRequest"
    if isinstance(resource.get("medication"), dict) and "status" in resource:  # R5
        return "MedicationRequest"
    if "ingredient" in resource:
        return "Medication"
    return "Patient" if "birthDate" in resource else ""


def unread(resource: Json) -> str:
    """Why a resource of another type should be told, for a medicine may be ordered in it; "" when it need not."""
    kind = text(resource.get("resourceType"))
    if kind in ALL:
        return ""
    if any(name in resource for name in _OF_MEDICINES):
        return f"a {kind} that holds a medication is not read"
    if any(text(inner.get("resourceType")) in ALL for inner in items(resource.get("contained"))):
        return f"the orders within a {kind} are not read"
    if kind not in _OTHER_ORDERS:
        return ""
    said = " ".join(_words(resource))
    silent = not said and any(code and "loinc" not in system for system, code, _ in codings(resource.get("code")))
    if silent or (_BY_VEIN.search(said) and not _NO_MEDICINE.search(said)):
        return f"a {kind} is not read as an order of a medicine"
    return ""


def _words(value: Any, deep: int = _DEEPEST) -> Iterator[str]:
    """What a resource says in words, but for the people in it."""
    if isinstance(value, list):
        for item in value[:50]:
            yield from _words(item, deep - 1) if deep else ()
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in _SAYING and isinstance(item, str):
                yield text(item)
            elif deep and name not in _OF_PEOPLE:
                yield from _words(item, deep - 1)
