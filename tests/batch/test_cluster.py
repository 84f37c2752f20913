"""A Dask cluster gives the rows of one machine; dead workers and workers with other knowledge make no difference to them."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checker.batch import Batch, BatchError, WrongKnowledge, run
from checker.batch.cluster import knowledge_here, spans
from checker.batch.files import Place, sources
from checker.batch.work import stamp
from knowledge import Knowledge, load
from tests.batch.conftest import ndjson, rows, screen
from tests.conftest import WORLD

distributed = pytest.importorskip("distributed", reason="Dask is an optional extra: requirements-dask.in")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's own: sockets and loops that it closes late


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as made:
        yield made


@pytest.fixture(autouse=True)
def small_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.batch.cluster.SPAN_BYTES", 1 << 14)
    monkeypatch.setattr("checker.batch.cluster.SPAN_ROWS", 300)


def on_cluster(knowledge: Knowledge, cluster: Any, given: Path, out: Path, told: Any = lambda read, sets: None, **more: Any) -> Any:
    return run(Batch(given=str(given), out=out, dask=cluster.scheduler_address, root=WORLD, **more), knowledge, told)


@pytest.mark.parametrize("level", ["verdict", "findings"])
def test_the_same_bytes_as_on_one_machine(world: Knowledge, cluster: Any, tmp_path: Path, level: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(3):
        ndjson(folder / f"part-{part}.ndjson", rows(world, 400, seed=part))
    one = screen(world, folder, tmp_path / "one.ndjson", level=level)
    many = on_cluster(world, cluster, folder, tmp_path / "many.ndjson", level=level)

    assert (tmp_path / "one.ndjson").read_bytes() == (tmp_path / "many.ndjson").read_bytes()
    assert one.summary == many.summary


def test_parquet_in_and_out(world: Knowledge, cluster: Any, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = [row for row in rows(world, 2_000) if all(isinstance(drug, str) for drug in row["drugs"])]
    pq.write_table(
        pa.table({"id": [row["id"] for row in plain], "drugs": [row["drugs"] for row in plain]}),
        tmp_path / "in.parquet",
        row_group_size=400,
    )
    screen(world, tmp_path / "in.parquet", tmp_path / "one.parquet")
    on_cluster(world, cluster, tmp_path / "in.parquet", tmp_path / "many.parquet")

    assert pq.read_table(tmp_path / "one.parquet") == pq.read_table(tmp_path / "many.parquet")


def test_a_killed_worker_loses_nothing(world: Knowledge, cluster: Any, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 6_000))
    screen(world, given, tmp_path / "one.ndjson")
    killed: list[int] = []

    def told(taken: int, sets: int) -> None:
        if sets > 500 and not killed:
            process = next(iter(cluster.workers.values())).pid
            os.kill(process, signal.SIGKILL)
            killed.append(process)

    done = on_cluster(world, cluster, given, tmp_path / "many.ndjson", told)

    assert killed
    assert (tmp_path / "one.ndjson").read_bytes() == (tmp_path / "many.ndjson").read_bytes()
    assert done.summary["balances"]


def test_a_run_on_a_cluster_is_resumed(world: Knowledge, cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.batch.output.JOURNAL_SECONDS", 0.0)
    given = ndjson(tmp_path / "in.ndjson", rows(world, 2_000))
    screen(world, given, tmp_path / "one.ndjson")

    def told(taken: int, sets: int) -> None:
        if sets > 700:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on_cluster(world, cluster, given, tmp_path / "many.ndjson", told)
    done = on_cluster(world, cluster, given, tmp_path / "many.ndjson", resume=True)

    assert done.resumed > 700
    assert (tmp_path / "one.ndjson").read_bytes() == (tmp_path / "many.ndjson").read_bytes()


def test_workers_with_other_knowledge_are_refused(world: Knowledge, cluster: Any, tmp_path: Path) -> None:
    """When all hold another, the batch stops before it begins."""
    other = tmp_path / "other"
    shutil.copytree(WORLD, other)
    (other / "release.yaml").write_text((other / "release.yaml").read_text() + "\n# changed\n")
    given = ndjson(tmp_path / "in.ndjson", rows(world, 20))
    with pytest.raises(WrongKnowledge, match="no worker of the cluster holds knowledge"):
        run(Batch(given=str(given), out=tmp_path / "out.ndjson", dask=cluster.scheduler_address, root=other), world)

    assert stamp(world) == knowledge_here(WORLD, None)
    assert stamp(load(other, cache=False)) != stamp(world)
    assert not (tmp_path / "out.ndjson").exists()


def test_no_scheduler(world: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 2))
    with pytest.raises(BatchError, match="no Dask scheduler answers"):
        run(Batch(given=str(given), out=tmp_path / "out.ndjson", dask="tcp://127.0.0.1:1", root=WORLD), world)


def test_spans_cover_every_row_once(world: Knowledge, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 1_000))
    data = given.read_bytes()
    found = list(spans(sources(str(given), None), frozenset(), Place()))

    assert len(found) > 3
    assert data == b"".join(data[span.start.offset : span.stop] for span in found)
    assert all(one.end == two.start for one, two in zip(found, found[1:], strict=False))
    assert [data[: span.start.offset].count(b"\n") + 1 for span in found] == [span.start.line for span in found]


def test_nothing_is_left_running(cluster: Any) -> None:
    """The client lets go of the cluster, and the cluster of no more than its own threads."""
    time.sleep(0.1)

    assert threading.active_count() < 60
