"""When not all fits: the smallest set of infusions that cannot be put on the lumens, and how many lumens would do.

The smallest set is found by the duality of conflicts and corrections: every set that does not fit must contain, for
each way of making everything fit by leaving some out, at least one of those left out. So the smallest set that hits
all corrections found so far is a lower bound; when it does not fit, it is the answer, and when it does, the best way
to add the others gives a new correction (Ignatiev, Previti, Liffiton, Marques-Silva, CP 2015).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ortools.sat.python import cp_model

from checker.plan_budget import Budget, Undecided, run
from checker.plan_puzzle import Puzzle
from checker.plan_solve import LEFT_OUT, LUMENS, Goal, Model


@dataclass(frozen=True, slots=True)
class Conflict:
    """Tasks that do not fit together, while all but any one of them do. smallest: no smaller set exists."""

    tasks: tuple[int, ...]
    smallest: bool


@dataclass(frozen=True, slots=True)
class Fewest:
    """Fewest lumens that hold all tasks. extra: of them beyond those that are there. proven: fewer do not."""

    lumens: int
    extra: int
    proven: bool


def fits(puzzle: Puzzle, tasks: Iterable[int], budget: Budget) -> bool:
    """Whether some tasks can be put on the lumens. Raises Undecided."""
    some = sorted(set(tasks))
    if any(not puzzle.tasks[task].lumens for task in some):
        return False
    return Model(puzzle, some).first(budget) is not None


def conflict(puzzle: Puzzle, budget: Budget) -> Conflict | None:
    """The smallest set of tasks that does not fit, for a puzzle that does not; None when the budget ends before any is known."""
    alone = [task for task in puzzle.order if not puzzle.tasks[task].lumens]
    if alone:
        return Conflict((min(alone),), True)
    corrections: list[frozenset[int]] = []
    try:
        while True:
            chosen = _hit(len(puzzle.tasks), corrections, budget)
            correction = _correction(puzzle, chosen, budget)
            if correction is None:
                return Conflict(tuple(sorted(chosen)), True)
            corrections.append(correction)
    except Undecided:
        return _some_conflict(puzzle, Budget.of(max(budget.left(), 1.0)))


def _correction(puzzle: Puzzle, kept: frozenset[int], budget: Budget) -> frozenset[int] | None:
    """A smallest set to leave out so that all others fit with `kept`; None when `kept` does not fit by itself."""
    model = Model(puzzle, optional=True)
    for task in sorted(kept):
        model.model.add(model.placed[task] == 1)
    goals = [replace(goal, floor=1) for goal in model.goals() if goal.name == LEFT_OUT]
    found = model.best(budget, goals)
    return None if found is None else frozenset(range(len(puzzle.tasks))) - frozenset(found.lumen)


def _hit(tasks: int, corrections: list[frozenset[int]], budget: Budget) -> frozenset[int]:
    """A smallest set of tasks with one of each correction. Raises Undecided."""
    if not corrections:
        return frozenset()
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in range(tasks)]
    for correction in corrections:
        model.add_bool_or([chosen[task] for task in sorted(correction)])
    model.minimize(cp_model.LinearExpr.sum(chosen))
    solver, status = run(model, budget)
    if status != cp_model.OPTIMAL:
        raise Undecided
    return frozenset(task for task, literal in enumerate(chosen) if solver.boolean_value(literal))


def _some_conflict(puzzle: Puzzle, budget: Budget) -> Conflict | None:
    """A set that does not fit and from which none can be spared, perhaps not the smallest: each is left out in turn for good where the rest still does not fit."""
    kept = list(range(len(puzzle.tasks)))
    try:
        if fits(puzzle, kept, budget):
            return None
        for task in reversed(puzzle.order):
            fewer = [other for other in kept if other != task]
            if not fits(puzzle, fewer, budget):
                kept = fewer
    except Undecided:
        return None
    return Conflict(tuple(sorted(kept)), False)


def fewest(puzzle: Puzzle, extra: int, budget: Budget) -> Fewest | None:
    """Fewest lumens that hold all tasks: those that are there, and as few as possible of `extra` more, on which any may go.

    None when the budget ends before any number is known.
    """
    wider = puzzle.with_extra(extra) if extra else puzzle
    model = Model(wider)
    new = [(1, model.used[lumen]) for lumen in range(puzzle.lumens, wider.lumens) if lumen in model.used]
    goals = [Goal("extra-lumens", new)] if new else []
    goals += [goal for goal in model.goals() if goal.name == LUMENS]
    try:
        found = model.best(budget, goals)
    except Undecided:
        return None
    if found is None:
        return None
    used = set(found.lumen.values())
    return Fewest(len(used), sum(lumen >= puzzle.lumens for lumen in used), found.proven)
