"""Where requests are counted together: a store that all workers and replicas share, and what happens while it fails.

Then each worker counts for itself, with the same limits: nobody is turned away for the store's sake, and nobody goes unlimited.
One request finds out, and waits for half a second at most; a thread of its own asks the store again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from limits.storage import MemoryStorage, Storage, storage_from_string
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.retry import Retry

from api.logs import lines

SCHEME = "together"
RETRY_SECONDS = 2.0
WAIT_SECONDS = 0.5  # for a connection, and for an answer
_REDIS = ("redis", "rediss", "redis+unix")
T = TypeVar("T")


class Together(Storage):
    """Counts in the shared `store`, or in this worker while that fails. Made by Flask-Limiter, by the address `together:`."""

    STORAGE_SCHEME = [SCHEME]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, *, store: str, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self.up = True
        self._own = MemoryStorage()
        self._shared = cast(Storage, storage_from_string(store, **_options(store)))
        kinds = self._shared.base_exceptions
        self._errors: tuple[type[Exception], ...] = (OSError, *(kinds if isinstance(kinds, tuple) else (kinds,)))
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
            except self._errors as error:
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
            except self._errors:
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
