"""One order in, one report out: the engine that everything else must agree with.

It stays plain on purpose. Judgements of a pair depend on nothing but the pair and its conditions, so they are
kept and used again; a report is never kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations, count
from typing import NamedTuple, TypeVar

from checker import acidbase, interactions, line_words, product_words, rules, wording
from checker.line import judge
from checker.model import (
    LEVEL_RANK,
    Conditions,
    Finding,
    Infusion,
    InteractionHit,
    Judgement,
    Kind,
    Level,
    Medication,
    NotUnderstood,
    Order,
    PairResult,
    Report,
    Status,
    Verdict,
)
from knowledge import Knowledge
from knowledge.terms import Kind as DrugKind
from knowledge.terms import Mode

REMEMBERED = 20_000  # pairs kept at most; two or three kilobytes each
_KINDS = {kind: rank for rank, kind in enumerate(Kind)}
_SEVERITIES = {"contraindicated": 0, "major": 1, "moderate": 2, "minor": 3, "": 4}

Given = Infusion | Medication
Value = TypeVar("Value")


class _Met(NamedTuple):
    """What is said of two medicines, whoever asks."""

    pair: tuple[str, str]
    line: Judgement | None
    interactions: tuple[InteractionHit, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Checker:
    """The engine over one knowledge base. Safe to share between threads: it only ever adds to its memory."""

    knowledge: Knowledge
    _judged: dict[tuple[object, ...], tuple[Judgement, tuple[Finding, ...]]] = field(default_factory=dict)
    _pairs: dict[tuple[object, ...], _Met] = field(default_factory=dict)
    _own: dict[tuple[object, ...], tuple[Finding, ...]] = field(default_factory=dict)
    _states: dict[tuple[object, ...], int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def check(self, order: Order) -> Report:
        """Answer an order. Deterministic; never raises for what is unknown."""
        found: list[Finding] = [wording.not_understood(item) for item in order.not_understood]
        infusions = tuple(self._with_standard(infusion) for infusion in order.infusions) if self.knowledge.standards else order.infusions
        found += [product_words.standard(self.knowledge, infusion) for infusion in infusions if infusion.assumed]
        for infusion in infusions:
            if order.focus is None or infusion.at in order.focus:
                found += self._alone(infusion, order.age_days)
        for medication in order.medications:
            if order.focus is None or medication.at in order.focus:
                found += rules.elsewhere(self.knowledge, medication.drug, medication.route)
        medicines: list[Given] = [*infusions, *order.medications]
        given = [(item, self._state(item)) for item in medicines]
        focus = order.focus
        pairs = [
            self._pair(order, infusions, a, b, found)
            for a, b in combinations(given, 2)
            if focus is None or a[0].at in focus or b[0].at in focus
        ]
        found += self._mixture(pairs)
        found = sorted(dict.fromkeys(found), key=_worst_first)
        return Report(
            verdict=_verdict(found, order.not_understood),
            mode=order.mode,
            infusions=infusions,
            medications=order.medications,
            not_understood=order.not_understood,
            pairs=tuple(pairs),
            findings=tuple(found),
            version=self.knowledge.version,
            digest=self.knowledge.digest,
        )

    def judge(self, mode: Mode, a: str, b: str, asked_a: Conditions, asked_b: Conditions) -> Judgement:
        """The judgement of one pair, in either order."""
        return self._judge(mode, a, b, asked_a, asked_b)[0]

    def _with_standard(self, infusion: Infusion) -> Infusion:
        """The infusion at the facility's standard concentration, where the question gives none."""
        standard = self.knowledge.standards.get(infusion.drug)
        if standard is None or infusion.conditions.conc is not None:
            return infusion
        conditions = replace(infusion.conditions, conc=standard.conc, vehicle=infusion.conditions.vehicle or standard.vehicle or None)
        return replace(infusion, conditions=conditions, assumed=True)

    def _alone(self, infusion: Infusion, age_days: int | None) -> tuple[Finding, ...]:
        key = (infusion.drug, infusion.conditions, infusion.hours, infusion.rate_ml_per_h, infusion.route, age_days)
        kept = self._own.get(key)
        if kept is None:
            kept = _keep(self._own, key, tuple(rules.own_findings(self.knowledge, infusion, age_days)))
        return kept

    def _state(self, given: Given) -> int:
        """A number for all of one medicine that its pairs depend on, but for time and line: a key that is quick to look up."""
        key = (given.drug, given.route, given.conditions if isinstance(given, Infusion) else None)
        kept = self._states.get(key)
        return _keep(self._states, key, next(self._numbers)) if kept is None else kept

    def _pair(
        self, order: Order, infusions: Sequence[Infusion], one: tuple[Given, int], two: tuple[Given, int], found: list[Finding]
    ) -> PairResult:
        """Judge two of the order, adding what there is to say to `found`."""
        (a, state_a), (b, state_b) = (two, one) if two[0].drug < one[0].drug else (one, two)
        mode, together = order.mode, False
        if isinstance(a, Infusion) and isinstance(b, Infusion) and a.drug != b.drug and share_line(a, b):
            together = overlap(a, b)
            if not together:
                found += self._in_turn(order.mode, a, b, infusions)
            elif a.bag is not None and a.bag == b.bag:
                mode = Mode.ADMIXTURE
        key = (state_a, state_b, together, mode, order.age_days, _order_of_start(a, b))
        met = self._pairs.get(key)
        if met is None:
            met = _keep(self._pairs, key, self._meet(mode, a, b, together, order.age_days))
        found += met.findings
        return PairResult(pair=met.pair, at=(a.at, b.at), line=met.line, interactions=met.interactions)

    def _meet(self, mode: Mode, a: Given, b: Given, together: bool, age_days: int | None) -> _Met:
        """All that is said of two, but for a flush between them."""
        line: Judgement | None = None
        findings: Sequence[Finding] = ()
        if together and isinstance(a, Infusion) and isinstance(b, Infusion):
            line, findings = self._on_line(mode, a, b)
        hits, told = self._interactions(a, b, age_days)
        return _Met((a.drug, b.drug), line, hits, (*findings, *told))

    def _interactions(self, a: Given, b: Given, age_days: int | None) -> tuple[tuple[InteractionHit, ...], tuple[Finding, ...]]:
        if a.drug == b.drug:
            both = isinstance(a, Infusion) == isinstance(b, Infusion)  # two infusions of one drug are no duplication
            twice = None if both else interactions.duplication(self.knowledge, a, b)
            return (), (twice,) if twice else ()
        hits = interactions.hits(self.knowledge, a, b, age_days)
        findings = interactions.findings(self.knowledge, a, b, hits)
        twice = interactions.duplication(self.knowledge, a, b)
        return hits, tuple([*findings, twice] if twice else findings)

    def _on_line(self, mode: Mode, a: Infusion, b: Infusion) -> tuple[Judgement | None, Sequence[Finding]]:
        """The line judgement of two that run together. A drug and its own vehicle is a matter of diluent instead."""
        for drug, fluid in ((a, b), (b, a)):
            if drug.conditions.vehicle == fluid.drug:
                judged = rules.diluent_judgement(self.knowledge, drug)
                # but for missing data, it is told of the drug alone
                return judged, [line_words.line_finding(self.knowledge, judged)] if judged.status is Status.NO_DATA else []
        return self._judge(mode, a.drug, b.drug, a.conditions, b.conditions)

    def _judge(self, mode: Mode, a: str, b: str, asked_a: Conditions, asked_b: Conditions) -> tuple[Judgement, tuple[Finding, ...]]:
        if b < a:
            a, b, asked_a, asked_b = b, a, asked_b, asked_a
        key = (mode, a, b, asked_a, asked_b)
        kept = self._judged.get(key)
        if kept is None:
            hits = rules.pair_hits(self.knowledge, mode, a, b, asked_a, asked_b)
            judged = judge(self.knowledge, mode, a, b, asked_a, asked_b, hits)
            cautioned = acidbase.caution(self.knowledge, judged)
            flush = rules.flush_fluids(self.knowledge, judged.pair[0], judged.pair[1])[0] if judged.status is Status.NO_DATA else ()
            findings = (line_words.line_finding(self.knowledge, judged, flush=flush), *([cautioned] if cautioned else []))
            kept = _keep(self._judged, key, (judged, findings))
        return kept

    def _mixture(self, pairs: Sequence[PairResult]) -> tuple[Finding, ...]:
        """Three or more on one line: pairs do not prove the mixture."""
        met = {pair.pair for pair in pairs if pair.line is not None}
        partners = Counter(chain.from_iterable(met))
        together = tuple(sorted({drug for pair in met if partners[pair[0]] > 1 or partners[pair[1]] > 1 for drug in pair}))
        if not together:
            return ()
        kept = self._own.get(together)
        return _keep(self._own, together, (line_words.mixture(together),)) if kept is None else kept

    def _in_turn(self, mode: Mode, a: Infusion, b: Infusion, infusions: Sequence[Infusion]) -> list[Finding]:
        """Two that follow each other on one line: what must not meet needs a flush between."""
        rinsing = [item for item in infusions if self.knowledge.drugs[item.drug].kind is DrugKind.FLUID]
        if not _consecutive(a, b, rinsing):
            return []
        judged, _ = self._judge(mode, a.drug, b.drug, a.conditions, b.conditions)
        level = {Status.INCOMPATIBLE: Level.CAUTION, Status.VARIABLE: Level.CAUTION, Status.NO_DATA: Level.NOTE}.get(judged.status)
        if level is None:
            return []
        fluids, flushes = rules.flush_fluids(self.knowledge, a.drug, b.drug)
        return [line_words.flush(self.knowledge, level, judged, fluids, flushes)]


