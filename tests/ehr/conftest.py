"""The doors for EHRs over the made-up world, and over the knowledge that ships."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import create_app
from knowledge import Knowledge
from tests.ehr import SERVICE, assert_cards, call

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('ehr') / 'linewise.db'}"


@pytest.fixture(scope="session")
def app(world: Knowledge, database: str) -> Flask:
    return create_app({"log": "nothing", "database": database}, knowledge=world)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def real_app(real: Knowledge, database: str) -> Flask:
    return create_app({"log": "nothing", "database": database, "public_url": "https://linewise.example"}, knowledge=real)


@pytest.fixture
def real_client(real_app: Flask) -> FlaskClient:
    return real_app.test_client()


def asker(client: FlaskClient) -> Ask:
    def ask(new: list[Any], running: Any = (), *, service: str = SERVICE, **more: Any) -> list[dict[str, Any]]:
        response = client.post(service, json=call(new, running, **more))
        assert 200 == response.status_code, response.text
        return assert_cards(response.get_json())

    return ask


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    """Ask the world: new orders, running orders; gives cards that hold what every card must."""
    return asker(client)


@pytest.fixture
def ask_real(real_client: FlaskClient) -> Ask:
    return asker(real_client)
