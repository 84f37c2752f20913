"""Every name that a record uses must stand somewhere: drugs, classes, groups, sources, vehicles, words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import NamedTuple

from knowledge.model import Drug, Interaction, Records, Row
from knowledge.rule_values import NAMED
from knowledge.terms import PREMIX, UNDILUTED, Kind


class Dangling(NamedTuple):
    """A reference that leads nowhere: key of the record, field in it, and the name that nobody bears."""

    key: str
    at: str
    code: str
    name: str
    reason: str
    mend: str


def dangling(records: Records) -> Iterator[Dangling]:
    """Every reference that leads nowhere."""
    names = _Names(records)
    for drug in records.drugs:
        yield from _of_drug(names, drug)
    for row in records.rows:
        yield from _of_row(names, row)
    for statement in records.interactions:
        yield from _of_statement(names, statement)
    for cls in records.classes:
        yield from names.source(f"classes:{cls.id}", "source", cls.source)
    for group in records.groups:
        key = f"groups:{group.id}"
        for component in group.contains:
            yield from names.component(key, "contains", component)
        for drug_id in group.members:
            yield from names.node(key, "members", drug_id)
        for drug_id in group.carriers:
            yield from names.node(key, "carriers", drug_id)
    for substance in records.substances:
        for component in substance.yields:
            yield from names.component(f"substances:{substance.id}", "yields", component)
    for token in records.ambiguous:
        for candidate in token.candidates:
            yield from names.node(f"ambiguous:{token.token}", "candidates", candidate)
    for number, study in enumerate(records.wanted):
        for drug_id in study.drugs:
            yield from names.node(f"wanted:{number}", "drugs", drug_id)
    yield from _vehicle_codes(records)


def _of_drug(names: _Names, drug: Drug) -> Iterator[Dangling]:
    for number, membership in enumerate(drug.classes):
        yield from names.node(drug.id, f"classes/{number}", f"class:{membership.cls}")
        if membership.source:
            yield from names.source(drug.id, f"classes/{number}", membership.source)
    if drug.parent:
        yield from names.node(drug.id, "parent", drug.parent)
    for number, component in enumerate(drug.components):
        if component.drug:
            yield from names.node(drug.id, f"components/{number}/drug", component.drug)
    for number, content in enumerate(drug.composition):
        yield from names.source(drug.id, f"composition/{number}/source", content.cited.source)
        yield from names.component(drug.id, f"composition/{number}/component", content.component)
    for number, acidity in enumerate(drug.acidity):
        yield from names.source(drug.id, f"ph/{number}/source", acidity.cited.source)
    for number, rule in enumerate(drug.rules):
        yield from names.source(drug.id, f"rules/{number}/source", rule.cited.source)
        yield from names.word(drug.id, f"rules/{number}/rule", "rule", rule.rule)
        for value in rule.values:
            if value.startswith(NAMED):
                yield from names.node(drug.id, f"rules/{number}/value", value)


def _of_row(names: _Names, row: Row) -> Iterator[Dangling]:
    for side in (row.a, row.b):
        yield from names.node(row.id, "drug", side.drug)
        for vehicle in side.vehicles:
            if vehicle not in names.vehicles:
                mend = names.mend(vehicle, names.vehicles, "add the fluid as knowledge/drugs/<name>.yaml, kind: fluid")
                known = ", ".join(sorted(names.codes)[:6])
                yield Dangling(row.id, "vehicle", "vehicle-unknown", vehicle, f'"{vehicle}" is not a known vehicle ({known}, ...)', mend)


def _of_statement(names: _Names, statement: Interaction) -> Iterator[Dangling]:
    ends = (statement.a, statement.b)
    for end in dict.fromkeys(ends):
        yield from names.node(statement.id, "pair", end)
    yield from names.source(statement.id, "source", statement.cited.source)
    if statement.first and statement.first not in ends:
        yield Dangling(
            statement.id,
            "first",
            "first-unknown",
            statement.first,
            f'"{statement.first}" is not one of the pair',
            "name one of the two drugs",
        )
    for drug_id, _ in statement.when.routes if statement.when else ():
        yield from names.node(statement.id, "decided_by/routes", drug_id)
    yield from names.word(statement.id, "mechanism", "mechanism", statement.mechanism)
    if statement.effect:
        yield from names.word(statement.id, "effect", "effect", statement.effect)
    for code in statement.manage:
        yield from names.word(statement.id, "manage", "manage", code)


class _Names:
    """All names that may be referred to."""

    def __init__(self, records: Records) -> None:
        self.words = records.vocabulary
        self.nodes = {drug.id for drug in records.drugs}
        self.nodes |= {f"class:{cls.id}" for cls in records.classes} | {f"group:{group.id}" for group in records.groups}
        self.sources = {source.id for source in records.sources}
        self.substances = {substance.id for substance in records.substances}
        self.codes = {drug.vehicle_code for drug in records.drugs if drug.vehicle_code}
        self.vehicles = self.codes | {PREMIX, UNDILUTED} | {drug.id for drug in records.drugs if drug.kind is not Kind.DRUG}

    def node(self, key: str, at: str, name: str) -> Iterator[Dangling]:
        if name not in self.nodes:
            kind, _, rest = name.rpartition(":")
            mend = self.mend(name, self.nodes, "add it, or correct the spelling")
            yield Dangling(key, at, f"{kind or 'drug'}-unknown", name, f'the {kind or "drug"} "{rest}" is unknown', mend)

    def source(self, key: str, at: str, name: str) -> Iterator[Dangling]:
        if name not in self.sources:
            mend = self.mend(name, self.sources, "add it to sources.yaml or as a study file")
            yield Dangling(key, at, "source-unknown", name, f'the source "{name}" is unknown', mend)

    def component(self, key: str, at: str, name: str) -> Iterator[Dangling]:
        if name not in self.substances:
            mend = self.mend(name, self.substances, "add it to substances.yaml")
            yield Dangling(key, at, "component-unknown", name, f'the component "{name}" is unknown', mend)

    def word(self, key: str, at: str, words: str, code: str) -> Iterator[Dangling]:
        known = self.words.get(words, {})
        if code not in known:
            mend = self.mend(code, set(known), f"add its words to vocabulary.yaml, {words}")
            yield Dangling(key, at, "word-unknown", code, f'the {words} code "{code}" is unknown', mend)

    @staticmethod
    def mend(name: str, known: set[str], otherwise: str) -> str:
        near = difflib.get_close_matches(name, sorted(known), 3)
        return f"write {' or '.join(near)} if that was meant; else {otherwise}" if near else otherwise


def _vehicle_codes(records: Records) -> Iterator[Dangling]:
    seen: dict[str, str] = {}
    for drug in records.drugs:
        code = drug.vehicle_code
        if not code:
            continue
        if drug.kind is Kind.DRUG:
            reason, mend = "a drug is not a vehicle", "set kind: fluid or nutrition, or leave vehicle_code out"
            yield Dangling(drug.id, "vehicle_code", "vehicle-code", code, reason, mend)
        if code in seen:
            reason, mend = f'"{code}" is the code of {seen[code]} already', "give each fluid its own code"
            yield Dangling(drug.id, "vehicle_code", "vehicle-code", code, reason, mend)
        seen[code] = drug.id