def _keep(memory: dict[tuple[object, ...], Value], key: tuple[object, ...], value: Value) -> Value:
    """Remember a value; a full memory is emptied first, so that it stays bounded."""
    if len(memory) >= REMEMBERED:
        memory.clear()
    memory[key] = value
    return value


def share_line(a: Infusion, b: Infusion) -> bool:
    """Whether two run through one lumen. One that names none may be on any, so it is taken to share."""
    if a.route != "iv" or b.route != "iv":
        return False
    return a.line is None or b.line is None or a.line.strip().casefold() == b.line.strip().casefold()


def overlap(a: Infusion, b: Infusion) -> bool:
    """Whether two run at the same time. Without a start an infusion runs the whole time; without hours it does not end."""
    if a.start is None or b.start is None:
        return True
    first, second = (a, b) if a.start <= b.start else (b, a)
    return first.end is None or second.start < first.end or second.start == first.start  # type: ignore[operator]  # both starts are set


def _consecutive(a: Infusion, b: Infusion, fluids: Sequence[Infusion]) -> bool:
    """Whether none of the fluids runs on their line between the end of the first and the start of the second."""
    first, second = sorted((a, b), key=lambda item: item.start)  # type: ignore[arg-type, return-value]  # overlap() told that both are set
    for other in fluids:
        elsewhere = other is a or other is b or not (share_line(other, first) and share_line(other, second))
        if elsewhere or other.start is None or other.end is None or first.end is None or second.start is None:
            continue
        if first.end <= other.start and other.end <= second.start:
            return False
    return True


def _order_of_start(a: Given, b: Given) -> int | None:
    """-1, 0 or 1 as a starts before, with or after b; None when a start is not told."""
    start_a, start_b = getattr(a, "start", None), getattr(b, "start", None)
    if start_a is None or start_b is None:
        return None
    return int(start_a > start_b) - int(start_a < start_b)


def _verdict(found: Sequence[Finding], not_understood: Sequence[NotUnderstood]) -> Verdict:
    """found: worst first."""
    if found and found[0].level is not Level.NOTE:
        return Verdict(found[0].level)
    return Verdict.UNKNOWN if not_understood else Verdict.CLEAR


def _worst_first(finding: Finding) -> tuple[int, int, int, tuple[str, ...], str, str]:
    return (LEVEL_RANK[finding.level], _KINDS[finding.kind], _SEVERITIES[finding.severity], finding.drugs, finding.code, finding.text)
