"""Random puzzles for the solver, and a referee that solves small ones by trying everything."""

from __future__ import annotations

from itertools import combinations, product

from hypothesis import strategies as st

from checker.plan_puzzle import NO_DATA_PAIR, UNSTATED_PAIR, WARNED_PAIR, Pair, Puzzle, Series, Task
from checker.plan_solve import Solution

WORDS = (WARNED_PAIR, NO_DATA_PAIR, UNSTATED_PAIR)


@st.composite
def puzzles(draw: st.DrawFn, *, most: int = 6, lumens: int = 3, timed: bool = False) -> Puzzle:
    """Tasks with any pairs, lumens and wishes; with `timed`, some of them are doses on a day of 48 steps."""
    number, places = draw(st.integers(1, most)), draw(st.integers(1, lumens))
    many = number * (number - 1) // 2
    bonds = draw(st.lists(st.sampled_from(["free", "free", "never", "apart", *WORDS]), min_size=many, max_size=many))
    kinds = dict(zip(combinations(range(number), 2), bonds, strict=True))
    some = st.frozensets(st.integers(0, places - 1))
    tasks = []
    for _ in range(number):
        period, length = draw(st.sampled_from([12, 16, 24, 48])), draw(st.integers(1, 10))
        low = draw(st.integers(0, 40))
        series = Series(((0, period - 1),) if draw(st.booleans()) else ((low, low + draw(st.integers(0, 8))),), (0,), period, length)
        tasks.append(
            Task(
                lumens=draw(st.frozensets(st.integers(0, places - 1), min_size=1)) if draw(st.booleans()) else frozenset(range(places)),
                series=(series,) if timed and draw(st.booleans()) else (),
                now=draw(st.none() | st.integers(0, places - 1)),
                prefer=draw(some),
                advised_against=draw(some),
                asks=draw(st.dictionaries(st.integers(0, places - 1), st.sampled_from(WORDS), max_size=1)),
                quiet=draw(st.booleans()) and draw(st.booleans()),
            )
        )
    return Puzzle(
        tasks=tuple(tasks),
        lumens=places,
        never=frozenset(pair for pair, kind in kinds.items() if kind == "never"),
        apart=frozenset(pair for pair, kind in kinds.items() if kind == "apart"),
        ask={pair: kind for pair, kind in kinds.items() if kind in WORDS},
        flush=draw(st.integers(1, 3)) if timed else 0,
    )


def values(puzzle: Puzzle, where: dict[int, int]) -> tuple[int, ...]:
    """The goals of a placement of tasks that all run the whole time."""
    words = [word for (a, b), word in puzzle.ask.items() if where[a] == where[b]]
    words += [puzzle.tasks[task].asks[lumen] for task, lumen in where.items() if lumen in puzzle.tasks[task].asks]
    moved = [task for task, lumen in where.items() if puzzle.tasks[task].now not in (None, lumen)]
    return (
        sum(puzzle.tasks[task].quiet for task in moved),
        sum(word != UNSTATED_PAIR for word in words),
        sum(word == WARNED_PAIR for word in words),
        sum(word == UNSTATED_PAIR for word in words),
        sum(lumen in puzzle.tasks[task].advised_against for task, lumen in where.items()),
        len(moved),
        len(set(where.values())),
        0,
        sum(bool(puzzle.tasks[task].prefer) and lumen not in puzzle.tasks[task].prefer for task, lumen in where.items()),
    )


def best_by_trying(puzzle: Puzzle) -> tuple[int, ...] | None:
    """The best values over every placement, when no task has times; None when none holds."""
    every = range(len(puzzle.tasks))
    holding = (
        dict(enumerate(lumens))
        for lumens in product(*(sorted(puzzle.tasks[task].lumens) for task in every))
        if not any(lumens[a] == lumens[b] for a, b in puzzle.never | puzzle.apart)
    )
    return min((values(puzzle, where) for where in holding), default=None)


def wrong(puzzle: Puzzle, solution: Solution, day: int = 48) -> list[str]:
    """What a solution breaks, step by step over the day."""
    told = [f"{task} is on {lumen}" for task, lumen in solution.lumen.items() if lumen not in puzzle.tasks[task].lumens]
    for task, starts in solution.starts.items():
        for start, series in zip(starts, puzzle.tasks[task].series, strict=True):
            if not any(low <= start <= high for low, high in series.starts):
                told.append(f"{task} starts at {start}")
    for pair in combinations(sorted(solution.lumen), 2):
        a, b = pair
        if solution.lumen[a] != solution.lumen[b] or (pair not in puzzle.never | puzzle.apart and pair not in puzzle.ask):
            continue
        if pair in puzzle.never:
            told.append(f"{pair} share")
        elif pair not in solution.together:
            if any(
                _steps(puzzle, solution, one, puzzle.flush, day) & _steps(puzzle, solution, two, 0, day) for one, two in (pair, pair[::-1])
            ):
                told.append(f"{pair} meet, or lack a flush")
            if any(puzzle.tasks[task].quiet and task not in pair and lumen == solution.lumen[a] for task, lumen in solution.lumen.items()):
                told.append(f"{pair} need a flush where it must be quiet")
    return told


def _steps(puzzle: Puzzle, solution: Solution, task: int, after: int, day: int) -> set[int]:
    """Steps of the day in which a task runs, and `after` more."""
    if task not in solution.starts:
        return set(range(day))
    return {
        (start + offset + turn * series.period + step) % day
        for start, series in zip(solution.starts[task], puzzle.tasks[task].series, strict=True)
        for offset in series.offsets
        for turn in range(day // series.period)
        for step in range(series.length + after)
    }


def without(puzzle: Puzzle, gone: int) -> Puzzle:
    """The puzzle without one task."""

    def moved(pair: Pair) -> Pair:
        return (pair[0] - (pair[0] > gone), pair[1] - (pair[1] > gone))

    return Puzzle(
        tasks=tuple(task for number, task in enumerate(puzzle.tasks) if number != gone),
        lumens=puzzle.lumens,
        flush=puzzle.flush,
        never=frozenset(moved(pair) for pair in puzzle.never if gone not in pair),
        apart=frozenset(moved(pair) for pair in puzzle.apart if gone not in pair),
        ask={moved(pair): word for pair, word in puzzle.ask.items() if gone not in pair},
    )
