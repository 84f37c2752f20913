"""The page of GET /v1/feedback/summary: what is overridden most, by pair and reason."""

from __future__ import annotations

from typing import Any

from api.feedback_summary import summary
from api.pages.frame import bp, page
from api.service import service
from checker import wording
from knowledge import Knowledge

MOST_REASONS = 12


@bp.get("/feedback")
def feedback() -> str:
    """Counts of what became of cards. No comments, no times, nobody's name."""
    told = summary()
    base = service().knowledge
    return page(
        "feedback.html",
        outcomes=told["outcomes"],
        overridden=told["overridden"],
        about=[_about(base, item) for item in told["about"]],
        not_shown=told["not_shown"],
        reasons=_reasons(told["reasons"]),
        most_reasons=MOST_REASONS,
    )


def _about(base: Knowledge, item: dict[str, Any]) -> dict[str, Any]:
    drugs = item["drugs"]
    return {
        "names": [wording.name(base, drug) for drug in drugs],
        "href": f"/pair/{drugs[0]}/{drugs[1]}" if len(drugs) > 1 else f"/drug/{drugs[0]}" if drugs else "",
        "overridden": item["overridden"],
        "accepted": item["accepted"],
        "reasons": _reasons(item["reasons"]),
    }


def _reasons(counted: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(item["display"] or item["code"] or "no reason given", item["count"]) for item in counted]
