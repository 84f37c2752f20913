"""A quick first placement, as a hint to the solver. It proves nothing and decides nothing: it only saves time.

Without pairs to decide it is a colouring by saturation. With them, a placement that is improved move by move until
no move helps, from a few starts; times are left to the solver.
"""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx

from checker.plan_puzzle import UNSTATED_PAIR, WARNED_PAIR, Puzzle

STARTS = 12
FORBIDDEN, VITAL, ASKED, WARNED, UNSTATED, MOVED = (
    10**9,
    10**7,
    10**5,
    10**3,
    10,
    1,
)  # weights: each outweighs all after it on questions of this size


def guess(puzzle: Puzzle) -> dict[int, int] | None:
    """A lumen for every task; None when no quick placement was found that forbids nothing."""
    if not puzzle.ask:
        colours = nx.greedy_color(puzzle.graph, strategy="saturation_largest_first")
        return None if any(colour >= puzzle.lumens for colour in colours.values()) else puzzle.in_order(colours)
    if any(not task.lumens for task in puzzle.tasks):
        return None
    price = _prices(puzzle)
    found = []
    for start in range(min(STARTS, len(puzzle.order))):
        where = _improved(puzzle, price, puzzle.order[start:] + puzzle.order[:start])
        found.append((_cost(puzzle, price, where), sorted(where.items())))
    cost, best = min(found)
    return puzzle.in_order(dict(best)) if cost < FORBIDDEN else None


def _prices(puzzle: Puzzle) -> dict[int, dict[int, int]]:
    """task -> task -> what it costs that they share a lumen, where times cannot keep them apart."""
    price: dict[int, dict[int, int]] = {task: {} for task in range(len(puzzle.tasks))}
    for (a, b), word in puzzle.ask.items():
        if not puzzle.separable((a, b)):
            price[a][b] = price[b][a] = UNSTATED if word == UNSTATED_PAIR else ASKED + (WARNED if word == WARNED_PAIR else 0)
    for a, b in puzzle.hard:
        price[a][b] = price[b][a] = FORBIDDEN
    return price


def _own(puzzle: Puzzle, task: int, lumen: int) -> int:
    """What it costs that a task is on a lumen, whoever else is there."""
    asked = puzzle.tasks[task]
    cost = {None: 0, UNSTATED_PAIR: UNSTATED}.get(asked.asks.get(lumen), ASKED)
    return cost + ((VITAL if asked.quiet else MOVED) if asked.now not in (None, lumen) else 0)


def _improved(puzzle: Puzzle, price: dict[int, dict[int, int]], order: Sequence[int]) -> dict[int, int]:
    """Each task in turn to where it costs least, again and again until none moves."""
    where: dict[int, int] = {}
    for _ in range(len(order)):
        before = dict(where)
        for task in order:
            costs = {lumen: _own(puzzle, task, lumen) for lumen in sorted(puzzle.tasks[task].lumens)}
            for other, cost in price[task].items():
                if where.get(other) in costs:
                    costs[where[other]] += cost
            where[task] = min(costs, key=lambda lumen: (costs[lumen], lumen != where.get(task), lumen))  # noqa: B023 - used at once
        if where == before:
            break
    return where


def _cost(puzzle: Puzzle, price: dict[int, dict[int, int]], where: dict[int, int]) -> int:
    pairs = sum(cost for task, others in price.items() for other, cost in others.items() if task < other and where[task] == where[other])
    return pairs + sum(_own(puzzle, task, lumen) for task, lumen in where.items())
