"""The changelog as the page shows it: releases, their sections, their lines. Only what CHANGELOG.md uses of Markdown is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup, escape

MOST_RELEASES = 6
_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


@dataclass(slots=True)
class Release:
    """One heading of the changelog. sections: name and lines; lines may carry code and bold words."""

    name: str
    sections: list[tuple[str, list[Markup]]] = field(default_factory=list)


def read(path: Path) -> list[Release]:
    """The newest releases that have something to tell; nothing when there is no changelog beside the program."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return []


@lru_cache(maxsize=2)
def _read(path: Path, _: int) -> list[Release]:
    releases: list[Release] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            releases.append(Release(line[3:].strip()))
        elif line.startswith("### ") and releases:
            releases[-1].sections.append((line[4:].strip(), []))
        elif line.strip() and releases:
            if not releases[-1].sections:
                releases[-1].sections.append(("", []))
            lines = releases[-1].sections[-1][1]
            if line.startswith(("- ", "* ")) or not lines:
                lines.append(_inline(line.removeprefix("- ").removeprefix("* ")))
            else:
                lines[-1] += Markup(" ") + _inline(line.strip())
    return [release for release in releases if any(lines for _, lines in release.sections)][:MOST_RELEASES]


def _inline(text: str) -> Markup:
    told = str(escape(text))
    told = _BOLD.sub(r"<b>\1</b>", _CODE.sub(r"<code>\1</code>", told))
    return Markup(told)  # noqa: S704  # escaped above; only the marks for code and bold were added
