"""Order sets in bulk: screening beside DuckDB and beside bare JSON, full reports, memory, and a second Dask worker.

Every comparison is made in this one run, on the same rows and one thread each, and the answers of both sides are compared first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from bench.corpus import WARD, Corpus, write_parquet
from bench.sheet import Bound, Sheet, begin
from checker.batch import Batch, run
from checker.batch.files import Chunk, Place, Source
from checker.batch.work import Task, Worker
from checker.matrix import Matrix
from knowledge import Knowledge, load

CODED, NAMED, FULL, LARGE, SMALL = 200_000, 1_000_000, 10_000, 1_000_000, 10_000
ROUNDS = 5
PARTS = ("parquet", "ndjson", "full", "memory", "dask")
WARM = 5_000  # sets answered before the clock starts

DUCKDB = Bound(what="Parquet screening against DuckDB's self-join", limit=2, unit="times as fast", least=True)
ORJSON = Bound(what="NDJSON screening against parsing and re-writing with orjson", limit=0.25, unit="of its speed", least=True)
REPORTS = Bound(what="full reports of six drugs", limit=2_000, unit="sets/s per core", least=True)
MEMORY = Bound(what="peak memory with 100 times the sets", limit=1.10, unit="times")
WORKERS = Bound(what="two Dask workers against one", limit=1.7, unit="times the throughput", least=True)

# what a process inherits from the one that started it does not count in VmHWM, as it would in ru_maxrss
_MEASURED = """
import runpy
try:
    runpy.run_module("checker", run_name="__main__", alter_sys=True)
except SystemExit as done:
    assert done.code in (0, 1), done.code
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
SELF_JOIN = """
copy (
    with drugs as (select id, unnest(codes) as code from read_parquet('{given}')),
         own as (select drugs.id, min(level) as level from drugs join own_levels using (code) group by drugs.id),
         pairs as (
             select one.id, min(level) as level,
                    count(*) filter (status = 0) as incompatible, count(*) filter (status = 1) as variable,
                    count(*) filter (status = 2) as no_data, count(*) filter (status = 3) as compatible
             from drugs one join drugs two on one.id = two.id and one.code < two.code
                  join pair_levels on pair_levels.a = one.code and pair_levels.b = two.code
             group by one.id)
    select own.id, ['stop', 'caution', 'unknown', 'clear'][1 + least(own.level, pairs.level)] as verdict, incompatible, variable, no_data, compatible
    from own join pairs using (id)
) to '{out}' (format parquet, compression zstd)
"""


def main() -> int:
    options, sheet = begin("batch", __doc__, _only)
    share = 0.05 if options.quick else 1.0
    knowledge = load()
    corpus = Corpus(knowledge)
    with tempfile.TemporaryDirectory(prefix="linewise-bench-") as folder:
        here = Path(folder)
        parts: dict[str, Callable[[], None]] = {
            "parquet": lambda: _parquet(sheet, knowledge, corpus, here, int(CODED * share)),
            "ndjson": lambda: _ndjson(sheet, knowledge, corpus, here, int(NAMED * share)),
            "full": lambda: _full(sheet, knowledge, corpus, int(FULL * share)),
            "memory": lambda: _memory(sheet, corpus, here, SMALL, int(LARGE * share)),
            "dask": lambda: _dask(sheet, knowledge, corpus, here, int(LARGE * share)),
        }
        for name in options.only or parts:
            parts[name]()
    return sheet.finish()


def _only(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", action="append", metavar="PART", choices=PARTS, help=f"one of {', '.join(PARTS)}; may be repeated; writes no result"
    )


def _parquet(sheet: Sheet, knowledge: Knowledge, corpus: Corpus, here: Path, count: int) -> None:
    given, mine, theirs = here / "coded.parquet", here / "mine.parquet", here / "theirs.parquet"
    write_parquet(given, corpus, count)
    matrix = Matrix(knowledge)
    codes = corpus.codes()
    drugs = [knowledge.codes["rxnorm", code][0] for code in codes]
    states = np.array([matrix.index[drug] for drug in drugs])
    began = time.perf_counter()
    table = matrix.part(states, 1)[0]
    matrix.keep()
    sheet.say(f"pairs of {len(codes)} coded drugs, asked of the engine once: {time.perf_counter() - began:.1f} s (kept for later runs)")
    database = duckdb.connect(config={"threads": 1})
    own_levels = pa.table({"code": codes, "level": matrix.own[states]})
    a, b = np.meshgrid(np.arange(len(codes)), np.arange(len(codes)), indexing="ij")
    spelt = np.array(codes)
    before = spelt[a] < spelt[b]
    pair_levels = pa.table({"a": spelt[a[before]], "b": spelt[b[before]], "level": table[before] >> 6, "status": table[before] & 7})
    database.register("own_given", own_levels)
    database.register("pairs_given", pair_levels)
    database.execute("create table own_levels as from own_given; create table pair_levels as from pairs_given")

    def ours() -> None:
        run(Batch(given=str(given), out=mine, workers=1), knowledge)

    def duck() -> None:
        database.execute(SELF_JOIN.format(given=given, out=theirs))

    times = _alternating(ours, duck)
    _same(mine, theirs)
    _sides(sheet, "Parquet, coded, 2-15 drugs", count, {"linewise": mine, "DuckDB self-join": theirs}, times)
    sheet.hold(DUCKDB, times[1] / times[0])


