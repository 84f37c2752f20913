"""Judge one pair of drugs on one line.

Pure: knowledge and conditions in, a judgement out; no files, clock or network.
The order of judgement is a clinical decision: docs/reasoning.md#one-pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from checker.model import Conditions, Judgement, Reason, Relation, RuleHit, Status, Weighed
from knowledge.link import Evidence, Knowledge, Via
from knowledge.model import Policy, Row, Rule, Side
from knowledge.terms import PREMIX, UNDILUTED, Effect, Kind, Mode, Result
from knowledge.units import Concentration

Box = tuple[float, float, float, float]  # low and high of one side, then of the other

_MODES = tuple(Mode)


def judge(
    knowledge: Knowledge, mode: Mode, a: str, b: str, asked_a: Conditions, asked_b: Conditions, rules: Sequence[RuleHit] = ()
) -> Judgement:
    """Weigh all that is known of a pair under the conditions that were asked.

    a, b: ids with a < b. rules: the product rules that speak of this pair on one line.
    Never raises for what is unknown: missing data is `no-data`.
    Source: docs/reasoning.md#one-pair (laws 1 and 4).
    """
    evidence = knowledge.rows(a, b, mode)
    weighed = _weigh(evidence, asked_a, asked_b)
    context = tuple(item.row for other in _MODES if other is not mode for item in knowledge.rows(a, b, other))
    hard = tuple(hit for hit in rules if hit.rule.effect is Effect.HARD)
    status, reason, settling, stated = _status(weighed)
    kin: tuple[Weighed, ...] = ()

    if hard:
        status, reason, settling = Status.INCOMPATIBLE, Reason.EXCLUDED_BY_RULE, ()
    elif status is Status.NO_DATA:
        kin = _kin(knowledge, mode, a, b, asked_a, asked_b)
        permitted, disputed = _permitted(knowledge, a, b) if reason is Reason.NOT_STUDIED else (False, False)
        if any(row.result is Result.INCOMPATIBLE for row in context):
            status, reason = Status.VARIABLE, Reason.CONFLICTING if permitted else Reason.OTHER_MODE
        elif kin:
            status, reason = Status.VARIABLE, Reason.CONFLICTING if permitted else Reason.COMPOSITION
        elif permitted:
            status, reason = (Status.VARIABLE, Reason.CONFLICTING) if disputed else (Status.COMPATIBLE, Reason.PERMITTED_DILUENT)
    if rules and not hard and status in (Status.COMPATIBLE, Status.NO_DATA):
        status, reason = Status.VARIABLE, Reason.EXCLUDED_BY_RULE

    settled = {id(item) for item in settling}
    judged = Judgement(
        pair=(a, b),
        mode=mode,
        status=status,
        reason=reason,
        stated=stated,
        context=context,
        kin=kin,
        rules=tuple(rules),
        weighed=tuple(Weighed(row=item.row, relation=item.relation, settled=id(item) in settled, via=item.via) for item in weighed),
    )
    policy = knowledge.policies.get(((a, b), mode))
    return judged if policy is None else _under_policy(judged, policy)


def _under_policy(judged: Judgement, policy: Policy) -> Judgement:
    """A facility's decision on top of the evidence. What softens an answer carries an approver: the overlay's loader sees to it."""
    status = Status(policy.status)
    if status is judged.status and judged.stated:
        return judged
    return replace(judged, status=status, reason=Reason.LOCAL_POLICY, stated=True, policy=policy, published=judged.status)


def _status(weighed: Sequence[Weighed]) -> tuple[Status, Reason, Sequence[Weighed], bool]:
    """Status, reason, the rows that settled it, and whether those state all that was asked."""
    decisive = [item for item in weighed if item.relation is not Relation.EXCLUDES]
    results = {item.row.result for item in decisive}
    if results == {Result.INCOMPATIBLE}:
        return Status.INCOMPATIBLE, Reason.TESTED, decisive, True
    if Result.INCOMPATIBLE in results or Result.VARIABLE in results:
        return Status.VARIABLE, Reason.CONFLICTING, decisive, True
    if results:
        covering = [item for item in decisive if item.relation is Relation.COVERS and states_conditions(item.row)]
        if covering:
            return Status.COMPATIBLE, Reason.TESTED, covering, True
        return Status.COMPATIBLE, Reason.CONDITIONS_NOT_STATED, decisive, False
    against = [item for item in weighed if item.row.result is not Result.COMPATIBLE]
    if against:
        return Status.VARIABLE, Reason.OUTSIDE_TESTED, against, True
    return Status.NO_DATA, Reason.OUTSIDE_TESTED if weighed else Reason.NOT_STUDIED, (), True


def states_conditions(row: Row) -> bool:
    """Whether a row says at which concentration it was tested, for at least one side that can have one."""
    return row.a.conc is not None or row.b.conc is not None


def _weigh(evidence: Sequence[Evidence], asked_a: Conditions, asked_b: Conditions) -> list[Weighed]:
    """Each row with its relation to what was asked; rows of one source may bracket the asked concentrations."""
    first = [Weighed(row=item.row, via=item.via, relation=_relation(item.row, asked_a, asked_b, with_conc=True)) for item in evidence]
    if asked_a.conc is None and asked_b.conc is None:
        return first
    weighed = []
    for item in first:
        relation = item.relation
        tested = any(other.relation is Relation.COVERS and _peer(item.row, other.row) for other in first)
        if relation is Relation.EXCLUDES and not tested and _bracketed(item.row, [other.row for other in first], asked_a, asked_b):
            relation = Relation.COVERS
        weighed.append(Weighed(row=item.row, via=item.via, relation=relation))
    return weighed


def _relation(row: Row, asked_a: Conditions, asked_b: Conditions, *, with_conc: bool) -> Relation:
    relations = [*_side_relations(row.a, asked_a, with_conc), *_side_relations(row.b, asked_b, with_conc)]
    if Relation.EXCLUDES in relations:
        return Relation.EXCLUDES
    return Relation.SILENT if Relation.SILENT in relations else Relation.COVERS


def _side_relations(side: Side, asked: Conditions, with_conc: bool) -> Iterable[Relation]:
    """One relation for each thing that was asked of this side."""
    if asked.vehicle is not None:
        yield Relation.SILENT if not side.vehicles else Relation.COVERS if asked.vehicle in side.vehicles else Relation.EXCLUDES
    if asked.formulation is None:
        if side.formulation:  # what was tested in one formulation is not proven for a product that was not named
            yield Relation.SILENT
    else:
        yield Relation.SILENT if not side.formulation else Relation.COVERS if asked.formulation == side.formulation else Relation.EXCLUDES
    if with_conc and asked.conc is not None:
        if side.conc is None:
            yield Relation.SILENT
        else:  # unlike units are never compared: such a row speaks of something else
            same = side.conc.family is asked.conc.family
            yield Relation.COVERS if same and side.conc.covers(asked.conc) else Relation.EXCLUDES


def _bracketed(row: Row, rows: Sequence[Row], asked_a: Conditions, asked_b: Conditions) -> bool:
    """Whether rows of the same source, result and vehicles bracket the asked concentrations, this row among them.

    One of them must be at or below what was asked on both sides, and one at or above on both: 4 + 80 and 8 + 16 mg/mL
    say nothing of 4 + 40. A compatible bracket is broken by any test within it, in these fluids, that was not compatible.
    The others are not broken by a compatible test, so that one more incompatible row can never make an answer softer.
    """
    box = _box(row)
    if box is None or _relation(row, asked_a, asked_b, with_conc=False) is not Relation.COVERS:
        return False
    peers = [other for other in rows if _peer(row, other)]
    boxes = [found for other in peers if (found := _box(other)) is not None]
    hull = (min(x[0] for x in boxes), max(x[1] for x in boxes), min(x[2] for x in boxes), max(x[3] for x in boxes))
    if not (_within(asked_a.conc, hull[0], hull[1], row.a.conc) and _within(asked_b.conc, hull[2], hull[3], row.b.conc)):
        return False
    if not any(_beyond(other, asked_a, asked_b, -1) for other in peers) or not any(_beyond(other, asked_a, asked_b, 1) for other in peers):
        return False
    return row.result is not Result.COMPATIBLE or not any(
        other.result is not Result.COMPATIBLE
        and _touches(other, hull, row)
        and _relation(other, asked_a, asked_b, with_conc=False) is not Relation.EXCLUDES
        for other in rows
    )


def _beyond(row: Row, asked_a: Conditions, asked_b: Conditions, way: int) -> bool:
    """Whether a test reaches down to (way -1), or up to (way 1), what was asked on both sides."""
    for asked, tested in ((asked_a.conc, row.a.conc), (asked_b.conc, row.b.conc)):
        if asked is None:
            continue
        if tested is None:
            return False
        bound, wanted, is_open = (tested.low, asked.low, tested.open_low) if way < 0 else (asked.high, tested.high, tested.open_high)
        slack = 1e-9 * min(bound, wanted)  # the rounding of unit conversion
        if bound > wanted + slack or (is_open and bound >= wanted - slack):
            return False
    return True


def _peer(row: Row, other: Row) -> bool:
    return (
        other.cited.source == row.cited.source
        and other.result is row.result
        and (other.a.vehicles, other.b.vehicles, other.a.formulation, other.b.formulation)
        == (row.a.vehicles, row.b.vehicles, row.a.formulation, row.b.formulation)
        and _family(other.a) is _family(row.a)
        and _family(other.b) is _family(row.b)
    )


def _family(side: Side) -> object:
    return side.conc.family if side.conc else None


def _box(row: Row) -> Box | None:
    """The tested concentrations of both sides; a side without one is open and cannot bracket."""
    if row.a.conc is None and row.b.conc is None:
        return None
    a, b = row.a.conc, row.b.conc
    return (a.low if a else 0.0, a.high if a else 0.0, b.low if b else 0.0, b.high if b else 0.0)


def _within(asked: Concentration | None, low: float, high: float, tested: Concentration | None) -> bool:
    if asked is None:
        return True
    if tested is None or tested.family is not asked.family:
        return False
    return Concentration(low, high, tested.family, "").covers(asked)


def _touches(other: Row, hull: Box, row: Row) -> bool:
    """Whether a row of another result was tested within the hull (unlike units cannot be placed, so they do not)."""
    for side, low, high, tested in ((other.a, hull[0], hull[1], row.a), (other.b, hull[2], hull[3], row.b)):
        if side.conc is None or tested.conc is None:
            continue
        if side.conc.family is not tested.conc.family or side.conc.high < low or side.conc.low > high:
            return False
    return True


def _kin(knowledge: Knowledge, mode: Mode, a: str, b: str, asked_a: Conditions, asked_b: Conditions) -> tuple[Weighed, ...]:
    """Incompatible rows of the carriers of what one drug contains, of its common name, and of the fluid it runs in: a caution, no more."""
    found: list[Weighed] = []
    for drug, other, vehicle in ((a, b, asked_a.vehicle), (b, a, asked_b.vehicle)):
        found += _kin_of(knowledge, drug, other)
        if vehicle in knowledge.drugs and vehicle not in (drug, other):
            found += _in_vehicle(knowledge, mode, drug, vehicle, other)
    return tuple(found)


def _kin_of(knowledge: Knowledge, drug: str, other: str) -> Iterator[Weighed]:
    for via in knowledge.kin.get(drug, ()):
        if via.through == other or any(via.through == back.through for back in knowledge.kin.get(other, ())):
            continue  # the other drug carries the same component itself
        for mode in _MODES:
            for item in knowledge.rows(via.through, other, mode):
                if item.row.result is Result.INCOMPATIBLE and item.via is None:
                    yield Weighed(row=item.row, relation=Relation.SILENT, via=via)


def _in_vehicle(knowledge: Knowledge, mode: Mode, drug: str, vehicle: str, other: str) -> Iterator[Weighed]:
    """What speaks against the other drug in the fluid that this one runs in, unless something speaks for it too."""
    modes = dict.fromkeys((mode, Mode.ADMIXTURE))  # in this order: the same question gives the same words
    rows = [item.row for each in modes for item in knowledge.rows(vehicle, other, each)]
    if _permitted(knowledge, vehicle, other)[0] or any(row.result is not Result.INCOMPATIBLE for row in rows):
        return
    via = Via(kind="vehicle", through=vehicle, member=drug)
    yield from (Weighed(row=row, relation=Relation.SILENT, via=via) for row in rows)
    yield from _kin_of(knowledge, vehicle, other)


def _permitted(knowledge: Knowledge, a: str, b: str) -> tuple[bool, bool]:
    """Whether one of the pair is a fluid in which a label has the other diluted, and whether another label's list leaves it out."""
    for drug, fluid in ((a, b), (b, a)):
        record = knowledge.drugs.get(fluid)
        if record is not None and record.kind is Kind.FLUID:
            naming, leaving_out = diluent_word(knowledge.drugs[drug].rules, fluid)
            if naming:
                return True, bool(leaving_out)
    return False, False


def diluent_word(rules: Iterable[Rule], fluid: str) -> tuple[list[Rule], list[Rule]]:
    """The rules that name a fluid as a diluent, and the closed lists that leave it out.

    A list of examples (`info`) speaks against no other fluid.
    """
    lists = diluent_lists(rules)
    naming = [rule for rule in lists if fluid in rule.values]
    return naming, [rule for rule in lists if rule.effect is not Effect.INFO and fluid not in rule.values]


def given_undiluted(rules: Iterable[Rule]) -> bool:
    """Whether one of the rules gives the product as supplied."""
    return any(rule.rule == "diluent-required" and UNDILUTED in rule.values for rule in rules)


def diluent_lists(rules: Iterable[Rule]) -> list[Rule]:
    """The rules that list fluids as diluents; a ready-made or undiluted product says nothing of them."""
    return [rule for rule in rules if rule.rule == "diluent-required" and not set(rule.values) <= {PREMIX, UNDILUTED}]
