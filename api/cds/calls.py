"""What an EHR sends: the request of a hook, its prefetched data, and what of it is new.

Tolerant of 1.x and of the 3.0 ballot. A list that is required and missing is refused with 412; one that is empty, null or
partial is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from marshmallow import INCLUDE, Schema, ValidationError, fields
from marshmallow.validate import Length

from api.fhir.kinds import ALL
from api.fhir.orders import Given, others, together
from api.fhir.peek import Json, obj, text
from api.fhir.question import Asked, age_of, question
from api.fhir.reader import Reader
from api.fhir.references import Sent, failed, is_partial
from api.problems import Failure
from checker import AskProblem
from checker.model import NotUnderstood
from knowledge import Knowledge

ACTIVE = "activeMedications"
PATIENT = "patient"
OPTIONAL = ("administrations", "statements")
DRAFTS = {
    "order-select": ("draftOrders",),
    "order-sign": ("draftOrders",),
    "medication-prescribe": ("medications",),
    "medication-verify": ("medication", "order"),
    "patient-view": (),
}
MOST_ORDERS = 400
MOST_NEW = 60
LONGEST_WORD = 200
_MEND = {
    "Missing data for required field.": "add it",
    "Not a valid string.": "write text",
    "Not a valid mapping type.": "write an object: {...}",
    "Field may not be null.": "leave it out, or fill it",
}


class CallSchema(Schema):
    """The outer shape of a CDS Hooks request; what is inside is FHIR and read leniently."""

    class Meta:
        unknown = INCLUDE

    hook = fields.String(required=True, validate=Length(1, LONGEST_WORD))
    hookInstance = fields.String(required=True, validate=Length(1, LONGEST_WORD))
    context = fields.Dict(required=True)
    prefetch = fields.Dict(allow_none=True)


_CALL = CallSchema()


@dataclass(slots=True, kw_only=True)
class Call:
    """A request that could be read. partial: names of lists that came incomplete."""

    hook: str
    instance: str
    orders: list[Given]
    asked: Asked
    partial: list[str] = field(default_factory=list)


def read(body: Any, hooks: tuple[str, ...], knowledge: Knowledge, reader: Reader, today: date) -> Call:
    """Read the request of one of `hooks`. Raises Failure: wrong shape or hook (400), required data missing (412)."""
    call = _shaped(body)
    hook, context = call["hook"], call["context"]
    if hook not in hooks:
        raise Failure(
            "bad-call",
            f"This service answers {', '.join(hooks)}.",
            [AskProblem("hook", f'the hook "{hook[:60]}" is not served here', "take the id of a service from GET /cds-services")],
        )
    fetched = obj(call.get("prefetch"))
    prefetch = _prefetch(fetched, hook)
    sent = Sent()
    partial = [name for name in (ACTIVE, *OPTIONAL) if is_partial(prefetch.get(name)) or _is_failure(fetched.get(name))]
    new, beside, lost = _drafts(hook, context, sent)
    active = [resource for name, value in prefetch.items() if name != PATIENT for resource in sent.add(value, f"prefetch.{name}")]
    people = sent.add(prefetch.get(PATIENT), f"prefetch.{PATIENT}")
    patient = next((resource for _, resource in people if resource.get("resourceType") == "Patient"), {})
    lost += [*sent.strays, *others((*new, *beside, *active))]
    _limit(_medicines(new), _medicines(beside) + _medicines(active))
    orders = together(
        reader.orders.read(new, sent, new=True),
        [*reader.orders.read(beside, sent, new=False), *reader.orders.read(active, sent, new=False)],
    )
    if hook == "order-select":  # while an order is being picked, a draft may not name its medication yet
        for given in orders:
            given.bag.problems = [problem for problem in given.bag.problems if problem.reason != "no-medication"]
    asked = question(knowledge, orders, age_of(patient, today), lost)
    return Call(hook=hook, instance=call["hookInstance"], orders=orders, asked=asked, partial=partial)


def _shaped(body: Any) -> Mapping[str, Any]:
    """The request, when its outer shape is right; the schema is asked only for what is wrong. Raises Failure (400)."""
    call: Mapping[str, Any] = body if isinstance(body, dict) else {}
    names, objects = (call.get("hook"), call.get("hookInstance")), (call.get("context"), call.get("prefetch") or {})
    if all(isinstance(name, str) and 0 < len(name) <= LONGEST_WORD for name in names) and all(isinstance(item, dict) for item in objects):
        return call
    try:
        return cast(Mapping[str, Any], _CALL.load(call))
    except ValidationError as error:
        raise Failure("bad-call", "The body is not a CDS Hooks request.", _problems(error)) from error


def _prefetch(prefetch: Json, hook: str) -> dict[str, Any]:
    """The prefetched data without what the EHR could not get. Raises Failure (412) when the active orders are not there."""
    active = prefetch.get(ACTIVE, _Missing)
    if active is _Missing and not any(_holds_medicines(value) for name, value in prefetch.items() if name not in (PATIENT, *OPTIONAL)):
        raise Failure(
            "no-prefetch",
            "The active orders are needed to answer, and were not sent.",
            [AskProblem(f"prefetch.{ACTIVE}", "this list is missing", _how(hook))],
        )
    if _is_failure(active):
        raise Failure(
            "no-prefetch",
            "The active orders are needed to answer, and the EHR could not get them.",
            [AskProblem(f"prefetch.{ACTIVE}", "an OperationOutcome stands in its place", _how(hook))],
        )
    ours = (ACTIVE, *OPTIONAL, PATIENT)  # under keys of the EHR's own may stand what is no resource
    return {
        name: value
        for name, value in prefetch.items()
        if value is not None and (name in ours or isinstance(value, (dict, list))) and not _is_outcome(value)
    }


class _Missing:
    """Marks a key that is not there; null is another thing."""


def _how(hook: str) -> str:
    return f"send the prefetch that GET /cds-services asks for with {hook}; null or an empty Bundle says that there are none"


def _is_failure(value: Any) -> bool:
    return _is_outcome(value) and failed(value)


def _is_outcome(value: Any) -> bool:
    return obj(value).get("resourceType") == "OperationOutcome"


def _holds_medicines(value: Any) -> bool:
    """Whether data under another key than ours is a list of orders: some EHRs name their own keys."""
    holder = obj(value)
    if text(holder.get("resourceType")) in ALL:
        return True
    return holder.get("resourceType") == "Bundle" and any(text(resource.get("resourceType")) in ALL for _, resource in Sent().add(holder))


def _drafts(hook: str, context: Json, sent: Sent) -> tuple[list[tuple[str, Json]], list[tuple[str, Json]], list[NotUnderstood]]:
    """The new orders, the drafts that stand beside them, and selections that lead nowhere. Raises Failure (400)."""
    names = DRAFTS[hook]
    if not names:
        return [], [], []
    name = next((name for name in names if isinstance(context.get(name), (dict, list))), None)
    if name is None:
        raise Failure(
            "bad-call",
            "The context names no orders.",
            [AskProblem(f"context.{names[0]}", "it is missing or not a resource", f"send {names[0]} as the hook {hook} asks")],
        )
    value = context[name]
    if hook == "medication-verify" and "resource" in obj(value):
        value = obj(value)["resource"]
    drafts = sent.add(value, f"context.{name}")
    selections = context.get("selections")
    if hook != "order-select" or not isinstance(selections, list):
        return drafts, [], []
    chosen = {text(item) for item in selections} | {
        text(item).rsplit("/", 1)[-1] for item in selections if isinstance(item, str) and "/" not in item
    }
    new = [draft for draft in drafts if draft[0] in chosen or text(draft[1].get("id")) in chosen]
    known = {draft[0] for draft in drafts} | {text(draft[1].get("id")) for draft in drafts}
    lost = [
        NotUnderstood(at=item, asked=item, reason="unknown-selection", why="no draft order has this reference")
        for item in sorted(chosen)
        if item and item not in known and item.split("/")[0] in ALL
    ]
    return new, [draft for draft in drafts if draft not in new], lost


def _medicines(found: list[tuple[str, Json]]) -> int:
    return sum(text(resource.get("resourceType")) in ALL for _, resource in found)


def _limit(new: int, active: int) -> None:
    if new > MOST_NEW or new + active > MOST_ORDERS:
        raise Failure(
            "bad-call",
            f"At most {MOST_NEW} new orders beside {MOST_ORDERS - MOST_NEW} active ones are checked at once.",
            [AskProblem("", f"{new} new and {active} active orders", "send fewer")],
        )


def _problems(error: ValidationError) -> list[AskProblem]:
    told: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return [
        AskProblem(name, message, _MEND.get(message, "see docs/ehr.md"))
        for name, messages in sorted(told.items())
        for message in (messages if isinstance(messages, list) else [str(messages)])
    ]
