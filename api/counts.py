"""The counters. Labels hold routes, statuses, verdicts and reasons only: nothing that was asked.

With PROMETHEUS_MULTIPROC_DIR each worker writes its own file there, and a scrape adds them up (api/metrics.py).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from prometheus_client import Counter, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
REQUESTS = Counter("linewise_requests_total", "Requests by method, route and status.", ["method", "path", "status"])
SECONDS = Histogram("linewise_request_seconds", "Time to answer, by route.", ["path"], buckets=_BUCKETS)
VERDICTS = Counter("linewise_verdicts_total", "Answers by door and verdict.", ["door", "verdict"])
UNRESOLVED = Counter("linewise_not_understood_total", "Things asked that were not understood, by reason; never what they were.", ["reason"])
REFUSED = Counter("linewise_refused_total", "Requests without a key that may pass, by reason.", ["reason"])
LIMITED = Counter("linewise_limited_total", "Requests over the limit of their key or address.")
UNWRITTEN = Counter("linewise_audit_unwritten_total", "Audit rows that could not be written.")


@cache
def _of(method: str, path: str, status: int) -> tuple[Any, Any]:
    return REQUESTS.labels(method, path, status), SECONDS.labels(path)


def observe(method: str, path: str, status: int, seconds: float) -> None:
    """Count one exchange. method: unknown ones are counted as one, so that nobody can invent labels."""
    count, time = _of(method if method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH") else "other", path, status)
    count.inc()
    time.observe(seconds)


@cache
def verdict(door: str, said: str) -> Any:
    """The counter of one verdict."""
    return VERDICTS.labels(door, said)


@cache
def unresolved(reason: str) -> Any:
    """The counter of one reason."""
    return UNRESOLVED.labels(reason)
