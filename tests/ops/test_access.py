"""Who may ask: every endpoint against missing, wrong, revoked and under-scoped keys."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import access
from api import keys as api_keys
from api.access import PUBLIC, guard, scope_of
from api.keys import SCOPES, Keys
from api.settings import SettingsError, read
from api.store import Database
from tests.api import assert_problem

QUESTION = {"drugs": ["exemplapenem", "fictazolam"]}


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """Every method and address, with something in the place of its parameters, and the scope it takes."""
    found = []
    for rule in app.url_map.iter_rules():
        path = "".join("x" if dynamic else part for dynamic, part in rule._trace).lstrip("|")
        found += [(method, path, scope_of(rule.rule, method)) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def wrong(key: str) -> dict[str, str]:
    """Keys that look right and are not."""
    identity, secret = key.split("_")[1], key.split("_", 2)[2]
    return {
        "nothing": "",
        "not a key": "abc",
        "other secret": f"lw_{identity}_{secret[::-1]}",
        "other id": f"lw_{'a' * 10}_{secret}",
        "cut": key[:-1],
        "longer": key + "A",
        "spaces": f"{key} {key}",
        "upper": key.upper(),
        "quote": "lw_' OR '1'='1_" + secret,
        "null": f"lw_{identity}_{secret[:-1]}\x01",
    }


@pytest.mark.parametrize("given", ["nothing", "wrong", "revoked"])
def test_no_endpoint_answers_without_a_key_that_is_in_force(guarded: Flask, keys: dict[str, str], given: str) -> None:
    client = guarded.test_client()
    headers = {"nothing": {}, "wrong": bearer(keys["check"][::-1]), "revoked": bearer(keys["revoked"])}[given]

    asked = [(method, path) for method, path, scope in routes(guarded) if scope != PUBLIC]
    answered = {
        place: client.open(place[1], method=place[0], headers=headers, environ_base={"REMOTE_ADDR": f"10.0.0.{number}"}).status_code
        for number, place in enumerate(asked)
    }

    assert len(answered) > 8
    assert {401} == set(answered.values()), {place: status for place, status in answered.items() if status != 401}


@pytest.mark.parametrize("held", SCOPES)
def test_a_key_opens_what_its_scope_says_and_nothing_else(guarded: Flask, keys: dict[str, str], held: str) -> None:
    client = guarded.test_client()
    for method, path, scope in routes(guarded):
        if scope in (PUBLIC, access.OWN):
            continue
        status = client.open(path, method=method, headers=bearer(keys[held])).status_code
        assert (status == 403) == (scope != held), (method, path, scope, status)


def test_what_is_public_is_what_is_meant_to_be(guarded: Flask) -> None:
    public = {path for _, path, scope in routes(guarded) if scope == PUBLIC}

    meant = {"/healthz", "/readyz", "/problems/x", "/docs", "/docs/assets/x", "/openapi.json", "/sign-in", "/sign-out"}
    assert meant == {path for path in public if not path.startswith("/assets")}


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_is_taken_from_either_header(guarded: Flask, keys: dict[str, str], header: str) -> None:
    value = f"bearer {keys['check']}" if header == "Authorization" else keys["check"]

    assert 200 == guarded.test_client().post("/v1/check", json=QUESTION, headers={header: value}).status_code


def test_keys_that_are_wrong_in_every_way_are_refused(guarded: Flask, keys: dict[str, str]) -> None:
    client = guarded.test_client()
    for name, key in wrong(keys["check"]).items():
        response = client.post("/v1/check", json=QUESTION, headers={"X-API-Key": key})
        assert 401 == response.status_code, name
        assert_problem(response, 401)
        assert "Bearer" == response.headers["WWW-Authenticate"]
        assert not key.strip() or key not in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1//check",
        "//v1/check",
        "/v1/check/",
        "/V1/check",
        "/v1/%63heck",
        "/healthz/../metrics",
        "/healthz/..%2fmetrics",
        "/docs/../v1/knowledge",
        "/docs/assets/..%2f..%2fwsgi.py",
        "/v1/knowledge;/healthz",
        "/healthz%00",
        "/metrics/",
        "/metrics?/healthz",
        "/./metrics",
        "/readyz/%2e%2e/metrics",
        "/problems/../metrics",
        "/cds-services/../metrics",
        "/sign-in/../metrics",
    ],
)
def test_no_trick_of_the_path_comes_past_the_door(guarded: Flask, path: str) -> None:
    for method in ("GET", "POST"):
        response = guarded.test_client().open(path, method=method)
        assert response.status_code in (401, 404, 405, 308), path
        assert b"linewise_requests" not in response.data and b"digest" not in response.data


def test_a_revoked_key_stops_within_the_time_that_is_promised(
    make: Callable[..., Flask], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Keys(Database(url))
    key = held.create("ward", ["check"])
    client = make(keys="always").test_client()
    assert 200 == client.post("/v1/check", json=QUESTION, headers=bearer(key)).status_code

    held.revoke(key.split("_")[1])
    monkeypatch.setattr(api_keys, "REFRESH_SECONDS", 0.0)  # that time has passed

    assert 401 == client.post("/v1/check", json=QUESTION, headers=bearer(key)).status_code


def test_an_expired_key_is_refused_and_a_clock_that_leaps_changes_no_other(
    make: Callable[..., Flask], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Keys(Database(url))
    expiring, lasting = held.create("short", ["check"], days=1), held.create("long", ["check"])
    client = make(keys="always").test_client()
    ask = lambda key: client.post("/v1/check", json=QUESTION, headers=bearer(key)).status_code  # noqa: E731
    assert (200, 200) == (ask(expiring), ask(lasting))
    monkeypatch.setattr(api_keys, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(api_keys, "_text", lambda moment: "2099-01-01T00:00:00+00:00")

    assert (401, 200) == (ask(expiring), ask(lasting))


def test_keys_are_kept_as_argon2_hashes_and_their_use_is_noted(make: Callable[..., Flask], url: str) -> None:
    held = Keys(Database(url))
    key = held.create("ward", ["check", "plan"])
    make(keys="always").test_client().post("/v1/check", json=QUESTION, headers=bearer(key))

    [row] = held.listed()
    from sqlalchemy import text

    kept = held.database.run(lambda connection: connection.execute(text("SELECT hash FROM api_key")).scalar())

    assert kept.startswith("$argon2id$") and key.split("_", 2)[2] not in kept
    assert ("check plan", None) == (row["scopes"], row["revoked"]) and row["last_used"] is not None


def test_an_id_that_exists_takes_as_long_as_one_that_does_not(url: str) -> None:
    """Timing of the comparison: medians of interleaved measurements of wrong secrets, near and far, lie close together."""
    held = Keys(Database(url))
    key = held.create("ward", ["check"])
    identity, secret = key.split("_", 2)[1:]
    cases = {
        "unknown id": f"lw_{'a' * 10}_{secret}",
        "first letter wrong": f"lw_{identity}_{'A' if secret[0] != 'A' else 'B'}{secret[1:]}",
        "last letter wrong": f"lw_{identity}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
    }
    held.recognise(cases["unknown id"])
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(12):
        for name, tried in cases.items():
            began = time.process_time()
            assert held.recognise(tried) is None
            times[name].append(time.process_time() - began)
    medians = {name: statistics.median(taken) for name, taken in times.items()}

    assert max(medians.values()) < 2 * min(medians.values()), medians


def test_keys_that_were_seen_go_on_while_the_database_is_down(
    make: Callable[..., Flask], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, unseen = Keys(Database(url)).create("ward", ["check"]), Keys(Database(url)).create("other", ["check"])
    app = make(keys="always")
    client = app.test_client()
    assert 200 == client.post("/v1/check", json=QUESTION, headers=bearer(key)).status_code
    monkeypatch.setattr(api_keys, "REFRESH_SECONDS", 0.0)
    app.extensions["linewise-access"].keys.database.down_since = time.monotonic()

    assert 200 == client.post("/v1/check", json=QUESTION, headers=bearer(key)).status_code
    response = client.post("/v1/check", json=QUESTION, headers=bearer(unseen))
    assert_problem(response, 503)
    assert "Retry-After" in response.headers


# --- limits ---


def test_a_key_and_an_address_have_each_their_own_count(make: Callable[..., Flask], url: str) -> None:
    first, second = (Keys(Database(url)).create(name, ["check"]) for name in ("one", "two"))
    client = make(keys="always", rate_per_minute=3).test_client()
    ask = lambda key: client.post("/v1/check", json=QUESTION, headers=bearer(key))  # noqa: E731

    assert [200, 200, 200, 429] == [ask(first).status_code for _ in range(4)]
    assert 200 == ask(second).status_code
    refused = ask(first)
    assert_problem(refused, 429)
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert 200 == client.get("/healthz").status_code


def test_addresses_are_counted_where_nobody_has_a_key(make: Callable[..., Flask]) -> None:
    client = make(rate_per_minute=2).test_client()
    ask = lambda address: client.post("/v1/check", json=QUESTION, environ_base={"REMOTE_ADDR": address}).status_code  # noqa: E731

    assert [200, 200, 429, 200] == [ask("10.0.0.1"), ask("10.0.0.1"), ask("10.0.0.1"), ask("10.0.0.2")]


def test_forwarded_addresses_are_believed_only_from_proxies(make: Callable[..., Flask]) -> None:
    for proxies, last in ((0, 429), (1, 200)):
        client = make(rate_per_minute=1, proxies=proxies).test_client()
        ask = lambda address: client.post("/v1/check", json=QUESTION, headers={"X-Forwarded-For": address}).status_code  # noqa: E731, B023
        assert [200, last] == [ask("10.0.0.1"), ask("10.0.0.2")]


def test_guessing_is_stopped(make: Callable[..., Flask], url: str) -> None:
    key = Keys(Database(url)).create("ward", ["check"])
    client = make(keys="always").test_client()
    tried = [client.get("/v1/knowledge", headers=bearer("wrong")).status_code for _ in range(access.FAILURES_PER_MINUTE + 2)]

    assert 429 == tried[-1] and 401 == tried[0]
    assert 429 == client.get("/v1/knowledge", headers=bearer(key)).status_code
    assert 200 == client.get("/v1/knowledge", headers=bearer(key), environ_base={"REMOTE_ADDR": "10.9.9.9"}).status_code


def test_a_store_that_cannot_be_used_stops_the_start(make: Callable[..., Flask]) -> None:
    with pytest.raises(SettingsError, match="LINEWISE_RATE_STORE"):
        make(keys="always", rate_store="nothing://here")


# --- where keys are asked for ---


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ({}, 200),
        ({"keys": "always"}, 401),
        ({"bind": "0.0.0.0:8080"}, 401),
        ({"bind": "0.0.0.0:8080", "allow_open": True}, 200),
        ({"bind": "[::1]:8080"}, 200),
    ],  # noqa: S104
)
def test_keys_are_asked_for_where_other_machines_can_ask(make: Callable[..., Flask], config: dict[str, Any], status: int) -> None:
    assert status == make(**config).test_client().post("/v1/check", json=QUESTION).status_code


def test_the_start_is_refused_until_somebody_holds_a_key(url: str) -> None:
    chosen = read({"LINEWISE_DATABASE": url})
    with pytest.raises(SettingsError, match="LINEWISE_ALLOW_OPEN=yes"):
        guard(["0.0.0.0:80"], chosen)  # noqa: S104

    key = Keys(Database(url)).create("ward", ["check"])
    assert guard(["0.0.0.0:80"], chosen)  # noqa: S104
    assert not guard(["127.0.0.1:80", "unix:/run/x"], chosen)

    Keys(Database(url)).revoke(key.split("_")[1])
    with pytest.raises(SettingsError):
        guard(["0.0.0.0:80"], chosen)  # noqa: S104


# --- browsers ---


def sign_in(client: FlaskClient, key: str) -> Any:
    return client.post("/sign-in", data={"key": key})


def test_a_browser_signs_in_and_out(guarded: Flask, keys: dict[str, str]) -> None:
    client = guarded.test_client()
    assert 401 == sign_in(client, keys["revoked"]).status_code and 401 == client.get("/v1/knowledge").status_code

    response = sign_in(client, keys["check"])

    cookie = response.headers["Set-Cookie"]
    assert 303 == response.status_code and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert 200 == client.get("/v1/knowledge").status_code
    assert 200 == client.post("/v1/check", json=QUESTION, headers={"Origin": "http://localhost"}).status_code
    assert 403 == client.post("/v1/check", json=QUESTION, headers={"Origin": "https://evil.example"}).status_code
    assert 403 == client.post("/v1/check", json=QUESTION).status_code
    client.post("/sign-out")
    assert 401 == client.get("/v1/knowledge").status_code


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nSet-Cookie: x=1", "é", "\x00"])
def test_headers_cannot_be_injected(guarded: Flask, value: str) -> None:
    client = guarded.test_client()
    response = client.post("/sign-in", data={"key": value})
    assert "X-Evil" not in response.headers and response.status_code == 401 and "Set-Cookie" not in response.headers
    for headers in ({"X-Request-Id": value}, {"X-API-Key": value}, {"Origin": value}):
        try:
            answered = client.get("/v1/knowledge", headers=headers)
        except ValueError:
            continue  # the client itself refuses to send it
        assert 401 == answered.status_code and value not in str(answered.headers)
