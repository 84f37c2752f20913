"""Who may call: tokens of EHRs, checked against a file of issuers and keys."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient

from api import create_app
from api.settings import SettingsError
from knowledge import Knowledge
from tests.ehr import SAMPLES, SERVICE, assert_outcome, call, needs_samples, order

BASE = "https://linewise.example"
ISSUER = "https://ehr.example"
EC = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = ec.generate_private_key(ec.SECP384R1())
Json = dict[str, Any]


def jwk(key: Any, kid: str, algorithm: str) -> Json:
    kind = jwt.algorithms.ECAlgorithm if algorithm.startswith("ES") else jwt.algorithms.RSAAlgorithm
    return json.loads(kind.to_jwk(key.public_key())) | {"kid": kid, "alg": algorithm, "use": "sig"}


CLIENTS = {"clients": [{"iss": ISSUER, "jwks": {"keys": [jwk(EC, "ec", "ES384"), jwk(RSA, "rsa", "RS384")]}}]}


@pytest.fixture
def clients(tmp_path: Path) -> Path:
    path = tmp_path / "clients.json"
    path.write_text(json.dumps(CLIENTS), encoding="utf-8")
    return path


@pytest.fixture
def guarded(world: Knowledge, database: str, clients: Path) -> FlaskClient:
    return create_app({"log": "nothing", "database": database, "clients": clients, "public_url": BASE}, knowledge=world).test_client()


def token(
    key: Any = EC,
    algorithm: str = "ES384",
    kid: str | None = "ec",
    header: Json | None = None,
    without: tuple[str, ...] = (),
    **claims: Any,
) -> str:
    now = int(time.time())
    made = {"iss": ISSUER, "aud": f"{BASE}{SERVICE}", "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())} | claims
    return jwt.encode(
        {name: value for name, value in made.items() if name not in without},
        key,
        algorithm,
        headers=({"kid": kid} if kid else {}) | (header or {}),
    )


def ask(client: FlaskClient, given: str | None, path: str = SERVICE) -> Any:
    headers = {"Authorization": f"Bearer {given}"} if given is not None else {}
    body = (
        {"feedback": []}
        if path.endswith("feedback")
        else {"resourceType": "Bundle"}
        if path.startswith("/fhir")
        else call([order("samplicin")])
    )
    return client.post(path, json=body, headers=headers)


GOOD: list[tuple[str, Callable[[], str]]] = [
    ("ES384", token),
    ("RS384", lambda: token(RSA, "RS384", "rsa")),
    ("audience in a list", lambda: token(aud=["https://other.example", f"{BASE}{SERVICE}"])),
    ("the whole service as audience", lambda: token(aud=f"{BASE}/cds-services")),
    ("with a slash", lambda: token(aud=f"{BASE}/cds-services/")),
    ("claims that Epic adds", lambda: token(nbf=int(time.time()) - 5, sub="client-id")),
    ("clocks that differ a little", lambda: token(iat=int(time.time()) + 30)),
]


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in GOOD])
def test_a_good_token_is_taken(guarded: FlaskClient, make: Callable[[], str]) -> None:
    assert 200 == ask(guarded, make()).status_code


BAD: list[tuple[str, Callable[[], str | None], str]] = [
    ("none at all", lambda: None, "Authorization"),
    ("nonsense", lambda: "x.y.z", "cannot be read"),
    ("empty", lambda: "", "Authorization"),
    ("another key", lambda: token(OTHER), "signature"),
    ("an unknown kid", lambda: token(kid="other"), "kid"),
    ("no kid with two keys", lambda: token(kid=None), "kid"),
    ("an unknown issuer", lambda: token(iss="https://evil.example"), "issuer"),
    ("an issuer that is no text", lambda: token(iss="", aud=BASE), "issuer"),
    ("another audience", lambda: token(aud="https://other.example/cds-services"), "another address"),
    ("the audience of another service", lambda: token(aud=f"{BASE}/cds-services/other"), "another address"),
    ("expired", lambda: token(exp=int(time.time()) - 120), "expired"),
    ("not yet valid", lambda: token(nbf=int(time.time()) + 600), "not valid yet"),
    ("lives too long", lambda: token(exp=int(time.time()) + 7200), "longer than an hour"),
    *[(f"without {name}", lambda name=name: token(without=(name,)), "") for name in ("exp", "iat", "jti", "aud", "iss")],
    ("algorithm none", lambda: jwt.encode({"iss": ISSUER}, None, "none", headers={"kid": "ec"}), "algorithm"),
    ("a symmetric key", lambda: token("x" * 64, "HS384", "ec"), "algorithm"),
    ("an algorithm that is not listed", lambda: token(RSA, "RS256", "rsa"), "algorithm"),
    ("jti no text", lambda: token(jti=7), ""),
    ("very long", lambda: token(filler="x" * 9000), "too long"),
]


@pytest.mark.parametrize(("make", "words"), [pytest.param(*row[1:], id=row[0]) for row in BAD])
def test_a_bad_token_is_refused(guarded: FlaskClient, make: Callable[[], str | None], words: str) -> None:
    response = ask(guarded, make())

    outcome = assert_outcome(response, 401)
    assert words in json.dumps(outcome)
    assert "Bearer" == response.headers["WWW-Authenticate"]


def test_a_token_is_taken_once(guarded: FlaskClient) -> None:
    made = token()

    assert [200, 401] == [ask(guarded, made).status_code for _ in range(2)]


def test_a_token_is_taken_once_by_all_workers(world: Knowledge, database: str, clients: Path, tmp_path: Path) -> None:
    given = {"log": "nothing", "clients": clients, "public_url": BASE, "database": f"sqlite:///{tmp_path / 'shared.db'}"}
    workers = [create_app(given, knowledge=world).test_client() for _ in range(2)]
    made = token()

    assert [200, 401] == [ask(worker, made).status_code for worker in workers]


@pytest.mark.parametrize("path", [SERVICE, f"{SERVICE}/feedback", "/fhir/R4/$check-infusions"])
def test_every_door_asks(guarded: FlaskClient, path: str) -> None:
    assert_outcome(ask(guarded, None, path), 401)
    assert 200 == ask(guarded, token(aud=f"{BASE}{path}"), path).status_code


def test_discovery_and_preflight_are_open(guarded: FlaskClient) -> None:
    assert 200 == guarded.get("/cds-services").status_code
    assert 200 == guarded.options(SERVICE).status_code


def test_the_key_set_that_a_token_names_must_be_listed(world: Knowledge, database: str, tmp_path: Path) -> None:
    path = tmp_path / "clients.json"
    path.write_text(
        json.dumps({"clients": [CLIENTS["clients"][0] | {"jku": [f"{ISSUER}/jwks.json"], "tenants": ["ward-7"]}]}), encoding="utf-8"
    )
    client = create_app({"log": "nothing", "database": database, "clients": path, "public_url": BASE}, knowledge=world).test_client()

    assert 200 == ask(client, token(header={"jku": f"{ISSUER}/jwks.json"}, tenant="ward-7")).status_code
    assert_outcome(ask(client, token(header={"jku": "https://evil.example/jwks.json"}, tenant="ward-7")), 401)
    assert_outcome(ask(client, token(tenant="ward-8")), 401)


def test_on_this_machine_nobody_is_asked(client: FlaskClient) -> None:
    assert 200 == ask(client, None).status_code
    assert 200 == ask(client, "whatever").status_code, "a token that nobody asked for is left alone"


def test_another_machine_is_refused_although_nobody_is_asked_here(client: FlaskClient) -> None:
    response = client.post(SERVICE, json=call([order("samplicin")]), environ_base={"REMOTE_ADDR": "10.0.0.9"})

    assert_outcome(response, 401)


def test_a_service_for_other_machines_without_clients_answers_nobody(world: Knowledge, database: str) -> None:
    client = create_app({"log": "nothing", "database": database, "bind": "0.0.0.0:8080", "allow_open": True}, knowledge=world).test_client()  # noqa: S104  # refusing is what is tested

    assert_outcome(ask(client, token()), 401)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be used"),
        ("{}", "cannot be used"),
        ('{"clients": []}', "no client"),
        ('{"clients": [{"iss": "x", "jwks": {"keys": []}}]}', "missing"),
        ('{"clients": [{"iss": "x", "jwks": {"keys": [{"kty": "oct", "k": "eA"}]}}]}', "secret"),
        ('{"clients": [{"iss": "x", "jwks_file": "nowhere.json"}]}', "cannot be used"),
        ('{"clients": [{"iss": "x", "algorithms": ["HS256"], "jwks": {"keys": []}}]}', "algorithms"),
        ('{"clients": [{"iss": "x", "key": 1, "jwks": {"keys": []}}]}', "unknown field"),
    ],
)
def test_a_file_of_clients_that_cannot_be_used_stops_the_start(
    world: Knowledge, database: str, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "clients.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError, match=words):
        create_app({"log": "nothing", "database": database, "clients": path, "public_url": BASE}, knowledge=world)


def test_clients_without_a_public_address_stop_the_start(world: Knowledge, database: str, clients: Path) -> None:
    with pytest.raises(SettingsError, match="LINEWISE_PUBLIC_URL"):
        create_app({"log": "nothing", "database": database, "clients": clients}, knowledge=world)


@needs_samples
def test_the_public_key_of_the_sandbox_can_be_listed(world: Knowledge, database: str, tmp_path: Path) -> None:
    path = tmp_path / "clients.json"
    path.write_text(
        json.dumps(
            {
                "clients": [
                    {"iss": "https://sandbox.cds-hooks.org", "jwks_file": str(SAMPLES / "sandbox-captured" / "sandbox-jwks-public.json")}
                ]
            }
        ),
        encoding="utf-8",
    )

    assert (
        401
        == ask(
            create_app({"log": "nothing", "database": database, "clients": path, "public_url": BASE}, knowledge=world).test_client(),
            token(),
        ).status_code
    )