def _sides(sheet: Sheet, title: str, count: int, sides: dict[str, Path], times: list[float]) -> None:
    """sides: name -> the result it wrote."""
    rows = [(name, count, took, count / took, out.stat().st_size / count) for (name, out), took in zip(sides.items(), times, strict=True)]
    sheet.table((title, "sets", "seconds", "sets/s", "bytes/set"), rows)


def _same(mine: Path, theirs: Path) -> None:
    """Both sides must have given the same answers."""
    columns = ["id", "verdict", "incompatible", "variable", "no_data", "compatible"]
    one, two = (pq.read_table(path, columns=columns).sort_by("id").to_pylist() for path in (mine, theirs))
    assert one == two, "the two sides disagree"


def _ndjson(sheet: Sheet, knowledge: Knowledge, corpus: Corpus, here: Path, count: int) -> None:
    given, mine, theirs = here / "named.ndjson", here / "mine.ndjson", here / "theirs.ndjson"
    with given.open("wb") as file:
        file.writelines(corpus.lines(count))

    def ours() -> None:
        run(Batch(given=str(given), out=mine, workers=1), knowledge)

    def bare() -> None:
        loads, dumps = orjson.loads, orjson.dumps
        with given.open("rb") as read, theirs.open("wb") as write:
            write.writelines(dumps(loads(line)) + b"\n" for line in read)

    ours()  # asks the engine for the pairs of this corpus, once
    times = _alternating(ours, bare)
    assert theirs.read_bytes() == given.read_bytes()
    _sides(sheet, "NDJSON, named", count, {"linewise": mine, "orjson alone": theirs}, times)
    sheet.hold(ORJSON, times[1] / times[0])


def _full(sheet: Sheet, knowledge: Knowledge, corpus: Corpus, count: int) -> None:
    worker = Worker(knowledge, Task(level="full"))
    rows = [row for row in corpus.sets(8 * count) if len(row["drugs"]) == 6][:count]
    source = Source(None, "ndjson", "")
    chunks = []
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        chunks.append(Chunk(source, b"".join(orjson.dumps(row) + b"\n" for row in part), start + 1, Place(line=start + 1 + len(part))))
    for chunk in chunks:
        worker.answer(chunk)
    began = time.perf_counter()
    answers = [(answer.tally.sets, len(answer.data)) for answer in map(worker.answer, chunks)]
    seconds = time.perf_counter() - began
    sets, size = (sum(column) for column in zip(*answers, strict=True))
    sheet.table(
        ("full reports, six drugs", "sets", "seconds", "sets/s", "bytes/set"), [("linewise", sets, seconds, sets / seconds, size // sets)]
    )
    sheet.hold(REPORTS, sets / seconds)


def _memory(sheet: Sheet, corpus: Corpus, here: Path, few: int, many: int) -> None:
    peaks = []
    for count in (few, few, many):  # the first only compiles the knowledge, where that is not kept yet
        given = here / f"memory-{count}.ndjson"
        with given.open("wb") as file:
            file.writelines(corpus.lines(count))
        peaks.append(_peak(["batch", str(given), "-o", str(here / "memory.out.ndjson"), "--workers", "1", "--quiet"]))
        given.unlink()
    sheet.table(("memory", "sets", "peak MB"), [("few", few, peaks[1] / 1024), ("many", many, peaks[2] / 1024)])
    sheet.hold(MEMORY, peaks[2] / peaks[1])


def _peak(words: list[str]) -> int:
    """Peak resident memory of `python -m checker ...` in kB, as the kernel counts it for the program alone."""
    done = subprocess.run([sys.executable, "-c", _MEASURED, *words], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def _dask(sheet: Sheet, knowledge: Knowledge, corpus: Corpus, here: Path, count: int) -> None:
    try:
        import distributed
    except ImportError:
        sheet.say("Dask is not installed: not measured")
        return
    given, out = here / "many", here / "many.ndjson"
    given.mkdir()
    lines = corpus.lines(count, WARD)  # with conditions and lumens: what a cluster is for
    for part in range(10):
        with (given / f"part-{part:02d}.ndjson").open("wb") as file:
            file.writelines(islice(lines, count // 10))
    seconds: dict[int, float] = {}
    for workers in (1, 2):
        with distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as cluster:
            batch = Batch(given=str(given), out=out, dask=cluster.scheduler_address)
            small = here / "small"
            small.mkdir(exist_ok=True)
            (small / "a.ndjson").write_bytes(b"".join(corpus.lines(WARM, WARD)))
            for name in "bcdefgh":
                (small / f"{name}.ndjson").write_bytes((small / "a.ndjson").read_bytes())
            run(
                Batch(given=str(small), out=here / "small.ndjson", dask=cluster.scheduler_address), knowledge
            )  # every worker loads and asks
            began = time.perf_counter()
            run(batch, knowledge)
            seconds[workers] = time.perf_counter() - began
    sheet.table(
        ("Dask, NDJSON, ward", "sets", "seconds", "sets/s", "bytes/set"),
        [(f"{workers} workers", count, took, count / took, out.stat().st_size / count) for workers, took in seconds.items()],
    )
    sheet.hold(WORKERS, seconds[1] / seconds[2])


def _alternating(*sides: Callable[[], Any]) -> list[float]:
    """Seconds of each side, the least of several rounds in turns: what else the machine does falls on both, and least on the least."""
    for side in sides:
        side()
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for side, found in zip(sides, times, strict=True):
            began = time.perf_counter()
            side()
            found.append(time.perf_counter() - began)
    return [min(found) for found in times]


if __name__ == "__main__":
    sys.exit(main())
