"""Interrupted runs go on where they stopped, to the same bytes; nothing is at OUT before it is whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from checker.batch import Batch, BatchError, Done, run
from knowledge import Knowledge
from tests.batch.conftest import ndjson, rows, screen
from tests.batch.test_rows import write_long
from tests.conftest import WORLD

SETS = 3_000
_KILLED = """
import os, signal, sys
from pathlib import Path
from checker.batch import Batch, files, output, run
from knowledge import load
files.CHUNK_BYTES, files._HEADER, files.CHUNK_ROWS, output.JOURNAL_SECONDS = 1 << 14, 1 << 12, 500, 0.0
given, out, root, after, workers = sys.argv[1:]
def told(read, sets):
    if sets >= int(after):
        os.kill(os.getpid(), signal.SIGKILL)
run(Batch(given=given, out=Path(out), root=Path(root), workers=int(workers)), load(root, cache=False), told)
"""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.batch.files.CHUNK_BYTES", 1 << 14)
    monkeypatch.setattr("checker.batch.files._HEADER", 1 << 12)
    monkeypatch.setattr("checker.batch.files.CHUNK_ROWS", 500)
    monkeypatch.setattr("checker.batch.output.JOURNAL_SECONDS", 0.0)


def interrupted(knowledge: Knowledge, given: Path, out: Path, after: int) -> None:
    def told(read: int, sets: int) -> None:
        if sets >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Batch(given=str(given), out=out, workers=1, root=WORLD), knowledge, told)


def beside(out: Path) -> set[str]:
    return {path.name.removeprefix(out.name) for path in out.parent.glob(f"{out.name}*")}


@pytest.mark.parametrize("form", ["ndjson", "csv"])
@pytest.mark.parametrize("suffix", ["ndjson", "ndjson.gz", "csv.zst", "parquet"])
def test_a_resumed_run_gives_the_same_bytes(world: Knowledge, tmp_path: Path, form: str, suffix: str) -> None:
    write = ndjson if form == "ndjson" else write_long
    given = write(tmp_path / f"in.{form}", rows(world, SETS))
    whole, out = tmp_path / f"whole.{suffix}", tmp_path / f"out.{suffix}"
    screen(world, given, whole)
    for after in (SETS // 3, 2 * SETS // 3):
        before = out.with_name(f"{out.name}.journal").exists()
        if before:
            with pytest.raises(KeyboardInterrupt):
                run(
                    Batch(given=str(given), out=out, workers=1, root=WORLD, resume=True),
                    world,
                    lambda read, sets, after=after: _stop(sets >= after),
                )
        else:
            interrupted(world, given, out, after)

        assert {".part", ".ids", ".journal"} == beside(out)
    done = screen(world, given, out, resume=True)

    assert done.resumed >= SETS // 3
    assert whole.read_bytes() == out.read_bytes()
    assert whole.with_name(f"{whole.name}.summary.json").read_bytes() == out.with_name(f"{out.name}.summary.json").read_bytes()
    assert {"", ".summary.json"} == beside(out)


def _stop(now: bool) -> None:
    if now:
        raise KeyboardInterrupt


@pytest.mark.parametrize(("suffix", "workers"), [("ndjson", 1), ("ndjson.zst", 2), ("parquet", 2)])
def test_a_killed_run_is_resumed(world: Knowledge, tmp_path: Path, suffix: str, workers: int) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, SETS))
    whole, out = tmp_path / f"whole.{suffix}", tmp_path / f"out.{suffix}"
    screen(world, given, whole)
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(given), str(out), str(WORLD), str(SETS // 2), str(workers)], check=False)
    assert -signal.SIGKILL == killed.returncode
    assert not out.exists()
    done = screen(world, given, out, resume=True)

    assert done.resumed > 0
    assert whole.read_bytes() == out.read_bytes()
    assert done.summary["balances"]


def test_workers_make_no_difference(world: Knowledge, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, SETS))
    told: list[tuple[bytes, Done]] = []
    for workers in (1, 2, 3):
        done = screen(world, given, tmp_path / f"{workers}.ndjson.gz", workers=workers)
        told.append(((tmp_path / f"{workers}.ndjson.gz").read_bytes(), done))

    assert 1 == len({data for data, _ in told})
    assert told[0][1].summary == told[1][1].summary == told[2][1].summary


def test_another_batch_is_not_resumed(world: Knowledge, tmp_path: Path) -> None:
    given, out = ndjson(tmp_path / "in.ndjson", rows(world, SETS)), tmp_path / "out.ndjson"
    interrupted(world, given, out, SETS // 2)
    with pytest.raises(BatchError, match="differs in level"):
        screen(world, given, out, resume=True, level="findings")
    ndjson(given, rows(world, SETS + 1))
    with pytest.raises(BatchError, match="differs in input"):
        screen(world, given, out, resume=True)
    screen(world, given, out)

    assert SETS + 1 == len(out.read_bytes().splitlines())


def test_nothing_to_resume_begins_anew(world: Knowledge, tmp_path: Path) -> None:
    given, out = ndjson(tmp_path / "in.ndjson", rows(world, 20)), tmp_path / "out.ndjson"
    out.with_name("out.ndjson.journal").write_bytes(b"damaged")
    out.with_name("out.ndjson.part").write_bytes(b"old")
    done = screen(world, given, out, resume=True)

    assert 0 == done.resumed
    assert 20 == len(out.read_bytes().splitlines())


def test_pipes_are_not_resumed(world: Knowledge, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="pipe"):
        run(Batch(given="-", out=tmp_path / "out.ndjson", resume=True), world)


def test_an_old_result_stays_until_the_new_one_is_whole(world: Knowledge, tmp_path: Path) -> None:
    given, out = ndjson(tmp_path / "in.ndjson", rows(world, SETS)), tmp_path / "out.ndjson"
    out.write_text("old\n")
    interrupted(world, given, out, SETS // 2)

    assert "old\n" == out.read_text()
