"""The counts of a worker: exact in many threads, gone after their time, and never without end."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask

from api import rates
from api.rates import Own, Together


def test_many_threads_count_exactly_and_nothing_fails(make: Callable[..., Flask]) -> None:
    """The memory store of the library starts a timer in each count, now and then the same one twice: a 500 for one request in many thousands."""
    storage = make(rate_per_minute=1000).extensions["linewise-access"].limiter.storage
    found: Counter[str] = Counter()
    counted = []
    end = time.monotonic() + 2

    def ask() -> None:
        mine = 0
        while time.monotonic() < end:
            try:
                storage.incr("key", 60)
                mine += 1
            except Exception as error:
                found[repr(error)] += 1
            time.sleep(0.0005)
        counted.append(mine)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)

    assert {} == dict(found) and sum(counted) == storage.get("key")


def test_a_count_begins_anew_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    storage, began = Own(), time.monotonic()
    assert [1, 2, 7] == [storage.incr("a", 60), storage.incr("a", 60), storage.incr("a", 60, 5)]
    assert 59 < storage.get_expiry("a") - time.time() <= 60 and 0 == storage.get("b")

    monkeypatch.setattr(rates.time, "monotonic", lambda: began + 61)

    assert (0, 1) == (storage.get("a"), storage.incr("a", 60))
    storage.clear("a")
    assert 0 == storage.get("a") and storage.incr("a", 60) and 1 == storage.reset() and 0 == storage.get("a")


def test_what_is_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    storage, began = Own(), time.monotonic()
    for number in range(rates.SWEEP_AT):
        storage.incr(f"address {number}", 60)
    monkeypatch.setattr(rates.time, "monotonic", lambda: began + 120)

    storage.incr("one more", 60)

    assert 1 == storage.reset()


def test_whatever_a_store_raises_the_worker_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Together("together:", store="redis://127.0.0.1:1")
    monkeypatch.setattr(rates, "RETRY_SECONDS", 3600.0)
    monkeypatch.setattr(storage._shared, "incr", lambda *_: 1 / 0)

    assert [1, 2] == [storage.incr("a", 60), storage.incr("a", 60)]
    assert not storage.up and not storage.check()
