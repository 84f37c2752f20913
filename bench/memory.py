"""Memory: what four preloaded workers take, beside one.

Measured: proportional set size (Pss of smaps_rollup) summed over gunicorn's master and workers, so that a page shared
by five processes counts once. Baseline: the same service with one worker. `warm` is what the bound is held to: each
worker has met nearly all of a working set of orders several times. The further steps, of questions that are all
different, show how far the memory of judgements grows in a long run before it is full.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench import load
from bench.questions import Asker
from bench.servers import family, serving
from bench.sheet import Bound, begin
from knowledge import load as load_knowledge

SHARED = Bound(what="4 workers / 1 worker after warm-up", limit=1.5)
WORKERS = (1, 4)
WORKING_SET, TIMES = 50, 10  # different questions of 6 drugs, as in bench.http, and how often each worker is asked as many
LONG = ((6, 200), (20, 200), (20, 1000))  # drugs, and different questions for each worker


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("memory", __doc__)
    asker = Asker(load_knowledge())
    steps = [
        ("started", 0, 0),
        ("warm", 6, WORKING_SET),
        *(("further", drugs, count) for drugs, count in (LONG[:1] if options.quick else LONG)),
    ]
    size: dict[tuple[int, int], float] = {}
    for workers in WORKERS:
        with serving("wsgi:app", workers=workers) as server:
            for step, (name, drugs, count) in enumerate(steps):
                if name == "warm":
                    questions = asker.ask("conditions", drugs, count) * TIMES * workers
                else:
                    questions = asker.ask("conditions", drugs, count * workers, seed=step) if count else []
                load.feed(server.port, "/v1/check", load.bodies(questions))
                time.sleep(0.5)
                size[workers, step] = sum(_pss(pid) for pid in family(server.pid))
    sheet.say("master and workers together, MiB of Pss; random questions, half of the drugs with conditions")
    rows: list[list[object]] = []
    for step, (name, drugs, count) in enumerate(steps):
        one, four = (size[workers, step] for workers in WORKERS)
        told = (
            f"{count:,} questions of {drugs} drugs, {TIMES} times" if name == "warm" else f"{count:,} different questions of {drugs} drugs"
        )
        rows.append([f"{name}: {told} for each worker" if count else name, one, four, four / one])
    sheet.table(["after", *(f"{workers} worker(s)" for workers in WORKERS), "ratio"], rows)
    sheet.hold(SHARED, size[4, 1] / size[1, 1])
    sheet.note(f"after the long run {size[4, len(steps) - 1] / size[1, len(steps) - 1]:.2f}")
    return sheet.finish()


def _pss(pid: int) -> float:
    """Proportional set size of a process in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    sys.exit(main())
