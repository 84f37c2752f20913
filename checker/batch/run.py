"""A batch from beginning to end, on one machine or on a cluster: the same rows in, the same bytes out."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from checker.batch import pool, rows
from checker.batch.errors import BatchError
from checker.batch.files import PACKINGS, Chunk, Place, Source, chunks, form_of, read, sources
from checker.batch.output import Output, put
from checker.batch.summary import Json, summary
from checker.batch.work import Task, Worker, stamp
from knowledge import Knowledge

INLINE_BELOW = 4 << 20  # bytes of input that are not worth a second process
FORMAT = 1  # of the result rows; a batch of another is not resumed

Told = Callable[[int, int], None]  # bytes of input read, sets answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be done. given: a file, a folder or "-". out None = standard output. workers 0 = as many as there are cores."""

    given: str
    out: Path | None = None
    level: str = "verdict"
    form_in: str | None = None
    form_out: str | None = None
    workers: int = 0
    system: str = "rxnorm"
    ignore: frozenset[str] = frozenset()
    resume: bool = False
    dask: str = ""
    root: Path | None = None
    overlay: Path | None = None
    summary: Path | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome. resumed: from which row, 0 = from the beginning. deaths: workers that died and were replaced."""

    summary: Json
    resumed: int = 0
    deaths: int = 0


def run(batch: Batch, knowledge: Knowledge, told: Told = lambda read, sets: None) -> Done:
    """Answer every row. Raises BatchError when it cannot be done; what has been done is kept for `resume`."""
    files = sources(batch.given, batch.form_in)
    if batch.out is not None and any(source.path and batch.out.exists() and source.path.samefile(batch.out) for source in files):
        raise BatchError("the results would be written over the input", "give another file with -o")
    if batch.resume and (batch.out is None or any(source.path is None for source in files)):
        raise BatchError("a batch from or to a pipe cannot be resumed", "give files, or leave --resume out")
    task = _task(batch, len(files) > 1)
    before = pool.settle()
    try:
        return _answer_all(batch, knowledge, files, task, told)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _answer_all(batch: Batch, knowledge: Knowledge, files: list[Source], task: Task, told: Told) -> Done:
    done = _once(batch, knowledge, files, task, told)
    if isinstance(done, frozenset):  # sets whose rows stand in several places: they are refused, and all the rest is answered again
        if any(source.path is None for source in files):
            raise BatchError(
                f"the rows of {len(done)} order sets stand in several places of the input",
                "sort it by order_set_id, or give a file instead of a pipe",
            )
        done = _once(replace(batch, resume=False), knowledge, files, replace(task, split=done), told)
    if isinstance(done, frozenset):  # pragma: no cover  # a split set is refused the second time
        raise BatchError("the input changed while it was read", "run again")
    return done


def _task(batch: Batch, several: bool) -> Task:
    if batch.form_out is not None:
        form, packing = batch.form_out, PACKINGS.get(batch.out.suffix.lower(), "") if batch.out else ""
    else:
        form, packing = form_of(batch.out) if batch.out is not None else ("ndjson", "")
    if form == "parquet" and batch.out is None:
        raise BatchError("Parquet cannot be written to a pipe", "give a file with -o")
    return Task(level=batch.level, form=form, packing=packing, several=several, system=batch.system, ignore=batch.ignore)


def _once(batch: Batch, knowledge: Knowledge, files: list[Source], task: Task, told: Told) -> Done | frozenset[int]:
    worker = Worker(knowledge, task)
    output = Output(batch.out, task.form, task.packing, _identity(batch, knowledge, files, task))
    deaths: list[int] = []
    long = [False]
    try:
        resumed = output.open(rows.header(rows.Dress(task.level, task.form, "", "" if task.several else None)), batch.resume)
        begun = output.tally.sets if resumed else 0
        with closing(_answers(batch, files, task, worker, output.place, deaths)) as answers:
            for chunk, answer in answers:
                output.add(answer, chunk.end)
                long[0] |= chunk.columns is not None and chunk.columns.long
                told(_bytes(files, chunk), output.tally.sets)
        repeats = output.repeats()
        long[0] |= _is_long(files, batch.ignore)
        if long[0] and repeats.ids > len(repeats.hashes):
            raise BatchError(
                f"the rows of {repeats.ids:,} order sets stand in several places of the input", "sort it by order_set_id and run again"
            )
        if long[0] and repeats.ids and not task.split:
            output.close()
            output.tidy()
            return repeats.hashes
        worker.names.suggesting = True
        result = summary(output.tally, worker.names, files, task.level, repeats, long[0])
        if task.form == "parquet" and not output.tally.written:
            output.close()
            output.tidy()
            raise BatchError("the input holds no rows, and a Parquet file of none would say nothing", "give a file with rows")
        output.finish()
        if batch.out is not None:
            put(batch.summary or summary_path(batch.out), orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        output.tidy()
        for matrix in worker.screen.matrices():
            matrix.keep()
        return Done(result, begun, sum(deaths))
    except OSError as error:
        _give_up(output)
        raise _unwritten(error, batch) from error
    except BaseException:
        _give_up(output)
        raise


def _answers(
    batch: Batch, files: list[Source], task: Task, worker: Worker, start: Place, deaths: list[int]
) -> Generator[tuple[Chunk, Any], None, None]:
    expected = stamp(worker.knowledge)
    if batch.dask:
        from checker.batch.cluster import Cluster  # an optional extra

        yield from Cluster(batch.dask, batch.workers, task, batch.root, batch.overlay, expected).answers(files, start)
        return
    numbered = ((files.index(chunk.source), chunk) for chunk in chunks(files, task.ignore, start, task.share))
    workers = batch.workers or os.cpu_count() or 1
    if workers == 1 or (not batch.workers and _size(files) < INLINE_BELOW):
        yield from pool.inline(worker, numbered)
        return
    workers_pool = pool.Pool(workers, task, batch.root, batch.overlay, expected)
    try:
        yield from workers_pool.answers(numbered, worker.screen)
    finally:
        deaths.append(workers_pool.deaths)
        workers_pool.close()


def _size(files: list[Source]) -> int:
    """Bytes on disk; a pipe may bring any number."""
    return sum(source.path.stat().st_size if source.path else INLINE_BELOW for source in files)


def _bytes(files: list[Source], chunk: Chunk) -> int:
    """About how many bytes on disk have been read, for the progress bar."""
    return chunk.taken + sum(source.path.stat().st_size for source in files[: files.index(chunk.source)] if source.path)


def _is_long(files: list[Source], ignore: frozenset[str]) -> bool:
    """Whether the first file that says so holds one row a drug, where a resumed run has not seen it."""
    if files[0].form == "ndjson" or files[0].path is None:
        return False
    first = next(read(files[0], ignore, Place(), None), None)
    return first is not None and first.columns is not None and first.columns.long


def _identity(batch: Batch, knowledge: Knowledge, files: list[Source], task: Task) -> dict[str, Any]:
    """What must not change between a run and its continuation."""
    seen = [[source.path.name, source.path.stat().st_size, source.path.stat().st_mtime_ns] for source in files if source.path]
    return {
        "format": FORMAT,
        "input": hashlib.sha256(orjson.dumps(seen)).hexdigest(),
        "knowledge": stamp(knowledge),
        "level": task.level,
        "form": task.form,
        "packing": task.packing,
        "system": task.system,
        "ignore": sorted(task.ignore),
        "split": len(task.split),
        "cut": "spans" if batch.dask else "chunks",
    }


def _give_up(output: Output) -> None:
    """Vouch for what has been written, if the disk still takes it, and leave it for a resumed run."""
    with suppress(OSError, ValueError):
        output.journal()
    output.close()


def _unwritten(error: OSError, batch: Batch) -> BatchError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return BatchError(
            f"the disk is full: {error.strerror}", "make room and run again with --resume; what has been answered is kept beside the output"
        )
    if isinstance(error, BrokenPipeError):
        return BatchError("the reader of the output has gone", "run again, or write to a file with -o")
    return BatchError(f"{error.strerror or error}: {error.filename or batch.out or batch.given}", "check the path and its permissions")


def summary_path(out: Path) -> Path:
    """Where the summary of a result stands."""
    return out.with_name(f"{out.name}.summary.json")
