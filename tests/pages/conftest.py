"""The workbench over the made-up world, and over the knowledge that ships, as a browser without script asks it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import create_app
from knowledge import Knowledge


def browser(app: Flask) -> FlaskClient:
    """A client that names the type of content that browsers name."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT"] = "text/html,application/xhtml+xml,*/*;q=0.8"
    return client


@pytest.fixture(scope="session")
def real_app(real: Knowledge) -> Flask:
    return create_app({"log": "nothing"}, knowledge=real)


@pytest.fixture
def real_client(real_app: Flask) -> FlaskClient:
    return browser(real_app)


@pytest.fixture(scope="session")
def app(world: Knowledge) -> Flask:
    return create_app({"log": "nothing"}, knowledge=world)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return browser(app)
