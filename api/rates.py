"""Where requests are counted: in each worker, or in a store that all workers and replicas share; and what happens while that fails.

Then each worker counts for itself, with the same limits: nobody is turned away for the store's sake, and nobody goes unlimited.
One request finds out, and waits for half a second at most; a thread of its own asks the store again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from limits.storage import Storage, storage_from_string
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.retry import Retry

from api.logs import lines

OWN = "own:"  # addresses by which Flask-Limiter makes the storages below
TOGETHER = "together:"
SWEEP_AT = 10_000  # counts that are kept before those that are over are looked for
RETRY_SECONDS = 2.0
WAIT_SECONDS = 0.5  # for a connection, and for an answer
_REDIS = ("redis", "rediss", "redis+unix")
T = TypeVar("T")


class Own(Storage):
    """Counts of this worker.

    The library's own memory store starts a timer with the counts, and fails when two threads start the same one.
    """

    STORAGE_SCHEME = [OWN.rstrip(":")]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._counts: dict[str, tuple[int, float]] = {}  # count, and when it is over
        self._sweep_at = SWEEP_AT
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.monotonic()
        with self._lock:
            if len(self._counts) >= self._sweep_at:
                self._counts = {name: kept for name, kept in self._counts.items() if kept[1] > now}
                self._sweep_at = max(SWEEP_AT, 2 * len(self._counts))
            count, until = self._counts.get(key, (0, 0.0))
            if until <= now:
                count, until = 0, now + expiry
            self._counts[key] = (count + amount, until)
            return count + amount

    def get(self, key: str) -> int:
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        now = time.monotonic()
        return time.time() + max(0.0, self._counts.get(key, (0, now))[1] - now)

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)

    def reset(self) -> int | None:
        with self._lock:
            count = len(self._counts)
            self._counts.clear()
            return count

    def check(self) -> bool:
        return True


class Together(Storage):
    """Counts in the shared `store`, or in this worker while that fails."""

    STORAGE_SCHEME = [TOGETHER.rstrip(":")]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, *, store: str, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self.up = True
        self._own = Own()
        self._shared = cast(Storage, storage_from_string(store, **_options(store)))
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return self._shared.base_exceptions

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._in(lambda storage: storage.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        return self._in(lambda storage: storage.get(key))

    def get_expiry(self, key: str) -> float:
        return self._in(lambda storage: storage.get_expiry(key))

    def clear(self, key: str) -> None:
        self._in(lambda storage: storage.clear(key))

    def reset(self) -> int | None:
        self._own.reset()
        return self._in(lambda storage: storage.reset())

    def check(self) -> bool:
        return self.up

    def _in(self, work: Callable[[Storage], T]) -> T:
        if self.up:
            try:
                return work(self._shared)
            except Exception as error:  # drivers raise more than they tell; a limit is no reason to refuse an answer
                self._failed(error)
        return work(self._own)

    def _failed(self, error: Exception) -> None:
        with self._lock:
            if not self.up:
                return
            self.up = False
        lines().error("rate-store-down", error=type(error).__name__)
        threading.Thread(target=self._wait, name="linewise-rates", daemon=True).start()

    def _wait(self) -> None:
        began = time.monotonic()
        while True:
            time.sleep(RETRY_SECONDS)
            try:
                self._shared.incr("linewise-probe", 60)  # it must take what is written: one that is full answers a ping
            except Exception:  # noqa: S112  # told when it began
                continue
            self.up = True
            lines().info("rate-store-up", seconds=round(time.monotonic() - began, 1))
            return


def _options(store: str) -> dict[str, Any]:
    """What keeps a request from waiting for Redis. A connection that was cut while it lay idle is made anew once."""
    if urlsplit(store).scheme not in _REDIS:
        return {}
    retry = Retry(NoBackoff(), 1, supported_errors=(Unreachable,))
    return {"socket_timeout": WAIT_SECONDS, "socket_connect_timeout": WAIT_SECONDS, "retry": retry}
