"""HTTP: POST /v1/check with 6 drugs beside an endpoint that does nothing, and the latency of 20 drugs at half load.

Measured: (a) requests a second with 6 drugs; baseline: `POST /bench/noop`, added to the same application (same
process, same hooks), asked with the same bodies by the same client, in turns (A B A B ...). (b) Latency of 20 drugs
at half of the rate that saturates the same server in the same run, from the time at which each request was due.
Questions are asked before, so that the engine is warm, as in bench.engine; the server writes its log as always, to a file.
Server and client share this machine: with fewer cores than workers plus one, the client takes from the server.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from bench import load
from bench.questions import KINDS, Asker
from bench.servers import serving
from bench.sheet import Bound, begin, cores
from knowledge import load as load_knowledge

THROUGHPUT = Bound(what="6 drugs / no-op, throughput", limit=0.5, least=True)
LATENCY = Bound(what="20 drugs at half of the saturating rate, p99", limit=50.0, unit="ms")
CHECK, NOOP = "/v1/check", "/bench/noop"


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("http", __doc__, _options)
    turns, turn, steady_for = (3, 1.0, 4.0) if options.quick else (8, 4.0, 30.0)
    count = 50
    workers = options.workers
    asker = Asker(load_knowledge())
    sheet.say(
        f"server: gunicorn, {workers} worker(s), on the loopback; client: {load.client()}, {load.CONNECTIONS} connections; {count} different bodies of each kind"
    )
    if load.client() != "wrk":
        sheet.say("wrk is not installed: the asyncio client may itself be the limit, which draws the two rates together")
    if workers + 1 > cores():
        sheet.say(f"{workers} worker(s) and a client on {cores()} core(s): the client takes from the server")
    throughput: list[list[object]] = []
    latency: list[list[object]] = []
    for kind in KINDS:
        six, twenty = (load.bodies(asker.ask(kind, drugs, count)) for drugs in (6, 20))
        with serving("bench.noop_app:app", workers=workers) as server:
            for bodies in (six, twenty):  # every worker meets every question
                load.saturate(server.port, CHECK, bodies, 1.0 if options.quick else 3.0)
            check, noop = [], []
            for _ in range(turns):
                check.append(load.rate(load.saturate(server.port, CHECK, six, turn)))
                noop.append(load.rate(load.saturate(server.port, NOOP, six, turn)))
            full = statistics.median(load.rate(load.saturate(server.port, CHECK, twenty, turn)) for _ in range(3))
            outcome = load.steady(server.port, CHECK, twenty, full / 2, steady_for)
        ratios = [a / b for a, b in zip(check, noop, strict=True)]
        throughput.append([kind, statistics.median(check), statistics.median(noop), statistics.median(ratios), min(ratios), max(ratios)])
        percentiles = [load.percentile(outcome.seconds, share) for share in (0.5, 0.9, 0.99, 1.0)]
        latency.append([kind, full, full / 2, outcome.asked, outcome.failed, *percentiles, load.percentile(outcome.late, 0.99)])
        if kind == KINDS[0]:
            sheet.hold(THROUGHPUT, statistics.median(ratios))
            sheet.hold(LATENCY, percentiles[2])
    sheet.say(f"(a) throughput, {turns} turns of {turn:g} s each; medians of requests a second, and of the ratios of the turns")
    sheet.table(["6 drugs", "check/s", "no-op/s", "ratio", "least", "most"], throughput)
    sheet.say(
        f"(b) latency at half of the saturating rate, open loop, {steady_for:g} s each; ms from the time at which each request was due"
    )
    sheet.table(["20 drugs", "saturating/s", "asked/s", "requests", "failed", "p50", "p90", "p99", "worst", "client late p99"], latency)
    return sheet.finish()


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, default=1, help="gunicorn's workers (default: %(default)s)")


if __name__ == "__main__":
    sys.exit(main())
