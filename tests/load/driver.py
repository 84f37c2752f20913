"""Load on a service on this machine: threads that ask, keep their connection, and note every answer."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

QUESTION = json.dumps({"drugs": ["exemplapenem", "fictazolam", "samplicin"]}).encode()


@dataclass
class Told:
    """What came back."""

    answered: int = 0
    first_failed: int = 0  # no answer, or 5xx, at the first try
    retry_failed: int = 0  # nor at the second
    statuses: Counter[int] = field(default_factory=Counter)
    digests: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * share)] if self.seconds else 0.0


class Load:
    """`with Load(port, threads=4) as load:` asks until the end of the block. per_second: for all threads together; 0: as fast as it goes."""

    def __init__(
        self, *ports: int, threads: int = 4, per_second: float = 0.0, path: str = "/v1/check", body: bytes | None = QUESTION
    ) -> None:
        self.ports, self.count, self.pause, self.path, self.body = ports, threads, threads / per_second if per_second else 0.0, path, body
        self.told = Told()
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _ask(self, number: int) -> None:
        port = self.ports[number % len(self.ports)]
        connection: http.client.HTTPConnection | None = None
        due = time.monotonic()
        while not self._end.is_set():
            if self.pause:
                due = max(due + self.pause, time.monotonic() - 1)
                time.sleep(max(0.0, due - time.monotonic()))
            failed = 0
            for attempt in range(2):
                began = time.monotonic()
                try:
                    if connection is None or connection.sock is None:
                        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
                        connection.connect()
                        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.request("POST" if self.body else "GET", self.path, self.body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    response.read()
                    if response.will_close:
                        connection.close()
                        connection = None
                    self._note(response, time.monotonic() - began)
                    if response.status < 500:
                        break
                except (OSError, http.client.HTTPException) as problem:
                    if connection is not None:
                        connection.close()
                    connection = None
                    with self._lock:
                        self.told.errors[type(problem).__name__] += 1
                failed = attempt + 1
                if attempt == 0:
                    time.sleep(0.05)
            with self._lock:
                self.told.first_failed += failed >= 1
                self.told.retry_failed += failed >= 2
                self.told.answered += failed < 2
        if connection is not None:
            connection.close()

    def _note(self, response: http.client.HTTPResponse, seconds: float) -> None:
        with self._lock:
            self.told.statuses[response.status] += 1
            self.told.digests[response.headers.get("Linewise-Knowledge", "")] += 1
            self.told.seconds.append(seconds)
