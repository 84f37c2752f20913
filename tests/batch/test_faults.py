"""What goes wrong with files, disks and processes: counts balance, messages are clear, no row is lost or doubled."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import random
import shutil
import signal
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from checker.batch import Batch, BatchError, WrongKnowledge, pool, run
from checker.batch.output import repeats
from checker.batch.pool import _answered as answered
from checker.batch.pool import _serve as serve
from checker.batch.tally import SEEN
from checker.batch.work import Task
from knowledge import Knowledge
from tests.batch.conftest import ndjson, read, rows, screen
from tests.batch.test_rows import write_long
from tests.conftest import WORLD


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.batch.files.CHUNK_BYTES", 1 << 14)
    monkeypatch.setattr("checker.batch.files._HEADER", 1 << 12)
    monkeypatch.setattr("checker.batch.files.CHUNK_ROWS", 500)
    monkeypatch.setattr("checker.batch.output.JOURNAL_SECONDS", 0.0)


# --- processes ---


def test_a_killed_worker_is_replaced(world: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 of a worker process in the middle: its rows are answered by another."""
    given = ndjson(tmp_path / "in.ndjson", rows(world, 3_000))
    screen(world, given, tmp_path / "whole.ndjson")
    killed: list[int] = []

    def told(taken: int, sets: int) -> None:
        if sets > 500 * (len(killed) + 1) and len(killed) < 2:
            process = next(child for child in multiprocessing.active_children() if child.pid not in killed)
            process.kill()
            killed.append(process.pid or 0)

    done = run(Batch(given=str(given), out=tmp_path / "out.ndjson", workers=2, root=WORLD), world, told)

    assert 2 == len(killed)
    assert 2 == done.deaths
    assert (tmp_path / "whole.ndjson").read_bytes() == (tmp_path / "out.ndjson").read_bytes()
    assert done.summary["balances"]


def half_an_answer(pipe: Connection, task: Task, root: Path, overlay: Path | None, expected: str) -> None:
    """A worker killed while it writes: of the 1 MB that it says will come, 10 bytes do. The next one lives."""
    died = root.with_name("died")
    if died.exists():
        serve(pipe, task, root, overlay, expected)
    died.touch()
    pipe.recv()
    os.write(pipe.fileno(), struct.pack("!i", 1 << 20) + b"x" * 10)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_killed_half_way_through_its_answer(world: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the rest of it."""
    given = ndjson(tmp_path / "in.ndjson", rows(world, 1_000))
    screen(world, given, tmp_path / "whole.ndjson")
    shutil.copytree(WORLD, tmp_path / "world")
    monkeypatch.setattr(pool, "_serve", half_an_answer)
    done = screen(world, given, tmp_path / "out.ndjson", workers=2, root=tmp_path / "world")

    assert done.deaths >= 1
    assert (tmp_path / "whole.ndjson").read_bytes() == (tmp_path / "out.ndjson").read_bytes()


def dies(pipe: Connection, *_: Any) -> None:
    """A worker that no chunk survives."""
    pipe.recv()
    os.kill(os.getpid(), signal.SIGKILL)


def test_rows_that_kill_every_worker(world: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 100))
    monkeypatch.setattr(pool, "_serve", dies)
    with pytest.raises(BatchError, match="4 workers died over the rows from line 1 on"):
        screen(world, given, tmp_path / "out.ndjson", workers=2)


def test_what_a_worker_raises_is_raised_here(world: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is no death: it is not tried again, and says where in the worker it arose."""
    given = ndjson(tmp_path / "in.ndjson", rows(world, 100))
    monkeypatch.setattr(pool, "_serve", fails)
    with pytest.raises(ZeroDivisionError) as raised:
        screen(world, given, tmp_path / "out.ndjson", workers=2)

    assert "in answer" in raised.value.__notes__[0]


class Failing:
    def answer(self, chunk: Any, file: int) -> float:
        return 1 / 0


def fails(pipe: Connection, *_: Any) -> None:
    while True:
        file, chunk = pipe.recv()
        pipe.send(answered(Failing(), file, chunk))  # type: ignore[arg-type]


def test_a_worker_with_other_knowledge_is_refused(world: Knowledge, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 50))
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", str(WORLD), str(other)], check=True)
    release = other / "release.yaml"
    release.write_text(release.read_text() + "\n# changed\n")
    with pytest.raises(WrongKnowledge, match="the batch was begun with"):
        screen(world, given, tmp_path / "out.ndjson", workers=2, root=other)

    assert not (tmp_path / "out.ndjson").exists()


