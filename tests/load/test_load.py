"""Sustained load at 70 % of saturation: no error, and memory that stays. LINEWISE_TEST_SECONDS: how long (short unless told, 60 in `make load`)."""

from __future__ import annotations

import platform
import time
from pathlib import Path

from tests.fault.conftest import SECONDS, Serve, Served, serve  # noqa: F401  # a fixture
from tests.load.driver import Load


def resident(served: Served) -> int:
    """Private memory of the workers, in kB."""
    total = 0
    for pid in served.workers():
        total += sum(
            int(line.split()[1]) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Private")
        )
    return total


def test_seventy_percent_of_saturation(serve: Serve) -> None:  # noqa: F811
    served = serve()
    with Load(served.port, threads=4) as load:
        time.sleep(min(5.0, SECONDS))
    saturation = load.told.answered / min(5.0, SECONDS)
    with Load(served.port, threads=4, per_second=saturation * 0.7) as load:
        time.sleep(SECONDS / 2)
        before = resident(served)
        time.sleep(SECONDS / 2)
    told, after = load.told, resident(served)
    median, slowest = told.percentile(0.5) * 1000, told.percentile(0.99) * 1000
    print(
        f"{platform.machine()}, 2 workers, driver on the same machine: saturation {saturation:.0f}/s; {SECONDS:.0f} s at 70 %: {told.answered / SECONDS:.0f}/s, "
        f"{told.first_failed} errors, median {median:.1f} ms, p99 {slowest:.1f} ms, memory of the workers {before} kB at half time, {after} kB at the end"
    )

    assert 0 == told.first_failed and {200} == set(told.statuses)
    assert after < before * 1.1 + 4096
