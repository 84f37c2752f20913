"""Whatever is sent, the answer is an answer or a problem, never a crash."""

from __future__ import annotations

from typing import Any

import orjson
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api import assert_problem

words = st.sampled_from(
    [
        "exemplapenem",
        "fictazolam",
        "Exemplex",
        "EXS",
        "nobody",
        "",
        " ",
        "NS",
        "5 mg/mL",
        "5 mg",
        "1e9 mg/mL",
        "y-site",
        "iv",
        "2026-01-05T08:00",
        "9999-12-31T23:59",
        "0001-01-01T00:00+14:00",
        "0001-01-01T00:00",
        "rxnorm",
        "90000001",
    ]
) | st.text(max_size=12)
leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | words
fields = st.sampled_from(
    [
        "drugs",
        "drug",
        "conc",
        "vehicle",
        "formulation",
        "line",
        "start",
        "hours",
        "rate_ml_per_h",
        "route",
        "system",
        "code",
        "medications",
        "patient",
        "age_days",
        "mode",
        "explain",
    ]
) | st.text(max_size=5)
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields, inner, max_size=5), max_leaves=12)
infusions = st.fixed_dictionaries(
    {"drug": words},
    optional={
        "conc": words,
        "vehicle": words,
        "formulation": words,
        "line": words,
        "start": words,
        "route": words,
        "hours": st.floats(0.01, 10_000),
        "rate_ml_per_h": st.floats(0.01, 1e5),
    },
)
questions = st.fixed_dictionaries(
    {"drugs": st.lists(infusions | words | anything, min_size=1, max_size=4)},
    optional={
        "medications": st.lists(words, max_size=2),
        "patient": st.fixed_dictionaries({}, optional={"age_days": st.integers(0, 50_000)}),
        "mode": words,
        "explain": st.booleans(),
    },
)
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


def answered(client: FlaskClient, body: bytes) -> None:
    response = client.post("/v1/check", data=body, content_type="application/json")
    if response.status_code == 200:
        assert response.get_json()["verdict"] in ("stop", "caution", "unknown", "clear")
    else:
        assert response.status_code in (400, 413, 422), response.text
        assert assert_problem(response, response.status_code)["errors"]


@quick
@given(questions | anything)
def test_any_json_is_answered_or_refused(client: FlaskClient, question: Any) -> None:
    answered(client, orjson.dumps(question))


@quick
@given(st.binary(max_size=60))
def test_any_bytes_are_answered_or_refused(client: FlaskClient, body: bytes) -> None:
    answered(client, body)


@quick
@given(questions, st.data())
def test_a_cut_body_is_refused(client: FlaskClient, question: Any, data: st.DataObject) -> None:
    body = orjson.dumps(question)

    assert_problem(
        client.post("/v1/check", data=body[: data.draw(st.integers(0, len(body) - 1))], content_type="application/json"),
        400,
        "malformed-json",
    )


@quick
@given(st.text(max_size=30), st.text(max_size=10))
def test_any_address_is_answered_or_refused(client: FlaskClient, name: str, more: str) -> None:
    for path in (f"/v1/drugs/{name}", f"/v1/pairs/{name}/{more}", f"/v1/sources/{name}"):
        response = client.get(path.replace("?", "%3F").replace("#", "%23"))
        if response.status_code != 200:
            assert_problem(response, response.status_code)
            assert response.status_code in (404, 422), response.text