# --- disks ---


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False, capture_output=True).returncode
    ):
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("suffix", ["ndjson", "parquet"])
def test_a_full_disk(world: Knowledge, tmp_path: Path, small_disk: Path, suffix: str) -> None:
    """The message says what to do, and with room the run goes on to the same bytes."""
    given = ndjson(tmp_path / "in.ndjson", rows(world, 3_000))
    out = small_disk / f"out.{suffix}"
    screen(world, given, tmp_path / f"whole.{suffix}")
    with pytest.raises(BatchError, match="the disk is full") as stopped:
        screen(world, given, out)
    assert "--resume" in stopped.value.mend
    assert not out.exists()
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    done = screen(world, given, out, resume=True)

    assert done.resumed > 0
    assert (tmp_path / f"whole.{suffix}").read_bytes() == out.read_bytes()


def test_a_folder_that_cannot_be_written(world: Knowledge, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="No such file"):
        screen(world, ndjson(tmp_path / "in.ndjson", rows(world, 3)), tmp_path / "none" / "out.ndjson")


# --- damaged files ---


def packed(data: bytes, packing: str) -> bytes:
    return gzip.compress(data, mtime=0) if packing == "gz" else zstandard.ZstdCompressor(write_checksum=True).compress(data)


@pytest.mark.parametrize("packing", ["gz", "zst"])
@pytest.mark.parametrize("fault", ["cut", "scrambled"])
def test_a_corrupt_tail(world: Knowledge, tmp_path: Path, packing: str, fault: str) -> None:
    """All rows before the damage are answered, and one error row says where the file breaks off."""
    given = ndjson(tmp_path / "plain.ndjson", rows(world, 6_000))
    data = packed(given.read_bytes(), packing)
    broken = tmp_path / f"in.ndjson.{packing}"
    place = len(data) * 3 // 4
    broken.write_bytes(
        data[:place] if fault == "cut" else data[:place] + bytes(byte ^ 0x5A for byte in data[place : place + 60]) + data[place + 60 :]
    )
    screen(world, given, tmp_path / "whole.ndjson")
    done = screen(world, broken, tmp_path / "out.ndjson")
    found, whole = read(tmp_path / "out.ndjson"), read(tmp_path / "whole.ndjson")
    *good, last = found
    readable = sum(one == two for one, two in zip(good, whole, strict=False))

    assert "damaged-file" == last["error"]["reason"]
    assert "breaks off" in last["error"]["errors"][0]["reason"]
    assert list(range(1, len(found) + 1)) == [row["line"] for row in found]
    assert (len(good) if fault == "cut" else 1) <= readable <= len(good)
    assert done.summary["balances"]
    assert done.summary["errors"]["reasons"]["damaged-file"] == 1


def test_several_gzip_members_are_one_file(world: Knowledge, tmp_path: Path) -> None:
    given = rows(world, 40)
    parts = [gzip.compress(ndjson(tmp_path / "part", given[start : start + 20]).read_bytes()) for start in (0, 20)]
    (tmp_path / "in.ndjson.gz").write_bytes(b"".join(parts))
    screen(world, tmp_path / "in.ndjson.gz", tmp_path / "out.ndjson")

    assert [row["id"] for row in given] == [row["id"] for row in read(tmp_path / "out.ndjson")]


