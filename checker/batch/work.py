"""Answer a chunk: rows in, result rows and counts out. Pure over the knowledge; every process of a batch holds one Worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from checker.batch import rows as results
from checker.batch.errors import Refusal, failed, refused
from checker.batch.files import Chunk
from checker.batch.lanes import Lane, ask_line, plain_list, slow_lane, table_lane, text_lane
from checker.batch.lookup import BatchNames, States, read_order
from checker.batch.packing import pack
from checker.batch.rows import ERRORED, Dress, Told, Verdicts, VerdictWriter
from checker.batch.tables import Asked, csv_rows, long_sets, parquet_rows, wide_sets
from checker.batch.tally import ERROR, SEEN, Seen, Tally, Worst
from checker.check import Checker
from checker.matrix import Ints
from checker.model import Order, Report, Status
from checker.report import Renderer
from checker.screen import VERDICTS, Screen, Screened, Sets, as_counts, count_pairs, decidable
from knowledge import Knowledge

RENDERED = 20_000  # pieces of answers that a worker keeps
_STATUS = {status: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a worker has to know of a batch. split: hashes of ids that stand in two places of a table in the long form."""

    level: str = "verdict"
    form: str = "ndjson"
    packing: str = ""
    several: bool = False  # input files, so that rows name theirs
    system: str = "rxnorm"
    ignore: frozenset[str] = frozenset()
    split: frozenset[int] = frozenset()

    @property
    def share(self) -> int:
        """How many times smaller chunks should be, for the sake of the larger answers."""
        return 1 if self.level == "verdict" else 32


@dataclass(slots=True)
class Answer:
    """What became of a chunk. data: result rows, packed. seen: SEEN[k], the ids. learned: what the matrices asked, by mode."""

    data: bytes
    tally: Tally
    seen: Seen
    learned: list[tuple[str, Ints]] = field(default_factory=list)


