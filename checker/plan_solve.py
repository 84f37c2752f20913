"""Solve a Puzzle exactly: goals one after the other by CP-SAT, each proven before the next is sought.

Each goal is minimised with the goals before it held at what was reached, so the result is the lexicographic
optimum whenever every step is proven. One worker, a fixed seed and a limit counted in the solver's own work:
the same puzzle gives the same solution, unless the clock ends it on a machine that is much too slow.
Source: docs/planner.md#goals.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from checker.plan_puzzle import Pair, Puzzle, greedy

WORK_PER_SECOND = 0.5  # units of the solver's deterministic time given for a second asked
ASKED, VARIABLE, UNSTATED, ADVICE, MOVES, LUMENS, DELAY, PREFERENCE = (
    "pairs-to-decide", "variable-pairs", "unstated-pairs", "advice-not-followed", "moves", "lumens", "dose-delay", "not-preferred",
)
LEFT_OUT_VITAL, LEFT_OUT_RUNNING, LEFT_OUT = "vital-left-out", "running-left-out", "left-out"
Literal = cp_model.IntVar


@dataclass(slots=True)
class Budget:
    """What may still be spent: seconds of the clock as a backstop, and units of the solver's work."""

    seconds: float
    work: float
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, seconds: float) -> Budget:
        """A budget of so many seconds."""
        return cls(seconds=seconds, work=seconds * WORK_PER_SECOND)

    def share(self, part: float) -> Budget:
        """A part of what is left, as a budget of its own."""
        return Budget(seconds=self.left() * part, work=self.work * part)

    def left(self) -> float:
        """Seconds left on the clock."""
        return max(self.seconds - (time.monotonic() - self.began), 0.0)

    def spent(self) -> bool:
        """Whether nothing useful is left."""
        return self.work <= 0 or self.left() <= 0


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


class Undecided(Exception):
    """The budget ended before the question was answered."""


