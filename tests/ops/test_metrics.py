"""Counts are right, over all workers, and hold nothing that was asked."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.fault.conftest import Serve, serve  # noqa: F401  # a fixture
from tests.load.driver import Load


def counted(text: str, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items())
    )


def test_what_is_counted_names_nothing_that_was_asked(make: Callable[..., Flask]) -> None:
    client = make().test_client()
    before = client.get("/metrics").text
    client.post("/v1/check?x=s3cret", json={"drugs": ["exemplapenem", "Jane Roe"], "patient": {"age_days": 4321}})
    client.get("/v1/drugs/jane-roe")
    client.get("/jane-roe")
    client.open("/v1/check", method="ROE")

    text = client.get("/metrics").text

    names_and_labels = re.sub(r"(?m) \S+$", "", text)  # a count may happen to be 4321
    assert not re.search(r"(?i)roe|s3cret|4321|exempla", names_and_labels)
    grown = lambda name, **labels: counted(text, name, **labels) - counted(before, name, **labels)  # noqa: E731
    assert 1 == grown("linewise_requests_total", path="/v1/check", status="200")
    assert 1 == grown("linewise_not_understood_total") and 1 == grown("linewise_verdicts_total", door="check")
    assert 1 == grown("linewise_requests_total", path="unmatched", status="404") and grown("linewise_requests_total") == grown(
        "linewise_request_seconds_count"
    )
    assert 1 == counted(text, "linewise_knowledge_info")


def test_the_workers_are_added_up(serve: Serve) -> None:  # noqa: F811
    served = serve()
    with Load(served.port, threads=6) as load:
        import time

        time.sleep(2)
    seen = [counted(served.get("/metrics"), "linewise_requests_total", path="/v1/check", status="200") for _ in range(6)]

    assert {float(load.told.answered)} == set(seen)
