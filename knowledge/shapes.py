"""Marshmallow's nested messages, laid flat with the lines on which they arose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def flat(messages: Any, data: Any, line: int, at: str = "") -> Iterator[tuple[str, int, str]]:
    """Marshmallow's nested messages as (field path, line, message)."""
    line = getattr(data, "line", line)
    if isinstance(messages, dict):
        for key, told in messages.items():
            inner, here = data, line
            if isinstance(data, dict):
                inner, here = data.get(key), getattr(data, "lines", {}).get(key, line)
            elif isinstance(data, list) and isinstance(key, int):
                inner = data[key]
            name = "" if key == "_schema" else str(key)
            yield from flat(told, inner, here, "/".join(filter(None, [at, name])))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield at, line, str(message)
