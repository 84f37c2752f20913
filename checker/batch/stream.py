"""NDJSON in, NDJSON out, as lines come: what POST /v1/batch answers with.

It reads from its lines only when its caller asks for more, so that a slow reader slows the writer, and holds a few lines at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock

import orjson

from checker.batch.errors import Refusal, failed, refused
from checker.batch.files import Chunk, Place, Source
from checker.batch.lanes import ask_line
from checker.batch.lookup import read_order
from checker.batch.tally import ERROR, Tally
from checker.batch.work import Answer, Task, Worker
from checker.model import Order, Report, Verdict
from knowledge import Knowledge

AT_ONCE = 256  # lines answered together
TOO_MANY = "too-many-rows"
_READ = 1 << 16
_SOURCE = Source(None, "ndjson", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a caller may send."""

    rows: int = 100_000
    line_bytes: int = 1 << 20


class Cut(Exception):
    """Raised by what feeds or watches a stream, to end it: the last line says why, and there is no "end" line."""

    def __init__(self, reason: str, what: str, mend: str) -> None:
        super().__init__(reason)
        self.refusal = refused(reason, what, mend)


class Streamer:
    """Answers streams over one knowledge base; several threads may share it."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._workers: dict[str, Worker] = {}
        self._lock = Lock()  # a Worker is for one thread at a time; a group of lines takes it some milliseconds

    def answer(self, level: str, chunk: Chunk) -> Answer:
        """Answer some lines."""
        with self._lock:
            return self._worker(level).answer(chunk)

    def report(self, level: str, text: bytes) -> Report | None:
        """The engine's answer to one line, for whoever has to keep it; None when the line will be an error row."""
        with self._lock:
            worker = self._worker(level)
            try:
                asked = ask_line(text, 0)
                order = read_order(asked.question, worker.names) if asked.refusal is None else None
                return worker.engine.check(order) if isinstance(order, Order) else None
            except Exception:  # logged with its line when that is answered
                return None

    @property
    def stamp(self) -> str:
        """The knowledge of the answers, short."""
        return self._worker("verdict").stamp

    def _worker(self, level: str) -> Worker:
        if level not in self._workers:
            self._workers[level] = Worker(self.knowledge, Task(level=level))
        return self._workers[level]


def lines(read: Callable[[int], bytes], longest: int) -> Iterator[bytes]:
    """The lines of a body. Of one longer than `longest` only so much is kept that it is seen to be too long."""
    held, passing = b"", False
    while data := read(_READ):
        *whole, rest = data.split(b"\n")
        if whole:
            whole[0] = held if passing else held + whole[0]
            held, passing = b"", False
            yield from whole
        if not passing:
            held += rest
            passing = len(held) > longest
    if held:
        yield held


def answers(
    given: Iterable[bytes],
    by: Streamer,
    level: str = "verdict",
    limits: Limits = Limits(),
    at_once: int = AT_ONCE,
    before: Callable[[list[bytes]], None] = lambda held: None,
    after: Callable[[Tally], None] = lambda tally: None,
) -> Iterator[bytes]:
    """One result row for every line with something on it, in order (level findings: one a finding), and last {"end": {...}} with the counts.

    A line that cannot be read becomes an error row and the rest goes on. After the row limit an error row says so and the stream ends.
    before: is shown the lines of a group before they are answered, and may raise Cut. after: is shown the counts of the group.
    Whoever finds no "end" line knows that the answer was cut off.
    """
    stream = _Stream(by, level, limits, before, after)
    try:
        for text in given:
            yield from stream.take(text)
            if stream.full:
                break
            if len(stream.held) >= at_once:
                yield from stream.flush()
        yield from stream.flush()
    except Cut as cut:
        yield stream.cut(cut.refusal)
        return
    except Exception as error:
        yield stream.cut(failed(f"the stream from line {stream.number - len(stream.held) + 1} on", error))
        return
    yield orjson.dumps({"end": stream.counts()}) + b"\n"


class _Stream:
    """One stream under way."""

    def __init__(
        self, by: Streamer, level: str, limits: Limits, before: Callable[[list[bytes]], None], after: Callable[[Tally], None]
    ) -> None:
        self.by, self.level, self.limits, self.before, self.after = by, level, limits, before, after
        self.tally = Tally()
        self.held: list[bytes] = []
        self.number = 0  # of the last line taken
        self.read = 0  # lines with something on them
        self.full = False

    def take(self, text: bytes) -> Iterator[bytes]:
        """Take one line; what is refused unread is answered at once, after those before it."""
        self.number += 1
        blank = not text.strip()
        late = None if blank else self._late(text)
        self.read += not blank
        if late is None:
            self.held.append(b"" if blank else text.rstrip(b"\r\n"))
            return
        yield from self.flush(self.number)
        self.full = late.reason == TOO_MANY
        self._count(Tally(lines=1, rows=1, sets=1, written=1, verdicts=Counter({ERROR: 1}), errors=Counter({late.reason: 1})))
        yield orjson.dumps({"id": None, "line": self.number, "error": late.told(), "knowledge": self.by.stamp}) + b"\n"

    def flush(self, end: int | None = None) -> Iterator[bytes]:
        """Answer the lines that are held. end: number of the line after them."""
        if self.held:
            end = end or self.number + 1
            self.before(self.held)
            answer = self.by.answer(self.level, Chunk(_SOURCE, b"\n".join(self.held) + b"\n", end - len(self.held), Place(line=end)))
            self.held = []
            self._count(answer.tally)
            if answer.data:
                yield answer.data

    def _count(self, tally: Tally) -> None:
        self.after(tally)
        self.tally.add(tally)

    def _late(self, text: bytes) -> Refusal | None:
        """Why a line is not even looked at."""
        if self.read >= self.limits.rows:
            return refused(TOO_MANY, f"more than {self.limits.rows} rows", "send the rest in another request")
        if len(text) > self.limits.line_bytes:
            return refused("too-long", f"the line has more than {self.limits.line_bytes} bytes", "send fewer drugs in one set")
        return None

    def cut(self, why: Refusal) -> bytes:
        """The last line of a stream that ends early."""
        return orjson.dumps({"cut": why.told(), "so_far": self.counts()}) + b"\n"

    def counts(self) -> dict[str, object]:
        """What has been answered so far."""
        tally = self.tally
        verdicts = {str(verdict): tally.verdicts[verdict] for verdict in Verdict}
        return {
            "lines": tally.lines,
            "blank": tally.blank,
            "sets": tally.sets,
            "written": tally.written,
            "verdicts": verdicts,
            "errors": tally.verdicts[ERROR],
        }
