"""From drugs and labels to the planner's puzzle: who may meet whom, who may use which lumen.

All clinical judgement comes from the checker and from the rules of the products; this module only says what each
of their answers means for a lumen and a day. Source: docs/planner.md#what-may-share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from checker import acidbase, line_words, product_words, rules
from checker.check import Checker
from checker.model import Finding, Infusion, Judgement, Order, Reason, Status
from checker.plan_model import DAY, STEP, Bar, Bond, Lumen, PairBond, PlanQuestion, Policy, Schedule
from checker.plan_puzzle import NO_DATA_PAIR, UNSTATED_PAIR, WARNED_PAIR, Pair, Puzzle, Series, Task
from knowledge import Knowledge
from knowledge.model import Rule
from knowledge.terms import Effect, Mode

# Values of the rule dedicated-line that claim the lumen for the whole plan; the others of rules.ALONE forbid company while the drug runs.
OWN_LUMEN = frozenset({"dedicated-line", "separate-line", "no-other-drugs-same-line", "no-drugs-same-line"})
CENTRAL_RULES = ("central-line-required", "central-line-preferred")
NOT_FLUSHED = frozenset({"do-not-flush"})
OWN_FLUSH = frozenset({"before", "after", "both"})  # units of flush-before-after that ask for a flush at each dose
_LASTS = DAY // STEP  # grid steps of a day
_FREE, _FLUSH, _NEVER = "free", "flush", "never"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The question as the solver sees it, beside what it was made of. Wishes and lumens keep the question's numbers."""

    question: PlanQuestion
    puzzle: Puzzle
    order: tuple[int, ...]  # task -> wish
    lumen_order: tuple[int, ...]  # lumen of the puzzle -> lumen of the question
    bonds: dict[Pair, PairBond]  # wishes a < b
    fluids: dict[Pair, PairBond]  # wish, lumen
    bars: dict[Pair, Bar]  # wish, lumen
    advice: dict[Pair, tuple[Rule, ...]]  # wish, lumen
    infusions: tuple[Infusion, ...]  # as the checker understands them, with a facility's standards
    quiet: frozenset[int]


def judge_all(question: PlanQuestion, checker: Checker) -> Judged:
    """Judge every pair, every lumen and every fluid of a question."""
    return _Judging(question, checker).judged()


def own_flushes(knowledge: Knowledge, drug: str) -> tuple[Rule, ...]:
    """The label rules that ask for a flush at each dose."""
    return tuple(
        rule
        for rule in knowledge.drugs[drug].rules
        if rule.rule == "flush-before-after"
        and rule.unit in OWN_FLUSH
        and rule.effect is not Effect.INFO
        and not set(rule.values) & NOT_FLUSHED
    )


