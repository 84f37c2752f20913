"""Names in a form: what each was understood as, and what may have been meant instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

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


def formulations(here: Service) -> dict[str, tuple[str, ...]]:
    """Drugs for which the evidence tells formulations apart, and which."""
    kept: dict[str, tuple[str, ...]] | None = current_app.extensions.get("linewise-formulations")
    if kept is None:
        found: dict[str, set[str]] = defaultdict(set)
        for row in here.knowledge.records.rows:
            for side in (row.a, row.b):
                if side.formulation:
                    found[side.drug].add(side.formulation)
        kept = current_app.extensions["linewise-formulations"] = {drug: tuple(sorted(forms)) for drug, forms in found.items()}
    return kept


def fluids(here: Service) -> tuple[str, ...]:
    """The short codes of fluids, for the list under the diluent field."""
    return (*(code for code, fluid in here.knowledge.vehicles.items() if code != fluid), "premix", "undiluted")
