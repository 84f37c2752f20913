"""Growth: what a pair costs when the knowledge is 10 and 100 times larger.

Measured: Checker.check over the same questions of real drugs, at each size in turns, divided by the number of pairs;
`first` with an empty memory of judgements in every round, `warm` with the same questions asked just before. Baseline:
the knowledge as it is. The larger ones hold renamed copies of all drugs, classes, groups, rules, rows and interactions.
In every second copy all rows and statements tie its drugs to the real ones, so that those have more partners as well.
Each size lives in a process of its own. The NetworkX graph, which no question touches, has no edges, to spare memory.
`anywhere` asks the same of the real drugs and their untied copies in turns: what memory that is further apart costs.
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from bench.questions import Asker
from bench.sheet import Bound, begin
from checker import Checker
from checker.ask import order
from checker.model import Order
from checker.names import Names
from knowledge import load
from knowledge.link import Knowledge, _Linker
from knowledge.model import Drug, Interaction, Records, Row, Rule

TIMES = (1, 10, 100)
FLAT = 1.2  # "flat within 20 %"
DRUGS, QUESTIONS = 20, 20
KINDS = ("conditions", "studied")
MEASURES = ("first", "warm", "anywhere first", "anywhere warm")


def enlarge(records: Records, times: int) -> Records:
    """The records and `times` - 1 renamed copies of them."""
    copies = {f"x{number}-": number % 2 == 1 for number in range(1, times)}
    return replace(
        records,
        drugs=(*records.drugs, *(_drug(drug, copy) for copy in copies for drug in records.drugs)),
        classes=(*records.classes, *(replace(cls, id=copy + cls.id) for copy in copies for cls in records.classes)),
        groups=(
            *records.groups,
            *(
                replace(
                    group,
                    id=copy + group.id,
                    contains=_all(copy, group.contains),
                    members=_all(copy, group.members),
                    carriers=_all(copy, group.carriers),
                )
                for copy in copies
                for group in records.groups
            ),
        ),
        substances=(
            *records.substances,
            *(replace(item, id=copy + item.id, yields=_all(copy, item.yields)) for copy in copies for item in records.substances),
        ),
        rows=(*records.rows, *(_row(row, copy, tied=tied) for copy, tied in copies.items() for row in records.rows)),
        interactions=(
            *records.interactions,
            *(_statement(item, copy, tied=tied) for copy, tied in copies.items() for item in records.interactions),
        ),
    )


def _all(copy: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_end(copy, name) for name in names)


def _end(copy: str, name: str) -> str:
    """A drug, `class:` or `group:` id as the copy bears it."""
    kind, colon, rest = name.rpartition(":")
    return f"{kind}{colon}{copy}{rest}" if name else ""


def _drug(drug: Drug, copy: str) -> Drug:
    return replace(
        drug,
        id=copy + drug.id,
        name=copy + drug.name,
        ingredient=_end(copy, drug.ingredient),
        parent=_end(copy, drug.parent),
        codes={},
        aliases=(),
        tall_man=(),
        vehicle_code="",
        classes=tuple(replace(item, cls=copy + item.cls) for item in drug.classes),
        components=tuple(replace(item, drug=copy + item.drug if item.drug else None, name=copy + item.name) for item in drug.components),
        composition=tuple(replace(item, component=copy + item.component) for item in drug.composition),
        rules=tuple(_rule(rule, copy) for rule in drug.rules),
    )


def _rule(rule: Rule, copy: str) -> Rule:
    return replace(rule, drug=copy + rule.drug)


def _row(row: Row, copy: str, *, tied: bool) -> Row:
    """A copied row; a tied one keeps its first drug, so that it speaks of a real drug and a copy."""
    a = row.a if tied and not row.a.drug.startswith("group:") else replace(row.a, drug=_end(copy, row.a.drug))
    b = replace(row.b, drug=_end(copy, row.b.drug))
    if b.drug < a.drug:
        a, b = b, a
    return replace(row, id=copy + row.id, a=a, b=b)


def _statement(item: Interaction, copy: str, *, tied: bool) -> Interaction:
    names = {end: end if tied and end == item.a and item.a != item.b else _end(copy, end) for end in (item.a, item.b)}
    when = replace(item.when, routes=tuple((names.get(drug, drug), route) for drug, route in item.when.routes)) if item.when else None
    return replace(
        item,
        id=copy + item.id,
        a=names[item.a],
        b=names[item.b],
        object=names.get(item.object, ""),
        precipitant=names.get(item.precipitant, ""),
        first=names.get(item.first, ""),
        when=when,
    )


class _Edgeless(_Linker):
    """Links everything but the graph that people explore."""

    def link(self) -> Knowledge:
        self.graph.add_edge = lambda *_, **__: None  # type: ignore[method-assign, assignment]
        return super().link()


class _Side:
    """One size, in its own process: answers each message with the cost of a pair in µs."""

    def __init__(self, times: int) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, times), daemon=True)
        self.process.start()
        theirs.close()
        self.about: dict[str, Any] = self.pipe.recv()

    def ask(self, kind: str) -> dict[str, float]:
        """One round of the questions of a kind."""
        self.pipe.send(kind)
        return dict(self.pipe.recv())

    def close(self) -> None:
        """Let it end."""
        self.pipe.send(None)
        self.process.join(20)


def _serve(pipe: Connection, times: int) -> None:
    base = load()
    asker = Asker(base)
    names = Names(base)
    same = {kind: [order(question, names) for question in asker.ask(kind, DRUGS, QUESTIONS)] for kind in KINDS}
    anywhere = {
        kind: [_moved(order(question, names), number, times) for number, question in enumerate(asker.ask(kind, DRUGS, QUESTIONS))]
        for kind in KINDS
    }
    knowledge = _Edgeless(enlarge(base.records, times), base.digest).link()
    del base, names
    gc.collect()
    gc.freeze()  # as gunicorn.conf.py does for the service
    pipe.send(
        {
            "drugs": len(knowledge.drugs),
            "rows": len(knowledge.records.rows),
            "rules": sum(len(drug.rules) for drug in knowledge.drugs.values()),
            "evidence": len(knowledge.evidence),
            "interacting": len(knowledge.interactions),
            "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        }
    )
    while (kind := pipe.recv()) is not None:
        pipe.send(dict(zip(MEASURES, [*_round(knowledge, same[kind]), *_round(knowledge, anywhere[kind])], strict=True)))


def _moved(asked: Order, number: int, times: int) -> Order:
    """The same question about the drugs of one untied copy, another one for each number; its vehicles stay."""
    untied = range(0, times, 2)
    copy = untied[number * 7 % len(untied)]
    return replace(asked, infusions=tuple(replace(item, drug=f"x{copy}-{item.drug}") for item in asked.infusions)) if copy else asked


def _round(knowledge: Knowledge, orders: list[Order]) -> Iterator[float]:
    """µs of processor time for a pair: first with an empty memory, then again."""
    checker = Checker(knowledge)
    pairs = len(orders) * DRUGS * (DRUGS - 1) / 2
    for _ in range(2):
        began = time.process_time()
        for asked in orders:
            checker.check(asked)
        yield (time.process_time() - began) / pairs * 1e6


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("growth", __doc__)
    sizes = (1, 3, 10) if options.quick else TIMES
    rounds = 7 if options.quick else 21
    sides = {times: _Side(times) for times in sizes}
    sheet.table(
        ["times", "drugs", "rows", "rules", "pairs with evidence", "interacting pairs", "peak GiB"],
        [
            [times, *(side.about[key] for key in ("drugs", "rows", "rules", "evidence", "interacting", "gib"))]
            for times, side in sides.items()
        ],
    )
    sheet.say(
        f"{QUESTIONS} questions of {DRUGS} drugs of each kind, {rounds} rounds, the sizes in turns; medians in µs of processor time for a pair"
    )
    rows: list[list[object]] = []
    worst = dict.fromkeys(("first", "warm"), 0.0)
    for kind in KINDS:
        costs: dict[tuple[int, str], list[float]] = {(times, measure): [] for times in sizes for measure in MEASURES}
        for number in range(rounds + 1):
            for times in sizes[number % 3 :] + sizes[: number % 3]:
                for measure, cost in sides[times].ask(kind).items():
                    if number:
                        costs[times, measure].append(cost)
        for measure in MEASURES:
            medians = [statistics.median(costs[times, measure]) for times in sizes]
            ratios = [median / medians[0] for median in medians[1:]]
            rows.append([kind, measure, *medians, *ratios])
            if measure in worst:
                worst[measure] = max(worst[measure], *ratios)
    for side in sides.values():
        side.close()
    sheet.table(["kind", "measure", *(f"{times}x" for times in sizes), *(f"{times}x/1x" for times in sizes[1:])], rows)
    for measure, ratio in worst.items():
        sheet.hold(Bound(what=f"cost of a pair, {measure}, the larger knowledge / the real one, worst", limit=FLAT), ratio)
    return sheet.finish()


if __name__ == "__main__":
    sys.exit(main())
