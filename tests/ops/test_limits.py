"""Sizes and depths: what is too much is refused before it costs anything."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask

from tests.api import assert_problem


@pytest.mark.parametrize(("depth", "status"), [(30, 422), (33, 400), (400, 400), (900, 400), (100_000, 400)])
@pytest.mark.parametrize("bracket", ["[]", '{"a":}'])
def test_deep_json_is_refused_at_once(make: Callable[..., Flask], depth: int, status: int, bracket: str) -> None:
    opening, closing = (bracket[:-1], bracket[-1])
    body = '{"drugs": ' + opening * depth + "1" + closing * depth + "}"
    began = time.monotonic()

    response = make().test_client().post("/v1/check", data=body.encode(), content_type="application/json")

    assert time.monotonic() - began < 1
    assert_problem(response, status if len(body) < 256 * 1024 else 413)


def test_wide_json_is_not_deep(make: Callable[..., Flask]) -> None:
    drugs = [{"drug": "exemplapenem", "conc": "1 mg/mL", "line": str(number)} for number in range(60)]
    assert (
        200
        == make()
        .test_client()
        .post("/v1/check", json={"drugs": drugs[:1] + [{"drug": f"nobody-{number}"} for number in range(58)]})
        .status_code
    )


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {"Content-Encoding": "deflate, gzip"}])
def test_compressed_bodies_are_not_opened(make: Callable[..., Flask], headers: dict[str, str]) -> None:
    assert_problem(
        make().test_client().post("/v1/check", data=b"\x1f\x8b" + b"\0" * 100, content_type="application/json", headers=headers), 415
    )
