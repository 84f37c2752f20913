"""Many orders at once, on the matrix of all pairs.

`check.py` is the referee: a verdict here is the verdict there, and so is the status of every pair (tests/batch/test_screen.py).
The matrix decides orders whose infusions state nothing but their drug and line, with medicines by mouth beside them. All others
(concentrations, vehicles, times, other routes, an age) go to the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checker.check import Checker
from checker.matrix import APART, NO_LINE, SAME, STATUSES, Bytes, Ints, Matrix, severity
from checker.model import UNSTATED, Infusion, Order, Report, Status, Verdict
from knowledge import Knowledge
from knowledge.terms import Mode

VERDICTS = tuple(Verdict)
COUNTED = tuple(Status)  # the columns of `counts`
_STATUS = {status: rank for rank, status in enumerate(STATUSES)}
_UNKNOWN, _CLEAR = VERDICTS.index(Verdict.UNKNOWN), VERDICTS.index(Verdict.CLEAR)
_BITS = 12  # of each counter that shares a word; the largest order has 60 drugs, 1,770 pairs
_MOST = 1 << 20  # pairs judged in one go; more would only cost memory
_TALLIED = np.array([code & 7 < 3 or code >> 3 & 7 > 0 for code in range(256)])  # a status below compatible, or an interaction
# code -> 1 in the counter of its status; SAME counts in the fifth
_COUNTERS = np.array(
    [1 << _BITS * (code & 7) if code & 7 < 4 else 1 << _BITS * 4 if code & 7 == SAME else 0 for code in range(256)], np.int64
)


@dataclass(frozen=True, slots=True)
class Sets:
    """Orders that the matrix can decide, end to end.

    starts: int64[m + 1], where each begins in `states`. states: int64[k], of Matrix. missing: int64[m], names that were not understood.
    lines: int64[k], one number a lumen, -1 = not told; None = no lumen told anywhere.
    """

    starts: Ints
    states: Ints
    missing: Ints
    lines: Ints | None = None


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How often each pair met, by how it was judged.

    keys: int64[u]: status << 40 | severity << 48 | a << 20 | b with a <= b, drugs by their rank in Matrix.ids.
    counts: int64[u].
    """

    keys: Ints
    counts: Ints


@dataclass(frozen=True, slots=True)
class Screened:
    """Answers in the order of the questions.

    verdicts: uint8[m], ranks of Verdict. counts: int64[m, 4], pairs on one line by Status. repeats: bool[m], a drug twice on one line.
    pairs: those that are not compatible, or interact.
    """

    verdicts: Bytes
    counts: Ints
    repeats: npt.NDArray[np.bool_]
    pairs: PairCounts


