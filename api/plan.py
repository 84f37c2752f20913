"""POST /v1/plan: which drug on which lumen, and when, with a proof."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from api.problems import Failure
from api.record import answered
from api.service import service
from api.wire import read_json

if TYPE_CHECKING:
    from checker.plan_model import Plan

bp = Blueprint("plan", __name__)
AT_ONCE = 2  # plans that one worker works on; each may use its whole time limit of a core
_free = BoundedSemaphore(AT_ONCE)


@bp.post("/v1/plan")
def plan() -> Response:
    """Plan one patient's infusions over the lumens there are, for 24 hours."""
    from checker.plan_report import render  # as below

    found = planned(read_json(request))
    answered("plan", found.told)
    return Response(render(found, service().renderer), mimetype="application/json")


def planned(question: Any) -> Plan:
    """The plan for the body of POST /v1/plan, when its turn comes.

    Raises AskError for a question that cannot be planned, and Failure (503) when others keep the planner busy for too long.
    """
    from checker.plan import plan as solve  # the solver is large and slow to import; a service that plans nothing never loads it

    here = service()
    if not _free.acquire(timeout=here.settings.plan_seconds):
        raise Failure("took-too-long", f"This service works on {AT_ONCE} plans at once, and none has ended in time. Ask again.")
    try:
        return solve(question, here.checker, here.names, here.settings.plan_seconds)
    finally:
        _free.release()
