"""What the tests of the knowledge share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.knowledge.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A copy of the made-up world that the test may damage."""
    return Folder.copy(tmp_path)
