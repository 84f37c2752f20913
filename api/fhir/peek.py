"""Look into JSON that may have any shape. Nothing here raises, and nothing is trusted to be what the standard says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
LONGEST_TEXT = 300
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")


def items(value: Any) -> list[Json]:
    """The objects of a list; one object counts as a list of one, for senders who forget the brackets."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def obj(value: Any) -> Json:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any, longest: int = LONGEST_TEXT) -> str:
    """A text with single spaces, cut; "" when there is none."""
    return " ".join(value[: 4 * longest].split())[:longest] if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """A finite number; also one that was sent as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, (int, float)):
        try:
            found = float(value)
        except OverflowError:
            return None
        return found if math.isfinite(found) else None
    return None


def codings(concept: Any) -> Iterator[tuple[str, str, str]]:
    """System, code and display of every coding of a concept."""
    for coding in items(concept.get("coding")) if isinstance(concept, dict) else ():
        yield text(coding.get("system")), text(coding.get("code")), text(coding.get("display"))


def either(resource: Json, *names: str) -> Any:
    """The first of some fields that holds anything."""
    for name in names:
        value = resource.get(name)
        if value not in (None, "", [], {}):
            return value
    return None