class Screen:
    """Screens orders over one knowledge base. Not for several threads: the matrix grows as it is asked."""

    def __init__(self, knowledge: Knowledge, engine: Checker | None = None, *, cache: bool = True) -> None:
        self.knowledge, self.cache = knowledge, cache
        self.engine = engine or Checker(knowledge)
        self._matrices: dict[Mode, Matrix] = {}

    def matrix(self, mode: Mode = Mode.Y_SITE) -> Matrix:
        """The matrix of a mode, made when it is first needed."""
        if mode not in self._matrices:
            self._matrices[mode] = Matrix(self.knowledge, mode, cache=self.cache)
        return self._matrices[mode]

    def matrices(self) -> tuple[Matrix, ...]:
        """Those made so far."""
        return tuple(self._matrices.values())

    def sets(self, sets: Sets, mode: Mode = Mode.Y_SITE) -> Screened:
        """Judge sets of states. A set with a drug twice on one line is judged and marked in `repeats`."""
        matrix = self.matrix(mode)
        sizes = np.diff(sets.starts)
        count = len(sizes)
        used, local = _ranks(sets.states, 2 * len(matrix.ids))
        table = matrix.part(used, 1 if sets.lines is None else 2).ravel()
        own = matrix.alone(used)
        worst = np.full(count, _CLEAR << 6, np.uint8)
        total = np.zeros(count, np.int64)
        met = _Histogram(len(table))
        for size in np.unique(sizes[sizes > 0]).tolist():
            rows = np.flatnonzero(sizes == size)
            first, second = np.triu_indices(size, 1)
            step = max(1, _MOST // max(1, len(first)))
            for some in (rows[start : start + step] for start in range(0, len(rows), step)):
                places = sets.starts[some] + np.arange(size)[:, None]  # int64[size, rows]
                drugs = local[places]
                worst[some] = own[drugs].min(axis=0) << 6
                if size == 1:
                    continue
                pairs = drugs[first]
                pairs *= len(used)
                pairs += drugs[second]
                if sets.lines is not None:
                    lines = sets.lines[places]
                    one, two = lines[first], lines[second]
                    pairs += ((one >= 0) & (two >= 0) & (one != two)) * (APART * len(used) ** 2)
                codes = table[pairs]
                worst[some] = np.minimum(worst[some], codes.min(axis=0))
                total[some] = _COUNTERS[codes].sum(axis=0)
                met.add(pairs.ravel())
        verdicts: Bytes = (worst >> 6).astype(np.uint8)
        np.minimum(verdicts, _UNKNOWN, out=verdicts, where=sets.missing > 0)
        mask = (1 << _BITS) - 1
        counts = np.stack([total >> _BITS * status & mask for status in range(len(COUNTED))], axis=1)
        return Screened(verdicts, counts, (total >> _BITS * 4) > 0, _tally(table, met.counts(), used, len(matrix.ids)))

    def orders(self, orders: Sequence[Order]) -> Screened:
        """Judge orders: those that the matrix can decide on it, the others by the engine."""
        verdicts = np.empty(len(orders), np.uint8)
        counts = np.zeros((len(orders), len(COUNTED)), np.int64)
        tallies = []
        plain: dict[Mode, list[int]] = {}
        told: list[tuple[int, Report]] = []
        for place, order in enumerate(orders):
            if decidable(order):
                plain.setdefault(order.mode, []).append(place)
            else:
                told.append((place, self.engine.check(order)))
        for mode, places in plain.items():
            found = self.sets(as_sets(self.matrix(mode), [orders[place] for place in places]), mode)
            verdicts[places], counts[places] = found.verdicts, found.counts
            tallies.append(found.pairs)
        if told:
            index, met = self.matrix().index, dict[int, int]()
            for place, report in told:
                count_pairs(report, index, met)
                verdicts[place] = VERDICTS.index(report.verdict)
                for pair in report.pairs:
                    if pair.line is not None:
                        counts[place, _STATUS[pair.line.status]] += 1
            tallies.append(as_counts(met))
        return Screened(verdicts, counts, np.zeros(len(orders), np.bool_), merged(tallies))

    def statuses(self, order: Order) -> list[Status | None]:
        """The status of every pair of an order, in the order of Report.pairs; None = they do not share a line."""
        if not decidable(order):
            return [pair.line.status if pair.line else None for pair in self.engine.check(order).pairs]
        matrix = self.matrix(order.mode)
        sets = as_sets(matrix, [order])
        table = matrix.part(sets.states)
        lines = sets.lines if sets.lines is not None else np.full(len(sets.states), -1)
        found: list[Status | None] = []
        for one in range(len(sets.states)):
            for two in range(one + 1, len(sets.states)):
                apart = lines[one] >= 0 and lines[two] >= 0 and lines[one] != lines[two]
                code = int(table[int(apart), one, two]) & 7
                found.append(None if code == SAME else STATUSES[code])
        return found


def decidable(order: Order) -> bool:
    """Whether the matrix holds all that decides this order."""
    return (
        order.age_days is None and all(_plain(item) for item in order.infusions) and all(item.route == "oral" for item in order.medications)
    )


def _plain(item: Infusion) -> bool:
    return (
        (item.conditions is UNSTATED or item.conditions == UNSTATED)
        and item.route == "iv"
        and item.start is None
        and item.hours is None
        and item.rate_ml_per_h is None
    )


def as_sets(matrix: Matrix, orders: Sequence[Order]) -> Sets:
    """Decidable orders as Sets. Lumens are told apart as `check.share_line` tells them apart."""
    index, medicine = matrix.index, len(matrix.ids)
    states: list[int] = []
    lines: list[int] = []
    numbers: dict[str, int] = {}
    starts = [0]
    for order in orders:
        for item in order.infusions:
            states.append(index[item.drug])
            lines.append(-1 if item.line is None else numbers.setdefault(item.line.strip().casefold(), len(numbers)))
        for medication in order.medications:
            states.append(index[medication.drug] + medicine)
            lines.append(-1)
        starts.append(len(states))
    missing = np.fromiter((len(order.not_understood) for order in orders), np.int64, len(orders))
    return Sets(np.array(starts, np.int64), np.array(states, np.int64), missing, np.array(lines, np.int64) if numbers else None)


def merged(tallies: Sequence[PairCounts]) -> PairCounts:
    """Several tallies as one."""
    if len(tallies) == 1:
        return tallies[0]
    keys = np.concatenate([tally.keys for tally in tallies]) if tallies else np.zeros(0, np.int64)
    counts = np.concatenate([tally.counts for tally in tallies]) if tallies else np.zeros(0, np.int64)
    return summed(keys, counts)


def unpacked(key: int) -> tuple[Status | None, int, int, int]:
    """A key of PairCounts as status (None = not on one line), severity as a rank of SEVERITIES, and the ranks of the two drugs."""
    return STATUSES[min(key >> 40 & 7, NO_LINE)], key >> 48 & 7, key >> 20 & 0xFFFFF, key & 0xFFFFF


def summed(keys: Ints, counts: Ints, which: npt.NDArray[np.bool_] | None = None) -> PairCounts:
    """One entry a key, of some or all. Arrow groups by hashing, which is several times faster than sorting."""
    if which is not None:
        keys, counts = keys[which], counts[which]
    table = pa.table({"key": keys, "count": counts}).group_by("key", use_threads=False).aggregate([("count", "sum")])
    return PairCounts(table["key"].to_numpy(), table["count_sum"].to_numpy())


class _Histogram:
    """Counts of small whole numbers, gathered until a count is worth a pass over all of them."""

    def __init__(self, size: int) -> None:
        self._total = np.zeros(size, np.int64)
        self._waiting: list[Ints] = []
        self._held = 0

    def add(self, values: Ints) -> None:
        self._waiting.append(values)
        self._held += len(values)
        if self._held > _MOST:
            self.counts()

    def counts(self) -> Ints:
        if self._waiting:
            self._total += np.bincount(np.concatenate(self._waiting), minlength=len(self._total))
            self._waiting, self._held = [], 0
        return self._total


def _ranks(states: Ints, limit: int) -> tuple[Ints, Ints]:
    """The states that occur, sorted, and each state as its place among them."""
    occurs = np.zeros(limit, np.bool_)
    occurs[states] = True
    used = np.flatnonzero(occurs)
    rank = np.zeros(limit, np.int64)
    rank[used] = np.arange(len(used))
    return used, rank[states]


def _tally(table: Bytes, met: Ints, used: Ints, drugs: int) -> PairCounts:
    """The pairs that met and are worth telling, from a histogram over the part of the matrix that was used."""
    size = len(used)
    found = []
    for plane in range(len(table) // max(1, size**2)):
        part = slice(plane * size**2, (plane + 1) * size**2)
        both = met[part].reshape(size, size)
        both = np.triu(both + both.T)  # a pair in either order is one; the diagonal is no pair
        one, two = np.nonzero(both)
        codes = table[part].reshape(size, size)[one, two].astype(np.int64)
        worth = _TALLIED[codes]
        one, two, codes = one[worth], two[worth], codes[worth]
        a, b = used[one] % drugs, used[two] % drugs
        found.append(PairCounts((codes & 7) << 40 | (codes >> 3 & 7) << 48 | np.minimum(a, b) << 20 | np.maximum(a, b), both[one, two]))
    return found[0] if len(found) == 1 and size and used[-1] < drugs else merged(found)


def count_pairs(report: Report, index: dict[str, int], found: dict[int, int]) -> None:
    """The same, of an order that the engine has judged. found: key of PairCounts -> how often."""
    for pair in report.pairs:
        status, worst = _STATUS[pair.line.status if pair.line else None], severity(pair.interactions)
        if status < 3 or worst:
            one, two = index[pair.pair[0]], index[pair.pair[1]]
            key = status << 40 | worst << 48 | min(one, two) << 20 | max(one, two)
            found[key] = found.get(key, 0) + 1


def as_counts(found: dict[int, int]) -> PairCounts:
    """What `count_pairs` has found."""
    return summed(np.fromiter(found.keys(), np.int64, len(found)), np.fromiter(found.values(), np.int64, len(found)))
