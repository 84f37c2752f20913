"""JSON in which a field stands twice: two readers could understand it differently, so nobody should answer it."""

from __future__ import annotations

import json
from typing import Any

import orjson


def repeated_field(text: bytes, value: Any) -> str | None:
    """The name of a field that stands twice in one object of a JSON text; None when none does.

    value: what orjson has read of `text`. Raises RecursionError when it is nested too deep to tell.
    """
    if _comes_back(value, text):
        return None
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=float)  # as floats: Python refuses whole numbers of thousands of digits
    except _Twice as twice:
        return str(twice)
    return None


def _comes_back(value: Any, text: bytes) -> bool:
    """Whether a value gives the very bytes that it was read from: then nothing stood twice in them."""
    try:
        return orjson.dumps(value) == text
    except orjson.JSONEncodeError:  # too deep to be written
        return False


class _Twice(Exception):
    """A key that stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1))
    return found
