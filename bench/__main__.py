"""Run the benchmarks one after the other: `python -m bench [name ...] [--quick]`. Exit status 1 when any missed its bound."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("engine", "http", "start", "memory", "growth", "ehr", "alerts", "pages", "planner", "batch")


def main() -> int:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which to run; unless told: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs; writes no results")
    options = parser.parse_args()
    if unknown := [name for name in options.names if not (HERE / f"{name}.py").is_file()]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    failed = []
    for name in options.names or NAMES:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}", *(["--quick"] if options.quick else [])], cwd=HERE.parent).returncode:
            failed.append(name)
        print(flush=True)
    print(f"missed: {', '.join(failed)}" if failed else "all bounds hold")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
