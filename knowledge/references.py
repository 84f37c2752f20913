"""Every name that a record uses must stand somewhere: drugs, classes, groups, sources, vehicles, words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from knowledge.model import PREMIX, UNDILUTED, Kind, Records

Dangling = tuple[str, str, str, str]  # key of the record, field, reason, mend


def dangling(records: Records) -> Iterator[Dangling]:
    """Every reference that leads nowhere, as (record, field, reason, mend)."""
    names = _Names(records)
    for drug in records.drugs:
        for membership in drug.classes:
            yield from names.check(drug.id, "classes", f"class:{membership.cls}")
            if membership.source:
                yield from names.source(drug.id, "classes", membership.source)
        if drug.parent:
            yield from names.check(drug.id, "parent", drug.parent)
        for component in drug.components:
            if component.drug:
                yield from names.check(drug.id, "components", component.drug)
        for content in drug.composition:
            yield from names.source(drug.id, "composition", content.cited.source)
            if content.component not in names.substances:
                yield drug.id, "composition", f'the component "{content.component}" is unknown', names.mend(content.component, names.substances, "add it to substances.yaml")
        for acidity in drug.acidity:
            yield from names.source(drug.id, "ph", acidity.cited.source)
        for rule in drug.rules:
            yield from names.source(drug.id, f"rules/{rule.rule}", rule.cited.source)
            if rule.rule not in records.vocabulary.get("rule", {}):
                yield drug.id, "rules", f'the rule "{rule.rule}" is unknown', names.mend(rule.rule, set(records.vocabulary.get("rule", {})), "add its words to vocabulary.yaml")
            for value in rule.values:
                if value.startswith("group:"):
                    yield from names.check(drug.id, f"rules/{rule.rule}", value)
    for row in records.rows:
        for side in (row.a, row.b):
            yield from names.check(row.id, "drug", side.drug)
            for vehicle in side.vehicles:
                if vehicle not in names.vehicles:
                    yield row.id, "vehicle", f'"{vehicle}" is not a known vehicle', names.mend(vehicle, names.vehicles, "add the fluid as knowledge/drugs/<name>.yaml, kind: fluid")
    for statement in records.interactions:
        for end in (statement.a, statement.b):
            yield from names.check(statement.id, "pair", end)
        yield from names.source(statement.id, "source", statement.cited.source)
        if statement.first and statement.first not in (statement.a, statement.b):
            yield statement.id, "first", f'"{statement.first}" is not one of the pair', "name one of the two drugs"
        for list_name, codes in (("mechanism", (statement.mechanism,)), ("effect", (statement.effect,) if statement.effect else ()), ("manage", statement.manage)):
            for code in codes:
                known = records.vocabulary.get(list_name, {})
                if code not in known:
                    yield statement.id, list_name, f'the code "{code}" is unknown', names.mend(code, set(known), f"add its words to vocabulary.yaml, {list_name}")
    for cls in records.classes:
        yield from names.source(f"classes:{cls.id}", "source", cls.source)
    for group in records.groups:
        for component in group.contains:
            if component not in names.substances:
                yield f"groups:{group.id}", "contains", f'the component "{component}" is unknown', names.mend(component, names.substances, "add it to substances.yaml")
        for drug_id in (*group.members, *group.carriers):
            yield from names.check(f"groups:{group.id}", "members", drug_id)
    for token in records.ambiguous:
        for candidate in token.candidates:
            yield from names.check(f"ambiguous:{token.token}", "candidates", candidate)
    yield from _vehicle_codes(records)


class _Names:
    """All names that may be referred to."""

    def __init__(self, records: Records) -> None:
        self.nodes = {drug.id for drug in records.drugs}
        self.nodes |= {f"class:{cls.id}" for cls in records.classes} | {f"group:{group.id}" for group in records.groups}
        self.sources = {source.id for source in records.sources}
        self.substances = {substance.id for substance in records.substances}
        self.vehicles = {drug.vehicle_code for drug in records.drugs if drug.vehicle_code} | {PREMIX, UNDILUTED}
        self.vehicles |= {drug.id for drug in records.drugs if drug.kind is not Kind.DRUG}

    def check(self, key: str, field: str, name: str) -> Iterator[Dangling]:
        if name not in self.nodes:
            what = "class" if name.startswith("class:") else "group" if name.startswith("group:") else "drug"
            yield key, field, f'the {what} "{name}" is unknown', self.mend(name, self.nodes, "add it, or correct the spelling")

    def source(self, key: str, field: str, name: str) -> Iterator[Dangling]:
        if name not in self.sources:
            yield key, field, f'the source "{name}" is unknown', self.mend(name, self.sources, "add it to sources.yaml or as a study file")

    @staticmethod
    def mend(name: str, known: set[str], otherwise: str) -> str:
        near = difflib.get_close_matches(name, known, 3)
        return f"write {' or '.join(near)} if that was meant; else {otherwise}" if near else otherwise


def _vehicle_codes(records: Records) -> Iterator[Dangling]:
    seen: dict[str, str] = {}
    for drug in records.drugs:
        if not drug.vehicle_code:
            continue
        if drug.kind is Kind.DRUG:
            yield drug.id, "vehicle_code", "a drug is not a vehicle", "set kind: fluid or nutrition, or leave vehicle_code out"
        if drug.vehicle_code in seen:
            yield drug.id, "vehicle_code", f'"{drug.vehicle_code}" is the code of {seen[drug.vehicle_code]} already', "give each fluid its own code"
        seen[drug.vehicle_code] = drug.id
