"""The doors of CDS Hooks: discovery, the services, and feedback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from api.cds import calls
from api.cds.lines import overview
from api.cds.outcomes import read_feedback
from api.cds.services import SERVICES, Service
from api.ehr import ehr, prepare
from api.problems import Failure
from api.record import answered
from api.service import service
from api.wire import answer, read_json

bp = Blueprint("cds", __name__)
prepare(bp)


@bp.get("/cds-services")
def discovery() -> Response:
    """The services, as CDS Hooks lists them."""
    return answer({"services": [entry for found in SERVICES.values() for entry in found.entries()]})


@bp.post("/cds-services/<name>")
def call(name: str) -> Response:
    """Answer a hook with cards."""
    asked_of, here, own = _service(name), service(), ehr()
    own.trust.check(request)
    body = read_json(request)
    got = calls.read(body, asked_of.hooks + asked_of.quiet, here.knowledge, own.reader, datetime.now(UTC).date())
    report = here.checker.check(got.asked.order)
    answered("cds", report)
    seed = f"{name}|{got.instance}"
    cards: list[dict[str, Any]] = own.cards.of(got.asked, report, seed, partial=got.partial)
    if got.hook == "patient-view":
        cards = overview(own.cards, here.knowledge, got.orders, seed) + cards
    return answer({"cards": cards})


@bp.post("/cds-services/<name>/feedback")
def feedback(name: str) -> Response:
    """Keep what became of cards. The body of the answer is empty, as the standard leaves it open."""
    asked_of, own = _service(name), ehr()
    issuer = own.trust.check(request)
    keeps_comments = service().settings.keep_comments and own.store.lasting
    own.store.keep(read_feedback(read_json(request), asked_of.id, issuer or "", keeps_comments))
    return answer({})


def _service(name: str) -> Service:
    found = SERVICES.get(name)
    if found is None:
        raise Failure("not-found", f"There is no such service. GET /cds-services lists them: {', '.join(SERVICES)}.")
    return found
