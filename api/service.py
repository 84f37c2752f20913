"""What every view works with: the loaded knowledge, the engine over it, and the settings in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from api.settings import Settings
from api.shapes import Shapes
from checker import Checker, Names, Renderer
from knowledge import Knowledge

_KEY = "linewise"


@dataclass(frozen=True, slots=True)
class Service:
    """One per app. Everything in it is read-only, or only adds to its own memory."""

    settings: Settings
    knowledge: Knowledge
    names: Names
    checker: Checker
    renderer: Renderer
    shapes: Shapes

    @classmethod
    def over(cls, knowledge: Knowledge, settings: Settings) -> Service:
        """The service over one knowledge base."""
        renderer = Renderer(knowledge)
        return cls(settings, knowledge, Names(knowledge), Checker(knowledge), renderer, Shapes(knowledge, renderer))


def service() -> Service:
    """The service of the app that handles the current request."""
    return cast(Service, current_app.extensions[_KEY])
