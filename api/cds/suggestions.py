"""What a clinician can do with one click: only changes to a draft of this request that cannot harm.

A separate line is a note on the draft. Another fluid is put in place of one that the label forbids, where the draft names
its fluid as an ingredient; else it, too, is a note.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from api.fhir.kinds import REQUESTS
from api.fhir.orders import Given
from api.fhir.peek import Json, either, items, obj, text
from api.fhir.topics import ALONE, DRUG, Topic
from checker import wording
from checker.model import Finding, Infusion, Kind, Level
from knowledge import Knowledge
from knowledge.terms import Kind as NodeKind
from knowledge.terms import Mode

_FLUID_CODES = frozenset({"diluent-contraindicated", "diluent-not-listed"})
_USUAL = ("NS", "D5W", "LR", "SWFI")  # the fluids that wards have at hand, in the order in which they are offered
MOST = 2
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def suggestions(
    knowledge: Knowledge, topic: Topic, shown: Sequence[Finding], origin: dict[str, Given], infusions: dict[str, Infusion]
) -> list[Json]:
    """The suggestions of a card; none when no draft of the request can be changed safely."""
    if topic.kind == DRUG:
        forbidden = any(finding.code in _FLUID_CODES and finding.level in (Level.STOP, Level.CAUTION) for finding in shown)
        return _fluids(knowledge, topic.drugs[0], origin, infusions) if forbidden else []
    if any(finding.kind in (Kind.LINE, Kind.COMPOSITION) and finding.level in (Level.STOP, Level.CAUTION) for finding in shown):
        return _lines(knowledge, topic, origin, infusions)
    return []


def _drafts(ats: Sequence[str], origin: dict[str, Given]) -> list[tuple[str, Given]]:
    """Orders of this request that are new and can be updated: they have an id."""
    return [
        (at, origin[at])
        for at in ats
        if at in origin
        and origin[at].new
        and text(origin[at].resource.get("resourceType")) in REQUESTS
        and text(origin[at].resource.get("id"))
    ]


def _lines(knowledge: Knowledge, topic: Topic, origin: dict[str, Given], infusions: dict[str, Infusion]) -> list[Json]:
    pairs = [pair for pair in topic.pairs if pair.line is not None and pair.line.mode is Mode.Y_SITE]
    if topic.kind == ALONE:
        ats = [at for pair in pairs for at in pair.at if at in infusions and infusions[at].drug == topic.drugs[0]] or [
            at for pair in pairs for at in pair.at
        ]
    else:
        ats = [at for pair in pairs for at in pair.at]
    drafts = _drafts(list(dict.fromkeys(ats)), origin)
    if not drafts:
        return []
    at, given = drafts[0]
    own = infusions[at].drug if at in infusions else topic.drugs[0]
    others = [wording.name(knowledge, drug) for drug in topic.drugs if drug != own]
    whom = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
    note = f"Give through a line or lumen of its own, apart from {whom}."
    label = f"Give {wording.name(knowledge, own)} through a separate line"
    return [_update(label, f"Add to the order: {note}", _noted(given.resource, note))]


def _fluids(knowledge: Knowledge, drug: str, origin: dict[str, Given], infusions: dict[str, Infusion]) -> list[Json]:
    drafts = _drafts([at for at, infusion in infusions.items() if infusion.drug == drug], origin)
    if not drafts:
        return []
    at, given = drafts[0]
    now = infusions[at].conditions.vehicle
    found: list[Json] = []
    for fluid in _permitted(knowledge, drug):
        if fluid != now and len(found) < MOST:
            name = wording.vehicle(knowledge, fluid)
            changed = _poured(knowledge, given.resource, now, fluid) if now in knowledge.drugs else None
            note = f"Prepare in {name}, which the label permits."
            described = (
                f"Put {name} in the place of {wording.vehicle(knowledge, now)}"
                if changed is not None and now
                else f"Add to the order: {note}"
            )
            found.append(
                _update(
                    f"Prepare {wording.name(knowledge, drug)} in {name}",
                    described,
                    changed if changed is not None else _noted(given.resource, note),
                )
            )
    return found


def _permitted(knowledge: Knowledge, drug: str) -> list[str]:
    """The usual fluids that every label which lists diluents permits, and none forbids."""
    rules = knowledge.drugs[drug].rules
    required = [set(rule.values) for rule in rules if rule.rule == "diluent-required"]
    forbidden = {value for rule in rules if rule.rule == "diluent-contraindicated" for value in rule.values}
    groups = {member for value in forbidden for member in knowledge.group_members.get(value.removeprefix("group:"), {})}
    if not required or any(value.startswith("any-other-than-") for value in forbidden):
        return []
    usual = [knowledge.vehicles[code] for code in _USUAL if code in knowledge.vehicles]
    return [fluid for fluid in usual if all(fluid in values for values in required) and fluid not in forbidden and fluid not in groups]


def _poured(knowledge: Knowledge, resource: Json, now: str, fluid: str) -> Json | None:
    """The draft with another fluid, when it holds one contained mixture with one fluid in it."""
    changed = copy.deepcopy(resource)
    mixtures = [
        item
        for item in items(changed.get("contained"))
        if item.get("resourceType") == "Medication" and len(items(item.get("ingredient"))) > 1
    ]
    if len(mixtures) != 1:
        return None
    places = [item for item in items(mixtures[0].get("ingredient")) if _is_fluid(knowledge, item, now)]
    if len(places) != 1:
        return None
    concept: dict[str, Any] = {"text": knowledge.drugs[fluid].name}
    codes = knowledge.drugs[fluid].codes.get("rxnorm", ())
    if codes and len(knowledge.codes.get(("rxnorm", codes[0]), ())) == 1:
        concept["coding"] = [{"system": RXNORM, "code": codes[0], "display": knowledge.drugs[fluid].name}]
    if "itemCodeableConcept" in places[0]:
        places[0]["itemCodeableConcept"] = concept
    elif "concept" in obj(places[0].get("item")):
        places[0]["item"] = {"concept": concept}
    else:
        return None
    mixtures[0].pop("code", None)  # it named the former mixture
    reference = obj(either(changed, "medicationReference") or obj(changed.get("medication")).get("reference"))
    reference.pop("display", None)
    return changed


def _is_fluid(knowledge: Knowledge, ingredient: Json, now: str) -> bool:
    """Whether an ingredient is the fluid that was understood; by its text or display, exactly."""
    concept = obj(either(ingredient, "itemCodeableConcept") or obj(ingredient.get("item")).get("concept"))
    said = [text(concept.get("text")), *(text(coding.get("display")) for coding in items(concept.get("coding")))]
    known = (
        {name.casefold() for _, name in knowledge.drugs[now].names()}
        if now in knowledge.drugs and knowledge.drugs[now].kind is not NodeKind.DRUG
        else set()
    )
    return any(word.casefold() in known for word in said if word)


def _noted(resource: Json, note: str) -> Json:
    return {**resource, "note": [*items(resource.get("note")), {"text": note}]}


def _update(label: str, description: str, resource: Json) -> Json:
    return {"label": label, "actions": [{"type": "update", "description": description, "resource": resource}]}
