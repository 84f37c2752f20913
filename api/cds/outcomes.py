"""Read the feedback that EHRs send: leniently, for some send it without having been told that it is taken."""

from __future__ import annotations

from typing import Any

from api.feedback import Outcome
from api.fhir.peek import Json, items, obj, text
from api.problems import Failure
from checker import AskProblem

MOST = 500
OUTCOMES = ("accepted", "overridden")


def read_feedback(body: Any, service: str, issuer: str, keeps_comments: bool) -> list[Outcome]:
    """The outcomes of a feedback. Raises Failure (400) when there is none, or one cannot be understood."""
    given = obj(body).get("feedback")
    if not isinstance(given, list):
        raise Failure(
            "bad-call",
            "The body is not feedback.",
            [
                AskProblem(
                    "feedback", "the list is missing", 'send {"feedback": [{"card": ..., "outcome": "accepted" or "overridden", ...}]}'
                )
            ],
        )
    if len(given) > MOST:
        raise Failure(
            "bad-call",
            f"At most {MOST} outcomes are taken at once.",
            [AskProblem("feedback", f"{len(given)} entries", "send fewer at once")],
        )
    problems: list[AskProblem] = []
    found = [_outcome(obj(item), f"feedback[{number}]", service, issuer, keeps_comments, problems) for number, item in enumerate(given)]
    if problems:
        raise Failure("bad-call", "Some feedback cannot be understood; none was kept.", problems)
    return found


def _outcome(item: Json, at: str, service: str, issuer: str, keeps_comments: bool, problems: list[AskProblem]) -> Outcome:
    card, outcome = text(item.get("card"), 200), text(item.get("outcome"))
    if not card:
        problems.append(AskProblem(f"{at}.card", "it names no card", "give the uuid of the card"))
    if outcome not in OUTCOMES:
        problems.append(AskProblem(f"{at}.outcome", "it is neither accepted nor overridden", "write one of the two"))
    why = obj(item.get("overrideReason"))
    reason, comment = obj(why.get("reason")), text(why.get("userComment"), 2000)
    return Outcome(
        service=service,
        card=card,
        outcome=outcome,
        outcome_at=text(item.get("outcomeTimestamp"), 60),
        issuer=issuer,
        suggestions=tuple(
            found for suggestion in items(item.get("acceptedSuggestions"))[:50] if (found := text(suggestion.get("id"), 100))
        ),
        reason_system=text(reason.get("system"), 300),
        reason_code=text(reason.get("code"), 200),
        reason_display=text(reason.get("display"), 300),
        comment=(comment if keeps_comments else "(not kept)") if comment else "",
    )
