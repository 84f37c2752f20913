"""The service over the made-up world, and over the knowledge that ships."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import create_app
from knowledge import Knowledge


@pytest.fixture(scope="session")
def app(world: Knowledge) -> Flask:
    return create_app({"log": "requests"}, knowledge=world)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def real_app(real: Knowledge) -> Flask:
    return create_app({"log": "nothing"}, knowledge=real)


@pytest.fixture
def real_client(real_app: Flask) -> FlaskClient:
    return real_app.test_client()
