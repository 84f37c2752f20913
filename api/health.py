"""The front door for machines: what is here, is it alive, is it ready."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app

from api.audit import Audit
from api.problems import Failure
from api.service import service
from api.wire import answer

bp = Blueprint("health", __name__)
ABOUT = (
    "Open, cited IV drug compatibility: may these drugs share this line, and should this patient get them together? "
    "Decision support, to be checked by a professional."
)


def index() -> Response:
    """The doors of this service, for a machine that asks at / (people get the workbench)."""
    here = service()
    return answer(
        {
            "service": "Linewise",
            "about": ABOUT,
            "doors": {
                "check": "POST /v1/check",
                "drugs": "GET /v1/drugs?q={text}",
                "drug": "GET /v1/drugs/{id}",
                "pair": "GET /v1/pairs/{a}/{b}",
                "source": "GET /v1/sources/{id}",
                "knowledge": "GET /v1/knowledge",
                "cds_hooks": "GET /cds-services",
                "fhir": "POST /fhir/R4/$check-infusions",
                "docs": "GET /docs",
                "openapi": "GET /openapi.json",
                "alive": "GET /healthz",
                "ready": "GET /readyz",
            },
            "knowledge": here.renderer.identity,
        }
    )


@bp.get("/healthz")
def alive() -> Response:
    """Whether the process answers, and whether the audit trail is whole."""
    return answer({"status": "alive"} | _told(_audit()))


@bp.get("/readyz")
def ready() -> Response:
    """Whether questions can be answered: the knowledge is loaded and holds drugs, and the audit trail can be written where it must be."""
    here = service()
    if not here.knowledge.drugs:
        raise Failure("not-ready", "The knowledge that was loaded holds no drugs.")
    audit = _audit()
    if audit.mode != "off" and not audit.database.up() and audit.mode == "mandatory":
        raise Failure("not-ready", "The audit trail is mandatory, and the database that holds it does not answer.")
    return answer({"status": "ready", "drugs": len(here.knowledge.drugs), "knowledge": here.renderer.identity} | _told(audit))


def _told(audit: Audit) -> dict[str, Any]:
    return {} if audit.mode == "off" else {"audit": audit.state()}


def _audit() -> Audit:
    return cast(Audit, current_app.extensions["linewise-audit"])
