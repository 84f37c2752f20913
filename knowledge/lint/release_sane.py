"""The version of the knowledge is its date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from knowledge.lint.subject import Found, Level, Scope, Subject

code = "release-sane"
level = Level.ERROR
scope = Scope.RECORDS
description = (
    "release.yaml holds a real date, and a version of the same year and month: 2026.11.1 of 2026-11-23. So does every `read: {on}`."
)


def check(subject: Subject) -> Iterator[Found]:
    """A date that no calendar has, or a version of another month; the same for the days on which sources were read."""
    version, day = subject.records.version, subject.records.date
    release = subject.reading.parsed.get("release.yaml")
    lines = getattr(release, "lines", {})
    if version and day:
        known = _calendar(day)
        if known is None:
            yield Found("release.yaml", lines.get("date", 1), "date", f'"{day}" is not a day of the calendar', "write YYYY-MM-DD")
        elif tuple(map(int, version.split(".")[:2])) != (known.year, known.month):
            yield Found(
                "release.yaml",
                lines.get("version", 1),
                "version",
                f'version "{version}" is not of the month of {day}',
                f"write {known.year}.{known.month}.<number>",
            )
    for name, data in subject.reading.parsed.items():
        read = data.get("read") if name.startswith("studies/") and isinstance(data, dict) else None
        on = read.get("on") if isinstance(read, dict) else None
        if isinstance(on, str) and _calendar(on) is None:
            yield Found(name, data.lines["read"], "read/on", f'"{on}" is not a day of the calendar', "write YYYY-MM-DD")


def _calendar(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
