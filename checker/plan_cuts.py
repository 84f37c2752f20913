"""Lower bounds of how many pairs must share a lumen at a price: they let the solver prove its first goal.

Take infusions that always run, every two of which are forbidden or have a price, and doses of which each has a price
with every one of them. However they are spread over k lumens, some pairs meet: at best the first are spread evenly,
or unevenly with the doses where fewest are. That number is a bound for the sum over these pairs (the clique inequality
of graph partitioning: Chopra and Rao, Mathematical Programming 1993; the doses are our addition).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice

import networkx as nx

from checker.plan_puzzle import MOST_CLIQUES, UNSTATED_PAIR, Pair, Puzzle

MOST_CUTS_FROM = 40  # cliques from which bounds are made, largest first


@dataclass(frozen=True, slots=True)
class Cut:
    """At least `floor` of these pairs meet."""

    pairs: tuple[Pair, ...]
    floor: int


def cuts(puzzle: Puzzle, tasks: frozenset[int]) -> list[Cut]:
    """Bounds on the pairs to decide, when all of `tasks` are placed."""
    lumens = len({lumen for task in tasks for lumen in puzzle.tasks[task].lumens})
    graph = _priced(puzzle, tasks)
    always = sorted(task for task in tasks if not puzzle.tasks[task].series)
    found = (tuple(sorted(clique)) for clique in islice(nx.find_cliques(graph.subgraph(always)), MOST_CLIQUES))
    cliques = sorted(found, key=lambda clique: (-len(clique), clique))[:MOST_CUTS_FROM]
    groups = dict.fromkeys(group for clique in cliques for group in _groups(graph, clique, sorted(tasks.difference(always))))
    told = []
    for core, doses in groups:
        floor = least_meetings(len(core), len(doses), lumens)
        if floor > (least_meetings(len(core), 0, lumens) if doses else 0):
            crossing = ((min(a, b), max(a, b)) for a in core for b in doses)
            told.append(Cut((*combinations(core, 2), *crossing), floor))
    return told


def _priced(puzzle: Puzzle, tasks: frozenset[int]) -> nx.Graph[int]:
    """Pairs that, on one lumen, are forbidden or count as a pair to decide, whatever the times."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(sorted(tasks))
    asked = {pair for pair, word in puzzle.ask.items() if word != UNSTATED_PAIR and not puzzle.separable(pair)}
    graph.add_edges_from(sorted(pair for pair in asked | puzzle.hard if tasks.issuperset(pair)))
    return graph


def _groups(graph: nx.Graph[int], clique: tuple[int, ...], doses: list[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """A clique by itself, with each dose, and with ever more doses; what a dose may meet freely is left out of the clique."""
    yield clique, ()
    left, taken = set(clique), []
    for dose in sorted(doses, key=lambda dose: (-len(set(clique).intersection(graph[dose])), dose)):
        near = set(graph[dose])
        yield tuple(sorted(near.intersection(clique))), (dose,)
        left &= near
        taken.append(dose)
        yield tuple(sorted(left)), tuple(taken)


@lru_cache(maxsize=4096)
def least_meetings(core: int, doses: int, lumens: int) -> int:
    """Fewest meetings of `core` that all have a price with each other, and of doses that have one with each of them."""
    if lumens == 0:
        return 0
    return min(sum(size * (size - 1) // 2 for size in sizes) + doses * sizes[-1] for sizes in _spreads(core, lumens, core))


def _spreads(total: int, lumens: int, most: int) -> Iterator[tuple[int, ...]]:
    """Ways to spread `total` over so many lumens, fullest first."""
    if lumens == 1:
        if total <= most:
            yield (total,)
        return
    for first in range(min(total, most), -(-total // lumens) - 1, -1):
        for rest in _spreads(total - first, lumens - 1, first):
            yield (first, *rest)
