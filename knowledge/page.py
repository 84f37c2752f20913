"""Everything about one drug, as data: what `python -m knowledge show` prints."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from knowledge.link import Knowledge
from knowledge.model import Cited, Row, Rule, Side
from knowledge.normalise import normalise
from knowledge.terms import Mode


@dataclass(frozen=True, slots=True)
class Unknown(Exception):
    """A name that leads to no drug, or to several."""

    asked: str
    reason: str
    candidates: tuple[str, ...]


def find(knowledge: Knowledge, text: str) -> str:
    """The id of the one drug that bears the name `text`, exactly but for case and punctuation. Raises Unknown."""
    if text in knowledge.drugs:
        return text
    key = normalise(text)
    for token in knowledge.records.ambiguous:
        if normalise(token.token) == key:
            raise Unknown(text, f"is ambiguous: {token.why}", token.candidates + token.others)
    owners: dict[str, set[str]] = {}
    for drug in knowledge.drugs.values():
        for _, name in drug.names():
            owners.setdefault(normalise(name), set()).add(drug.id)
    found = owners.get(key, set())
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise Unknown(text, "is a name of several drugs", tuple(sorted(found)))
    near = difflib.get_close_matches(key, owners, 5, 0.75)
    raise Unknown(text, "is not a known name", tuple(sorted({drug for name in near for drug in owners[name]})))


def page(knowledge: Knowledge, drug_id: str) -> dict[str, Any]:
    """All that is known of one drug, section by section; every statement with its source."""
    drug = knowledge.drugs[drug_id]
    return {
        "id": drug.id,
        "name": drug.name,
        "kind": str(drug.kind),
        "infused": drug.infused,
        "group": drug.group,
        **{name: value for name in ("usan", "vehicle_code", "ingredient", "parent") if (value := getattr(drug, name))},
        "codes": {system: list(codes) for system, codes in drug.codes.items()},
        "names": [{"name": item.name, "kind": item.kind, "source": item.source} for item in drug.aliases]
        + [{"name": item.text, "kind": "tall-man", "source": item.source} for item in drug.tall_man],
        "components": [{"name": item.name, "drug": item.drug} for item in drug.components],
        "classes": [
            {"class": item.cls, "name": knowledge.classes[item.cls].name, "source": item.source or knowledge.classes[item.cls].source}
            for item in drug.classes
        ],
        "groups": [
            {"group": group, "why": members[drug.id].through} for group, members in knowledge.group_members.items() if drug.id in members
        ],
        "composition": [
            {"component": item.component, "amount": f"{item.amount} {item.unit}".strip(), "role": item.role, **_cited(item.cited)}
            for item in drug.composition
        ],
        "ph": [
            {"low": item.low, "high": item.high, "of": item.of, "character": item.character, "salt": item.salt, **_cited(item.cited)}
            for item in drug.acidity
        ],
        "rules": [_rule(knowledge, rule) for rule in drug.rules],
        "evidence": _evidence(knowledge, drug_id),
        "interactions": _interactions(knowledge, drug_id),
    }


def tested(knowledge: Knowledge, row: Row, first: str = "") -> str:
    """Both sides and the hours of a tested condition: "5 mg/mL in NS / 1 mg/mL in D5W, 4 h". `first`: the drug to begin with."""
    order = (row.b, row.a) if first == row.b.drug else (row.a, row.b)
    sides = " / ".join(_conditions(knowledge, side) or "not stated" for side in order)
    return f"{sides}, {row.hours:g} h" if row.hours is not None else sides


def _conditions(knowledge: Knowledge, side: Side) -> str:
    """The state in which one drug of a pair was tested."""
    parts = [side.formulation, side.conc.text if side.conc else "", side.added]
    if side.vehicles:
        parts.append(f"in {' or '.join(short(knowledge, vehicle) for vehicle in side.vehicles)}")
    return " ".join(filter(None, parts))


def short(knowledge: Knowledge, node: str) -> str:
    """A fluid by its vehicle code where it has one, anything else as it is."""
    drug = knowledge.drugs.get(node)
    return drug.vehicle_code or node if drug is not None else node


def _rule(knowledge: Knowledge, rule: Rule) -> dict[str, Any]:
    values = [short(knowledge, value) for value in rule.values]
    return {"rule": rule.rule, "value": values, "unit": rule.unit, "effect": str(rule.effect), "note": rule.note, **_cited(rule.cited)}


def _cited(cited: Cited) -> dict[str, Any]:
    return {"source": cited.source, "at": cited.at, "read": str(cited.read or "")}


def _evidence(knowledge: Knowledge, drug_id: str) -> list[dict[str, Any]]:
    found = []
    for pair, modes in knowledge.evidence.items():
        if drug_id not in pair:
            continue
        other = pair[1] if pair[0] == drug_id else pair[0]
        for mode in Mode:
            for item in modes.get(mode, ()):
                row = item.row
                found.append(
                    {
                        "with": other,
                        "mode": str(mode),
                        "result": str(row.result),
                        "tested": tested(knowledge, row, drug_id),
                        "finding": str(row.finding),
                        "via": item.via.through if item.via else "",
                        **_cited(row.cited),
                    }
                )
    return sorted(found, key=lambda item: (item["mode"] != "y-site", item["mode"], item["with"]))


def _interactions(knowledge: Knowledge, drug_id: str) -> list[dict[str, Any]]:
    found = []
    for pair, stated in knowledge.interactions.items():
        if drug_id not in pair:
            continue
        other = pair[1] if pair[0] == drug_id else pair[0]
        for item in stated:
            said = item.statement
            found.append(
                {
                    "with": other,
                    "severity": str(said.severity),
                    "mechanism": said.mechanism,
                    "manage": list(said.manage),
                    "when": said.condition,
                    "route": str(said.route),
                    "role": "object" if item.object == drug_id else "precipitant" if item.precipitant == drug_id else "",
                    "via": [via.through for via in item.via],
                    **_cited(said.cited),
                }
            )
    order = ("contraindicated", "major", "moderate", "minor")
    return sorted(found, key=lambda item: (order.index(item["severity"]), item["with"]))
