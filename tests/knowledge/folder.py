"""A copy of the made-up world that a test may damage, and the few ways of doing so."""

from __future__ import annotations

import shutil
from pathlib import Path

WORLD = Path(__file__).parent.parent / "world" / "knowledge"


class Folder:
    """A knowledge folder. Every edit fails when what it should change is not there, so that no damage is imagined."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def copy(cls, tmp_path: Path) -> Folder:
        """The made-up world, below `tmp_path`."""
        return cls(Path(shutil.copytree(WORLD, tmp_path / "knowledge")))

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))

    def replace(self, name: str, old: str, new: str) -> None:
        """The first `old` of a file becomes `new`."""
        text = self.read(name)
        assert old in text, f"{old!r} does not stand in {name}"
        self.write(name, text.replace(old, new, 1))

    def append(self, name: str, text: str) -> None:
        before = self.read(name) if (self.root / name).exists() else ""
        self.write(name, before.rstrip("\n") + "\n" + text + "\n" if before else text + "\n")

    def cut(self, name: str, after: str) -> None:
        """The file ends in the middle, right after the first `after`."""
        text = self.read(name)
        assert after in text, f"{after!r} does not stand in {name}"
        self.write(name, text[: text.index(after) + len(after)])

    def drop(self, name: str, mark: str) -> None:
        """The first line that holds `mark` is gone."""
        lines = self.read(name).splitlines()
        gone = next(number for number, line in enumerate(lines) if mark in line)
        self.write(name, "\n".join(lines[:gone] + lines[gone + 1 :]) + "\n")

    def delete(self, name: str) -> None:
        (self.root / name).unlink()

    def rename(self, name: str, to: str) -> None:
        (self.root / name).rename(self.root / to)

    def line(self, name: str, mark: str) -> int:
        """The 1-based number of the first line that holds `mark`."""
        return next(number for number, line in enumerate(self.read(name).splitlines(), start=1) if mark in line)
