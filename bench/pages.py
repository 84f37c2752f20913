"""Pages: server time of the workbench beside the JSON that holds the same answer, and of every page for itself.

Measured in one process, through the whole application (routing, hooks, compression as browsers ask for it), each path
in turns with its baseline (A B A B ...). (a) The check page with 10 drugs; baseline: `POST /v1/check` with the same
question, which the engine answers alike, so that the ratio is what shaping and writing HTML costs. (b) The same
questions when each is asked for the first time; in (a) they were asked before, so that the engine is warm. (c) The other pages.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_plus

from api import create_app
from bench.questions import KINDS, Asker
from bench.sheet import Bound, begin
from knowledge import load

SERVER_TIME = Bound(what="check page, 10 drugs, worst median of the kinds of questions", limit=20.0, unit="ms")
HEADERS = {"Accept": "text/html", "Accept-Encoding": "gzip"}
OTHERS = (
    "/",
    "/drugs?q=vanc",
    "/drug/vancomycin",
    "/drug/sodium-chloride-0.9",
    "/drug/chlorpromazine",
    "/pair/piperacillin-tazobactam/vancomycin",
    "/source/kufel-2017-hosp-pharm",
    "/source/ansm-2020-10",
    "/explore",
    "/explore/around/vancomycin",
    "/explore/coverage",
    "/explore/conflicts",
    "/explore/changes",
)


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("pages", __doc__)
    turns, count = (2, 10) if options.quick else (6, 50)
    knowledge = load()
    asker = Asker(knowledge)
    client = create_app({"log": "nothing"}, knowledge=knowledge).test_client()

    def get(path: str) -> bytes:
        response = client.get(path, headers=HEADERS)
        if response.status_code != 200:
            raise RuntimeError(f"{path}: {response.status}")
        return response.data

    def post(question: dict[str, Any]) -> None:
        client.post("/v1/check", json=question)

    rows, first, worst = [], [], 0.0
    for kind in KINDS:
        questions = asker.ask(kind, 10, count)
        paths = [link(question) for question in questions]
        first.append([kind, *spread([timed(lambda path=path: get(path)) for path in paths])])  # type: ignore[misc]  # the path of this turn
        for question in questions:
            post(question)
        page, json = [], []
        for _ in range(turns):
            page += [timed(lambda path=path: get(path)) for path in paths]  # type: ignore[misc]
            json += [timed(lambda question=question: post(question)) for question in questions]  # type: ignore[misc]
        sizes = [len(get(path)) for path in paths]
        rows.append([kind, *spread(page), statistics.median(json), statistics.median(page) / statistics.median(json), max(sizes)])
        worst = max(worst, statistics.median(page))
    sheet.say(f"(a) {count} questions of 10 drugs of each kind, {turns} turns; ms")
    sheet.table(["10 drugs", "page p50", "page p95", "page worst", "JSON p50", "page / JSON", "most bytes, compressed"], rows)
    sheet.say("(b) the same questions, each asked for the first time; ms")
    sheet.table(["10 drugs, cold", "p50", "p95", "worst"], first)
    others = []
    for path in OTHERS:
        size = len(get(path))
        others.append([path, *spread([timed(lambda path=path: get(path)) for _ in range(turns * 10)]), size])  # type: ignore[misc]
    sheet.say("(c) the other pages, warm; ms")
    sheet.table(["page", "p50", "p95", "worst", "bytes, compressed"], others)
    sheet.hold(SERVER_TIME, worst)
    sheet.note(f"page / JSON {max(row[5] for row in rows):.2f}")  # type: ignore[type-var]  # numbers stand there
    return sheet.finish()


def link(question: dict[str, Any]) -> str:
    """The page's address for a question of the API."""
    told = []
    for number, item in enumerate(question["drugs"], start=1):
        values = {"d": item} if isinstance(item, str) else {"d": item["drug"], "c": item["conc"], "v": item["vehicle"]}
        told += [f"{letter}{number}={quote_plus(value)}" for letter, value in values.items()]
    return f"/?{'&'.join(told)}"


def timed(call: Callable[[], object]) -> float:
    """How long a call takes, in ms."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1e3


def spread(taken: Sequence[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and worst."""
    ordered = sorted(taken)
    return statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1]


if __name__ == "__main__":
    sys.exit(main())
