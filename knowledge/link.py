"""Records -> Knowledge: the NetworkX graph that people explore, and the indices that hot paths use.

Both are filled in one pass, so they cannot disagree. What follows from composition, classes and common
names is worked out here, once, and every derived link remembers what it came through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import networkx as nx

from knowledge.model import Cited, Content, Drug, DrugClass, Group, Interaction, Overlay, Policy, Records, Row, Source, Standard
from knowledge.terms import Kind, Mode, Result

Pair = tuple[str, str]
POLICY_SOURCE = "local-policy"  # the source id of a facility's own decisions

# Roles in which a component is there in earnest. Buffers, stabilisers and other excipients of a vial are too
# little to count as a source of the ion; they are shown on the drug's page, not carried.
CARRIED_ROLES = frozenset(
    {"electrolyte", "nutrient", "lipid", "emulsifier", "active", "vehicle", "colloid", "anticoagulant", "component-present"}
)
_G_PER_L = {"g/L": 1.0, "%": 10.0, "% w/v": 10.0, "mg/mL": 1.0, "mg/100 mL": 0.01}


@dataclass(frozen=True, slots=True, kw_only=True)
class Via:
    """How a fact about something else reaches a drug.

    kind: composition | carrier | common-name | class | component | ingredient | vehicle. through: the group, carrier, class, fluid ...
    member: the drug that is reached. cited: where its content or membership stands.
    """

    kind: str
    through: str
    member: str
    cited: tuple[Cited, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A component that a fluid or product brings with it, over all sources."""

    component: str
    present: bool
    in_earnest: bool  # in a role and amount that counts as a source of the component
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row as it speaks of a pair: itself, or through a group or common name."""

    row: Row
    via: Via | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """An interaction statement as it speaks of one pair of drugs."""

    statement: Interaction
    object: str = ""
    precipitant: str = ""
    via: tuple[Via, ...] = ()


@dataclass(kw_only=True)
class Knowledge:
    """Everything that is known, linked. Read-only once built.

    graph: nodes are drugs, fluids, nutrition, `class:`, `group:` and `component:` ids; edges have `kind`
    compatibility | interaction | membership | contains.
    """

    version: str
    date: str
    digest: str
    records: Records
    graph: nx.MultiGraph[str]
    drugs: dict[str, Drug]
    classes: dict[str, DrugClass]
    groups: dict[str, Group]
    sources: dict[str, Source]
    vehicles: dict[str, str]  # code or fluid id -> fluid id
    carried: dict[str, dict[str, Carried]]  # drug -> component
    group_members: dict[str, dict[str, Via]]  # group id -> drug -> why
    class_members: dict[str, tuple[str, ...]]
    evidence: dict[Pair, dict[Mode, tuple[Evidence, ...]]]
    kin: dict[str, tuple[Via, ...]]  # drug -> those whose incompatibility is a caution for it
    interactions: dict[Pair, tuple[Stated, ...]]
    codes: dict[tuple[str, str], tuple[str, ...]]
    overlay: Overlay | None = None
    policies: dict[tuple[Pair, Mode], Policy] = field(default_factory=dict)
    standards: dict[str, Standard] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)

    def rows(self, a: str, b: str, mode: Mode) -> tuple[Evidence, ...]:
        """All evidence of one mode that speaks of the pair."""
        by_mode = self.evidence.get((a, b) if a <= b else (b, a))
        return by_mode.get(mode, ()) if by_mode else ()


def link(records: Records, digest: str) -> Knowledge:
    """Build the graph and the indices. Facts of withdrawn sources are left out."""
    return _Linker(_in_order(records), digest).link()


def _in_order(records: Records) -> Records:
    """The same records in one fixed order, so that the order of files and of lines in them never shows in an answer."""
    return replace(
        records,
        drugs=tuple(sorted(records.drugs, key=lambda item: item.id)),
        classes=tuple(sorted(records.classes, key=lambda item: item.id)),
        groups=tuple(sorted(records.groups, key=lambda item: item.id)),
        rows=tuple(sorted(records.rows, key=lambda item: _numbered(item.id))),
        interactions=tuple(sorted(records.interactions, key=lambda item: _numbered(item.id))),
    )


def _numbered(identity: str) -> tuple[str, int]:
    """ "source#12" so that 2 stands before 12."""
    name, _, number = identity.rpartition("#")
    return (name, int(number)) if number.isdigit() else (identity, 0)


class _Linker:
    def __init__(self, records: Records, digest: str) -> None:
        self.records = records
        self.digest = digest
        self.graph: nx.MultiGraph[str] = nx.MultiGraph()
        self.sources = {source.id: source for source in records.sources}
        self.withdrawn = {source.id for source in records.sources if source.withdrawn}
        self.class_source = {cls.id: cls.source for cls in records.classes}
        self.drugs = {drug.id: self._standing(drug) for drug in records.drugs}
        self.vehicles = {drug.vehicle_code: drug.id for drug in records.drugs if drug.vehicle_code}
        self.vehicles |= {drug.id: drug.id for drug in records.drugs if drug.kind is not Kind.DRUG}
        self.substances = {substance.id: substance for substance in records.substances}
        self.groups = {group.id: group for group in records.groups}
        self.class_members: dict[str, list[str]] = defaultdict(list)
        self.evidence: dict[Pair, dict[Mode, list[Evidence]]] = defaultdict(lambda: defaultdict(list))
        self.interactions: dict[Pair, list[Stated]] = defaultdict(list)
        self.reaches: dict[str, list[tuple[str, Via]]] = defaultdict(list)

    def link(self) -> Knowledge:
        self._nodes()
        carried = {drug.id: self._carried(drug) for drug in self.drugs.values() if drug.composition}
        members = {group.id: dict(self._group_members(group, carried)) for group in self.records.groups}
        self._reaches()
        for row in self.records.rows:
            if row.cited.source not in self.withdrawn:
                self._row(row, members)
        for statement in self.records.interactions:
            if statement.cited.source not in self.withdrawn:
                self._statement(statement, members)
        overlay = self.records.overlay
        codes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for drug in self.records.drugs:
            for system, values in drug.codes.items():
                for code in values:
                    codes[system, code].append(drug.id)
        return Knowledge(
            version=self.records.version,
            date=self.records.date,
            digest=self.digest,
            records=self.records,
            graph=self.graph,
            drugs=self.drugs,
            classes={cls.id: cls for cls in self.records.classes},
            groups=self.groups,
            sources=self.sources,
            vehicles=self.vehicles,
            carried=carried,
            group_members=members,
            class_members={cls: tuple(found) for cls, found in self.class_members.items()},
            evidence={pair: {mode: tuple(rows) for mode, rows in modes.items()} for pair, modes in self.evidence.items()},
            kin=self._kin(members),
            interactions={pair: tuple(found) for pair, found in self.interactions.items()},
            codes={key: tuple(sorted(found)) for key, found in codes.items()},
            words=self.records.vocabulary,
            overlay=overlay,
            policies={((policy.pair[0], policy.pair[1]), policy.mode): policy for policy in overlay.policies} if overlay else {},
            standards={standard.drug: standard for standard in overlay.standards} if overlay else {},
        )

    # --- nodes, classes, composition ---

    def _standing(self, drug: Drug) -> Drug:
        """The drug without what rests on a withdrawn source; `records` keeps it all."""
        if not self.withdrawn:
            return drug
        return replace(
            drug,
            classes=tuple(item for item in drug.classes if (item.source or self.class_source[item.cls]) not in self.withdrawn),
            composition=tuple(item for item in drug.composition if item.cited.source not in self.withdrawn),
            acidity=tuple(item for item in drug.acidity if item.cited.source not in self.withdrawn),
            rules=tuple(item for item in drug.rules if item.cited.source not in self.withdrawn),
        )

    def _nodes(self) -> None:
        self.graph.add_nodes_from((drug.id, {"kind": str(drug.kind), "record": drug}) for drug in self.drugs.values())
        self.graph.add_nodes_from((f"class:{cls.id}", {"kind": "class", "record": cls}) for cls in self.records.classes)
        self.graph.add_nodes_from((f"group:{group.id}", {"kind": "group", "record": group}) for group in self.records.groups)
        for drug in self.drugs.values():
            for membership in drug.classes:
                self.class_members[membership.cls].append(drug.id)
                self.graph.add_edge(drug.id, f"class:{membership.cls}", kind="membership", source=membership.source)
            for component in drug.components:
                if component.drug:
                    self.graph.add_edge(drug.id, component.drug, kind="contains", component=component.name)

    def _carried(self, drug: Drug) -> dict[str, Carried]:
        found: dict[str, list[Content]] = defaultdict(list)
        for content in drug.composition:
            if content.role == "property":
                continue
            substance = self.substances[content.component]
            for component in substance.yields or (content.component,):
                found[component].append(content)
        carried: dict[str, Carried] = {}
        for component, contents in found.items():
            there = [content for content in contents if content.role != "absent" and content.amount != "0"]
            earnest = any(content.role in CARRIED_ROLES and not content.trace for content in there)
            carried[component] = Carried(component=component, present=bool(there), in_earnest=earnest, contents=tuple(there or contents))
            if there:
                self.graph.add_node(f"component:{component}", kind="component")
                self.graph.add_edge(
                    drug.id, f"component:{component}", kind="contains", sources=tuple(content.cited.source for content in there)
                )
        return carried

    def _group_members(self, group: Group, carried: dict[str, dict[str, Carried]]) -> Iterator[tuple[str, Via]]:
        through = f"group:{group.id}"
        for name in (*group.members, *group.carriers):
            yield name, Via(kind="composition", through=through, member=name)
        for drug_id, components in carried.items():
            found = [components[name] for name in group.contains if name in components and components[name].in_earnest]
            if group.at_least_g_per_l:
                found = [item for item in found if any(_g_per_l(content) >= group.at_least_g_per_l for content in item.contents)]
            if found and (not group.all_of or len(found) == len(group.contains)):
                cited = tuple(dict.fromkeys(content.cited for item in found for content in item.contents if content.role in CARRIED_ROLES))
                self.graph.add_edge(drug_id, through, kind="membership")
                yield drug_id, Via(kind="composition", through=through, member=drug_id, cited=cited)

    def _kin(self, members: dict[str, dict[str, Via]]) -> dict[str, tuple[Via, ...]]:
        """Whose incompatibility is a caution for whom: carriers of a shared component, and common names."""
        kin: dict[str, dict[str, Via]] = defaultdict(dict)
        for group in self.records.groups:
            for member, why in members[group.id].items():
                for carrier in group.carriers:
                    if carrier != member:
                        kin[member].setdefault(carrier, Via(kind="carrier", through=carrier, member=member, cited=why.cited))
        for drug in self.records.drugs:
            if drug.parent:
                kin[drug.id].setdefault(drug.parent, Via(kind="common-name", through=drug.parent, member=drug.id))
                kin[drug.parent].setdefault(drug.id, Via(kind="common-name", through=drug.id, member=drug.parent))
        return {name: tuple(found.values()) for name, found in kin.items()}

    # --- evidence ---

    def _row(self, row: Row, members: dict[str, dict[str, Via]]) -> None:
        group_side = next((side.drug for side in (row.a, row.b) if side.drug.startswith("group:")), None)
        if group_side is None:
            self.evidence[row.pair][row.mode].append(Evidence(row))
            self.graph.add_edge(*row.pair, kind="compatibility", row=row.id, mode=str(row.mode), result=str(row.result))
            return
        if row.result is Result.COMPATIBLE:  # said of a whole group, it proves nothing of one member
            return
        other = row.b.drug if group_side == row.a.drug else row.a.drug
        for member, via in members[group_side.removeprefix("group:")].items():
            if member != other:
                pair = (other, member) if other <= member else (member, other)
                self.evidence[pair][row.mode].append(Evidence(row, via))
                self.graph.add_edge(*pair, kind="compatibility", row=row.id, mode=str(row.mode), result=str(row.result), via=group_side)

    # --- interactions ---

    def _reaches(self) -> None:
        """Which drugs a statement about a drug speaks of, beside itself: combinations, formulations, ready-made bags."""
        for drug in self.records.drugs:
            for component in drug.components:
                if component.drug and drug.kind is Kind.DRUG:
                    self.reaches[component.drug].append((drug.id, Via(kind="component", through=component.drug, member=drug.id)))
            for link_kind, to in (("ingredient", drug.ingredient), ("ingredient", drug.parent)):
                if (
                    to
                    and to != drug.id
                    and to in self.drugs
                    and drug.kind is Kind.DRUG
                    and all(name != drug.id for name, _ in self.reaches[to])
                ):
                    self.reaches[to].append((drug.id, Via(kind=link_kind, through=to, member=drug.id)))

    def _expand(self, end: str, members: dict[str, dict[str, Via]]) -> Iterator[tuple[str, tuple[Via, ...]]]:
        """The drugs that one end of a statement reaches, each with how."""
        if end.startswith("group:"):
            for member, via in members[end.removeprefix("group:")].items():
                yield member, (via,)
            return
        direct: list[tuple[str, tuple[Via, ...]]]
        if end.startswith("class:"):
            direct = [(name, (Via(kind="class", through=end, member=name),)) for name in self.class_members[end.removeprefix("class:")]]
        else:
            direct = [(end, ())]
        named = {name for name, _ in direct}
        for name, how in direct:
            yield name, how
            for reached, via in self.reaches.get(name, ()):
                if reached not in named:
                    yield reached, (*how, via)

    def _statement(self, statement: Interaction, members: dict[str, dict[str, Via]]) -> None:
        ends_a = list(self._expand(statement.a, members))
        ends_b = ends_a if statement.a == statement.b else list(self._expand(statement.b, members))
        seen: set[tuple[str, str]] = set()
        for a, via_a in ends_a:
            for b, via_b in ends_b:
                if (a, b) in seen or self._same_therapy(a, b):
                    continue
                seen.add((a, b))
                if not statement.object:
                    seen.add((b, a))  # without roles, the two orders say the same
                obj, precipitant = "", ""
                if statement.object:
                    obj, precipitant = (a, b) if statement.object == statement.a else (b, a)
                pair = (a, b) if a <= b else (b, a)
                stated = Stated(statement=statement, object=obj, precipitant=precipitant, via=via_a + via_b)
                self.interactions[pair].append(stated)
                self.graph.add_edge(*pair, kind="interaction", statement=statement.id, severity=str(statement.severity))

    def _same_therapy(self, a: str, b: str) -> bool:
        """A drug is never paired with itself, its own formulation, or a combination that holds it."""
        if a == b:
            return True
        one, two = self.drugs[a], self.drugs[b]
        if one.ingredient and one.ingredient == two.ingredient:
            return True
        parts = {component.drug for component in one.components}, {component.drug for component in two.components}
        return b in parts[0] or a in parts[1] or a == two.parent or b == one.parent


def _g_per_l(content: Content) -> float:
    try:
        return float(content.amount) * _G_PER_L.get(content.unit, 0.0)
    except ValueError:
        return 0.0
