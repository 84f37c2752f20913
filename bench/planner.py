"""The line planner against exact colouring, against greedy colouring, and on a full day.

Graphs: random incompatibility graphs with n = 6 to 15 drugs, each pair incompatible with probability 0.2, 0.4 or
0.6, from a fixed seed. Every drug runs all the time, so the fewest lumens are the graph's chromatic number, which a
separate branch and bound finds without the solver. NetworkX's greedy strategies colour the same graphs.
Day: 20 infusions of the shipped knowledge on 4 lumens over 24 hours, 8 of them intermittent, within 5 s.
Exit status: 0, or 1 when a plan needs more lumens than the optimum, breaks its graph, or a day is without proof or gap.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx

from bench.sheet import Bound, Sheet, begin
from checker import Checker, Names
from checker.plan import plan
from checker.plan_budget import Budget
from checker.plan_puzzle import Pair, Puzzle, Task
from checker.plan_solve import solve
from knowledge import load

SEED = 20_260_105
SIZES = range(6, 16)
DENSITIES = (0.2, 0.4, 0.6)
DAYS = Path(__file__).parent / "planner_days.json"
SECONDS = 5.0
ABOVE = Bound(what="plans above the optimum", limit=0)
MEDIAN = Bound(what=f"median at n = {SIZES[-1]}", limit=50, unit="ms")
DAY = Bound(what="days without proof or gap in 5 s", limit=0)
STRATEGIES: dict[str, Any] = {
    name: name
    for name in (
        "largest_first",
        "smallest_last",
        "independent_set",
        "connected_sequential_bfs",
        "connected_sequential_dfs",
        "saturation_largest_first",
    )
} | {"random_sequential": partial(nx.coloring.strategy_random_sequential, seed=SEED)}


def graphs(number: int) -> Iterator[tuple[int, frozenset[Pair]]]:
    """So many graphs, spread evenly over sizes and densities."""
    chance = random.Random(SEED)
    kinds = [(size, density) for size in SIZES for density in DENSITIES]
    for place in range(number):
        size, density = kinds[place % len(kinds)]
        yield size, frozenset((a, b) for a in range(size) for b in range(a + 1, size) if chance.random() < density)


def chromatic(size: int, edges: frozenset[Pair]) -> int:
    """The chromatic number by branch and bound: one drug after the other on every colour in use and on one new one."""
    near = [{b if a == drug else a for a, b in edges if drug in (a, b)} for drug in range(size)]
    order = sorted(range(size), key=lambda drug: -len(near[drug]))
    best = size
    colours: dict[int, int] = {}

    def place(number: int, used: int) -> None:
        nonlocal best
        if used >= best:
            return
        if number == size:
            best = used
            return
        drug = order[number]
        taken = {colours[other] for other in near[drug] if other in colours}
        for colour in range(min(used + 1, best - 1)):
            if colour not in taken:
                colours[drug] = colour
                place(number + 1, max(used, colour + 1))
                del colours[drug]

    place(0, 0)
    return best


def greedy(size: int, edges: frozenset[Pair], strategy: str | Callable[..., Any]) -> int:
    """Colours that a strategy of NetworkX needs."""
    graph = nx.Graph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from(sorted(edges))
    return len(set(nx.greedy_color(graph, strategy=strategy).values()))


def planned(size: int, edges: frozenset[Pair]) -> tuple[int, float, bool, bool]:
    """Lumens that the planner needs, milliseconds, whether it proves them, and whether the plan keeps its graph."""
    began = time.perf_counter()
    every = frozenset(range(size))
    solution = solve(Puzzle(tasks=tuple(Task(lumens=every) for _ in range(size)), lumens=size, never=edges), Budget.of(SECONDS))
    took = (time.perf_counter() - began) * 1000
    assert solution is not None
    keeps = len(solution.lumen) == size and all(solution.lumen[a] != solution.lumen[b] for a, b in edges)
    return len(set(solution.lumen.values())), took, solution.proven, keeps


def colouring(sheet: Sheet, number: int) -> tuple[int, float]:
    """All graphs: plans above the optimum (or broken), and the median milliseconds at the largest size."""
    above, unproven, times, worse = 0, 0, [], dict.fromkeys(STRATEGIES, 0)
    largest: list[float] = []
    for size, edges in graphs(number):
        least = chromatic(size, edges)
        lumens, took, proven, keeps = planned(size, edges)
        above += lumens != least or not keeps
        unproven += not proven
        times.append(took)
        if size == SIZES[-1]:
            largest.append(took)
        for name, strategy in STRATEGIES.items():
            worse[name] += greedy(size, edges, strategy) > least
    sheet.say(f"{number} graphs, n = {SIZES[0]}..{SIZES[-1]}, density {DENSITIES}, seed {SEED}")
    sheet.say(f"planner: {unproven} without proof, median {statistics.median(times):.1f} ms, slowest {max(times):.1f} ms")
    sheet.table(
        ("more lumens than the optimum", "graphs", "share"),
        [
            ("planner", above, f"{above / number:.1%}"),
            *((f"networkx {name}", lost, f"{lost / number:.1%}") for name, lost in worse.items()),
        ],
    )
    return above, statistics.median(largest) if largest else float("nan")


def days(sheet: Sheet) -> int:
    """The days of the data file on the shipped knowledge; how many have neither proof nor gap, or take too long."""
    knowledge = load()
    checker, names = Checker(knowledge), Names(knowledge)
    failed = 0
    for day in json.loads(DAYS.read_text(encoding="utf-8")):
        began = time.perf_counter()
        answer = plan(day["ask"], checker, names, SECONDS)
        took = time.perf_counter() - began
        wishes = answer.question.wishes
        open_goals = [f"{goal.name} {goal.value} (at least {goal.bound})" for goal in answer.goals if not goal.proven]
        told = f"gap at {', '.join(open_goals)}" if open_goals else "all goals proven"
        sheet.say(
            f"day, {day['title']}: {len(wishes)} infusions, {sum(wish.schedule is not None for wish in wishes)} intermittent, {len(answer.question.lumens)} lumens: "
            f"{answer.status} in {took:.2f} s, {told}"
        )
        failed += answer.status not in ("optimal", "best-found", "no-plan") or took > SECONDS + 1
    return failed


def main() -> int:
    """Run both parts."""
    options, sheet = begin("planner", __doc__, _graphs)
    number = min(options.graphs, 300) if options.quick else options.graphs
    planned(4, frozenset({(0, 1)}))  # the first run loads the solver
    failed = days(sheet)
    above, median = colouring(sheet, number)
    sheet.hold(ABOVE, above)
    sheet.hold(MEDIAN, median)
    sheet.hold(DAY, failed)
    return sheet.finish()


def _graphs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--graphs", type=_positive, default=4500, metavar="N", help="number of random graphs (default 4500)")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
