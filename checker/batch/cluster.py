"""A batch on a Dask cluster, or on one of its own on this machine (`local`). Needs requirements-dask.in.

The input must be where every worker can read it. Each task answers a span of one file and sends its result rows back; the client
puts them down in order, so that they are the rows of a run on one machine, in the same order. A task is a pure function of its span:
when a worker dies, Dask gives its spans to another, and each is put down once.
"""

from __future__ import annotations

import importlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from checker.batch.errors import BatchError, WrongKnowledge
from checker.batch.files import CHUNK_ROWS, Chunk, Place, Source, read
from checker.batch.pool import loaded
from checker.batch.tables import columns
from checker.batch.tally import SEEN, Tally
from checker.batch.work import Answer, Task, Worker, stamp
from knowledge import load

SPAN_BYTES = 4 << 20  # of plain NDJSON
SPAN_ROWS = 2 * CHUNK_ROWS  # of Parquet
AHEAD = 3  # spans given out for each worker thread
MOST_DEATHS = 3  # how often a span that kills its workers is given out again
PATIENCE = 60.0  # seconds without any worker

_workers: dict[Any, Worker] = {}
_one_at_a_time = threading.Lock()  # a Worker is not for several threads


@dataclass(frozen=True, slots=True)
class Span:
    """A part of one file that one task answers. stop: offset at which it ends, None = the end of the file."""

    file: int
    source: Source
    start: Place
    stop: int | None
    end: Place


def spans(files: Sequence[Source], ignore: frozenset[str], start: Place) -> Iterator[Span]:
    """The input cut for tasks: plain NDJSON by bytes at line ends, Parquet by rows, everything else by files."""
    for number in range(start.file, len(files)):
        source = files[number]
        place = start if number == start.file else Place(number)
        if source.form == "ndjson" and not source.packing:
            yield from _by_bytes(number, source, place)
        elif source.form == "parquet":
            yield from _by_rows(number, source, ignore, place)
        else:
            yield Span(number, source, place, None, Place(number + 1))


def _by_bytes(number: int, source: Source, place: Place) -> Iterator[Span]:
    assert source.path is not None  # noqa: S101  # a cluster reads files
    with source.path.open("rb") as file:
        file.seek(place.offset)
        while data := file.read(SPAN_BYTES):
            data += file.readline()
            end = Place(number, place.offset + len(data), place.line + data.count(b"\n") + (not data.endswith(b"\n")))
            yield Span(number, source, place, end.offset, end)
            place = end


def _by_rows(number: int, source: Source, ignore: frozenset[str], place: Place) -> Iterator[Span]:
    assert source.path is not None  # noqa: S101
    try:
        rows, schema = pq.read_metadata(source.path).num_rows, pq.read_schema(source.path)
    except (OSError, ValueError):
        yield Span(number, source, place, None, Place(number + 1))  # the task tells what is wrong with it
        return
    if columns(schema, source.path.name, ignore).long:
        yield Span(number, source, place, None, Place(number + 1))
        return
    for offset in range(place.offset, rows, SPAN_ROWS):
        stop = min(rows, offset + SPAN_ROWS)
        yield Span(number, source, Place(number, offset, offset + 1), stop, Place(number, stop, stop + 1))


