"""Cold start: from the start of gunicorn's process to the first 200 on /readyz, with and without the compiled knowledge.

Measured: the service with one worker, its cache folder (LINEWISE_CACHE) filled, and emptied before each start. Python's
own bytecode and the system's file cache are warm in all cases, as they are after an image was built and started once.
Baseline: the same gunicorn and gunicorn.conf.py (with what that imports) with a bare Flask application. They take turns.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from bench.servers import serving
from bench.sheet import Bound, begin

WITH_CACHE = Bound(what="ready with the cache, median", limit=2.0, unit="s")
WITHOUT_CACHE = Bound(what="ready without the cache, median", limit=10.0, unit="s")
BARE, WITH, WITHOUT = "bare Flask", "with cache", "without cache"


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("start", __doc__)
    runs = 3 if options.quick else 15
    took: dict[str, list[float]] = {BARE: [], WITH: [], WITHOUT: []}
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        for number in range(runs + 1):  # the first turn warms the files and is not counted
            for case in (BARE, WITHOUT, WITH):  # `with` finds what `without` has just written
                if case == WITHOUT:
                    shutil.rmtree(cache, ignore_errors=True)
                with serving("bench.bare_app:app" if case == BARE else "wsgi:app", cache=cache) as server:
                    if number:
                        took[case].append(server.ready_after)
    sheet.say(f"{runs} starts of each, in turns, after one that is not counted; seconds")
    bare = statistics.median(took[BARE])
    rows = [[case, statistics.median(found), min(found), max(found), statistics.median(found) / bare] for case, found in took.items()]
    sheet.table(["start", "median", "least", "most", "times bare"], rows)
    sheet.hold(WITH_CACHE, statistics.median(took[WITH]))
    sheet.hold(WITHOUT_CACHE, statistics.median(took[WITHOUT]))
    sheet.note(f"with cache / bare Flask {statistics.median(took[WITH]) / bare:.2f}")
    return sheet.finish()


if __name__ == "__main__":
    sys.exit(main())
