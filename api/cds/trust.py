"""Who may call: EHRs sign their calls with a JWT that is checked against a file of issuers and keys.

Off while only this machine can call; required as soon as others can, or the file is there. Asymmetric keys only, each call
once, for this service's public address. Nothing is fetched: the keys stand in the file.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from flask import Request

from api.feedback import Store
from api.problems import Failure
from api.settings import Settings, SettingsError, is_local
from checker import AskProblem

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256", "ES512", "RS512", "PS256", "PS384", "PS512")
DEFAULT_ALGORITHMS = ("ES384", "RS384")
LEEWAY = 60  # seconds that clocks may differ
LONGEST_LIFE = 3600  # seconds; a token that lives longer could be replayed for as long
LONGEST_TOKEN = 8192
_SECRET = ("oct", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One EHR: its issuer, the algorithms it may use, its keys, and the addresses of key sets it may name."""

    issuer: str
    algorithms: tuple[str, ...]
    keys: dict[str, jwt.PyJWK] = field(repr=False)
    jku: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset()


def read_clients(path: Path) -> dict[str, Client]:
    """The file of clients: {"clients": [{"iss", "jwks" or "jwks_file", "algorithms", "jku", "tenants"}]}. Raises SettingsError."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["clients"]
        clients = [_client(item, path) for item in listed]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise SettingsError(
            f'{path.name} cannot be used: {error}. Write {{"clients": [{{"iss": "https://ehr.example", "jwks_file": "ehr-keys.json"}}]}} (docs/ehr.md).'
        ) from error
    if not clients or len({client.issuer for client in clients}) < len(clients):
        raise SettingsError(f"{path.name} lists no client, or one issuer twice. Give each EHR one entry.")
    return {client.issuer: client for client in clients}


def _client(item: dict[str, Any], path: Path) -> Client:
    unknown = set(item) - {"iss", "jwks", "jwks_file", "algorithms", "jku", "tenants"}
    if unknown:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
    algorithms = tuple(item.get("algorithms", DEFAULT_ALGORITHMS))
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise ValueError(f"algorithms must be some of {', '.join(ALGORITHMS)}")
    jwks = item["jwks"] if "jwks" in item else json.loads((path.parent / item["jwks_file"]).read_text(encoding="utf-8"))
    keys: dict[str, jwt.PyJWK] = {}
    for number, key in enumerate(jwks["keys"]):
        if key.get("kty") in _SECRET or "d" in key:
            raise ValueError("a key is secret: give public keys only")
        keys[str(key.get("kid", number))] = jwt.PyJWK(key)
    if not keys or not isinstance(item["iss"], str) or not item["iss"]:
        raise ValueError("iss or keys are missing")
    return Client(
        issuer=item["iss"], algorithms=algorithms, keys=keys, jku=frozenset(item.get("jku", ())), tenants=frozenset(item.get("tenants", ()))
    )


class Trust:
    """Checks callers as the settings want it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.clients = read_clients(settings.clients) if settings.clients else {}
        self.required = bool(self.clients) or not is_local(settings.bind)
        self.base = settings.public_url
        self.store = store
        if self.clients and self.base is None:
            raise SettingsError(
                "LINEWISE_CLIENTS is set, but not LINEWISE_PUBLIC_URL: tokens are made for one address. Set it to the address that EHRs call."
            )

    def check(self, request: Request) -> str | None:
        """The issuer that calls; None when nobody is asked. Raises Failure (401)."""
        if not self.required:
            if not _from_here(request):
                raise _refused("this service answers other machines only when LINEWISE_CLIENTS names who may call")
            return None
        if not self.clients or self.base is None:
            raise _refused("no client is configured: set LINEWISE_CLIENTS and LINEWISE_PUBLIC_URL")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("a call carries Authorization: Bearer and a JWT")
        return self._verify(token.strip(), self._audiences(request.path))

    def _audiences(self, path: str) -> Sequence[str]:
        """The addresses a token may be made for: the endpoint called, the service of a feedback, or /cds-services as a whole."""
        endpoint = f"{self.base}{path}".rstrip("/")
        names = [endpoint, endpoint.removesuffix("/feedback")]
        if path.startswith("/cds-services"):
            names.append(f"{self.base}/cds-services")
        return [*names, *(f"{name}/" for name in names)]

    def _verify(self, token: str, audiences: Sequence[str]) -> str:
        if len(token) > LONGEST_TOKEN:
            raise _refused("the token is too long")
        try:
            head = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options={"verify_signature": False})
            client = self.clients.get(claimed["iss"]) if isinstance(claimed.get("iss"), str) else None
            if client is None:
                raise _refused("the issuer is not on the list")
            if head.get("jku") is not None and client.jku and head["jku"] not in client.jku:
                raise _refused("the key set that the token names is not on the list")
            key = (
                client.keys.get(str(head["kid"]))
                if head.get("kid") is not None
                else next(iter(client.keys.values()))
                if len(client.keys) == 1
                else None
            )
            if key is None:
                raise _refused("no key of this issuer has the token's kid")
            claims = jwt.decode(
                token,
                key,
                algorithms=list(client.algorithms),
                audience=audiences,
                issuer=client.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "jti", "aud", "iss"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise _refused(_words(error)) from error
        if client.tenants and claims.get("tenant") not in client.tenants:
            raise _refused("the tenant is not on the list")
        if claims["exp"] > time.time() + LONGEST_LIFE + LEEWAY:
            raise _refused("the token lives longer than an hour")
        jti = claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= 300:
            raise _refused("jti is not a text of at most 300 characters")
        if not self.store.first_seen(client.issuer, jti, int(claims["exp"]) + LEEWAY):
            raise _refused("this token was used before")
        return client.issuer


def _words(error: Exception) -> str:
    """Why a token was refused, in words that repeat nothing of it."""
    known = {
        jwt.ExpiredSignatureError: "the token has expired",
        jwt.ImmatureSignatureError: "the token is not valid yet",
        jwt.InvalidAudienceError: "the token is made for another address",
        jwt.InvalidAlgorithmError: "the algorithm is not allowed",
        jwt.InvalidSignatureError: "the signature does not fit",
        jwt.MissingRequiredClaimError: "exp, iat, jti, aud or iss is missing",
    }
    return next((words for kind, words in known.items() if isinstance(error, kind)), "the token cannot be read")


def _from_here(request: Request) -> bool:
    try:
        return not request.remote_addr or ipaddress.ip_address(request.remote_addr).is_loopback
    except ValueError:
        return False


def _refused(reason: str) -> Failure:
    return Failure(
        "unauthorized", f"The caller is not known: {reason}.", [AskProblem("", reason, "docs/ehr.md tells how EHRs are registered")]
    )
