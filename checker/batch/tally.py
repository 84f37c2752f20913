"""What is counted while a batch runs: bounded, mergeable in order, and the same however the work was shared out."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from checker.screen import PairCounts, merged

WORST = 50  # sets kept for the report
MOST_NAMES = 20_000  # different names not understood that are counted one by one
ERROR = "error"
_COMPACT = 1 << 20  # pair counts waiting to be merged; 16 bytes each

# what a result row of a set is known by: its id's hash, and the line it began on in its file
Seen = npt.NDArray[Any]
SEEN = np.dtype([("hash", np.uint64), ("file", np.int32), ("line", np.int64)])


@dataclass(frozen=True, slots=True, order=True)
class Worst:
    """One of the worst sets. Ordered so that the smallest is the least bad."""

    incompatible: int
    variable: int
    no_data: int
    file: str
    line: int  # negative, so that of two alike the earlier is kept
    identity: str
    verdict: str


@dataclass(slots=True)
class Tally:
    """Counts over some rows. lines: of input, blank ones among them. rows: of input that speak of sets. written: result rows."""

    lines: int = 0
    blank: int = 0
    rows: int = 0
    sets: int = 0
    written: int = 0
    findings: int = 0
    silent: int = 0  # sets without a finding, at the level of findings
    by_engine: int = 0  # sets that the matrix could not decide
    verdicts: Counter[str] = field(default_factory=Counter)  # and ERROR
    errors: Counter[str] = field(default_factory=Counter)  # reason of a refusal
    names: Counter[str] = field(default_factory=Counter)  # reason, tab, what was not understood
    names_beyond: int = 0
    codes: Counter[str] = field(default_factory=Counter)  # findings by level, kind and code
    worst: list[Worst] = field(default_factory=list)
    _pairs: list[PairCounts] = field(default_factory=list)
    _waiting: int = 0

    def pairs(self) -> PairCounts:
        """How often each pair met that is worth telling."""
        self._pairs, self._waiting = [merged(self._pairs)], 0
        return self._pairs[0]

    def met(self, pairs: PairCounts) -> None:
        """Add pairs that met."""
        self._pairs.append(pairs)
        self._waiting += len(pairs.keys)
        if self._waiting > _COMPACT:
            self.pairs()

    def misunderstood(self, key: str, times: int = 1) -> None:
        """Count a name that was not understood (reason, tab, name); beyond MOST_NAMES different ones only how many."""
        if key in self.names or len(self.names) < MOST_NAMES:
            self.names[key] += times
        else:
            self.names_beyond += times

    def keep_worst(self, found: list[Worst]) -> None:
        """Keep the worst sets seen so far."""
        self.worst = heapq.nlargest(WORST, [*self.worst, *found])

    def add(self, other: Tally) -> None:
        """Take in the tally of later rows."""
        for name in ("lines", "blank", "rows", "sets", "written", "findings", "silent", "by_engine", "names_beyond"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, theirs in ((self.verdicts, other.verdicts), (self.errors, other.errors), (self.codes, other.codes)):
            mine.update(theirs)
        for key, times in other.names.items():
            self.misunderstood(key, times)
        self.keep_worst(other.worst)
        self.met(other.pairs())

    # --- for the journal ---

    def plain(self) -> dict[str, Any]:
        """Everything as plain values."""
        pairs = self.pairs()
        numbers = {
            name: getattr(self, name)
            for name in ("lines", "blank", "rows", "sets", "written", "findings", "silent", "by_engine", "names_beyond")
        }
        return numbers | {
            "verdicts": dict(self.verdicts),
            "errors": dict(self.errors),
            "names": dict(self.names),
            "codes": dict(self.codes),
            "worst": [
                [item.incompatible, item.variable, item.no_data, item.file, item.line, item.identity, item.verdict] for item in self.worst
            ],
            "pairs": [pairs.keys.tolist(), pairs.counts.tolist()],
        }

    @classmethod
    def of_plain(cls, told: dict[str, Any]) -> Tally:
        """The tally that `plain` told."""
        keys, counts = told.pop("pairs")
        worst = [Worst(*item) for item in told.pop("worst")]
        for name in ("verdicts", "errors", "names", "codes"):
            told[name] = Counter(told[name])
        tally = cls(**told, worst=worst)
        tally.met(PairCounts(np.array(keys, np.int64), np.array(counts, np.int64)))
        return tally

    # --- the checksum ---

    def checksum(self, long: bool, level: str) -> tuple[bool, str]:
        """Whether every row that was read stands in the result exactly once, and the counts in a line."""
        answered = sum(self.verdicts.values())
        expected = self.findings + self.silent + self.verdicts[ERROR] if level == "findings" else self.sets
        balances = (
            self.lines == self.blank + self.rows
            and self.sets == answered
            and self.written == expected
            and (self.sets <= self.rows if long else self.sets == self.rows)
        )
        parts = " + ".join(f"{self.verdicts[verdict]} {verdict}" for verdict in ("stop", "caution", "unknown", "clear", ERROR))
        blank = f" + {self.blank} blank" if self.blank else ""
        sets = f"{self.rows} rows of {self.sets} sets" if long else f"{self.sets} sets"
        rows = f"{self.findings} findings + {self.silent} sets without + {self.verdicts[ERROR]} errors = " if level == "findings" else ""
        return (
            balances,
            f"{self.lines} lines = {sets}{blank}; {self.sets} sets = {parts}; {rows}{self.written} rows written: {'balances' if balances else 'DOES NOT BALANCE'}",
        )