class Worker:
    """Answers chunks over one knowledge base."""

    def __init__(self, knowledge: Knowledge, task: Task, *, cache: bool = True) -> None:
        self.knowledge, self.task = knowledge, task
        self.engine = Checker(knowledge)
        self.screen = Screen(knowledge, self.engine, cache=cache)
        self.names = BatchNames(knowledge, suggesting=task.level != "verdict")
        self.renderer = Renderer(knowledge, RENDERED)
        self.stamp = stamp(knowledge)
        self._writer = VerdictWriter()
        self._states: dict[str | None, States] = {}

    def answer(self, chunk: Chunk, file: int = 0) -> Answer:
        """Every row of a chunk, answered. file: number of its file, for ids that stand twice."""
        tally = Tally(lines=chunk.end.line - chunk.line)
        dress = Dress(self.task.level, self.task.form, self.stamp, chunk.source.label if self.task.several else None)
        if self.task.level == "verdict":
            found = self._verdicts(chunk, tally)
            data, identities, lines = self._writer.write(found, dress), found.identities, found.lines
            tally.written = len(lines)
        else:
            met: dict[int, int] = {}
            told = [self._told(asked, tally, met) for asked in self._asked(chunk, tally)]
            tally.met(as_counts(met))
            tally.keep_worst([])
            data, tally.written = results.write(told, dress)
            identities, lines = [item.identity for item in told], np.fromiter((item.line for item in told), np.int64, len(told))
        if chunk.columns is None or not chunk.columns.long:
            tally.rows = len(lines)
        tally.sets = len(lines)
        tally.blank = tally.lines - tally.rows
        self._worst_names(tally, chunk.source.label)
        learned = [(str(matrix.mode), fresh) for matrix in self.screen.matrices() if len(fresh := matrix.told())]
        return Answer(pack(data, self.task.packing), tally, _seen(identities, lines, file), learned)

    # --- verdicts ---

    def _verdicts(self, chunk: Chunk, tally: Tally) -> Verdicts:
        try:
            lane = self._lane(chunk, tally)
            found = self._together(lane)
        except Exception:  # over which row shows when each is asked by itself
            recount = Tally()
            lane = slow_lane(list(self._asked(chunk, recount)))
            tally.rows = recount.rows
            found = self._together(lane)
        for _, key in lane.lost:
            tally.misunderstood(key)
        tally.met(found.pairs)
        answers = Verdicts(lane.identities, lane.lines, found.verdicts, lane.sizes, lane.missing, found.counts)
        if lane.slow:
            self._one_by_one(lane, answers, tally)
        told = np.bincount(answers.verdicts, minlength=ERRORED + 1).tolist()
        tally.verdicts.update({name: number for name, number in zip([*map(str, VERDICTS), ERROR], told, strict=True) if number})
        self._worst(answers, tally)
        return answers

    def _together(self, lane: Lane) -> Screened:
        """The rows of a lane that the matrix decides. One that names a drug twice becomes slow."""
        found = self.screen.sets(Sets(np.concatenate([[0], np.cumsum(lane.sizes)]), lane.states, lane.missing))
        twice = found.repeats
        if twice.any():  # a drug twice: to be refused, so not to be counted either
            lane.slow += np.flatnonzero(twice).tolist()
            lane.states = lane.states[~np.repeat(twice, lane.sizes)]
            lane.sizes, lane.missing = np.where(twice, 0, lane.sizes), np.where(twice, 0, lane.missing)
            found = self.screen.sets(Sets(np.concatenate([[0], np.cumsum(lane.sizes)]), lane.states, lane.missing))
            lane.lost = [(place, key) for place, key in lane.lost if not twice[place]]
        return found

    def _one_by_one(self, lane: Lane, answers: Verdicts, tally: Tally) -> None:
        """Rows with conditions, lumens, times or damage."""
        asked: dict[int, Order] = {}
        for place in sorted(lane.slow):
            try:
                item = lane.ask(place)
                read = item.refusal or self._refused_split(item.identity) or read_order(item.question, self.names)
            except Exception as error:
                read = failed(f"line {lane.lines[place]}", error)
            if isinstance(read, Refusal):
                _refuse(place, read, answers, tally)
            else:
                asked[place] = read
        for places, found in self._screened(asked, lane, answers, tally):
            answers.verdicts[places], answers.counts[places] = found.verdicts, found.counts
            for place in places:
                answers.understood[place] = len(asked[place].infusions) + len(asked[place].medications)
                answers.missing[place] = len(asked[place].not_understood)
                self._count_names(asked[place], tally)
                tally.by_engine += not decidable(asked[place])
            tally.met(found.pairs)

    def _screened(self, asked: dict[int, Order], lane: Lane, answers: Verdicts, tally: Tally) -> Iterator[tuple[list[int], Screened]]:
        """Orders by place, all together; each by itself when one of them fails, which is then refused."""
        if not asked:
            return
        try:
            together = self.screen.orders(list(asked.values()))
        except Exception:  # over which of them is asked below
            for place, order in asked.items():
                try:
                    alone = self.screen.orders([order])
                except Exception as error:
                    _refuse(place, failed(f"line {lane.lines[place]}", error), answers, tally)
                else:
                    yield [place], alone
        else:
            yield list(asked), together

    def _lane(self, chunk: Chunk, tally: Tally) -> Lane:
        if not chunk.damage and isinstance(chunk.payload, bytes) and chunk.source.form == "ndjson":
            return text_lane(chunk.payload, chunk.line, self._lookup(None), self.task.ignore)
        named = None if chunk.damage else plain_list(chunk)
        if named is not None:
            name, role = named
            return table_lane(chunk, name, self._lookup(None if role == "drugs" else self.task.system), self.task.system)
        return slow_lane(list(self._asked(chunk, tally)))

    def _lookup(self, system: str | None) -> States:
        if system not in self._states:
            self._states[system] = States(self.names, self.screen.matrix().index, system)
        return self._states[system]

    # --- finer levels, and everything that is not plain ---

    def _asked(self, chunk: Chunk, tally: Tally) -> Iterator[Asked]:
        """The order sets of a chunk, in whatever form."""
        if chunk.damage:
            tally.rows += 1
            shown = chunk.payload.decode("utf-8", "replace")[:60] if isinstance(chunk.payload, bytes) else ""
            mend = "restore the file and run again" + (f'; the row begins "{shown}"' if shown else "")
            yield Asked(chunk.line, None, None, refused("damaged-file", chunk.damage, mend))
        elif isinstance(chunk.payload, pa.RecordBatch):
            yield from self._sets(parquet_rows(chunk.payload, chunk.line, chunk.columns), chunk, tally)  # type: ignore[arg-type]  # a table has columns
        elif chunk.columns is not None:
            yield from self._sets(csv_rows(chunk.payload, chunk.line, chunk.columns), chunk, tally)
        else:
            for line, text in enumerate(chunk.payload.split(b"\n"), start=chunk.line):
                if text and not text.isspace():
                    yield ask_line(text, line, self.task.ignore)

    def _sets(self, found: Iterator[Any], chunk: Chunk, tally: Tally) -> Iterator[Asked]:
        def counted() -> Iterator[Any]:
            for row in found:
                tally.rows += 1
                yield row

        return (long_sets if chunk.columns and chunk.columns.long else wide_sets)(counted(), self.task.system)

    def _told(self, asked: Asked, tally: Tally, met: dict[int, int]) -> Told:
        try:
            read = asked.refusal or self._refused_split(asked.identity) or read_order(asked.question, self.names)
            if not isinstance(read, Refusal):
                report = self.engine.check(read)
                told = self._rendered(asked, report)
        except Exception as error:
            read = failed(f"line {asked.line}", error)
        if isinstance(read, Refusal):
            tally.errors[read.reason] += 1
            tally.verdicts[ERROR] += 1
            return Told(asked.line, asked.identity, refusal=read)
        count_pairs(report, self.screen.matrix().index, met)
        self._count_report(asked, read, report, tally)
        if self.task.level == "findings":
            tally.findings += len(report.findings)
            tally.silent += not report.findings
        return told

    def _rendered(self, asked: Asked, report: Report) -> Told:
        if self.task.level == "full":
            explain = isinstance(asked.question, dict) and asked.question.get("explain") is True
            return Told(asked.line, asked.identity, report.verdict, rendered=self.renderer.json(report, explain=explain).rstrip())
        found = self.renderer.findings(report) if self.task.form == "ndjson" else None
        return Told(asked.line, asked.identity, report.verdict, report.findings, found)

    def _count_report(self, asked: Asked, order: Order, report: Report, tally: Tally) -> None:
        tally.verdicts[report.verdict] += 1
        tally.by_engine += 1
        self._count_names(order, tally)
        counts = [0] * len(_STATUS)
        for pair in report.pairs:
            if pair.line is not None:
                counts[_STATUS[pair.line.status]] += 1
        for finding in report.findings:
            tally.codes[f"{finding.level}\t{finding.kind}\t{finding.code}"] += 1
        if counts[0]:
            tally.worst.append(_bad(counts, asked.line, asked.identity, report.verdict))

    def _refused_split(self, identity: object) -> Refusal | None:
        if self.task.split and _hash(identity) in self.task.split:
            return refused(
                "split-set", "the rows of this set stand in several places of the file", "sort the file by order_set_id and run again", "id"
            )
        return None

    # --- counts ---

    def _count_names(self, order: Order, tally: Tally) -> None:
        for item in order.not_understood:
            tally.misunderstood(f"{item.reason}\t{item.asked}")

    def _worst(self, found: Verdicts, tally: Tally) -> None:
        """The sets with most incompatible pairs."""
        bad = np.flatnonzero((found.counts[:, 0] > 0) & (found.verdicts < ERRORED))
        order = np.lexsort((found.lines[bad], -found.counts[bad, 2], -found.counts[bad, 1], -found.counts[bad, 0]))[:50]
        for place in bad[order].tolist():
            identity = found.identities[place] if isinstance(found.identities, list) else found.identities[place].as_py()
            tally.worst.append(_bad(found.counts[place].tolist(), int(found.lines[place]), identity, VERDICTS[found.verdicts[place]]))

    def _worst_names(self, tally: Tally, label: str) -> None:
        if self.task.several:
            tally.worst = [replace(item, file=label) for item in tally.worst]


