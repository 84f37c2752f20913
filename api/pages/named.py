"""Names in a form: what each was understood as, and what may have been meant instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from api.service import Service
from checker import wording
from checker.model import NotUnderstood


@dataclass(frozen=True, slots=True)
class Choice:
    """A name that may have been meant. href: the same question with it; empty when the base does not hold it."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in the question that cannot be read, and how to mend it."""

    where: str
    reason: str
    mend: str
    field: str  # id of the field of the form


def resolve(here: Service, typed: str, at: str, link: Callable[[str, str], str]) -> tuple[str, str, str, str, tuple[Choice, ...]]:
    """State (known | ambiguous | unknown | blank), drug, by what it was matched, why not, and what may have been meant.

    link: from the place and a name to the same question with that name there.
    """
    if not typed:
        return "blank", "", "", "", ()
    found = here.names.resolve(typed, at)
    if not isinstance(found, NotUnderstood):
        return "known", found.drug, found.matched_by, "", ()
    choices = tuple(
        Choice(wording.name(here.knowledge, name), link(at, name) if name in here.knowledge.drugs else "") for name in found.candidates
    )
    return "ambiguous" if found.reason.startswith("ambiguous") else "unknown", "", "", found.why, choices


def fluids(here: Service) -> tuple[str, ...]:
    """The short codes of fluids, for the list under the diluent field."""
    return (*(code for code, fluid in here.knowledge.vehicles.items() if code != fluid), "premix", "undiluted")
