"""A shared store of the limits: it counts for all, and when it fails, hangs or comes back nobody is turned away and nobody goes unlimited."""

from __future__ import annotations

import http.client
import time
from collections import Counter

import pytest

from api.keys import Keys
from api.store import Database
from tests.fault.conftest import SECONDS, Redis, Serve, Served
from tests.load.driver import QUESTION, Load


def ask(served: Served, times: int, key: str = "") -> Counter[int]:
    """The statuses of some questions, one after the other, each over a connection of its own so that all workers get some."""
    found: Counter[int] = Counter()
    for _ in range(times):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        headers = {"Content-Type": "application/json", "Connection": "close"} | ({"X-API-Key": key} if key else {})
        connection.request("POST", "/v1/check", QUESTION, headers)
        found[connection.getresponse().status] += 1
        connection.close()
    return found


def test_two_services_share_one_limit(serve: Serve, redis: Redis) -> None:
    one, two = (serve(LINEWISE_RATE_STORE=redis.url, LINEWISE_RATE_PER_MINUTE="30") for _ in range(2))

    told = ask(one, 20) + ask(two, 20) + ask(one, 5)

    assert {200: 30, 429: 15} == dict(told)


def test_wrong_keys_are_counted_together(serve: Serve, redis: Redis) -> None:
    one, two = (serve(LINEWISE_RATE_STORE=redis.url, LINEWISE_KEYS="always") for _ in range(2))

    told = ask(one, 20, "wrong") + ask(two, 20, "wrong")

    assert {401: 30, 429: 10} == dict(told)


@pytest.mark.parametrize("harm", ["stop", "hang"])
def test_no_request_fails_while_the_store_is_gone(serve: Serve, redis: Redis, harm: str) -> None:
    served = serve(LINEWISE_RATE_STORE=redis.url, LINEWISE_RATE_PER_MINUTE="1000000")
    with Load(served.port, threads=6, per_second=120) as load:
        time.sleep(1)
        (redis.stop if harm == "stop" else redis.hang)()
        time.sleep(SECONDS)
        (redis.start if harm == "stop" else redis.go_on)()
        served.wait(lambda: len(served.lines("rate-store-up")) == len(served.lines("rate-store-down")))
        time.sleep(1)
    told = load.told
    print(
        f"Redis {harm} {SECONDS:.0f} s: {told.answered} answered, {told.first_failed} failed, p99 {told.percentile(0.99) * 1000:.0f} ms, slowest {max(told.seconds) * 1000:.0f} ms"
    )

    assert ({}, 0, {200}) == (dict(told.errors), told.first_failed, set(told.statuses)), served.log.read_text()[-3000:]
    assert max(told.seconds) < 3.0, "a request waits once, and briefly"
    assert 1 <= len(served.lines("rate-store-down")) <= 2, "each worker finds out by itself, and says so once"


def test_while_the_store_is_gone_each_worker_limits_by_itself(serve: Serve, redis: Redis) -> None:
    redis.stop()
    url = f"sqlite:///{redis.folder}/linewise.db"
    key, admin = (Keys(Database(url)).create(scope, [scope]) for scope in ("check", "admin"))
    served = serve(
        LINEWISE_RATE_STORE=redis.url,
        LINEWISE_RATE_PER_MINUTE="20",
        LINEWISE_KEYS="always",
        LINEWISE_DATABASE=url,
    )

    told = ask(served, 120, key)
    counted = served.get("/metrics", {"X-API-Key": admin})
    wrong = ask(served, 70, "wrong")

    assert {200, 429} == set(told) and 20 <= told[200] <= 40
    assert {401, 429} == set(wrong) and 30 <= wrong[401] <= 60

    assert "linewise_rate_store_up 0.0" in counted

    redis.start()
    served.wait(lambda: len(served.lines("rate-store-up")) == len(served.lines("rate-store-down")))
    again = ask(served, 60, key)
    assert {200: 20, 429: 40} == dict(again), "together again"