class Cluster:
    """A client of a Dask cluster. address: of its scheduler, or "local"; workers: of a local one, 0 = one a core."""

    def __init__(
        self,
        address: str,
        workers: int,
        task: Task,
        root: Path | None,
        overlay: Path | None,
        expected: str,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")  # an optional extra, without types
        except ImportError as error:
            raise BatchError("Dask is not installed", "pip install -r requirements-dask.txt") from error
        self._distributed = distributed
        self._given = (task, root, overlay, expected)
        self._tell = tell
        self._cluster = None
        if address == "local":
            self._cluster = distributed.LocalCluster(
                n_workers=workers or None, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
            )
        try:
            self.client = distributed.Client(self._cluster or address, timeout="20s", set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise BatchError(
                f"no Dask scheduler answers at {address}: {error}", "give the address of a scheduler (tcp://host:8786), or local"
            ) from error

    def answers(self, files: Sequence[Source], start: Place) -> Iterator[tuple[Chunk, Answer]]:
        """Answers in the order of the input; the chunk tells only where it ends."""
        try:
            allowed = self._allowed()
            todo = spans(files, self._given[0].ignore, start)
            waiting: deque[tuple[Span, Any]] = deque()
            ended = False
            while True:
                while not ended and len(waiting) < AHEAD * self._threads():
                    span = next(todo, None)
                    if span is None:
                        ended = True
                    else:
                        waiting.append((span, self._submit(span, allowed)))
                if not waiting:
                    return
                span, future = waiting.popleft()
                parts, answer = self._result(span, future)
                for data in parts[:-1]:
                    yield Chunk(span.source, b"", span.start.line, span.start), Answer(data, Tally(), answer.seen[:0])
                answer.data = parts[-1] if parts else b""
                yield Chunk(span.source, b"", span.start.line, span.end), answer
        finally:
            self.client.close()
            if self._cluster is not None:
                self._cluster.close()

    def _submit(self, span: Span, allowed: list[str] | None) -> Any:
        return self.client.submit(
            answer_span, span, *self._given, pure=False, retries=1, workers=allowed, allow_other_workers=allowed is not None
        )

    def _result(self, span: Span, future: Any) -> Any:
        """The answer to a span, given out again when its workers died or were the wrong ones."""
        lonely = 0.0
        for _ in range(MOST_DEATHS + 1):
            while True:
                try:
                    return future.result(timeout=PATIENCE / 4)
                except TimeoutError:
                    lonely = 0.0 if self._threads(least=0) else lonely + PATIENCE / 4
                    if lonely >= PATIENCE:
                        raise BatchError("the cluster has no workers left", "start some, then run again with --resume") from None
                except WrongKnowledge:
                    future = self._submit(span, self._allowed())
                    break
                except (self._distributed.KilledWorker, self._distributed.CancelledError):
                    future = self._submit(span, None)
                    break
        where = f"{span.source.label or 'the input'} from line {span.start.line} on"
        raise BatchError(f"workers died {MOST_DEATHS + 1} times over {where}", "look into their logs, then run again with --resume")

    def _threads(self, least: int = 1) -> int:
        threads: dict[str, int] = self.client.nthreads()
        return max(least, sum(threads.values()))

    def _allowed(self) -> list[str] | None:
        """The workers with the batch's knowledge, or None when all have it. Raises WrongKnowledge when none has."""
        _, root, overlay, expected = self._given
        self.client.wait_for_workers(1, timeout=PATIENCE)
        held: dict[str, str] = self.client.run(knowledge_here, root, overlay)
        wrong = {address: told for address, told in held.items() if told != expected}
        for address, told in sorted(wrong.items()):
            self._tell(f"the worker at {address} is refused: it holds knowledge {told}, the batch was begun with {expected}")
        if len(wrong) == len(held):
            raise WrongKnowledge(f"no worker of the cluster holds knowledge {expected}", "bring all machines to the same knowledge")
        return sorted(held.keys() - wrong.keys()) if wrong else None


# --- on the workers ---


def knowledge_here(root: Path | None, overlay: Path | None) -> str:
    """The stamp of the knowledge on this machine."""
    return stamp(load(root, overlay=overlay))


def answer_span(span: Span, task: Task, root: Path | None, overlay: Path | None, expected: str) -> tuple[list[bytes], Answer]:
    """Answer one span: the result rows, packed, and one tally for all."""
    key = (task, root, overlay, expected)
    with _one_at_a_time:
        if key not in _workers:
            _workers.clear()
            _workers[key] = loaded(task, root, overlay, expected)
        worker = _workers[key]
        tally = Tally()
        parts, seen = [], []
        for chunk in read(span.source, task.ignore, span.start, span.stop, task.share):
            answer = worker.answer(chunk, span.file)
            parts.append(answer.data)
            seen.append(answer.seen)
            tally.add(answer.tally)
    return parts, Answer(b"", tally, np.concatenate(seen) if seen else np.zeros(0, SEEN))
