"""What every exchange carries, and what the log may hold."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient

from api import create_app
from knowledge import Knowledge

PATHS = [
    "/",
    "/healthz",
    "/readyz",
    "/docs",
    "/docs/assets/docs.js",
    "/openapi.json",
    "/v1/knowledge",
    "/v1/drugs?q=exempla",
    "/v1/drugs/exemplapenem",
    "/nope",
    "/v1/check",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_names_its_knowledge_and_is_safe_in_a_browser(client: FlaskClient, world: Knowledge, path: str) -> None:
    headers = client.get(path).headers

    assert f"{world.version}; sha256={world.digest[:12]}" == headers["Linewise-Knowledge"]
    assert "nosniff" == headers["X-Content-Type-Options"]
    assert "no-referrer" == headers["Referrer-Policy"]
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert ("'self'", "'none'") == (policy["default-src"], policy["frame-ancestors"])
    assert "script-src" not in policy, "scripts come from this service only"
    assert "Set-Cookie" not in headers
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Cache-Control"] == ("public, max-age=3600" if "assets" in path else headers["Cache-Control"])


def test_answers_are_not_kept_by_caches(client: FlaskClient) -> None:
    assert "no-store" == client.post("/v1/check", json={"drugs": ["exemplapenem"]}).headers["Cache-Control"]


def test_a_sane_request_id_is_kept(client: FlaskClient) -> None:
    assert "ward-7.a_B" == client.get("/healthz", headers={"X-Request-Id": "ward-7.a_B"}).headers["X-Request-Id"]


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "é", '"quoted"', "<b>", None])
def test_any_other_request_id_is_replaced(client: FlaskClient, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-Id": given}

    first, second = (client.get("/healthz", headers=headers).headers["X-Request-Id"] for _ in range(2))

    assert re.fullmatch("[0-9a-f]{24}", first) and first != second


def test_the_log_has_one_line_for_a_request_and_nothing_of_its_content(client: FlaskClient, capfd: pytest.CaptureFixture[str]) -> None:
    client.post(
        "/v1/check?token=s3cret",
        json={"drugs": ["exemplapenem", "Jane Roe"], "patient": {"age_days": 4321}},
        headers={"X-Request-Id": "one"},
    )
    client.post("/v1/check", json={"drugs": ["exemplapenem"], "mrn": "12345678"})
    client.post("/v1/check", data=b'{"drugs": ["Jane Roe"', content_type="application/json")
    client.get("/v1/drugs/jane-roe?ssn=12345678")
    client.get("/v1/drugs?q=jane-roe")
    client.get("/jane-roe")

    out, err = capfd.readouterr()
    lines = [json.loads(line) for line in err.splitlines()]
    assert "" == out
    assert [
        ("POST", "/v1/check", 200),
        ("POST", "/v1/check", 422),
        ("POST", "/v1/check", 400),
        ("GET", "/v1/drugs/<path:name>", 422),
        ("GET", "/v1/drugs", 200),
        ("GET", "unmatched", 404),
    ] == [(line["method"], line["path"], line["status"]) for line in lines]
    assert all(set(line) == {"event", "level", "timestamp", "method", "path", "status", "ms", "request_id"} for line in lines)
    assert "one" == lines[0]["request_id"]
    told = [{key: line[key] for key in line.keys() - {"timestamp", "ms", "request_id"}} for line in lines]  # a time may hold any digits
    assert not re.search(r"(?i)roe|s3cret|12345678|4321|exempla", json.dumps(told))


@pytest.mark.parametrize(("log", "lines"), [("requests", 2), ("errors", 0), ("nothing", 0)])
def test_the_log_can_be_lowered(world: Knowledge, capfd: pytest.CaptureFixture[str], log: str, lines: int) -> None:
    client = create_app({"log": log}, knowledge=world).test_client()

    client.get("/healthz")
    client.get("/nope")

    assert lines == len(capfd.readouterr().err.splitlines())
