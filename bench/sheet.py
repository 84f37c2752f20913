"""What every benchmark prints: the machine, the command, tables, and last the ratios with their bounds.

A full run is also written to bench/results/<name>.txt; a quick one, or one with options of its own, only prints.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What must hold, and who asks for it. least: the measure must reach the limit, instead of staying under it."""

    what: str
    limit: float
    unit: str = ""
    least: bool = False
    source: str = "issue"

    def holds(self, measured: float) -> bool:
        """Whether a measured value is within the bound."""
        return measured >= self.limit if self.least else measured <= self.limit

    def told(self, measured: float) -> str:
        """The measured value beside the bound, in words."""
        unit = f" {self.unit}" if self.unit else ""
        word = "at least" if self.least else "at most"
        return f"{self.what} {measured:.3g}{unit} ({word} {self.limit:g}{unit}: {'holds' if self.holds(measured) else 'MISSED'})"


@dataclass(slots=True)
class Sheet:
    """One benchmark's report, printed as it grows."""

    name: str
    keep: bool
    lines: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    missed: bool = False

    def say(self, text: str = "") -> None:
        """One line."""
        print(text, flush=True)
        self.lines.append(text)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Columns wide enough for their content; numbers to the right."""
        cells = [
            [value if isinstance(value, str) else f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" for value in row]
            for row in rows
        ]
        numeric = [all(not isinstance(row[column], str) for row in rows) for column in range(len(head))]
        widths = [max(len(line[column]) for line in [list(head), *cells]) for column in range(len(head))]
        self.say()
        for line in [list(head), ["-" * width for width in widths], *cells]:
            self.say(
                "  ".join(
                    text.rjust(width) if right else text.ljust(width) for text, width, right in zip(line, widths, numeric, strict=True)
                ).rstrip()
            )
        self.say()

    def hold(self, bound: Bound, measured: float) -> None:
        """Hold a measure against its bound; it is told in the last line."""
        self.missed |= not bound.holds(measured)
        self.last.append(bound.told(measured))

    def note(self, text: str) -> None:
        """A ratio for the last line that nothing bounds."""
        self.last.append(text)

    def finish(self) -> int:
        """Print the last line, keep the sheet where that is asked, and give the exit status."""
        self.say(f"{self.name}: {'; '.join(self.last)}")
        if self.keep:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{self.name}.txt").write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        return int(self.missed)


def begin(name: str, about: str | None, more: Callable[[argparse.ArgumentParser], None] | None = None) -> tuple[argparse.Namespace, Sheet]:
    """Read the options of a benchmark and head its sheet with the machine and the command."""
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter runs: to see that it works, not for figures; writes no result"
    )
    if more:
        more(parser)
    options = parser.parse_args()
    sheet = Sheet(name, keep=len(sys.argv) == 1)
    sheet.say(f"{(about or '').splitlines()[0]}")
    sheet.say(f"machine: {machine()}")
    sheet.say(f"command: {' '.join([f'python -m bench.{name}', *sys.argv[1:]])}")
    return options, sheet


def machine() -> str:
    """Processor, cores this process may use, memory, system and Python."""
    model = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0.0)
    load = os.getloadavg()[0]
    return (
        f"{model}, {cores()} cores, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}, "
        f"{platform.python_implementation()} {platform.python_version()}; load before the run {load:.1f}"
    )


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
