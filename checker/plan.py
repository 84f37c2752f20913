"""Which drug on which lumen, and when: an exact plan for one day, honest about what is unknown.

`plan` is the one door: the body of POST /v1/plan in, a Plan out. The pairs are judged by the checker, the puzzle is
solved by CP-SAT, and the result is put to the checker once more, whose report is part of the answer.
Source: docs/planner.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from checker.check import Checker
from checker.model import Infusion, Order
from checker.names import Names
from checker.plan_alarms import MEETS_NOW, alarms
from checker.plan_ask import read
from checker.plan_budget import Budget, Undecided
from checker.plan_core import conflict, fewest
from checker.plan_flush import doses, flushes
from checker.plan_judge import Judged, judge_all
from checker.plan_model import DAY, STEP, Bond, Core, Dose, Goal, Needed, PairBond, Placement, Plan, PlanQuestion, PlanStatus, Shared
from checker.plan_solve import DELAY, Model, Solution, solve
from checker.plan_words import Words

SECONDS = 5.0
MAIN, REPAIR, CORE = 0.9, 0.4, 0.6  # shares of what is left of the time
_DAY_ZERO = datetime(2001, 1, 1)  # the checker wants dates; a plan has none


def plan(question: dict[str, Any], checker: Checker, names: Names, seconds: float = SECONDS) -> Plan:
    """Answer a question to the planner.

    seconds: time limit; a plan that is not proven best by then is returned as `best-found`, with its gap.
    Raises AskError for a question that cannot be planned.
    """
    return answer(read(question, names), checker, seconds)


def answer(question: PlanQuestion, checker: Checker, seconds: float = SECONDS) -> Plan:
    """Answer a question that has been read."""
    judged = judge_all(question, checker)
    return _Answer(judged, checker, _solve(judged, Budget.of(seconds))).plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solved:
    status: PlanStatus
    solution: Solution
    core: Core | None = None
    needed: Needed | None = None


def _solve(judged: Judged, budget: Budget) -> _Solved:
    """The best plan for all; or, when there is none, the best for most, why, and what would do."""
    puzzle = judged.puzzle
    try:
        found = solve(puzzle, budget.share(MAIN))
        status = PlanStatus.NO_PLAN
    except Undecided:
        found, status = None, PlanStatus.NOT_DECIDED
    if found is not None:
        return _Solved(
            status=PlanStatus.OPTIMAL if found.proven else PlanStatus.BEST_FOUND, solution=found, needed=_needed(judged, found, budget)
        )
    most = _most(judged, budget.share(REPAIR))
    missing = len(puzzle.tasks) - len(most.lumen)
    if not missing:
        return _Solved(status=PlanStatus.BEST_FOUND, solution=most, needed=_needed(judged, most, budget))
    core = _core(judged, budget.share(CORE)) if status is PlanStatus.NO_PLAN else None
    least = fewest(puzzle, missing, budget)
    needed = Needed(lumens=least.lumens, extra=least.extra, proven=least.proven) if least else None
    return _Solved(status=status, solution=most, core=core, needed=needed)


def _most(judged: Judged, budget: Budget) -> Solution:
    """The best placement that may leave tasks out; nothing placed when the time ends before any is found."""
    try:
        found = Model(judged.puzzle, optional=True).best(budget)
    except Undecided:
        found = None
    return found or Solution(lumen={}, starts={}, together=frozenset(), reached=())


def _needed(judged: Judged, found: Solution, budget: Budget) -> Needed:
    """Fewest lumens for all, whatever else is wished: known from the plan where it is as low as can be, else sought."""
    used, puzzle = len(set(found.lumen.values())), judged.puzzle
    free = not puzzle.ask and not any(task.asks or task.advised_against or task.now is not None for task in puzzle.tasks)
    if used <= puzzle.least_lumens(frozenset(found.lumen)) or (free and found.proven):
        return Needed(lumens=used, extra=0, proven=True)
    least = fewest(puzzle, 0, budget)
    return Needed(lumens=min(least.lumens, used), extra=0, proven=least.proven) if least else Needed(lumens=used, extra=0, proven=False)


def _core(judged: Judged, budget: Budget) -> Core | None:
    found = conflict(judged.puzzle, budget)
    if found is None:
        return None
    tasks = found.tasks
    clique = len(tasks) > 1 and all((a, b) in judged.puzzle.hard for place, a in enumerate(tasks) for b in tasks[place + 1 :])
    return Core(wishes=tuple(sorted(judged.order[task] for task in tasks)), smallest=found.smallest, clique=clique, text="")


class _Answer:
    """Turns a solution back into drugs, times and words."""

    def __init__(self, judged: Judged, checker: Checker, solved: _Solved) -> None:
        self.judged, self.checker, self.solved, self.question = judged, checker, solved, judged.question
        self.words = Words(judged, checker.knowledge)
        solution = solved.solution
        self.where = {judged.order[task]: judged.lumen_order[lumen] for task, lumen in sorted(solution.lumen.items())}
        self.when = {judged.order[task]: doses(judged, task, starts) for task, starts in solution.starts.items() if task in solution.lumen}
        self.there = [sorted(wish for wish, place in self.where.items() if place == lumen) for lumen in range(len(self.question.lumens))]

    def plan(self) -> Plan:
        shared = self._shared()
        mixed = {(item.bond.a, item.bond.b) for item in shared if item.ask and item.bond.b is not None}
        placements = tuple(self._placement(wish) for wish in range(len(self.question.wishes)))
        units = {DELAY: STEP}  # the solver counts steps, people count minutes
        reached = self.solved.solution.reached
        goals = tuple(
            Goal(name=item.goal, value=item.value * units.get(item.goal, 1), bound=item.bound * units.get(item.goal, 1)) for item in reached
        )
        core = self.solved.core
        if core is not None:
            core = replace(core, text=self.words.core(core.wishes, core.smallest, core.clique))
        left_out = [placement.wish for placement in placements if placement.lumen is None]
        report = self.checker.check(order_of(self.question, placements))
        found = alarms(self.judged, self.words, report, self.solved.status, placements, shared)
        now = [finding for finding in found if finding.code == MEETS_NOW]
        return Plan(
            question=self.question,
            status=self.solved.status,
            placements=placements,
            shared=shared,
            goals=goals,
            needed=self.solved.needed,
            core=core,
            flushes=flushes(self.judged, self.checker, self.where, self.when, mixed),
            bars=tuple((wish, lumen, bar) for (wish, lumen), bar in self.judged.bars.items()),
            lumen_texts=tuple(self.words.lumen_text(lumen, self.there[lumen], shared) for lumen in range(len(self.question.lumens))),
            summary=self.words.summary(self.solved.status, goals, self.solved.needed, core, left_out, shared, now),
            report=report,
            alarms=found,
        )

    def _placement(self, wish: int) -> Placement:
        lumen, now = self.where.get(wish), self.question.wishes[wish].now
        others = [place for place in range(len(self.question.lumens)) if place != lumen]
        placement = Placement(
            wish=wish,
            lumen=lumen,
            moved_from=now if lumen is not None and now not in (None, lumen) else None,
            doses=self.when.get(wish, ()),
            text="",
            elsewhere=tuple((place, self.words.elsewhere(wish, place, self.there[place])) for place in others),
        )
        return replace(placement, text=self.words.placement(placement, self.where))

    def _shared(self) -> tuple[Shared, ...]:
        """Every two that use one lumen, fluids among them; those to decide first."""
        where = self.where
        bonds = [(bond, where[a]) for (a, b), bond in self.judged.bonds.items() if a in where and where[a] == where.get(b)]
        bonds += [(bond, lumen) for (wish, lumen), bond in self.judged.fluids.items() if where.get(wish) == lumen]
        found = [self._share(bond, lumen) for bond, lumen in bonds]
        return tuple(sorted(found, key=lambda item: not item.ask))

    def _share(self, bond: PairBond, lumen: int) -> Shared:
        how = "together" if bond.b is None or _overlap(self.when.get(bond.a), self.when.get(bond.b)) else "in-turn"
        return Shared(bond=bond, lumen=lumen, how=how, ask=how == "together" and bond.together is Bond.ASK, text=self.words.pair(bond, how))


def _overlap(a: Sequence[Dose] | None, b: Sequence[Dose] | None) -> bool:
    """Whether two run at one time on some day. None = all the time."""
    if a is None or b is None:
        return True
    return any(one.start < other.end + day and other.start + day < one.end for one in a for other in b for day in (-DAY, 0, DAY))


def order_of(question: PlanQuestion, placements: Sequence[Placement]) -> Order:
    """A plan as an order to the checker: every dose with its lumen and time, doses of the day before that still run, and fluids."""
    infusions: list[Infusion] = []
    for placement in placements:
        wish = question.wishes[placement.wish]
        line = question.lumens[placement.lumen].name if placement.lumen is not None else f"no lumen ({wish.infusion.at})"
        if not placement.doses:
            infusions.append(replace(wish.infusion, line=line))
            continue
        runs = [*placement.doses, *(Dose(start=dose.start - DAY, end=dose.end - DAY) for dose in placement.doses if dose.end > DAY)]
        for number, dose in enumerate(sorted(runs, key=lambda dose: dose.start)):
            start = _DAY_ZERO + timedelta(minutes=dose.start)
            hours = wish.infusion.hours if wish.infusion.hours is not None else (dose.end - dose.start) / 60
            infusions.append(replace(wish.infusion, at=f"{wish.infusion.at}/doses/{number}", line=line, start=start, hours=hours))
    infusions += [replace(lumen.fluid, line=lumen.name) for lumen in question.lumens if lumen.fluid and not lumen.blocked]
    return Order(infusions=tuple(infusions), medications=question.medications, age_days=question.age_days)
