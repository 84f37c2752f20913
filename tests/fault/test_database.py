"""A database that stops, fills up, or is shared: checks go on, and the audit trail tells the truth."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.audit import Audit
from api.store import Database
from tests.fault.conftest import SECONDS, Postgres, Serve
from tests.load.driver import Load


def chain(url: str) -> tuple[list[dict[str, object]], list[str]]:
    """All rows of the audit trail, and what is wrong with it."""
    with contextlib.closing(Database(url)) as database:
        trail = Audit(database, "on")
        count, wrong = trail.verify()
        return trail.tail(max(count, 1)), wrong


def test_postgresql_may_stop_and_start_under_load(serve: Serve, postgres: Postgres) -> None:
    served = serve(LINEWISE_DATABASE=postgres.url, LINEWISE_AUDIT="on")
    with Load(served.port, threads=4, per_second=100) as load:
        time.sleep(1.5)
        postgres.stop()
        time.sleep(SECONDS)
        told_then = json.loads(served.get("/readyz"))["audit"]
        postgres.start()
        time.sleep(4.5)
    told = load.told
    served.wait(lambda: all(json.loads(served.get("/healthz"))["audit"]["state"] == "ok" for _ in range(8)))
    served.process.terminate()
    served.process.wait(timeout=30)
    rows, wrong = chain(postgres.url)
    missing = sum(json.loads(str(row["detail"]))["count"] for row in rows if row["kind"] == "gap")
    kept = sum(row["kind"] == "check" for row in rows)
    slowest = told.percentile(0.99) * 1000
    print(
        f"PostgreSQL down {SECONDS:.0f} s: {told.answered} answered, {told.first_failed} failed, p99 {slowest:.0f} ms; {kept} rows kept, {missing} declared missing"
    )

    assert (0, 0) == (told.first_failed, told.retry_failed)
    assert "degraded" == told_then["state"]
    assert [] == wrong and missing > 0
    assert kept + missing >= told.answered, "every answer is in the chain or in a declared gap"
    assert served.lines("database-down") and served.lines("database-up") and len(served.lines("audit-unwritten")) == missing


def test_two_replicas_keep_one_chain(serve: Serve, postgres: Postgres) -> None:
    one, two = (serve(LINEWISE_DATABASE=postgres.url, LINEWISE_AUDIT="mandatory") for _ in range(2))
    with Load(one.port, two.port, threads=6) as load:
        time.sleep(SECONDS)
    told = load.told
    rows, wrong = chain(postgres.url)
    count = len(rows)
    print(f"two replicas: {told.answered} answered, {count} rows, {told.first_failed} failed, p99 {told.percentile(0.99) * 1000:.0f} ms")

    assert [] == wrong and 0 == told.first_failed
    assert told.statuses[200] == count, "not a row is lost"


def test_where_the_trail_is_mandatory_a_stopped_database_stops_answers(serve: Serve, postgres: Postgres) -> None:
    served = serve(LINEWISE_DATABASE=postgres.url, LINEWISE_AUDIT="mandatory")
    with Load(served.port, threads=2, per_second=40) as load:
        time.sleep(1)
        postgres.stop()
        time.sleep(2)
        postgres.start()
        time.sleep(4.5)
    answers = load.told.statuses
    rows, wrong = chain(postgres.url)
    count = len(rows)

    assert {200, 503} == set(answers) and answers[503] > 5
    assert [] == wrong and count >= answers[200]
    assert json.loads(served.get("/readyz"))["status"] == "ready"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small disk")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def test_a_full_disk_stops_no_answer(serve: Serve, small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/linewise.db"
    served = serve(LINEWISE_DATABASE=url, LINEWISE_AUDIT="on")
    filler = small_disk / "filler"
    with Load(served.port, threads=3, per_second=60) as load:
        time.sleep(1)
        handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while os.write(handle, b"\0" * 4096):
                pass
        os.close(handle)
        served.wait(lambda: served.lines("audit-unwritten"))
        time.sleep(1)
        filler.unlink()
        time.sleep(4.5)
    told = load.told
    served.process.terminate()
    served.process.wait(timeout=30)
    rows, wrong = chain(url)
    gaps = [row for row in rows if row["kind"] == "gap"]
    print(f"disk full: {told.answered} answered, {told.first_failed} failed, {len(rows)} rows, {len(gaps)} gaps declared")

    assert (0, 0) == (told.first_failed, told.retry_failed)
    assert [] == wrong and gaps
