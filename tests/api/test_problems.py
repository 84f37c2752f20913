"""Every way to fail: a table of bad requests, what they are answered, and the words that help."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import create_app
from api.problems import KINDS, LONGEST_TEXT, MOST_ERRORS
from knowledge import Knowledge
from tests.api import assert_problem

TWO = ["exemplapenem", "fictazolam"]
MANY = [f"drug-{number}" for number in range(61)]

# body as sent, status, where, words of the reason, words of the mend
MALFORMED: list[tuple[str, bytes, str, str, str]] = [
    ("empty", b"", "", "empty", "send a question"),
    ("spaces", b" \n ", "", "empty", "send a question"),
    ("cut short", b'{"drugs": ["exempla', "line 1, column 20", "", "correct the JSON"),
    ("trailing comma", b'{"drugs":\n ["exemplapenem",]}', "line 2, column", "", "correct the JSON"),
    ("two documents", b"{} {}", "line 1, column 4", "", "correct the JSON"),
    ("single quotes", b"{'drugs': []}", "line 1, column 2", "", "correct the JSON"),
    ("not a number", b'{"drugs": [{"drug": "exemplapenem", "hours": NaN}]}', "line 1, column 46", "", "correct the JSON"),
    ("infinity", b'{"drugs": [{"drug": "exemplapenem", "hours": Infinity}]}', "line 1, column 46", "", "correct the JSON"),
    ("number without end", b'{"drugs": [{"drug": "exemplapenem", "hours": 1e999}]}', "line 1, column 46", "infinity", "correct the JSON"),
    ("lone surrogate", b'{"drugs": ["\\ud800"]}', "line 1, column", "surrogate", "correct the JSON"),
    ("surrogate in UTF-8", b'{"drugs": ["\xed\xa0\x80"]}', "line 1, column", "UTF-8", "correct the JSON"),
    ("not UTF-8", b'{"drugs": ["\xff"]}', "line 1, column", "UTF-8", "correct the JSON"),
    ("UTF-16", '{"drugs": []}'.encode("utf-16"), "line 1, column", "", "correct the JSON"),
    ("byte order mark", b"\xef\xbb\xbf{}", "line 1, column 1", "byte order mark", "correct the JSON"),
    ("too deep", b'{"drugs":' + b"[" * 5000 + b"]" * 5000 + b"}", "line 1, column", "depth", "correct the JSON"),
    ("deep", b'{"drugs":' + b"[" * 1000 + b"]" * 1000 + b"}", "", "nested too deep", "three levels"),
    ("field twice", b'{"drugs": ["exemplapenem"], "drugs": ["fictazolam"]}', "drugs", "stands twice", "keep one"),
    (
        "field twice inside",
        b'{"drugs": [{"drug": "exemplapenem", "conc": "5 mg/mL", "conc": "1 mg/mL"}]}',
        "conc",
        "stands twice",
        "keep one",
    ),
]
QUESTIONS: list[tuple[str, Any, str, str, str]] = [
    ("list", [], "", "not an object", '{"drugs": [...]}'),
    ("text", "vancomycin", "", "not an object", '{"drugs": [...]}'),
    ("null", None, "", "not an object", '{"drugs": [...]}'),
    ("nothing asked", {}, "drugs", "required", "add it"),
    ("empty list", {"drugs": []}, "drugs", "Shorter than minimum length 1", "at least one"),
    ("drugs null", {"drugs": None}, "drugs", "null", "leave the field out"),
    ("drugs text", {"drugs": "exemplapenem"}, "drugs", "list", "write a list"),
    ("unknown field", {"drugs": TWO, "durgs": []}, "durgs", "Unknown field", "correct its name"),
    (
        "unknown field inside",
        {"drugs": [{"drug": TWO[0], "concentration": "5 mg/mL"}]},
        "drugs/0/concentration",
        "Unknown field",
        "correct its name",
    ),
    ("identifying field", {"drugs": TWO, "patient": {"name": "Roe"}}, "patient/name", "Unknown field", "remove it"),
    ("drug a number", {"drugs": [1]}, "drugs/0", "name or a code", "write"),
    ("drug null", {"drugs": [None]}, "drugs/0", "", ""),
    ("drug a list", {"drugs": [["exemplapenem"]]}, "drugs/0", "name or a code", "write"),
    ("drug empty", {"drugs": ["  "]}, "drugs/0", "empty", "leave the entry out"),
    ("drug long", {"drugs": ["x" * 300]}, "drugs/0", "characters", "one drug's name"),
    ("drug missing", {"drugs": [{"conc": "5 mg/mL"}]}, "drugs/0/drug", "missing", "add drug"),
    ("code without system", {"drugs": [{"code": "11124"}]}, "drugs/0/system", "required", "add it"),
    ("code a number", {"drugs": [{"system": "rxnorm", "code": 11124}]}, "drugs/0/code", "string", "quotes"),
    ("unknown unit", {"drugs": [{"drug": TWO[0], "conc": "5 smoots/mL"}]}, "drugs/0/conc", "unknown unit", "accepted forms"),
    ("no volume", {"drugs": [{"drug": TWO[0], "conc": "5 mg"}]}, "drugs/0/conc", "amount, not a concentration", "leave conc out"),
    ("no concentration", {"drugs": [{"drug": TWO[0], "conc": "plenty"}]}, "drugs/0/conc", "not a concentration", "accepted forms"),
    ("negative", {"drugs": [{"drug": TWO[0], "conc": "-5 mg/mL"}]}, "drugs/0/conc", "not a concentration", "accepted forms"),
    ("conc a number", {"drugs": [{"drug": TWO[0], "conc": 5}]}, "drugs/0/conc", "string", "quotes"),
    ("hours text", {"drugs": [{"drug": TWO[0], "hours": "half"}]}, "drugs/0/hours", "number", "write a number"),
    ("hours zero", {"drugs": [{"drug": TWO[0], "hours": 0}]}, "drugs/0/hours", "greater than 0", ""),
    ("hours huge", {"drugs": [{"drug": TWO[0], "hours": 1e300}]}, "drugs/0/hours", "", ""),
    ("no time", {"drugs": [{"drug": TWO[0], "start": "tomorrow"}]}, "drugs/0/start", "not a time", "2026-01-05T08:00"),
    ("end of time", {"drugs": [{"drug": TWO[0], "start": "9999-12-31T23:00", "hours": 9999}]}, "drugs/0/hours", "year 9999", "correct"),
    ("decimal comma", {"drugs": [{"drug": TWO[0], "conc": "0,016 mg/mL"}]}, "drugs/0/conc", 'write "0.016"', "decimal point"),
    (
        "two kinds of time",
        {"drugs": [{"drug": TWO[0], "start": "2026-01-05T08:00+05:00"}, {"drug": TWO[1], "start": "2026-01-05T08:30"}]},
        "drugs/1/start",
        "no zone",
        "without a zone",
    ),
    ("unknown route", {"drugs": [{"drug": TWO[0], "route": "by post"}]}, "drugs/0/route", "Must be one of", ""),
    ("unknown mode", {"drugs": TWO, "mode": "bucket"}, "mode", "Must be one of", ""),
    ("age a text", {"drugs": TWO, "patient": {"age_days": "12"}}, "patient/age_days", "integer", "whole number"),
    ("age huge", {"drugs": TWO, "patient": {"age_days": 10**30}}, "patient/age_days", "", ""),
    ("age negative", {"drugs": TWO, "patient": {"age_days": -1}}, "patient/age_days", "", ""),
    ("explain a text", {"drugs": TWO, "explain": "yes"}, "explain", "boolean", "true or false"),
    ("too many", {"drugs": MANY}, "drugs", "at most 60", "split"),
    ("too many medications", {"drugs": TWO, "medications": MANY}, "medications", "at most 60", "split"),
    ("twice", {"drugs": ["exemplapenem", "Exemplex"]}, "drugs/1", "asks already", "leave one out"),
    ("medication twice", {"drugs": TWO, "medications": ["warfictin", "warfictin"]}, "medications/1", "asks already", "leave one out"),
]


@pytest.mark.parametrize(("body", "at", "reason", "mend"), [pytest.param(*row[1:], id=row[0]) for row in MALFORMED])
def test_malformed_json_is_told_by_its_place(client: FlaskClient, body: bytes, at: str, reason: str, mend: str) -> None:
    problem = assert_problem(client.post("/v1/check", data=body, content_type="application/json"), 400, "malformed-json")

    [error] = problem["errors"]
    assert error["at"].startswith(at) and bool(at) == bool(error["at"])
    assert reason in error["reason"]
    assert mend in error["mend"]


@pytest.mark.parametrize(("question", "at", "reason", "mend"), [pytest.param(*row[1:], id=row[0]) for row in QUESTIONS])
def test_a_bad_question_is_told_by_field_reason_and_mend(client: FlaskClient, question: Any, at: str, reason: str, mend: str) -> None:
    response = client.post("/v1/check", data=json.dumps(question), content_type="application/json")

    problem = assert_problem(response, 422, "bad-question")
    error = next(error for error in problem["errors"] if error["at"] == at)
    assert reason in error["reason"]
    assert mend in error["mend"]


def test_every_mistake_is_told_not_only_the_first(client: FlaskClient) -> None:
    question = {"drugs": [{"drug": TWO[0], "conc": "5 mg"}, {"drug": TWO[1], "conc": "1 furlong/mL", "start": "soon"}]}

    problem = assert_problem(client.post("/v1/check", json=question), 422)

    assert ["drugs/0/conc", "drugs/1/conc", "drugs/1/start"] == [error["at"] for error in problem["errors"]]


def test_a_flood_of_mistakes_is_cut_and_counted(client: FlaskClient) -> None:
    question = {"drugs": TWO} | {f"field-{number}": 1 for number in range(300)} | {"x" * 50_000: 1}

    response = client.post("/v1/check", json=question)

    problem = assert_problem(response, 422)
    assert MOST_ERRORS == len(problem["errors"])
    assert 301 == problem["errors_left_out"] + len(problem["errors"])
    assert len(response.data) < MOST_ERRORS * 3 * LONGEST_TEXT


def test_names_that_are_not_understood_are_answers_not_errors(client: FlaskClient) -> None:
    """Law 2: an unknown name is part of the answer; a bad question is not."""
    answer = client.post("/v1/check", json={"drugs": [TWO[0], "zzzmab"]})

    assert 200 == answer.status_code
    assert ["zzzmab"] == [item["asked"] for item in answer.get_json()["not_understood"]]
    assert "clear" != answer.get_json()["verdict"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=latin-1",
        "application/xml",
    ],
)
def test_other_bodies_than_json_are_refused(client: FlaskClient, content_type: str | None) -> None:
    problem = assert_problem(
        client.post("/v1/check", data=b'{"drugs": ["exemplapenem"]}', content_type=content_type), 415, "unsupported-media-type"
    )

    assert "application/json" in problem["detail"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON; charset=UTF-8"])
def test_json_is_taken_however_it_is_spelled(client: FlaskClient, content_type: str) -> None:
    assert 200 == client.post("/v1/check", data=b'{"drugs": ["exemplapenem"]}', content_type=content_type).status_code


def test_compressed_bodies_are_refused(client: FlaskClient) -> None:
    assert_problem(client.post("/v1/check", data=b"x", content_type="application/json", headers={"Content-Encoding": "gzip"}), 415)


def test_a_body_over_the_limit_is_refused(world: Knowledge) -> None:
    client = create_app({"most_bytes": 2048, "log": "nothing"}, knowledge=world).test_client()

    problem = assert_problem(
        client.post("/v1/check", data=json.dumps({"drugs": ["x" * 3000]}), content_type="application/json"), 413, "too-large"
    )

    assert "2048 bytes" in problem["detail"]


def test_the_most_drugs_can_be_set(world: Knowledge) -> None:
    client = create_app({"most_drugs": 2, "log": "nothing"}, knowledge=world).test_client()

    problem = assert_problem(client.post("/v1/check", json={"drugs": [*TWO, "samplicin"]}), 422)

    assert "at most 2" in problem["errors"][0]["reason"]
    assert 200 == client.post("/v1/check", json={"drugs": TWO}).status_code


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/check", {"POST", "OPTIONS"}),
        ("DELETE", "/v1/drugs/exemplapenem", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/healthz", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_told_which_are_allowed(client: FlaskClient, method: str, path: str, allow: set[str]) -> None:
    response = client.open(path, method=method)

    assert_problem(response, 405, "method-not-allowed")
    assert allow == set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/v1/check/",
        "/v2/check",
        "//v1/check",
        "/docs/assets/../secret",
        "/docs/assets/none.js",
        "/problems/none",
        "/v1/pairs/exemplapenem",
    ],
)
def test_an_address_that_is_not_there(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "at", "words", "candidates"),
    [
        ("/v1/drugs/exemplapenum", "id", "not known", ["exemplapenem"]),
        ("/v1/drugs/EXS", "id", "several meanings", ["exemplapenem", "samplicin"]),
        ("/v1/drugs/qqqqqqqq", "id", "not known", []),
        ("/v1/pairs/exemplapenum/fictazolam", "a", "not known", ["exemplapenem"]),
        ("/v1/pairs/fictazolam/exemplapenum", "b", "not known", ["exemplapenem"]),
    ],
)
def test_an_unknown_drug_is_answered_with_suggestions(client: FlaskClient, path: str, at: str, words: str, candidates: list[str]) -> None:
    problem = assert_problem(client.get(path), 404, "unknown-drug")

    assert at == problem["errors"][0]["at"]
    assert words in problem["errors"][0]["reason"]
    assert set(candidates) <= set(problem["candidates"])


def test_an_unknown_source(client: FlaskClient) -> None:
    assert_problem(client.get("/v1/sources/none"), 404, "unknown-source")


def test_a_pair_has_two_drugs(client: FlaskClient) -> None:
    assert_problem(client.get("/v1/pairs/exemplapenem/Exemplex"), 422, "bad-pair")


@pytest.mark.parametrize(
    ("query", "at", "words"),
    [
        ("", "q", "missing"),
        ("?q=", "q", "empty"),
        ("?q=%20", "q", "empty"),
        (f"?q={'x' * 300}", "q", "too long"),
        ("?q=a&limit=0", "limit", "out of range"),
        ("?q=a&limit=51", "limit", "out of range"),
        ("?q=a&limit=many", "limit", "whole number"),
        ("?q=a&limit=%D9%A3", "limit", "whole number"),
        ("?q=a&q=b", "q", "more than once"),
        ("?q=a&page=2", "page", "unknown"),
    ],
)
def test_bad_query_parameters(client: FlaskClient, query: str, at: str, words: str) -> None:
    problem = assert_problem(client.get(f"/v1/drugs{query}"), 422, "bad-query")

    error = next(error for error in problem["errors"] if error["at"] == at)
    assert words in f"{error['reason']} {error['mend']}"


def test_a_crash_shows_nothing_of_the_inside(world: Knowledge, capfd: pytest.CaptureFixture[str]) -> None:
    app: Flask = create_app(knowledge=world)

    @app.get("/crash")
    def crash() -> str:
        raise RuntimeError("secret of Jane Roe")

    response = app.test_client().get("/crash")

    assert_problem(response, 500, "internal")
    assert "secret" not in response.text and "RuntimeError" not in response.text
    logged = capfd.readouterr().err
    assert "RuntimeError" in logged and "test_problems.py" in logged
    assert "secret" not in logged


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_of_problem_has_an_address_that_explains_it(client: FlaskClient, kind: str) -> None:
    told = client.get(f"/problems/{kind}").get_json()

    assert {"type": f"/problems/{kind}", "status": KINDS[kind].status, "title": KINDS[kind].title, "meaning": KINDS[kind].meaning} == told
