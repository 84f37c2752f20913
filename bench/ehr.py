"""The door for EHRs: order-sign with one new order beside 40 active ones, and what one pair costs beside the same /v1/check.

Measured: (a) latency of 40 active orders and one draft, two workers, at half of the rate that saturates the same server in
the same run, from the time at which each request was due. (b) Cost of one pair (one draft, one active order): processor time
of one worker, all of it, for one request; baseline: `POST /v1/check` with the same two drugs, in turns (A B A B ...).
Orders carry a RxNorm code where the base has one, a name, and a SNOMED CT route. Everything is asked before, so that it is warm.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import orjson

from bench import load
from bench.questions import Asker, Question
from bench.servers import Server, family, serving
from bench.sheet import Bound, begin, cores
from knowledge import Knowledge
from knowledge import load as load_knowledge

LATENCY = Bound(what="40 active orders and one draft, p95", limit=100.0, unit="ms")
COST = Bound(what="one pair, order-sign / check", limit=1.5)
SIGN, CHECK = "/cds-services/iv-compatibility", "/v1/check"
KINDS = ("names", "studied")
ROUTE = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008", "display": "Intravenous route"}]}
Json = dict[str, Any]


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("ehr", __doc__, _options)
    turns, turn, steady_for = (3, 1.0, 4.0) if options.quick else (9, 3.0, 30.0)
    knowledge = load_knowledge()
    asker = Asker(knowledge)
    sheet.say(
        f"server: gunicorn on the loopback; client: {load.client()}, {load.CONNECTIONS} connections; {options.count} different bodies of each kind"
    )
    if options.workers + 1 > cores():
        sheet.say(f"{options.workers} workers and a client on {cores()} core(s): the client takes from the server")
    latency: list[list[object]] = []
    slowest: list[float] = []
    for kind in KINDS:
        many = [_body(_call(knowledge, question["drugs"])) for question in asker.ask(kind, 41, options.count)]
        with serving(workers=options.workers) as server:
            for _ in range(2):
                load.feed(server.port, SIGN, many * options.workers)
            full = statistics.median(load.rate(load.saturate(server.port, SIGN, many, turn)) for _ in range(3))
            outcome = load.steady(server.port, SIGN, many, full / 2, steady_for)
        percentiles = [load.percentile(outcome.seconds, share) for share in (0.5, 0.95, 0.99, 1.0)]
        latency.append(
            [kind, sum(map(len, many)) // len(many), full, outcome.asked, outcome.failed, *percentiles, load.percentile(outcome.late, 0.99)]
        )
        slowest.append(percentiles[1])
    sheet.say(
        f"(a) 40 active orders and one draft, {options.workers} workers, open loop at half of the saturating rate, {steady_for:g} s each, ms"
    )
    sheet.table(["drugs", "bytes", "saturating/s", "requests", "failed", "p50", "p95", "p99", "worst", "client late p99"], latency)
    sheet.hold(LATENCY, max(slowest))
    cost: list[list[object]] = []
    dearest: list[float] = []
    for kind in KINDS:
        pairs = asker.ask(kind, 2, options.count)
        sign, check = (
            [_body(_call(knowledge, question["drugs"])) for question in pairs],
            load.bodies([_named(question) for question in pairs]),
        )
        with serving(workers=1) as server:
            for path, bodies in ((SIGN, sign), (CHECK, check)):
                load.saturate(server.port, path, bodies, turn)
            signed, checked = [], []
            for _ in range(turns):
                signed.append(_cost(server, SIGN, sign, turn))
                checked.append(_cost(server, CHECK, check, turn))
        ratios = [a / b for a, b in zip(signed, checked, strict=True)]
        dearest.append(statistics.median(ratios))
        cost.append([kind, statistics.median(signed), statistics.median(checked), statistics.median(ratios), min(ratios), max(ratios)])
    sheet.say(f"(b) one pair, one worker, {turns} turns of {turn:g} s each; microseconds of processor time for a request, and the ratio")
    sheet.table(["drugs", "order-sign", "check", "median ratio", "least", "most"], cost)
    sheet.hold(COST, max(dearest))
    return sheet.finish()


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, default=2, help="gunicorn's workers for (a) (default: %(default)s)")
    parser.add_argument("--count", type=int, default=50, help="different bodies (default: %(default)s)")


def _call(knowledge: Knowledge, drugs: list[Any]) -> Json:
    """An order-sign request: the first drug is new, the others run."""
    first, *others = [item if isinstance(item, str) else item["drug"] for item in drugs]
    active = [{"resource": _order(knowledge, drug, f"a{number}", "active")} for number, drug in enumerate(others)]
    return {
        "hook": "order-sign",
        "hookInstance": "5f4b1a0e-7f55-4d0c-9d51-1f0c6d1c2a11",
        "fhirServer": "https://ehr.example/fhir",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "1",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": _order(knowledge, first, "new", "draft")}]},
        },
        "prefetch": {
            "activeMedications": {"resourceType": "Bundle", "type": "searchset", "total": len(active), "entry": active},
            "patient": {"resourceType": "Patient", "id": "1", "birthDate": "1970-01-01"},
        },
    }


def _order(knowledge: Knowledge, drug: str, identity: str, status: str) -> Json:
    known = knowledge.drugs[drug]
    concept: Json = {"text": known.name}
    codes = known.codes.get("rxnorm", ())
    if codes and len(knowledge.codes["rxnorm", codes[0]]) == 1:
        concept["coding"] = [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": codes[0], "display": known.name}]
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "authoredOn": "2026-11-23",
        "medicationCodeableConcept": concept,
        "dosageInstruction": [{"route": ROUTE, "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
    }


def _named(question: Question) -> Question:
    return {"drugs": [item if isinstance(item, str) else item["drug"] for item in question["drugs"]]}


def _body(call: Json) -> bytes:
    return orjson.dumps(call)


def _cost(server: Server, path: str, bodies: list[bytes], seconds: float) -> float:
    """Processor time of the server for one request, in microseconds."""
    before = _spent(server)
    outcome = load.saturate(server.port, path, bodies, seconds)
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} of {outcome.asked} requests failed")
    return (_spent(server) - before) / outcome.asked * 1e6


def _spent(server: Server) -> float:
    """Seconds of processor time that a server and its workers took so far."""
    ticks = 0
    for pid in family(server.pid):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
