"""POST /v1/check: may these drugs share a line, and should this patient get them together?"""

from __future__ import annotations

from flask import Blueprint, Response, request

from api.record import answered
from api.service import service
from api.wire import read_json
from checker import order

bp = Blueprint("check", __name__)


@bp.post("/v1/check")
def check() -> Response:
    """Answer one question. The body is read by checker.order; what it cannot understand is part of the answer."""
    here = service()
    question = read_json(request)
    asked = order(question, here.names, most_drugs=here.settings.most_drugs)
    report = here.checker.check(asked)
    answered("check", report)
    return Response(here.renderer.json(report, explain=question.get("explain") is True), mimetype="application/json")
