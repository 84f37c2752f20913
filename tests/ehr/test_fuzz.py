"""Damaged and random requests: always an answer that holds, or a refusal that tells why; never a failure of ours.

`make test` asks some hundreds; HYPOTHESIS_PROFILE=thorough asks more than 5,000.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ehr import INSTANCE, IV, ORAL, SERVICE, active, assert_cards, assert_outcome, bundle, call, coded, mixture, order

Json = Any
NAMES = (
    "samplicin",
    "calcium mockate",
    "exemplapenem 500 MG Injection",
    "Fictazolam 5mg in 50 mL NS",
    "xyzzymab",
    "",
    "imaginuximab",
    "NS",
    "samplicin (fictazolam)",
    "mockprazole + samplicin",
    "1 ML exemplapenem 20 MG/ML / samplicin 5 MG/ML Injection [Exemplex]",
    "in in in",
    "0/0 mL %",
)
scalar = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(NAMES)
)
anything = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4), max_leaves=12
)

# FHIR as it is, and nearly as it is: the keys that are read, with values that may be anything.
quantity = st.fixed_dictionaries(
    {},
    optional={
        "value": scalar,
        "unit": st.sampled_from(["mg", "mL", "ml/hr", "h", "min", "ug/kg/min", "", "{pill}", "%"]) | scalar,
        "code": st.sampled_from(["mg", "mL", "mL/h", "[iU]", "mmol"]) | scalar,
    },
)
ratio = st.fixed_dictionaries({}, optional={"numerator": quantity | anything, "denominator": quantity | anything})
coding = st.fixed_dictionaries(
    {},
    optional={
        "system": st.sampled_from(
            ["http://www.nlm.nih.gov/research/umls/rxnorm", "http://hl7.org/fhir/sid/ndc", "urn:x", "http://snomed.info/sct"]
        )
        | scalar,
        "code": st.sampled_from(["90000005", "90000018", "1665021", "0264751010", "0069-2587-10", "47625008"]) | scalar,
        "display": st.sampled_from(NAMES) | scalar,
    },
)
concept = (
    st.fixed_dictionaries(
        {}, optional={"coding": st.lists(coding, max_size=3) | coding | anything, "text": st.sampled_from(NAMES) | scalar}
    )
    | anything
)
reference = (
    st.fixed_dictionaries(
        {},
        optional={
            "reference": st.sampled_from(["#m", "Medication/m", "urn:uuid:1", "//", "#"]) | scalar,
            "display": st.sampled_from(NAMES),
        },
    )
    | anything
)
ingredient = st.fixed_dictionaries(
    {},
    optional={
        "itemCodeableConcept": concept,
        "itemReference": reference,
        "item": st.fixed_dictionaries({}, optional={"concept": concept, "reference": reference}) | anything,
        "strength": ratio | anything,
        "strengthRatio": ratio,
        "amount": ratio | anything,
        "isActive": scalar,
    },
)
medication = st.fixed_dictionaries(
    {"resourceType": st.just("Medication")},
    optional={
        "id": st.sampled_from(["m", "n"]) | scalar,
        "code": concept,
        "ingredient": st.lists(ingredient, max_size=4) | anything,
        "totalVolume": quantity,
        "amount": ratio | anything,
    },
)
dose = st.fixed_dictionaries(
    {}, optional={"rateRatio": ratio, "rateQuantity": quantity, "rateRange": anything, "doseQuantity": quantity, "doseAndRate": anything}
)
dosage = st.fixed_dictionaries(
    {},
    optional={
        "route": st.sampled_from([IV, ORAL]) | concept,
        "text": st.sampled_from(["500mg IV over 30 min", "1 g in D5W 250 ml", "in 1 L 0.9%NS"]) | scalar,
        "doseAndRate": st.lists(dose, max_size=2) | dose | anything,
        "timing": anything,
        "rateQuantity": quantity,
        "dose": quantity,
    },
)
medicine = st.fixed_dictionaries(
    {
        "resourceType": st.sampled_from(
            ["MedicationRequest", "MedicationAdministration", "MedicationStatement", "MedicationOrder", "ServiceRequest", "Patient"]
        )
    },
    optional={
        "id": st.sampled_from(["a", "b", "c"]) | scalar,
        "status": st.sampled_from(["active", "draft", "stopped", "on-hold"]) | scalar,
        "intent": st.sampled_from(["order", "proposal"]) | scalar,
        "medicationCodeableConcept": concept,
        "medicationReference": reference,
        "medication": st.fixed_dictionaries({}, optional={"concept": concept, "reference": reference}) | anything,
        "contained": st.lists(medication, max_size=3) | medication | anything,
        "dosageInstruction": st.lists(dosage, max_size=3) | dosage | anything,
        "dosage": dosage | anything,
        "doNotPerform": scalar,
        "priorPrescription": reference,
        "request": reference,
        "note": anything,
        "adherence": anything,
    },
)
listed = st.fixed_dictionaries(
    {},
    optional={
        "resourceType": st.just("Bundle") | scalar,
        "entry": st.lists(
            st.fixed_dictionaries({}, optional={"resource": medicine | medication | anything, "fullUrl": scalar, "search": anything}),
            max_size=5,
        )
        | anything,
        "link": anything,
        "total": scalar,
    },
)
request = st.fixed_dictionaries(
    {},
    optional={
        "hook": st.sampled_from(["order-sign", "order-select", "medication-prescribe"]) | scalar,
        "hookInstance": st.just(INSTANCE) | scalar,
        "context": st.fixed_dictionaries(
            {},
            optional={
                "draftOrders": listed | anything,
                "medications": listed,
                "selections": st.lists(st.sampled_from(["MedicationRequest/a", "a"]) | scalar, max_size=3) | anything,
            },
        )
        | anything,
        "prefetch": st.fixed_dictionaries(
            {}, optional={"activeMedications": listed | anything, "patient": anything, "administrations": listed, "other": anything}
        )
        | anything,
        "fhirServer": scalar,
        "fhirAuthorization": anything,
        "extension": anything,
    },
)
whole = st.builds(
    lambda new, running, hook: (
        call(new, running, hook=hook) if hook == "order-sign" else call([item | {"id": "a"} for item in new], running, hook=hook)
    ),
    st.lists(medicine, max_size=4),
    st.lists(medicine, max_size=5),
    st.sampled_from(["order-sign", "order-select"]),
)
SOUND = (
    call([order("samplicin")], [active("calcium mockate")]),
    call(
        [mixture(("exemplapenem", "500 mg", 100), ("fictional dextrose", "100 mL", None))],
        [active(coded("90000018", "calcium mockate"))],
        hook="order-select",
    ),
    call([order("samplicin", "a"), order(coded("90000003"), "b", route=ORAL)], bundle(active("nonesuch"), total=9)),
)
fuzzing = settings(
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ]
)


def ask(client: FlaskClient, path: str, body: Json) -> None:
    response = client.post(path, data=json.dumps(body), content_type="application/json")
    if response.status_code == 200:
        if path.startswith("/cds") and not path.endswith("feedback"):
            assert_cards(response.get_json())
    else:
        assert response.status_code in (400, 404, 412, 413), response.text[:300]
        assert_outcome(response, response.status_code)


def _places(value: Json, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, item in inner for found in _places(item, (*path, key))]


@fuzzing
@given(whole)
def test_orders_of_any_shape(client: FlaskClient, body: Json) -> None:
    ask(client, SERVICE, body)


@fuzzing
@given(request)
def test_requests_of_any_shape(client: FlaskClient, body: Json) -> None:
    ask(client, SERVICE, body)


@fuzzing
@given(st.data())
def test_sound_requests_damaged_in_some_places(client: FlaskClient, data: st.DataObject) -> None:
    body = copy.deepcopy(data.draw(st.sampled_from(SOUND)))
    for _ in range(data.draw(st.integers(1, 4))):
        *way, last = data.draw(st.sampled_from(_places(body)))
        holder = body
        for step in way:
            holder = holder[step]
        if data.draw(st.booleans()):
            holder[last] = data.draw(anything)
        else:
            del holder[last]
        if not _places(body):
            break
    ask(client, SERVICE, body)


@fuzzing
@given(
    st.sampled_from(["R4", "R5", "R6"]),
    listed | st.fixed_dictionaries({"resourceType": st.just("Parameters")}, optional={"parameter": anything}) | anything,
)
def test_check_infusions_with_anything(client: FlaskClient, version: str, body: Json) -> None:
    ask(client, f"/fhir/{version}/$check-infusions", body)


@fuzzing
@given(anything | st.fixed_dictionaries({"feedback": anything | st.lists(anything, max_size=3)}))
def test_feedback_with_anything(client: FlaskClient, body: Json) -> None:
    ask(client, f"{SERVICE}/feedback", body)


@fuzzing
@given(st.sampled_from(["patient-view", "medication-verify"]), anything, listed)
def test_the_other_services_with_anything(client: FlaskClient, hook: str, context: Json, running: Json) -> None:
    service = "iv-line-overview" if hook == "patient-view" else "iv-compatibility-verify"
    ask(
        client,
        f"/cds-services/{service}",
        {
            "hook": hook,
            "hookInstance": INSTANCE,
            "context": context if isinstance(context, dict) else {},
            "prefetch": {"activeMedications": running},
        },
    )
