"""Solve a Puzzle exactly: goals one after the other by CP-SAT, each proven before the next is sought.

Each goal is minimised with the goals before it held at what was reached, so the result is the lexicographic
optimum whenever every step is proven. One worker, a fixed seed and a limit counted in the solver's own work:
the same puzzle gives the same solution, unless the clock ends it on a machine that is much too slow.
Source: docs/planner.md#goals.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from checker.plan_budget import Budget, Undecided, run
from checker.plan_cuts import cuts
from checker.plan_guess import guess
from checker.plan_puzzle import UNSTATED_PAIR, WARNED_PAIR, Pair, Puzzle

SECONDS_TO_TAKE_UP = 1.0  # at least, for a placement that is known to hold
SHARE_OF_A_GUESS = 0.1
SHARE_OF_PAIRS = 0.8  # for which pairs meet, of all
SHARE_OF_A_GOAL = 0.85  # of what is left; the rest is kept for the goals after it
VITAL_MOVES, ASKED, WARNED, UNSTATED, ADVICE, MOVES, LUMENS, DELAY, PREFERENCE = (
    "vital-moves",
    "pairs-to-decide",
    "warned-pairs",
    "unstated-pairs",
    "advice-not-followed",
    "moves",
    "lumens",
    "dose-delay",
    "not-preferred",
)
_OF_PAIRS = (VITAL_MOVES, ASKED, WARNED, UNSTATED)
LEFT_OUT_VITAL, LEFT_OUT_RUNNING, LEFT_OUT = "vital-left-out", "running-left-out", "left-out"
Literal = cp_model.IntVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A goal, what was reached, and the least that is possible as far as proven."""

    goal: str
    value: int
    bound: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where each task is (absent = left out), where each series starts, in steps, and which pairs to ask about run together."""

    lumen: dict[int, int]
    starts: dict[int, tuple[int, ...]]
    together: frozenset[Pair]
    reached: tuple[Reached, ...]

    @property
    def proven(self) -> bool:
        """Whether every goal is."""
        return all(item.value <= item.bound for item in self.reached)


@dataclass(slots=True)
class Goal:
    """A sum to be minimised; the least it can ever be is `floor`."""

    name: str
    terms: list[tuple[int, Literal]]
    constant: int = 0
    floor: int = 0

    def expression(self) -> cp_model.LinearExprT:
        return (
            cp_model.LinearExpr.weighted_sum([literal for _, literal in self.terms], [weight for weight, _ in self.terms]) + self.constant
        )


class Model:
    """The puzzle for CP-SAT.

    tasks: which of them have to be placed. optional: each may be left out instead. x[task, lumen]: it is there.
    """

    def __init__(self, puzzle: Puzzle, tasks: Iterable[int] | None = None, *, optional: bool = False) -> None:
        self.puzzle = puzzle
        self.optional = optional
        chosen = set(range(len(puzzle.tasks))) if tasks is None else set(tasks)
        self.tasks = [task for task in puzzle.order if task in chosen]
        self.model = cp_model.CpModel()
        self.x: dict[tuple[int, int], Literal] = {}
        self.placed: dict[int, Literal] = {}
        self.used: dict[int, Literal] = {}
        self.start: dict[int, list[Literal]] = {}
        self.asked: dict[Pair, Literal] = {}
        self.apart: dict[Pair, Literal] = {}
        self.turns: list[Literal] = []
        self._places()
        self._meetings()
        self._quiet()
        self._interchangeable()
        if not optional:
            self._bounds()

    # --- what must hold ---

    def _places(self) -> None:
        model = self.model
        for task in self.tasks:
            here = [self.x.setdefault((task, lumen), model.new_bool_var("")) for lumen in sorted(self.puzzle.tasks[task].lumens)]
            if self.optional:
                self.placed[task] = model.new_bool_var("")
                model.add_exactly_one([*here, self.placed[task].negated()])
            elif here:
                model.add_exactly_one(here)
            else:
                model.add_bool_or([])
        for lumen in range(self.puzzle.lumens):
            there = [self.x[task, lumen] for task in self.tasks if (task, lumen) in self.x]
            if there:
                self.used[lumen] = model.new_bool_var("")
                for literal in there:
                    model.add_implication(literal, self.used[lumen])
                model.add_bool_or([*there, self.used[lumen].negated()])
        for task in self.tasks:
            if self.puzzle.tasks[task].series:
                self.start[task] = [
                    model.new_int_var_from_domain(cp_model.Domain.from_intervals([list(span) for span in series.starts]), "")
                    for series in self.puzzle.tasks[task].series
                ]
                self._doses_of_one(task)

    def _doses_of_one(self, task: int) -> None:
        """Doses of one infusion that move on their own must not run into each other."""
        series = self.puzzle.tasks[task].series
        for one in range(len(series)):
            for other in range(one + 1, len(series)):
                self._in_turn(task, one, task, other, None, 0)

    def _meetings(self) -> None:
        """Pairs that may not meet at all, only in turn, or only at a price."""
        inside, model = set(self.tasks), self.model
        covered: set[Pair] = set()
        for clique in self.puzzle.cliques:
            members = [task for task in clique if task in inside]
            new = {(a, b) for number, a in enumerate(members) for b in members[number + 1 :]} - covered
            if new:
                covered |= new
                self._at_most_one(members)
        for pair in sorted(self.puzzle.hard - covered):
            if inside.issuperset(pair):
                self._at_most_one(pair)
        for pair in sorted((self.puzzle.apart - self.puzzle.hard) | set(self.puzzle.ask)):
            common = self._common(pair) if inside.issuperset(pair) else []
            ways: list[Literal] = []
            if common and pair in self.puzzle.ask and pair not in self.puzzle.hard:
                ways.append(self.asked.setdefault(pair, model.new_bool_var("")))
            if common and pair not in self.puzzle.hard and self.puzzle.separable(pair):
                ways.append(self.apart.setdefault(pair, model.new_bool_var("")))
                self._separate(pair)
            for lumen in common if ways else ():
                model.add_bool_or([self.x[pair[0], lumen].negated(), self.x[pair[1], lumen].negated(), *ways])

    def _at_most_one(self, members: Collection[int]) -> None:
        for lumen in range(self.puzzle.lumens):
            there = [self.x[task, lumen] for task in members if (task, lumen) in self.x]
            if len(there) > 1:
                self.model.add_at_most_one(there)

    def _common(self, pair: Pair) -> list[int]:
        return [lumen for lumen in range(self.puzzle.lumens) if (pair[0], lumen) in self.x and (pair[1], lumen) in self.x]

    def _separate(self, pair: Pair) -> None:
        a, b = pair
        for one in range(len(self.puzzle.tasks[a].series)):
            for other in range(len(self.puzzle.tasks[b].series)):
                self._in_turn(a, one, b, other, self.apart[pair], self.puzzle.flush)

    def _in_turn(self, a: int, one: int, b: int, other: int, when: Literal | None, gap: int) -> None:
        """Every dose of two series in turn, with a gap, today and on every day after.

        Both repeat, so what counts is the distance of their starts modulo the common divisor of the periods:
        it must lie within [length + gap, divisor - length - gap].
        """
        first, second = self.puzzle.tasks[a].series[one], self.puzzle.tasks[b].series[other]
        divisor = math.gcd(first.period, second.period)
        low, high = first.length + gap, divisor - second.length - gap
        earliest, latest = _span(second.starts)[0] - _span(first.starts)[1], _span(second.starts)[1] - _span(first.starts)[0]
        for shift in sorted({(y - x) % divisor for x in first.offsets for y in second.offsets}):
            turns = self._turn((earliest + shift - high) // divisor, (latest + shift - low) // divisor + 1)
            distance = self.start[b][other] - self.start[a][one] + shift - divisor * turns
            bounds = [self.model.add(distance >= low), self.model.add(distance <= high)]
            if when is not None:
                for bound in bounds:
                    bound.only_enforce_if(when)

    def _turn(self, low: int, high: int) -> Literal:
        self.turns.append(self.model.new_int_var(low, high, ""))
        return self.turns[-1]

    def _quiet(self) -> None:
        """Where a task must not be disturbed, no two may follow each other that need a flush between."""
        for quiet in self.tasks:
            if not self.puzzle.tasks[quiet].quiet:
                continue
            for pair in self.apart:
                if quiet in pair:
                    continue
                way = [self.asked[pair]] if pair in self.asked else []
                for lumen in self._common(pair):
                    if (quiet, lumen) in self.x:
                        self.model.add_bool_or(
                            [self.x[quiet, lumen].negated(), self.x[pair[0], lumen].negated(), self.x[pair[1], lumen].negated(), *way]
                        )

    def _interchangeable(self) -> None:
        """Lumens that nothing tells apart are filled in order: of the mirror images of a plan only one is looked at."""
        for group in self.puzzle.interchangeable:
            for before, after in zip(group, group[1:], strict=False):
                earlier: list[Literal] = []
                for task in self.tasks:
                    if (task, after) in self.x:
                        self.model.add_bool_or([self.x[task, after].negated(), *earlier])
                        earlier = [*earlier, self.x[task, before]]

    def _bounds(self) -> None:
        """What is known beforehand of how many pairs must meet."""
        for cut in cuts(self.puzzle, frozenset(self.tasks)) if self.asked else ():
            self.model.add(cp_model.LinearExpr.sum([self.asked[pair] for pair in cut.pairs if pair in self.asked]) >= cut.floor)

    # --- what is sought ---

    def goals(self) -> list[Goal]:
        """The goals, most important first. Source: docs/planner.md#goals."""
        tasks, x = self.puzzle.tasks, self.x
        asked = [(word, literal) for pair, literal in sorted(self.asked.items()) for word in [self.puzzle.ask[pair]]]
        asked += [(tasks[task].asks[lumen], literal) for (task, lumen), literal in sorted(x.items()) if lumen in tasks[task].asks]
        least = 0 if self.optional else self.puzzle.least_lumens(frozenset(self.tasks))
        moves = [task for task in self.tasks if tasks[task].now is not None]
        wishing = [task for task in self.tasks if tasks[task].prefer]
        vital = [task for task in moves if tasks[task].quiet]
        sought = [
            self._away(VITAL_MOVES, vital, {task: [tasks[task].now] for task in vital}),
            Goal(ASKED, [(1, literal) for word, literal in asked if word != UNSTATED_PAIR]),
            Goal(WARNED, [(1, literal) for word, literal in asked if word == WARNED_PAIR]),
            Goal(UNSTATED, [(1, literal) for word, literal in asked if word == UNSTATED_PAIR]),
            Goal(ADVICE, [(1, literal) for (task, lumen), literal in sorted(x.items()) if lumen in tasks[task].advised_against]),
            self._away(MOVES, moves, {task: [tasks[task].now] for task in moves}),
            Goal(LUMENS, [(1, literal) for _, literal in sorted(self.used.items())], floor=least),
            self._delay(),
            self._away(PREFERENCE, wishing, {task: sorted(tasks[task].prefer) for task in wishing}),
        ]
        return [*self._left_out(), *sought] if self.optional else sought

    def _left_out(self) -> list[Goal]:
        tasks = self.puzzle.tasks
        vital = [task for task in self.tasks if tasks[task].quiet]
        running = [task for task in self.tasks if tasks[task].now is not None]
        return [
            Goal(name, [(-1, self.placed[task]) for task in sorted(some)], constant=len(some))
            for name, some in ((LEFT_OUT_VITAL, vital), (LEFT_OUT_RUNNING, running), (LEFT_OUT, self.tasks))
        ]

    def _away(self, name: str, tasks: Sequence[int], wanted: dict[int, list[int | None]] | dict[int, list[int]]) -> Goal:
        """How many placed tasks are on none of the lumens that they should be on."""
        terms = [
            (-1, self.x[task, lumen]) for task in sorted(tasks) for lumen in wanted[task] if lumen is not None and (task, lumen) in self.x
        ]
        if self.optional:
            terms += [(1, self.placed[task]) for task in sorted(tasks)]
            return Goal(name, terms)
        return Goal(name, terms, constant=len(tasks))

    def _delay(self) -> Goal:
        """Steps from the earliest start that each schedule allows, over all series."""
        terms = [(1, start) for _, starts in sorted(self.start.items()) for start in starts]
        earliest = sum(_span(series.starts)[0] for task in self.start for series in self.puzzle.tasks[task].series)
        return Goal(DELAY, terms, constant=-earliest)

    # --- solving ---

    def first(self, budget: Budget) -> cp_model.CpSolver | None:
        """Any placement that holds, or None when there is proven to be none. Raises Undecided when the budget ends first."""
        self._guess()
        solver, status = run(self.model, budget)
        if status == cp_model.INFEASIBLE:
            return None
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise Undecided
        return solver

    def best(self, budget: Budget, goals: Sequence[Goal] | None = None, start: Solution | None = None) -> Solution | None:
        """The best placement by the goals in their order; None when there is proven to be none. Raises Undecided.

        start: a placement that holds, with bounds of some goals that hold here as well.
        """
        sought = self.goals() if goals is None else goals
        known = {item.goal: item.bound for item in start.reached} if start else {}
        solver = self._at(start.lumen, Budget.of(max(budget.left(), SECONDS_TO_TAKE_UP)), start.starts) if start else self._guessed(budget)
        reached: list[Reached] = []
        if solver is None and not any(goal.terms for goal in sought):
            solver = self.first(budget)
            if solver is None:
                return None
        if solver is None:
            self._guess()
        for goal in sought:
            if not goal.terms:
                reached.append(Reached(goal=goal.name, value=goal.constant, bound=goal.constant))
                continue
            bound = max(goal.floor, known.get(goal.name, goal.floor))
            self.model.add(goal.expression() >= bound)
            value = None if solver is None else int(solver.value(goal.expression()))
            if value is None or (value > bound and not budget.spent()):
                if solver is not None and value is not None:
                    self._hint(solver)
                    self.model.add(goal.expression() <= value)
                self.model.minimize(goal.expression())
                better, status = run(self.model, budget.share(SHARE_OF_A_GOAL), relax=goal.name in _OF_PAIRS)
                if status == cp_model.INFEASIBLE and solver is None:
                    return None
                if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) and (value is None or better.value(goal.expression()) <= value):
                    solver, value = better, int(better.value(goal.expression()))
                if solver is None or value is None:
                    raise Undecided
                bound = value if status == cp_model.OPTIMAL else min(max(bound, math.ceil(better.best_objective_bound - 1e-6)), value)
            reached.append(Reached(goal=goal.name, value=value, bound=min(bound, value)))
            self.model.add(goal.expression() <= value)
        if solver is None:
            raise Undecided
        return self._solution(solver, reached)

    def _at(self, lumens: dict[int, int], budget: Budget, starts: dict[int, tuple[int, ...]] | None = None) -> cp_model.CpSolver | None:
        """The solver at a placement, if it holds; starts that are not given are sought."""
        fixed = self.model.clone()
        where = self.puzzle.in_order(lumens)
        for (task, lumen), literal in self.x.items():
            fixed.add(literal == int(where.get(task) == lumen))
        for task, given in (starts or {}).items():
            for literal, value in zip(self.start[task], given, strict=True):
                fixed.add(literal == value)
        if self.asked:
            fixed.minimize(cp_model.LinearExpr.sum(list(self.asked.values())))
        solver, status = run(fixed, budget)
        return solver if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None

    def _guessed(self, budget: Budget) -> cp_model.CpSolver | None:
        """The solver at a quick placement, where there are pairs to decide and one is found."""
        found = None if self.optional or not self.asked else guess(self.puzzle)
        here = None if found is None else {task: lumen for task, lumen in found.items() if task in self.tasks}
        return None if here is None else self._at(here, budget.share(SHARE_OF_A_GUESS, clock=0.4))

    def _guess(self) -> None:
        """A quick placement as a first hint; it only saves time."""
        found = None if self.optional else guess(self.puzzle)
        if found is not None:
            self.model.clear_hints()  # type: ignore[no-untyped-call]
            for (task, lumen), literal in self.x.items():
                self.model.add_hint(literal, found.get(task) == lumen)

    def _hint(self, solver: cp_model.CpSolver) -> None:
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        switches = (self.x, self.placed, self.used, self.asked, self.apart)
        for literal in (
            *(literal for group in switches for literal in group.values()),
            *(start for starts in self.start.values() for start in starts),
            *self.turns,
        ):
            self.model.add_hint(literal, solver.value(literal))

    def _solution(self, solver: cp_model.CpSolver, reached: Sequence[Reached]) -> Solution:
        return Solution(
            lumen={task: lumen for (task, lumen), literal in self.x.items() if solver.boolean_value(literal)},
            starts={task: tuple(int(solver.value(start)) for start in starts) for task, starts in self.start.items()},
            together=frozenset(pair for pair, literal in self.asked.items() if solver.boolean_value(literal)),
            reached=tuple(reached),
        )


def solve(puzzle: Puzzle, budget: Budget) -> Solution | None:
    """The best placement of all tasks; None when there is proven to be none. Raises Undecided.

    Which pairs meet does not depend on the names of the lumens. So that question comes first, with lumens made
    interchangeable as far as they are, which spares the solver a look at every mirror image.
    """
    plain = puzzle.undistinguished()
    start = None
    if puzzle.ask and plain.interchangeable != puzzle.interchangeable:
        model = Model(plain)
        start = model.best(budget.share(SHARE_OF_PAIRS), [goal for goal in model.goals() if goal.name in _OF_PAIRS])
        if start is None:
            return None
    return Model(puzzle).best(budget, start=start)


def _span(starts: Sequence[Pair]) -> Pair:
    return min(low for low, _ in starts), max(high for _, high in starts)
