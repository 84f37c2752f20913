"""POST /fhir/R4/$check-infusions and R5: a Bundle or Parameters of orders in, a Bundle of DetectedIssues out.

In Parameters, `active` holds what already runs, `patient` the patient, every other parameter what is asked about. In a
Bundle, drafts are asked about and the rest runs; without a draft, all of it is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, request

from api.ehr import ehr, prepare
from api.fhir.issues import VERSIONS, bundle
from api.fhir.kinds import ALL
from api.fhir.orders import left_out, others, together
from api.fhir.peek import Json, obj, text
from api.fhir.question import age_of, question
from api.fhir.references import Sent
from api.outcome import MEDIA_TYPE
from api.problems import Failure
from api.record import answered
from api.service import service
from api.wire import read_json
from checker import AskProblem
from checker.model import NotUnderstood

bp = Blueprint("fhir", __name__)
prepare(bp)
TYPES = ("application/fhir+json", "application/json", "application/json+fhir")
MOST_ORDERS = 200
_ACTIVE = frozenset({"active", "context"})
Found = list[tuple[str, Json]]


@dataclass(slots=True)
class _Asked:
    new: Found
    active: Found
    patient: Json
    sent: Sent
    unread: list[NotUnderstood]


@bp.post("/fhir/<version>/$check-infusions")
def check_infusions(version: str) -> Response:
    """Check the infusions of a Bundle or of Parameters."""
    if version not in VERSIONS:
        raise Failure("not-found", f"The versions served here are {', '.join(VERSIONS)}.")
    here, own = service(), ehr()
    own.trust.check(request)
    given = _read(read_json(request, TYPES))
    if len(given.new) + len(given.active) > MOST_ORDERS:
        raise Failure(
            "bad-call",
            f"At most {MOST_ORDERS} orders are checked at once.",
            [AskProblem("", f"{len(given.new) + len(given.active)} orders", "send fewer")],
        )
    read = own.reader.orders.read
    orders = together(read(given.new, given.sent, new=True), read(given.active, given.sent, new=False))
    asked = question(here.knowledge, orders, age_of(given.patient, datetime.now(UTC).date()), given.unread)
    report = here.checker.check(asked.order)
    answered("fhir", report)
    identity = text(given.patient.get("id"))
    passed_over = left_out((*given.new, *given.active))
    found = bundle(here.knowledge, asked, report, version, f"Patient/{identity}" if identity else None, passed_over)
    return Response(orjson.dumps(found), mimetype=MEDIA_TYPE)


def _read(body: Any) -> _Asked:
    """What is new and what runs. Raises Failure (400) when it is neither a Bundle nor Parameters."""
    resource = obj(body)
    sent = Sent()
    if resource.get("resourceType") == "Parameters":
        new, active, patient = _parameters(resource.get("parameter", []), sent)
    elif resource.get("resourceType") == "Bundle":
        found = sent.add(resource)
        drafts = [pair for pair in found if text(pair[1].get("resourceType")) in ALL and text(pair[1].get("status")) == "draft"]
        new, active, patient = (drafts, [pair for pair in found if pair not in drafts], {}) if drafts else (found, [], {})
    else:
        kind = text(resource.get("resourceType")) or "none"
        raise Failure(
            "bad-call",
            "The body is neither a Bundle nor Parameters.",
            [AskProblem("resourceType", f"it is {kind}", "send a Bundle of orders, or Parameters with `new` and `active`")],
        )
    if not patient:
        patient = next((found for _, found in (*new, *active) if found.get("resourceType") == "Patient"), {})
    unread = [*sent.strays, *others((*new, *active))]
    return _Asked(_orders(new), _orders(active), patient if patient.get("resourceType") == "Patient" else {}, sent, unread)


def _parameters(given: Any, sent: Sent) -> tuple[Found, Found, Json]:
    """What is asked about, what runs, and the patient. A parameter without a resource is a stray."""
    new: Found = []
    active: Found = []
    patient: Json = {}
    for number, item in enumerate(given if isinstance(given, list) else [given]):
        name, at = text(obj(item).get("name")), f"parameter[{number}]"
        value = obj(item).get("resource")
        found = sent.add(item if value is None else value, at)
        if name == "patient":
            patient = patient or next((resource for _, resource in found), {})
        else:
            (active if name in _ACTIVE else new).extend(found)
    return new, active, patient


def _orders(found: Found) -> Found:
    return [pair for pair in found if text(pair[1].get("resourceType")) in ALL]
