"""GET /v1/feedback/summary: what is overridden most, by pair and reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from flask import Blueprint, Response, request

from api.cds.cards import REASON_SYSTEM, REASONS
from api.cds.marks import Marks
from api.ehr import ehr
from api.schemas import NoQuery
from api.service import service
from api.wire import answer, read_query

bp = Blueprint("feedback_summary", __name__)
MOST = 200
Json = dict[str, Any]


@bp.get("/v1/feedback/summary")
def feedback_summary() -> Response:
    """What became of cards, most overridden first. No comments, no times, nobody's name."""
    read_query(request, NoQuery())
    return answer(summary() | {"knowledge": service().renderer.identity})


def summary() -> Json:
    """For the endpoint and the page, the MOST overridden; `not_shown` counts the rest.

    `drugs` is empty where a card was of no single drug or pair, or not one of this service.
    """
    marks = Marks(service().knowledge)
    outcomes: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, ...], Counter[tuple[str, str, str]]] = defaultdict(Counter)
    for _, card, outcome, system, code, display, count in ehr().store.counted():
        drugs = marks.read(card)
        outcomes[drugs][outcome] += count
        if outcome == "overridden":  # EHRs may leave out the words of our own reasons, or change them
            reasons[drugs][system, code, REASONS.get(code, display) if system == REASON_SYSTEM else display] += count
    ordered = sorted(outcomes, key=lambda drugs: (-outcomes[drugs]["overridden"], drugs))
    every: Counter[tuple[str, str, str]] = sum(reasons.values(), Counter())
    return {
        "outcomes": sum(count.total() for count in outcomes.values()),
        "overridden": sum(count["overridden"] for count in outcomes.values()),
        "about": [
            {
                "drugs": drugs,
                "overridden": outcomes[drugs]["overridden"],
                "accepted": outcomes[drugs]["accepted"],
                "reasons": _reasons(reasons[drugs]),
            }
            for drugs in ordered[:MOST]
        ],
        "not_shown": max(0, len(ordered) - MOST),
        "reasons": _reasons(every),
    }


def _reasons(counts: Counter[tuple[str, str, str]]) -> list[Json]:
    return [
        {"system": system, "code": code, "display": display, "count": count}
        for (system, code, display), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
