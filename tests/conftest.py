"""What all tests share: the made-up world, the real knowledge, and the engine over each.

Worlds are loaded once a session and never changed.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from checker import Checker, Names, Renderer
from checker.model import Order, Report
from knowledge import Knowledge, load

HERE = Path(__file__).parent
os.environ.setdefault(
    "LINEWISE_DATABASE", f"sqlite:///{tempfile.mkdtemp(prefix='linewise-test-')}/linewise.db"
)  # not that of whoever runs the tests
WORLD = HERE / "world" / "knowledge"

# A world that fails is large and slow to shrink: by default it is shown as it was drawn.
_FAST = [phase for phase in Phase if phase is not Phase.shrink and phase is not Phase.explain]
settings.register_profile("default", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=_FAST)
settings.register_profile("thorough", max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def world() -> Knowledge:
    """The made-up knowledge of tests/world."""
    return load(WORLD, cache=False)


@pytest.fixture(scope="session")
def world_names(world: Knowledge) -> Names:
    return Names(world)


@pytest.fixture(scope="session")
def world_checker(world: Knowledge) -> Checker:
    return Checker(world)


@pytest.fixture(scope="session")
def world_renderer(world: Knowledge) -> Renderer:
    return Renderer(world)


@pytest.fixture(scope="session")
def real() -> Knowledge:
    """The knowledge that ships, read from its files and not from a cache."""
    return load(cache=False)


@pytest.fixture(scope="session")
def real_names(real: Knowledge) -> Names:
    return Names(real)


@pytest.fixture(scope="session")
def real_checker(real: Knowledge) -> Checker:
    return Checker(real)


@pytest.fixture(scope="session")
def real_renderer(real: Knowledge) -> Renderer:
    return Renderer(real)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that fails over mockprazole, with words that tell what was asked."""
    judge = Checker.check

    def check(self: Checker, order: Order) -> Report:
        if any(item.drug == "mockprazole" for item in order.infusions):
            raise ZeroDivisionError("Jane Doe, mockprazole")
        return judge(self, order)

    monkeypatch.setattr(Checker, "check", check)
