"""Write the figures of docs/scale.md from bench/results: what one core does, and what follows for large numbers.

python -m bench.scale          after python -m bench.batch (and bench.http for the requests)
"""

from __future__ import annotations

import re
import sys
from math import ceil
from pathlib import Path

from bench.sheet import RESULTS

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
BEGIN, END = "<!-- figures: written by python -m bench.scale -->\n", "<!-- end of figures -->\n"
SETS, REQUESTS = 10**9, 10**5
HOURS = (1, 8, 24)
SPARE = 0.7  # of its capacity that a replica is loaded with, so that one may fail and peaks pass
REPLICA_CORES = 4


def main() -> int:
    """Replace what stands between the markers."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = before + BEGIN + "\n".join(_figures()) + "\n" + END + after
    PAGE.write_text(made, encoding="utf-8")
    return 0


def _figures() -> list[str]:
    batch = _results("batch")
    if batch is None:
        return ["No results yet: run `python -m bench.batch` on a quiet machine, then `python -m bench.scale`."]
    lines = [_line(batch, "machine"), ""]
    coded = _table(batch, "Parquet, coded")[0]
    named = _table(batch, "NDJSON, named")[0]
    full = _table(batch, "full reports")[0]
    dask = _table(batch, "Dask, NDJSON, ward")
    memory = _table(batch, "memory")
    lines += ["| one core | sets/s | bytes of a row |", "|---|---|---|"]
    kinds = {  # sets/s, and bytes of a result row
        "Parquet, coded, verdicts": coded[-2:],
        "NDJSON, named, verdicts": named[-2:],
        "NDJSON, conditions and lumens, verdicts": dask[0][-2:],
        "NDJSON, named, full reports": full[-2:],
    }
    lines += [f"| {name} | {rate:,.0f} | {size:,.0f} |" for name, (rate, size) in kinds.items()]
    gain = min(dask[1][-2] / dask[0][-2] / 2, 1.0)
    lines += [
        "",
        f"A second Dask worker gives {gain:.0%} of itself. A process needs {memory[1][-1]:,.0f} MB, however many sets it screens.",
        "",
    ]
    lines += [
        f"| {SETS:,} sets | core hours | {' | '.join(f'cores for {hours} h' for hours in HOURS)} | result, TB |",
        f"|---|---|{'---|' * len(HOURS)}---|",
    ]
    for name, (rate, size) in kinds.items():
        core_hours = SETS / (rate * gain) / 3600
        lines.append(
            f"| {name} | {core_hours:,.1f} | {' | '.join(f'{ceil(core_hours / hours):,}' for hours in HOURS)} | {SETS * size / 1e12:,.2f} |"
        )
    lines += [
        "",
        f"Core hours = {SETS:,} / (sets/s of one core × {gain:.2f}) / 3600; cores = core hours / hours, rounded up; result = sets × bytes of a row.",
        "",
    ]
    return lines + _requests()


def _requests() -> list[str]:
    http = _results("http")
    if http is None:
        return [f"For {REQUESTS:,} requests a second: run `python -m bench.http`, then `python -m bench.scale`."]
    rows = _table(http, "6 drugs")
    cores = int((re.search(r"(\d+) cores", _line(http, "machine")) or [0, "1"])[1])
    rate = max(row[0] for row in rows) / cores
    replicas = ceil(REQUESTS / (rate * REPLICA_CORES * SPARE))
    return [
        f"`POST /v1/check` with 6 drugs: {rate:,.0f} requests a second and core (bench/results/http.txt, its client on the same cores).",
        f"For {REQUESTS:,} requests a second: {REQUESTS:,} / ({rate:,.0f} × {REPLICA_CORES} cores × {SPARE:.0%}) = **{replicas:,} replicas** of {REPLICA_CORES} cores.",
    ]


def _results(name: str) -> str | None:
    path = RESULTS / f"{name}.txt"
    return path.read_text(encoding="utf-8") if path.exists() else None


def _line(text: str, word: str) -> str:
    return next((line for line in text.splitlines() if line.startswith(word)), "")


def _table(text: str, title: str) -> list[list[float]]:
    """The numbers of the rows of a table, found by the beginning of its head."""
    lines = text.splitlines()
    start = next(
        place for place, line in enumerate(lines) if line.startswith(title) and set(lines[place + 1]) <= {"-", " "} and lines[place + 1]
    )
    rows = []
    for line in lines[start + 2 :]:
        if not line.strip():
            break
        rows.append([float(cell.replace(",", "")) for cell in re.split(r"\s{2,}", line.strip()) if re.fullmatch(r"[\d,]+(\.\d+)?", cell)])
    return rows


if __name__ == "__main__":
    sys.exit(main())