@dataclass(slots=True)
class Goal:
    """A sum to be minimised; the least it can ever be is `floor`."""

    name: str
    terms: list[tuple[int, Literal]]
    constant: int = 0
    floor: int = 0

    def expression(self) -> cp_model.LinearExprT:
        return cp_model.LinearExpr.weighted_sum([literal for _, literal in self.terms], [weight for weight, _ in self.terms]) + self.constant


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
        self._places()
        self._meetings()
        self._quiet()
        self._interchangeable()

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
                    model.new_int_var_from_domain(cp_model.Domain.from_intervals([list(span) for span in series.starts]), "") for series in self.puzzle.tasks[task].series
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
            new = {(a, b) for number, a in enumerate(members) for b in members[number + 1:]} - covered
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
            turns = self.model.new_int_var((earliest + shift - high) // divisor, (latest + shift - low) // divisor + 1, "")
            distance = self.start[b][other] - self.start[a][one] + shift - divisor * turns
            bounds = [self.model.add(distance >= low), self.model.add(distance <= high)]
            if when is not None:
                for bound in bounds:
                    bound.only_enforce_if(when)

    def _quiet(self) -> None:
        """Where a task must not be disturbed, no two may follow each other that need a flush between."""
        for quiet in self.tasks:
            if not self.puzzle.tasks[quiet].quiet:
                continue
            for pair, apart in self.apart.items():
                if quiet in pair:
                    continue
                way = [self.asked[pair]] if pair in self.asked else []
                for lumen in self._common(pair):
                    if (quiet, lumen) in self.x:
                        self.model.add_bool_or([self.x[quiet, lumen].negated(), self.x[pair[0], lumen].negated(), self.x[pair[1], lumen].negated(), *way])

    def _interchangeable(self) -> None:
        """Lumens that nothing tells apart are filled in order: of the mirror images of a plan only one is looked at."""
        for group in self.puzzle.interchangeable:
            for before, after in zip(group, group[1:], strict=False):
                earlier: list[Literal] = []
                for task in self.tasks:
                    if (task, after) in self.x:
                        self.model.add_bool_or([self.x[task, after].negated(), *earlier])
                        earlier = [*earlier, self.x[task, before]]

    # --- what is sought ---

    def goals(self) -> list[Goal]:
        """The goals, most important first. Source: docs/planner.md#goals."""
        tasks, x = self.puzzle.tasks, self.x
        asked = [(word, literal) for pair, literal in sorted(self.asked.items()) for word in [self.puzzle.ask[pair]]]
        asked += [(tasks[task].asks[lumen], literal) for (task, lumen), literal in sorted(x.items()) if lumen in tasks[task].asks]
        least = 0 if self.optional else self.puzzle.least_lumens(frozenset(self.tasks))
        moves = [task for task in self.tasks if tasks[task].now is not None]
        wishing = [task for task in self.tasks if tasks[task].prefer]
        sought = [
            Goal(ASKED, [(1, literal) for word, literal in asked if word != "unstated"]),
            Goal(VARIABLE, [(1, literal) for word, literal in asked if word == "variable"]),
            Goal(UNSTATED, [(1, literal) for word, literal in asked if word == "unstated"]),
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
        terms = [(-1, self.x[task, lumen]) for task in sorted(tasks) for lumen in wanted[task] if lumen is not None and (task, lumen) in self.x]
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
        guess = None if self.optional else greedy(self.puzzle)
        for (task, lumen), literal in self.x.items() if guess else ():
            self.model.add_hint(literal, guess is not None and guess.get(task) == lumen)
        solver, status = _run(self.model, budget)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return solver
        if status == cp_model.INFEASIBLE:
            return None
        raise Undecided

    def best(self, budget: Budget, goals: Sequence[Goal] | None = None) -> Solution | None:
        """The best placement by the goals in their order; None when there is proven to be none."""
        sought = self.goals() if goals is None else goals
        leading = next((goal for goal in sought if goal.terms), None)
        if leading is None:
            found = self.first(budget)
            return None if found is None else self._solution(found, [Reached(goal=goal.name, value=goal.constant, bound=goal.constant) for goal in sought])
        solver: cp_model.CpSolver | None = None
        reached: list[Reached] = []
        for goal in sought:
            if not goal.terms:
                reached.append(Reached(goal=goal.name, value=goal.constant, bound=goal.constant))
                continue
            if goal.floor > goal.constant + sum(min(weight, 0) for weight, _ in goal.terms):
                self.model.add(goal.expression() >= goal.floor)
            if solver is None:
                guess = None if self.optional else greedy(self.puzzle)
                for (task, lumen), literal in self.x.items() if guess else ():
                    self.model.add_hint(literal, guess is not None and guess.get(task) == lumen)
            value = None if solver is None else solver.value(goal.expression())
            bound = goal.floor
            if value is None or (value > bound and not budget.spent()):
                self.model.minimize(goal.expression())
                better, status = _run(self.model, budget.share(1.0 if solver is None else 0.7), budget)
                if status == cp_model.INFEASIBLE and solver is None:
                    return None
                if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
                    solver = better
                    value = solver.value(goal.expression())
                elif solver is None:
                    raise Undecided
                bound = max(bound, value if status == cp_model.OPTIMAL and value is not None else math.ceil(better.best_objective_bound - 1e-6))
                self._hint(solver)
            assert value is not None and solver is not None
            reached.append(Reached(goal=goal.name, value=int(value), bound=min(int(bound), int(value))))
            self.model.add(goal.expression() <= int(value))
        assert solver is not None
        return self._solution(solver, reached)

    def _hint(self, solver: cp_model.CpSolver) -> None:
        self.model.clear_hints()
        for literal in (*self.x.values(), *self.placed.values(), *self.used.values(), *self.asked.values(), *self.apart.values(), *(start for starts in self.start.values() for start in starts)):
            self.model.add_hint(literal, solver.value(literal))

    def _solution(self, solver: cp_model.CpSolver, reached: Sequence[Reached]) -> Solution:
        return Solution(
            lumen={task: lumen for (task, lumen), literal in self.x.items() if solver.boolean_value(literal)},
            starts={task: tuple(int(solver.value(start)) for start in starts) for task, starts in self.start.items()},
            together=frozenset(pair for pair, literal in self.asked.items() if solver.boolean_value(literal)),
            reached=tuple(reached),
        )


def _span(starts: Sequence[Pair]) -> Pair:
    return min(low for low, _ in starts), max(high for _, high in starts)


def _run(model: cp_model.CpModel, budget: Budget, account: Budget | None = None) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
    """One run of the solver within a budget; the work it took is taken off `account`."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = max(budget.work, 1e-3)
    solver.parameters.max_time_in_seconds = max(budget.left(), 0.01)
    status = solver.solve(model)
    (account or budget).work -= solver.response_proto.deterministic_time
    return solver, status
