"""A service that other machines can reach, and keys of every kind for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from api import create_app
from api.keys import SCOPES, Keys
from api.store import Database
from knowledge import Knowledge

OPEN = "0.0.0.0:8080"  # noqa: S104  # what the tests are about


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'linewise.db'}"


@pytest.fixture
def make(world: Knowledge, url: str) -> Callable[..., Flask]:
    def made(**config: object) -> Flask:
        return create_app({"log": "nothing", "database": url, **config}, knowledge=world)

    return made


@pytest.fixture(scope="session")
def guarded_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('ops') / 'linewise.db'}"


@pytest.fixture
def guarded(guarded_app: Flask) -> Flask:
    """Reached by other machines, so keys are in force. Wrong keys of other tests are forgotten."""
    guarded_app.extensions["linewise-access"].limiter.reset()
    return guarded_app


@pytest.fixture(scope="session")
def guarded_app(world: Knowledge, guarded_url: str) -> Flask:
    return create_app({"log": "nothing", "database": guarded_url, "bind": OPEN, "rate_per_minute": 0}, knowledge=world)


@pytest.fixture(scope="session")
def keys(guarded_url: str) -> dict[str, str]:
    """A key of each scope alone, and a revoked and an expired one of all scopes."""
    made = Keys(Database(guarded_url))
    found = {scope: made.create(f"only {scope}", [scope]) for scope in SCOPES}
    found["revoked"] = made.create("revoked", SCOPES)
    made.revoke(found["revoked"].split("_")[1])
    return found