def _refuse(place: int, refusal: Refusal, answers: Verdicts, tally: Tally) -> None:
    """Make a row an error row."""
    answers.refusals[place] = refusal
    answers.verdicts[place] = ERRORED
    answers.understood[place] = answers.missing[place] = 0
    answers.counts[place] = 0
    tally.errors[refusal.reason] += 1


def stamp(knowledge: Knowledge) -> str:
    """The knowledge of an answer in a few characters: version, digest, and an overlay's digest."""
    overlay = f"+{knowledge.overlay.digest[:12]}" if knowledge.overlay else ""
    return f"{knowledge.version} {knowledge.digest[:12]}{overlay}"


def _bad(counts: list[int], line: int, identity: object, verdict: str) -> Worst:
    return Worst(
        incompatible=counts[0], variable=counts[1], no_data=counts[2], file="", line=-line, identity=str(identity), verdict=str(verdict)
    )


def _hash(identity: object) -> int:
    return xxhash.xxh3_64_intdigest(str(identity).encode())


def _seen(identities: Any, lines: Ints, file: int) -> Seen:
    """SEEN[k]: the ids that were given, hashed, with their places."""
    told = identities if isinstance(identities, list) else identities.to_pylist()
    seen = np.empty(len(told), SEEN)
    digest = xxhash.xxh3_64_intdigest
    try:
        seen["hash"] = np.fromiter(map(digest, map(str.encode, told)), np.uint64, len(told))
    except TypeError:  # not all are texts
        seen["hash"] = np.fromiter((0 if item is None else _hash(item) for item in told), np.uint64, len(told))
    seen["file"], seen["line"] = file, lines
    return seen[seen["hash"] != 0] if None in told else seen
