"""Doses and flushes of one day, lumen by lumen, from where things are and when they start.

A lumen is read as a nurse would: what has run since the last flush still stands in it; when something comes that
must not meet it, a flush comes first, at the end of what it washes out. The day repeats, so it is read twice and the second reading counts.
Source: docs/planner.md#flushes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby

from checker import rules, wording
from checker.check import Checker
from checker.model import UNSTATED, Cite, Infusion, Status
from checker.plan_judge import Judged, own_flushes
from checker.plan_model import DAY, STEP, Bond, Dose, Flush
from checker.plan_puzzle import Pair
from knowledge import Knowledge
from knowledge.terms import Mode


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """One dose on a lumen, in minutes."""

    start: int
    end: int
    wish: int


def doses(judged: Judged, task: int, starts: Sequence[int]) -> tuple[Dose, ...]:
    """The doses of one task within the day. starts: of its series, in grid steps."""
    found = set()
    for series, start in zip(judged.puzzle.tasks[task].series, starts, strict=True):
        for offset in series.offsets:
            first = (start + offset) % series.period
            found |= {Dose(start=step * STEP, end=(step + series.length) * STEP) for step in range(first, DAY // STEP, series.period)}
    return tuple(sorted(found, key=lambda dose: (dose.start, dose.end)))


def flushes(
    judged: Judged, checker: Checker, where: dict[int, int], when: dict[int, tuple[Dose, ...]], mixed: Collection[Pair]
) -> tuple[Flush, ...]:
    """Every flush of the day. where: wish -> lumen. when: doses of the intermittent wishes. mixed: pairs (a < b) that a pharmacist is asked to let run together."""
    found: list[Flush] = []
    for lumen in sorted(set(where.values())):
        there = sorted(wish for wish, place in where.items() if place == lumen)
        found += _Lumen(judged, checker, lumen, there, when, mixed).flushes()
    found.sort(key=lambda flush: (flush.lumen, flush.start, flush.end, flush.code, flush.between))
    return tuple(_as_one(list(same)) for _, same in groupby(found, key=lambda flush: (flush.lumen, flush.start, flush.end)))


def _as_one(same: Sequence[Flush]) -> Flush:
    """Flushes of one lumen at one time are one flush, with a fluid that suits all who name one."""
    first = same[0]
    if len(same) == 1:
        return first
    named = [set(flush.fluids) for flush in same if flush.fluids]
    fluids = [fluid for fluid in dict.fromkeys(fluid for flush in same for fluid in flush.fluids) if all(fluid in some for some in named)]
    return replace(
        first,
        fluids=tuple(fluids),
        text=" ".join(dict.fromkeys(flush.text for flush in same)),
        sources=tuple(dict.fromkeys(cite for flush in same for cite in flush.sources)),
        passes=tuple(sorted({wish for flush in same for wish in flush.passes})),
    )


class _Lumen:
    """One lumen over the day."""

    def __init__(
        self, judged: Judged, checker: Checker, lumen: int, there: Sequence[int], when: dict[int, tuple[Dose, ...]], mixed: Collection[Pair]
    ) -> None:
        self.judged, self.checker, self.knowledge, self.lumen, self.mixed = judged, checker, checker.knowledge, lumen, mixed
        self.minutes = judged.question.flush
        self.steady = [wish for wish in there if wish not in when]
        self.runs = sorted(Run(dose.start, dose.end, wish) for wish in there if wish in when for dose in when[wish])

    def flushes(self) -> Iterator[Flush]:
        yield from self._between()
        yield from self._own()

    def _between(self) -> Iterator[Flush]:
        """A flush before each dose that must not meet what still stands in the lumen: right after the last of what it washes out."""
        standing: list[Run] = []
        for day in (-1, 0):
            for run in self.runs:
                now = Run(run.start + day * DAY, run.end + day * DAY, run.wish)
                over = [other for other in standing if other.end <= now.start]
                against = sorted({other.wish for other in over if self._keep_apart(other.wish, now.wish)})
                if against:
                    begins = max(other.end for other in over if other.wish in against)
                    if day == 0:
                        yield self._flush(begins, now.wish, against)
                    standing = [other for other in standing if other.end > begins]
                standing.append(now)

    def _keep_apart(self, a: int, b: int) -> bool:
        pair = (min(a, b), max(a, b))
        return a != b and pair not in self.mixed and self.judged.bonds[pair].together is not Bond.SAFE

    def _flush(self, begins: int, coming: int, against: Sequence[int]) -> Flush:
        infusions = self.judged.infusions
        drugs = [infusions[wish].drug for wish in (*against, coming)]
        named = [rules.flush_fluids(self.knowledge, one, other) for one, other in combinations(drugs, 2)]
        fluids = [
            fluid
            for fluid in sorted({fluid for some, _ in named for fluid in some})
            if all(self._bears(infusions[wish], fluid) for wish in (*against, coming))
        ]
        cited = tuple(dict.fromkeys(cite for _, told in named for cite in rules.cites(told)))
        names = " and ".join(wording.name(self.knowledge, drug) for drug in drugs[:-1])
        text = f"Flush {_with(self.knowledge, fluids)} after {names}, before {wording.name(self.knowledge, drugs[-1])}."
        return self._make(begins, begins + self.minutes, "between", (*against, coming), fluids, text, cited)

    def _bears(self, infusion: Infusion, fluid: str) -> bool:
        """Whether nothing known speaks against a flush with a fluid."""
        if fluid in (infusion.drug, infusion.conditions.vehicle):
            return True
        judged = self.checker.judge(Mode.Y_SITE, infusion.drug, fluid, infusion.conditions, UNSTATED)
        return judged.status not in (Status.INCOMPATIBLE, Status.VARIABLE)

    def _own(self) -> Iterator[Flush]:
        """Flushes that a label asks for at each dose, or that follow a push."""
        for run in self.runs:
            drug = self.judged.infusions[run.wish].drug
            told = own_flushes(self.knowledge, drug)
            if self.judged.question.wishes[run.wish].bolus and not any(rule.unit in ("after", "both") for rule in told):
                yield self._make(
                    run.end,
                    run.end + self.minutes,
                    "bolus",
                    (run.wish,),
                    (),
                    f"Flush after the push of {wording.name(self.knowledge, drug)}.",
                    (),
                )
            for unit, start in (("before", run.start - self.minutes), ("after", run.end)):
                asked = [rule for rule in told if rule.unit in (unit, "both")]
                if asked:
                    fluids = [
                        fluid for fluid in dict.fromkeys(value for rule in asked for value in rule.values) if fluid in self.knowledge.drugs
                    ]
                    text = f"The label asks for a flush {_with(self.knowledge, fluids)} {unit} {wording.name(self.knowledge, drug)}."
                    yield self._make(start, start + self.minutes, "label", (run.wish,), fluids, text, rules.cites(asked))

    def _make(
        self, start: int, end: int, code: str, between: Sequence[int], fluids: Sequence[str], text: str, cited: tuple[Cite, ...]
    ) -> Flush:
        running = [other.wish for day in (-DAY, 0, DAY) for other in self.runs if other.start + day < end and start < other.end + day]
        passes = tuple(sorted({*self.steady, *running} - set(between[-1:])))
        start, end = start % DAY, start % DAY + end - start
        if passes:
            text += f" It passes while {' and '.join(wording.name(self.knowledge, self.judged.infusions[wish].drug) for wish in passes)} runs there: mind the bolus."
        return Flush(
            lumen=self.lumen,
            start=start,
            end=end,
            code=code,
            between=tuple(between),
            passes=passes,
            fluids=tuple(fluids),
            text=text,
            sources=cited,
        )


def _with(knowledge: Knowledge, fluids: Sequence[str]) -> str:
    return (
        f"with {' or '.join(wording.vehicle(knowledge, fluid) for fluid in fluids)}"
        if fluids
        else "with a fluid that both labels permit (no label read names one)"
    )
