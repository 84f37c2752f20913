"""The planner's puzzle without drugs: tasks, lumens, and which tasks may meet.

A Puzzle is what `plan_judge` makes of drugs and labels, and what `plan_solve` solves. Times are in grid steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from math import gcd

import networkx as nx

Pair = tuple[int, int]
WARNED_PAIR, NO_DATA_PAIR, UNSTATED_PAIR = "warned", "no-data", "unstated"  # why a pair has to be asked about, worst first
MOST_CLIQUES = 400  # cliques looked at; more would cost time and prove nothing that the solver does not prove itself


@dataclass(frozen=True, slots=True)
class Series:
    """Doses that move together: one start, then fixed distances.

    starts: inclusive ranges of the start. offsets: distances of the doses from it. period: after how many steps each
    dose comes again. length: steps that a dose runs.
    """

    starts: tuple[Pair, ...]
    offsets: tuple[int, ...]
    period: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One infusion. lumens: those it may use. series: empty = continuous.

    asks, advised_against: lumens on which it meets something not known to be safe, or breaks a label's advice.
    quiet: no flush may pass through its lumen. weight: (must not be interrupted, runs already), for leaving out last.
    """

    lumens: frozenset[int]
    series: tuple[Series, ...] = ()
    now: int | None = None
    prefer: frozenset[int] = frozenset()
    asks: dict[int, str] = field(default_factory=dict)
    advised_against: frozenset[int] = frozenset()
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Puzzle:
    """Tasks, and pairs (a < b) that may not simply meet; a pair in none of the three may.

    never: not on one lumen at all. apart: on one lumen only one after the other with a flush between.
    ask: as apart, or together at a price; the word says why.
    flush: steps.
    """

    tasks: tuple[Task, ...]
    lumens: int
    never: frozenset[Pair] = frozenset()
    apart: frozenset[Pair] = frozenset()
    ask: dict[Pair, str] = field(default_factory=dict)
    flush: int = 0

    @cached_property
    def hard(self) -> frozenset[Pair]:
        """Pairs that can never use one lumen: forbidden outright, or to be kept apart with no time in which to do so."""
        return self.never | frozenset(pair for pair in self.apart if not self.separable(pair))

    def separable(self, pair: Pair) -> bool:
        """Whether two can at all run one after the other with a flush between, seen by themselves."""
        a, b = (self.tasks[number] for number in pair)
        if not a.series or not b.series:
            return False
        return all(one.length + other.length + 2 * self.flush <= gcd(one.period, other.period) for one in a.series for other in b.series)

    @cached_property
    def graph(self) -> nx.Graph[int]:
        """Tasks, with an edge between two that can never use one lumen."""
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(range(len(self.tasks)))
        graph.add_edges_from(sorted(self.hard))
        return graph

    @cached_property
    def cliques(self) -> list[tuple[int, ...]]:
        """Maximal sets of tasks no two of which can use one lumen, largest first; not all when there are very many."""
        found = (tuple(sorted(clique)) for clique in islice(nx.find_cliques(self.graph), MOST_CLIQUES))
        return sorted(found, key=lambda clique: (-len(clique), clique))

    def least_lumens(self, tasks: frozenset[int]) -> int:
        """A proven lower bound of the lumens that some tasks need."""
        return max((len(tasks.intersection(clique)) for clique in self.cliques), default=0)

    @cached_property
    def interchangeable(self) -> list[tuple[int, ...]]:
        """Groups of lumens that no task tells apart."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for lumen in range(self.lumens):
            groups.setdefault(tuple(_view(task, lumen) for task in self.tasks), []).append(lumen)
        return [tuple(group) for group in groups.values() if len(group) > 1]

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Tasks in the order in which they are placed: a largest clique first, then those with most enemies."""
        first = self.cliques[0] if self.cliques else ()
        rest = sorted(set(range(len(self.tasks))) - set(first), key=lambda number: (-self.graph.degree(number), number))
        return (*first, *rest)

    def undistinguished(self) -> Puzzle:
        """The same without most wishes: where only they tell lumens apart, these become interchangeable. What must not be interrupted stays where it runs."""
        return replace(
            self,
            tasks=tuple(
                replace(task, now=task.now if task.quiet else None, prefer=frozenset(), advised_against=frozenset()) for task in self.tasks
            ),
        )

    def with_extra(self, extra: int) -> Puzzle:
        """The same with more lumens, on which every task may go and nothing is in the way."""
        new = frozenset(range(self.lumens, self.lumens + extra))
        return replace(self, tasks=tuple(replace(task, lumens=task.lumens | new) for task in self.tasks), lumens=self.lumens + extra)

    def in_order(self, where: dict[int, int]) -> dict[int, int]:
        """A placement with interchangeable lumens named in the order in which tasks come to them, as the solver's model has them."""
        renamed: dict[int, int] = {}
        for group in self.interchangeable:
            met = list(dict.fromkeys(where[task] for task in self.order if where.get(task) in group))
            renamed |= dict(zip([*met, *(lumen for lumen in group if lumen not in met)], group, strict=True))
        return {task: renamed.get(lumen, lumen) for task, lumen in where.items()}


def _view(task: Task, lumen: int) -> tuple[object, ...]:
    return (lumen in task.lumens, task.now == lumen, lumen in task.prefer, task.asks.get(lumen), lumen in task.advised_against)
