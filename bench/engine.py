"""The engine: from a question to the full report object, and to its JSON, for 2, 6, 20 and 40 drugs.

Measured: order() + check(), and the JSON on top, over random sets of real infused drugs. `warm`: the same
questions were asked before, so judgements of their pairs are remembered (reports never are). `first`: no
pair of the question was ever judged, in an engine that is otherwise warm.
Baseline: the open interaction checker pddiansm (PyPI), in its own environment, asked in turns with ours, with
random sets of as many substances from its own French thesaurus. It judges interactions only; Linewise judges
the line, the product rules, duplication and interactions. It remembers nothing, so its `first` is its `warm`.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

from bench.questions import KINDS, SEED, Asker, Question
from bench.sheet import Bound, Sheet, begin
from checker import Checker, Names, Renderer, order
from knowledge import Knowledge, load

FULL_REPORT = Bound(what="20 drugs (190 pairs), any infused drugs by name, warm, full report object, median", limit=2.0, unit="ms")
SIZES = {2: 100, 6: 100, 20: 50, 40: 12}  # drugs -> questions: no more pairs than the engine remembers
PEER = "pddiansm==0.2.0"
HERE = Path(__file__).parent
PEER_HOME = HERE.parent / "build" / "bench-pddiansm"


class Ours:
    """The engine with an empty memory, and the questions of one kind and size."""

    def __init__(self, knowledge: Knowledge, names: Names, questions: list[Question]) -> None:
        self.names, self.questions = names, questions
        self.checker, self.renderer = Checker(knowledge), Renderer(knowledge)

    def round(self) -> list[tuple[float, float]]:
        """Ask every question once: ms to the report, and ms to its JSON."""
        times = []
        for question in self.questions:
            began = time.perf_counter()
            report = self.checker.check(order(question, self.names))
            reported = time.perf_counter()
            self.renderer.json(report)
            times.append(((reported - began) * 1e3, (time.perf_counter() - began) * 1e3))
        return times


class Peer:
    """pddiansm in a process of its own interpreter, asked by lines of JSON."""

    def __init__(self) -> None:
        python = PEER_HOME / "bin" / "python"
        if not (PEER_HOME / "ready").exists():
            venv.create(PEER_HOME, with_pip=True, clear=True)
            subprocess.run(
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER],
                check=True,
                capture_output=True,
                timeout=300,
            )
            (PEER_HOME / "ready").touch()
        self.process = subprocess.Popen(
            [python, HERE / "peer_pddiansm.py", str(SEED)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self._read()

    def round(self, drugs: int, count: int) -> dict[str, Any]:
        """Ask `count` questions of `drugs` substances: ms of each, and how many interactions were found."""
        assert self.process.stdin is not None
        print(json.dumps([drugs, count]), file=self.process.stdin, flush=True)
        return self._read()

    def close(self) -> None:
        """Let it end: its input is closed."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise OSError("pddiansm ended")
        return dict(json.loads(line))


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("engine", __doc__)
    rounds = 3 if options.quick else 30
    knowledge = load()
    names, asker = Names(knowledge), Asker(knowledge)
    gc.collect()
    gc.freeze()  # as gunicorn.conf.py does for the service
    sheet.say(
        f"knowledge: {knowledge.version}, {len(knowledge.drugs):,} drugs, {len(knowledge.records.rows):,} rows, {len(knowledge.interactions):,} interacting pairs"
    )
    peer = _peer(sheet)
    sheet.say(
        f"{rounds} warm rounds over the questions of each kind and size, Linewise and pddiansm in turns; medians over single questions in ms"
    )
    rows: list[list[object]] = []
    for drugs, count in SIZES.items():
        for kind in KINDS:
            first, warm, theirs, found, pairs_found = _measure(
                Ours(knowledge, names, asker.ask(kind, drugs, count)), peer, drugs, count, rounds
            )
            reported = sorted(report for report, _ in warm)
            median = statistics.median(reported)
            their_median = statistics.median(theirs) if theirs else None
            rows.append(
                [
                    drugs,
                    drugs * (drugs - 1) // 2,
                    kind,
                    count,
                    statistics.median(report for report, _ in first),
                    median,
                    reported[len(reported) * 95 // 100],
                    statistics.median(both for _, both in warm),
                    pairs_found,
                    their_median if theirs else "-",
                    found if theirs else "-",
                    their_median / median if their_median else "-",
                ]
            )
            if (drugs, kind) == (20, "names"):
                sheet.hold(FULL_REPORT, median)
                sheet.note(
                    f"pddiansm / Linewise {their_median / median:.2f} ({their_median:.2f} ms)" if their_median else "pddiansm not measured"
                )
    sheet.table(
        [
            "drugs",
            "pairs",
            "kind",
            "questions",
            "first",
            "warm",
            "warm p95",
            "warm+JSON",
            "interacting",
            "pddiansm",
            "interacting",
            "pddiansm/warm",
        ],
        rows,
    )
    sheet.say("interacting: mean number of interactions (Linewise: pairs with one) found in a question")
    if peer:
        peer.close()
    return sheet.finish()


def _measure(
    ours: Ours, peer: Peer | None, drugs: int, count: int, rounds: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]], list[float], float, float]:
    first = ours.round()
    if peer:
        peer.round(drugs, count)
    warm: list[tuple[float, float]] = []
    theirs: list[float] = []
    found = 0.0
    for _ in range(rounds):
        warm += ours.round()
        if peer:
            answer = peer.round(drugs, count)
            theirs += answer["ms"]
            found = answer["found"] / count
    interacting = sum(
        bool(pair.interactions) for question in ours.questions for pair in ours.checker.check(order(question, ours.names)).pairs
    )
    return first, warm, theirs, found, interacting / count


def _peer(sheet: Sheet) -> Peer | None:
    try:
        peer = Peer()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        sheet.say(f"pddiansm: NOT MEASURED: {PEER} cannot be installed or started here ({type(error).__name__}); only Linewise is measured")
        return None
    about = peer.about
    sheet.say(
        f"pddiansm: {about['version']}, thesaurus {about['thesaurus']}, {about['substances']:,} substances, {about['statements']:,} statements, Python {about['python']}"
    )
    return peer


if __name__ == "__main__":
    sys.exit(main())