class _Judging:
    def __init__(self, question: PlanQuestion, checker: Checker) -> None:
        self.question = question
        self.checker = checker
        self.knowledge = checker.knowledge
        apart = tuple(replace(wish.infusion, line=f"infusion {number}") for number, wish in enumerate(question.wishes))
        understood = checker.check(Order(infusions=apart, age_days=question.age_days)).infusions
        self.infusions = tuple(replace(infusion, line=None) for infusion in understood)
        self.quiet = frozenset(
            number for number, wish in enumerate(question.wishes) if wish.must_not_interrupt or self._never_flushed(wish.infusion.drug)
        )

    def judged(self) -> Judged:
        wishes, lumens = self.question.wishes, self.question.lumens
        bonds = {(a, b): self._bond(a, b) for a in range(len(wishes)) for b in range(a + 1, len(wishes))}
        both = [(number, place) for number in range(len(wishes)) for place in range(len(lumens))]
        fluids = {(number, place): self._fluid(number, place, fluid) for number, place in both if (fluid := lumens[place].fluid)}
        bars = {(number, place): bar for number, place in both if (bar := self._bar(number, place, lumens[place], fluids))}
        advice = {
            (number, place): told for number, place in both if not lumens[place].central and (told := self._central(number, hard=False))
        }
        order = tuple(sorted(range(len(wishes)), key=self._key))
        lumen_order = tuple(sorted(range(len(lumens)), key=lambda place: _lumen_key(lumens[place])))
        return Judged(
            question=self.question,
            puzzle=self._puzzle(bonds, fluids, bars, advice, order, lumen_order),
            order=order,
            lumen_order=lumen_order,
            bonds=bonds,
            fluids=fluids,
            bars=bars,
            advice=advice,
            infusions=self.infusions,
            quiet=self.quiet,
        )

    # --- two infusions ---

    def _bond(self, a: int, b: int) -> PairBond:
        one, other = self.infusions[a], self.infusions[b]
        if one.drug == other.drug:
            same = one.conditions == other.conditions
            return PairBond(
                a=a, b=b, together=Bond.SAFE if same else Bond.ASK, in_turn=_FREE if same else _FLUSH, judged=None, finding=None
            )
        together, in_turn, judged, finding = self._meet(one, other)
        if self._bolus_hurts(a, b) or self._bolus_hurts(b, a):
            in_turn = _NEVER
        return PairBond(a=a, b=b, together=together, in_turn=in_turn, judged=judged, finding=finding)

    def _meet(self, one: Infusion, other: Infusion) -> tuple[Bond, str, Judgement, Finding]:
        for drug, fluid in ((one, other), (other, one)):
            if drug.conditions.vehicle == fluid.drug:  # the drug is in it already; what speaks against that speaks against the line
                judged = rules.diluent_judgement(self.knowledge, drug)
                together = self._in_own_fluid(drug.drug, fluid.drug, judged)
                return together, _FREE if together is Bond.SAFE else _FLUSH, judged, line_words.line_finding(self.knowledge, judged)
        judged = self.checker.judge(Mode.Y_SITE, one.drug, other.drug, one.conditions, other.conditions)
        finding = line_words.line_finding(self.knowledge, judged)
        if judged.status is Status.INCOMPATIBLE:
            own = judged.reason is Reason.EXCLUDED_BY_RULE and any(
                hit.value in OWN_LUMEN and hit.rule.effect is Effect.HARD for hit in judged.rules
            )
            return Bond.NEVER, _NEVER if own else _FLUSH, judged, finding
        if judged.status is Status.COMPATIBLE and judged.stated:
            return Bond.SAFE, _FREE, judged, finding
        return Bond.ASK, _FLUSH, judged, finding

    def _in_own_fluid(self, drug: str, fluid: str, judged: Judgement) -> Bond:
        """A drug beside the fluid that it is prepared in."""
        if judged.status is Status.INCOMPATIBLE:
            return Bond.NEVER
        permitted = any(rule.rule == "diluent-required" and fluid in rule.values for rule in self.knowledge.drugs[drug].rules)
        return Bond.SAFE if permitted or judged.status is Status.COMPATIBLE else Bond.ASK

    def _bolus_hurts(self, quiet: int, other: int) -> bool:
        """Whether `other` would send a bolus or a flush of its own through the lumen of one that must not be disturbed."""
        wish = self.question.wishes[other]
        flushed = wish.schedule is not None and (wish.bolus or bool(own_flushes(self.knowledge, wish.infusion.drug)))
        return quiet in self.quiet and flushed

    def _never_flushed(self, drug: str) -> bool:
        return any(rule.rule == "flush-before-after" and set(rule.values) & NOT_FLUSHED for rule in self.knowledge.drugs[drug].rules)

    # --- an infusion and a lumen ---

    def _fluid(self, number: int, place: int, fluid: Infusion) -> PairBond:
        infusion = self.infusions[number]
        if infusion.drug == fluid.drug:
            return PairBond(a=number, b=None, together=Bond.SAFE, in_turn=_FREE, judged=None, finding=None, lumen=place)
        together, in_turn, judged, finding = self._meet(infusion, fluid)
        return PairBond(a=number, b=None, together=together, in_turn=in_turn, judged=judged, finding=finding, lumen=place)

    def _bar(self, number: int, place: int, lumen: Lumen, fluids: dict[Pair, PairBond]) -> Bar | None:
        if lumen.blocked:
            return Bar(code="blocked", text="blocked" if lumen.blocked == "blocked" else f"blocked: {lumen.blocked}")
        central = self._central(number, hard=True)
        if central and not lumen.central:
            return Bar(
                code="central-only",
                text=f"not a central lumen. {product_words.demand(self.knowledge, central)}",
                sources=rules.cites(central),
            )
        met = fluids.get((number, place))
        strict = self.question.policy is Policy.STRICT
        if met is not None and met.finding is not None and (met.together is Bond.NEVER or (strict and met.together is Bond.ASK)):
            return Bar(code="fluid", text=f"the fluid that runs there is in the way. {met.finding.text}", sources=met.finding.sources)
        return None

    def _central(self, number: int, *, hard: bool) -> tuple[Rule, ...]:
        """The product's rules that ask for a central line: those that demand it, or those that advise it."""
        return tuple(
            rule
            for rule in self.knowledge.drugs[self.infusions[number].drug].rules
            if rule.rule in CENTRAL_RULES
            and "no" not in rule.values
            and rule.effect is not Effect.INFO
            and (rule.effect is Effect.HARD and rule.rule == "central-line-required") is hard
        )

    # --- the puzzle ---

    def _key(self, number: int) -> tuple[str, ...]:
        """An order of the wishes that does not depend on the order in which they were asked."""
        wish, names = self.question.wishes[number], [lumen.name.casefold() for lumen in self.question.lumens]
        now = "" if wish.now is None else names[wish.now]
        wished = (sorted(names[place] for place in wish.prefer), wish.bolus, wish.must_not_interrupt, wish.infusion.rate_ml_per_h)
        return (wish.infusion.drug, repr(wish.infusion.conditions), repr(wish.schedule), now, repr(wished))

    def _puzzle(
        self,
        bonds: dict[Pair, PairBond],
        fluids: dict[Pair, PairBond],
        bars: dict[Pair, Bar],
        advice: dict[Pair, tuple[Rule, ...]],
        order: Sequence[int],
        lumen_order: Sequence[int],
    ) -> Puzzle:
        task_of = {number: task for task, number in enumerate(order)}
        place_of = {number: place for place, number in enumerate(lumen_order)}
        never, apart, ask = set(), set(), {}
        for (a, b), bond in bonds.items():
            pair = (min(task_of[a], task_of[b]), max(task_of[a], task_of[b]))
            if bond.in_turn == _NEVER:
                never.add(pair)
            elif bond.together is Bond.NEVER or (bond.together is Bond.ASK and self.question.policy is Policy.STRICT):
                apart.add(pair)
            elif bond.together is Bond.ASK:
                ask[pair] = self._word(bond)
        tasks = []
        for number in order:
            wish = self.question.wishes[number]
            tasks.append(
                Task(
                    lumens=frozenset(place_of[place] for place in range(len(self.question.lumens)) if (number, place) not in bars),
                    series=tuple(_series(wish.schedule)),
                    now=None if wish.now is None else place_of[wish.now],
                    prefer=frozenset(place_of[place] for place in wish.prefer),
                    asks={
                        place_of[place]: self._word(bond)
                        for (who, place), bond in fluids.items()
                        if who == number and bond.together is Bond.ASK
                    },
                    advised_against=frozenset(place_of[place] for who, place in advice if who == number),
                    quiet=number in self.quiet,
                )
            )
        return Puzzle(
            tasks=tuple(tasks),
            lumens=len(self.question.lumens),
            never=frozenset(never),
            apart=frozenset(apart),
            ask=ask,
            flush=self.question.flush // STEP,
        )

    def _word(self, bond: PairBond) -> str:
        if bond.judged is None or bond.judged.status is Status.COMPATIBLE:
            return UNSTATED_PAIR
        warned = bond.judged.status is Status.VARIABLE or acidbase.caution(self.knowledge, bond.judged) is not None
        return WARNED_PAIR if warned else NO_DATA_PAIR


def _lumen_key(lumen: Lumen) -> tuple[object, ...]:
    return (not lumen.central, lumen.name.casefold())


def _series(schedule: Schedule | None) -> Iterator[Series]:
    """A schedule as series of doses on the grid."""
    if schedule is None:
        return
    length = schedule.minutes // STEP
    windows = tuple((window.low // STEP, window.high // STEP) for window in schedule.windows)
    if schedule.every is None:
        for window in windows or ((0, _LASTS - 1),):
            yield Series(starts=(window,), offsets=(0,), period=_LASTS, length=length)
    elif DAY % schedule.every == 0:
        every = schedule.every // STEP
        yield Series(starts=windows or ((0, every - 1),), offsets=(0,), period=every, length=length)
    else:  # an interval that does not divide the day: as many doses as begin within it
        every = schedule.every // STEP
        doses = ceil(_LASTS / every)
        yield Series(
            starts=((0, min(_LASTS - (doses - 1) * every, every) - 1),),
            offsets=tuple(every * dose for dose in range(doses)),
            period=_LASTS,
            length=length,
        )