@pytest.mark.parametrize("level", ["verdict", "findings"])
def test_one_row_in_twenty_damaged(world: Knowledge, tmp_path: Path, level: str) -> None:
    chance = random.Random(7)
    given = ndjson(tmp_path / "plain.ndjson", rows(world, 2_000))
    lines = given.read_bytes().splitlines()
    bad = sorted(chance.sample(range(len(lines)), len(lines) // 20))
    for place in bad:
        lines[place] = chance.choice((lines[place][:-9], b"\x00\xff", lines[place].replace(b"drugs", b"dregs"), b"null", b"{}"))
    (tmp_path / "in.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    done = screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson", level=level)
    screen(world, given, tmp_path / "whole.ndjson", level=level)
    found = read(tmp_path / "out.ndjson")

    assert {place + 1 for place in bad} == {row["line"] for row in found if "error" in row}
    assert [row for row in read(tmp_path / "whole.ndjson") if row["line"] - 1 not in bad] == [row for row in found if "error" not in row]
    assert done.summary["balances"]
    assert len(bad) == done.summary["errors"]["sets"]


def test_a_line_without_end(world: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.batch.files.LONGEST_LINE", 1 << 16)
    good = b'{"id":"good","drugs":["samplamycin"]}\n'
    (tmp_path / "in.ndjson").write_bytes(good + b'{"id":"long","drugs":["' + b"x" * 400_000 + b'"]}\n' + good * 3)
    done = screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson")
    found = read(tmp_path / "out.ndjson")

    assert ["good", None, "good", "good", "good"] == [row["id"] for row in found]
    assert [1, 2, 3, 4, 5] == [row["line"] for row in found]
    assert "damaged-file" == found[1]["error"]["reason"]
    assert done.summary["balances"]


def test_a_file_that_is_no_parquet(world: Knowledge, tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"PAR1 no more")
    done = screen(world, tmp_path / "in.parquet", tmp_path / "out.ndjson")

    assert {"damaged-file": 1} == done.summary["errors"]["reasons"]
    assert done.summary["balances"]


def test_an_empty_file(world: Knowledge, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").touch()
    done = screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson")

    assert b"" == (tmp_path / "out.ndjson").read_bytes()
    assert (0, True) == (done.summary["sets"], done.summary["balances"])


# --- ids ---


def test_repeated_ids_are_each_answered_and_told(world: Knowledge, tmp_path: Path) -> None:
    given = rows(world, 500)
    for place in (17, 300, 301):
        given[place] = given[place] | {"id": "s3"}
    given[400] = given[400] | {"id": "s399"}
    done = screen(world, ndjson(tmp_path / "in.ndjson", given), tmp_path / "out.ndjson")

    assert [row["id"] for row in given] == [row["id"] for row in read(tmp_path / "out.ndjson")]
    assert {"ids": 2, "sets": 6, "lines": [[4, 18, 301, 302], [400, 401]]} == done.summary["repeated_ids"]
    assert done.summary["balances"]


def test_repeats_are_found_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.batch.output._AT_ONCE", 64)
    seen = [(number * 2654435761 % 2**61 + 1, 0, number) for number in range(1_000)]
    seen += [seen[5], seen[5], seen[900]]
    with (tmp_path / "ids").open("w+b") as file:
        file.write(np.array(seen, SEEN).tobytes())
        found = repeats(file)

    assert (2, 5) == (found.ids, found.sets)
    assert {seen[5][0], seen[900][0]} == found.hashes


# --- the long form ---


def long_lines(knowledge: Knowledge, count: int) -> tuple[str, list[str]]:
    names = sorted(knowledge.drugs)
    chance = random.Random(11)
    lines = [f"s{number},{drug}" for number in range(count) for drug in chance.sample(names, chance.randint(2, 5))]
    return "order_set_id,drug", lines


def test_a_set_in_two_places_is_refused_and_never_judged_in_part(world: Knowledge, tmp_path: Path) -> None:
    header, lines = long_lines(world, 400)
    moved = next(place for place, line in enumerate(lines) if line.startswith("s20,"))
    lines.append(lines.pop(moved))
    (tmp_path / "in.csv").write_text("\n".join([header, *lines]) + "\n")
    done = screen(world, tmp_path / "in.csv", tmp_path / "out.ndjson")
    refused = [row for row in read(tmp_path / "out.ndjson") if "error" in row]

    assert {"s20"} == {row["id"] for row in refused}
    assert {"split-set"} == {row["error"]["reason"] for row in refused}
    assert 2 == len(refused)
    assert done.summary["balances"]


def test_too_many_sets_in_two_places_stop_the_batch(world: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that could not be remembered would be judged in part."""
    monkeypatch.setattr("checker.batch.output.MOST_REPEATS", 3)
    header, lines = long_lines(world, 50)
    (tmp_path / "in.csv").write_text("\n".join([header, *lines[1:], *lines[:20]]) + "\n")
    with pytest.raises(BatchError, match="stand in several places") as stopped:
        screen(world, tmp_path / "in.csv", tmp_path / "out.ndjson")

    assert "sort" in stopped.value.mend
    assert not (tmp_path / "out.ndjson").exists()


def test_a_damaged_row_refuses_its_set_and_what_stands_beside_it(world: Knowledge, tmp_path: Path) -> None:
    header, lines = long_lines(world, 400)
    (tmp_path / "whole.csv").write_text("\n".join([header, *lines]) + "\n")
    of = [line.split(",")[0] for line in lines]
    inside = of.index("s50") + 1
    between = of.index("s100")
    lines[inside] = 's50,"never closed'
    lines.insert(between, "\x00garbage with, too, many")
    (tmp_path / "in.csv").write_text("\n".join([header, *lines]) + "\n")
    done = screen(world, tmp_path / "in.csv", tmp_path / "out.ndjson")
    screen(world, tmp_path / "whole.csv", tmp_path / "whole.ndjson")
    found = read(tmp_path / "out.ndjson")
    refused = {row["id"] for row in found if "error" in row}
    whole = {row["id"]: row.get("verdict") for row in read(tmp_path / "whole.ndjson")}

    assert {"s50", "s99", "s100", "\x00garbage with"} == refused
    assert all(row["verdict"] == whole[row["id"]] for row in found if "error" not in row)
    assert done.summary["balances"]


@pytest.mark.parametrize("seed", range(6))
def test_no_damage_to_the_long_form_makes_a_set_look_better(world: Knowledge, tmp_path: Path, seed: int) -> None:
    """Every twentieth line damaged, at any chunk border: a set is judged whole or refused."""
    chance = random.Random(seed)
    given = rows(world, 600, seed)
    write_long(tmp_path / "whole.csv", given)
    lines = (tmp_path / "whole.csv").read_text().splitlines()
    readable = set()
    for place in range(1, len(lines)):
        if chance.random() >= 0.05:
            readable.add(lines[place].split(",")[0])
        else:
            lines[place] = chance.choice(
                (lines[place] + '"', lines[place].replace(",", ";"), lines[place][:2], "," + lines[place], lines[place] + ",x")
            )
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    screen(world, tmp_path / "whole.csv", tmp_path / "whole.ndjson")
    done = screen(world, tmp_path / "in.csv", tmp_path / "out.ndjson")
    whole: dict[Any, Any] = {row["id"]: row for row in read(tmp_path / "whole.ndjson")}
    found = read(tmp_path / "out.ndjson")
    judged = [row for row in found if "error" not in row]

    assert all({**row, "line": 0} == {**whole[row["id"]], "line": 0} for row in judged)
    assert readable <= {row["id"] for row in found}
    assert 1 == max(Counter(row["id"] for row in judged).values())
    assert done.summary["balances"]


def test_null_ids_of_long_parquet_refuse_their_neighbours(world: Knowledge, tmp_path: Path) -> None:
    drug = sorted(world.drugs)
    pq.write_table(pa.table({"order_set_id": ["a", "a", None, "b", "c"], "drug": drug[:5]}), tmp_path / "in.parquet")
    screen(world, tmp_path / "in.parquet", tmp_path / "out.ndjson")

    assert [("a", True), (None, True), ("b", True), ("c", False)] == [(row["id"], "error" in row) for row in read(tmp_path / "out.ndjson")]
