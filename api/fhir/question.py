"""From orders to a question for the engine: what is new is the focus, the rest stands beside it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from api.fhir.orders import Given
from api.fhir.peek import obj, text
from checker.model import Conditions, Infusion, Medication, NotUnderstood, Order
from knowledge import Knowledge
from knowledge.terms import UNDILUTED
from knowledge.units import Concentration, ConcentrationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question. given: for every `at` in it, the order that it came from. read: every order by its own `at`."""

    order: Order
    given: dict[str, Given]
    read: dict[str, Given]


def question(knowledge: Knowledge, orders: Sequence[Given], age_days: int | None, not_understood: Sequence[NotUnderstood] = ()) -> Asked:
    """Ask of some orders. Two drugs of one container are asked as an admixture."""
    infusions: list[Infusion] = []
    medications: list[Medication] = []
    origin: dict[str, Given] = {}
    problems = list(not_understood)
    for given in orders:
        problems += given.problems
        for infusion in _running(given) if given.infused else ():
            infusions.append(infusion)
            origin[infusion.at] = given
            if given.spinal:
                infusions.append(replace(infusion, at=f"{infusion.at}/intrathecal", route="intrathecal"))
                origin[infusions[-1].at] = given
        for medicine in _taken(given) if not given.infused else ():
            medications.append(medicine)
            origin[medicine.at] = given
    focus = frozenset(at for at, given in origin.items() if given.new)
    order = Order(
        infusions=tuple(infusions), medications=tuple(medications), age_days=age_days, not_understood=tuple(problems), focus=focus
    )
    return Asked(order=order, given=origin, read={given.at: given for given in orders})


def _running(given: Given) -> list[Infusion]:
    bag = given.bag
    if not bag.parts:
        drugs = [(bag.vehicle, None)] if bag.vehicle else []
        return [_infusion(given, number, drug, conc, None) for number, (drug, conc) in enumerate(drugs) if drug]
    return [
        _infusion(given, number, part.drug, part.conc, UNDILUTED if bag.undiluted else bag.vehicle) for number, part in enumerate(bag.parts)
    ]


def _infusion(given: Given, number: int, drug: str, conc: str | None, vehicle: str | None) -> Infusion:
    return Infusion(
        drug=drug,
        at=f"{given.at}#{number}",
        asked=given.label,
        matched_by="order",
        conditions=Conditions(conc=_read(conc), vehicle=vehicle if vehicle != drug else None),
        hours=given.hours,
        rate_ml_per_h=given.rate_ml_per_h,
        bag=given.at if len(given.bag.parts) > 1 else None,
    )


def _taken(given: Given) -> list[Medication]:
    drugs = [part.drug for part in given.bag.parts] or ([given.bag.vehicle] if given.bag.vehicle else [])
    return [
        Medication(drug=drug, at=f"{given.at}#{number}", asked=given.label, matched_by="order", route=given.route)
        for number, drug in enumerate(drugs)
    ]


def _read(conc: str | None) -> Concentration | None:
    try:
        return Concentration.parse(conc) if conc else None
    except (ConcentrationError, ValueError):
        return None


def age_of(patient: Any, today: date) -> int | None:
    """The age in days of a Patient with a birth date; where month or day is missing, the youngest that it can be."""
    written = text(obj(patient).get("birthDate"))[:10]
    try:
        year, month, day = (int(part) if part else 0 for part in (written[:4], written[5:7], written[8:10]))
        born = date(year, month or 12, day or monthrange(year, month or 12)[1])
    except ValueError:
        return None
    days = (today - born).days
    if days < 0 and not day and (year, month or today.month) <= (today.year, today.month):
        return 0
    return days if 0 <= days <= 50_000 else None
