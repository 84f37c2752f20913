"""The tests of lint damage the same copy of the made-up world as those of the knowledge."""

from tests.knowledge.conftest import folder

__all__ = ["folder"]
