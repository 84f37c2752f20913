"""Orders, administrations and statements, read into what runs, what is taken besides, and what was not understood.

Resources that say they do not apply (stopped, cancelled, entered in error, a proposal, "do not perform") are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.fhir.bags import Bag, Bags
from api.fhir.kinds import ADMINISTRATIONS, ALL, REQUESTS, unread
from api.fhir.peek import Json, codings, either, items, obj, text
from api.fhir.references import Sent
from api.fhir.routes import Routes
from checker.model import NotUnderstood
from knowledge import Knowledge

_OVER = frozenset(
    {
        "stopped",
        "cancelled",
        "canceled",
        "completed",
        "entered-in-error",
        "ended",
        "not-done",
        "not-taken",
        "declined",
        "inactive",
        "revoked",
        "rejected",
        "nullified",
    }
)
_NEGATIONS = frozenset({"doNotPerform", "wasNotGiven", "notGiven", "wasNotTaken"})
_NOT_MEANT = frozenset({"proposal", "option"})


@dataclass(slots=True, kw_only=True)
class Given:
    """One order as it was read. at: unique within the request; refs: this one and those that say the same.

    spinal: it is taken as infused, and names the spinal canal too.
    """

    at: str
    refs: list[str]
    kind: str  # request | administration | statement
    label: str
    bag: Bag
    route: str
    infused: bool
    new: bool
    rate_ml_per_h: float | None = None
    hours: float | None = None
    spinal: bool = False
    resource: Json = field(default_factory=dict)

    @property
    def problems(self) -> list[NotUnderstood]:
        """What in it was not understood, each at its place."""
        return [
            NotUnderstood(at=self.at, asked=item.asked, reason=item.reason, candidates=item.candidates, why=item.why)
            for item in self.bag.problems
        ]

    @property
    def sameness(self) -> tuple[Any, ...]:
        """Two orders that agree in this are one to the engine."""
        return (
            tuple((part.drug, part.conc) for part in self.bag.parts),
            self.bag.vehicle,
            self.bag.undiluted,
            self.infused,
            self.route,
            self.spinal,
        )


@dataclass(frozen=True, slots=True)
class Orders:
    """Reads resources over one knowledge base."""

    knowledge: Knowledge
    bags: Bags
    routes: Routes

    def read(self, found: Iterable[tuple[str, Json]], sent: Sent, *, new: bool) -> list[Given]:
        """The orders among some resources that apply, in their order. new: they are what is asked about."""
        return [
            self._one(reference or f"{text(resource.get('resourceType'))}/{'new' if new else 'active'}-{number}", resource, sent, new)
            for number, (reference, resource) in enumerate(found)
            if text(resource.get("resourceType")) in ALL and applies(resource)
        ]

    def _one(self, reference: str, resource: Json, sent: Sent, new: bool) -> Given:
        bag = self.bags.of(resource, sent)
        dosage = self.routes.read(resource)
        self.bags.complete(bag, dosage.dose, dosage.texts)
        kind = _kind(resource)
        route = dosage.route or bag.route
        infused = route == "iv" if route else kind != "statement" and self._may_run(bag)
        if infused:
            self.bags.undiluted(bag, dosage.push, dosage.undiluted)
            bag.notes += dosage.notes
            if not route:
                bag.notes.append("the route is not stated: taken as intravenous")
            if text(resource.get("status")) == "on-hold":
                bag.notes.append("the order is on hold")
        return Given(
            at=reference,
            refs=[reference],
            kind=kind,
            label=bag.asked,
            bag=bag,
            route="iv" if infused else route or "other",
            infused=infused,
            new=new,
            rate_ml_per_h=dosage.rate_ml_per_h,
            hours=dosage.hours,
            spinal=dosage.spinal,
            resource=resource,
        )

    def _may_run(self, bag: Bag) -> bool:
        """Without a route: drugs of the base that are infused are taken to be; one that is not understood may be."""
        drugs = [part.drug for part in bag.parts] + ([bag.vehicle] if bag.vehicle else [])
        return any(self.knowledge.drugs[drug].infused for drug in drugs) if drugs else True


def others(found: Iterable[tuple[str, Json]]) -> list[NotUnderstood]:
    """Resources that are no orders of medicines, but may hold one: they are not read, so they are named."""
    return [
        NotUnderstood(at=reference, asked=_called(resource) or reference or why, reason="not-read", why=why)
        for reference, resource in found
        if (why := unread(resource)) and applies(resource)
    ]


def _called(resource: Json) -> str:
    """What a resource is called by its own words."""
    code = obj(resource.get("code"))
    concept = obj(code.get("concept")) or code  # R5
    return text(concept.get("text")) or next((display or code for _, code, display in codings(concept)), "")


def left_out(found: Iterable[tuple[str, Json]]) -> list[tuple[str, str]]:
    """The orders among some resources that are passed over, each with the reason."""
    return [
        (reference or text(resource.get("resourceType")), why)
        for reference, resource in found
        if text(resource.get("resourceType")) in ALL and (why := why_not(resource))
    ]


def applies(resource: Json) -> bool:
    """Whether a resource speaks of something that is given, or is to be."""
    return not why_not(resource)


def why_not(resource: Json) -> str:
    """Why a resource speaks of nothing that is given, or is to be; "" when it does."""
    for name in sorted(_NEGATIONS & resource.keys()):
        if resource[name] is True:
            return name
    if (status := _word(resource, "status")) in _OVER:
        return f"status {status}"
    if (intent := _word(resource, "intent")) in _NOT_MEANT:
        return f"intent {intent}"
    if _word(resource, "taken") == "n":  # STU3
        return "not taken"
    adherence = obj(obj(resource.get("adherence")).get("code"))  # R5
    return next((f"adherence {code}" for _, code, _ in codings(adherence) if code in ("not-taking", "stopped", "never-taken")), "")


def _word(resource: Json, name: str) -> str:
    value = resource.get(name)
    return value.strip().casefold() if isinstance(value, str) else ""


def _kind(resource: Json) -> str:
    kind = text(resource.get("resourceType"))
    return "request" if kind in REQUESTS else "administration" if kind in ADMINISTRATIONS else "statement"


def together(new: Sequence[Given], active: Sequence[Given]) -> list[Given]:
    """New ones first, then the active ones that add something: what repeats an order is counted once.

    Dropped are active orders that are themselves among the new ones or are renewed by them, administrations of an
    order that stands here, and whatever says the same as one before.
    """
    renewed = {ref for given in new for ref in (*given.refs, *_renews(given.resource))}
    kept: list[Given] = []
    seen: dict[tuple[Any, ...], Given] = {}
    for given in (*new, *active):
        if not given.new and given.at in renewed:
            continue
        by_order = text(obj(either(given.resource, "request", "prescription")).get("reference")) if given.kind == "administration" else ""
        holder = next((item for item in kept if by_order and by_order in item.refs), None)
        if holder is None and not given.bag.problems:
            holder = seen.get(given.sameness)
        if holder is not None:
            holder.refs += [ref for ref in given.refs if ref not in holder.refs]
            continue
        kept.append(given)
        seen.setdefault(given.sameness, given)
    return kept


def _renews(resource: Json) -> list[str]:
    """The orders that this one takes the place of."""
    return [
        found for name in ("priorPrescription", "replaces") for item in items(resource.get(name)) if (found := text(item.get("reference")))
    ]
