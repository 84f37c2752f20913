"""The front door for machines: what is here, is it alive, is it ready."""

from __future__ import annotations

from flask import Blueprint, Response

from api.problems import Failure
from api.service import service
from api.wire import answer

bp = Blueprint("health", __name__)
ABOUT = (
    "Open, cited IV drug compatibility: may these drugs share this line, and should this patient get them together? "
    "Decision support, to be checked by a professional."
)


@bp.get("/")
def index() -> Response:
    """The doors of this service."""
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
    """Whether the process answers."""
    return answer({"status": "alive"})


@bp.get("/readyz")
def ready() -> Response:
    """Whether questions can be answered: the knowledge is loaded and holds drugs."""
    here = service()
    if not here.knowledge.drugs:
        raise Failure("not-ready", "The knowledge that was loaded holds no drugs.")
    return answer({"status": "ready", "drugs": len(here.knowledge.drugs), "knowledge": here.renderer.identity})
