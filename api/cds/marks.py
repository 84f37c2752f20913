"""The uuid of a card tells what the card was about, so that feedback, which names nothing but the uuid, can be counted by pair.

Half of the uuid tells one card from another; the rest holds 28 bits of the hash of each of its one or two drugs. A mark that
fits several drugs of the knowledge is read as none of them.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

from knowledge import Knowledge

_BITS = 28


def identity(base: bytes, key: str, drugs: Sequence[str] = ()) -> str:
    """The uuid (version 8: of our own making) of a card. drugs: what it is about, two at most."""
    unique = hashlib.sha256(base + key.encode()).digest()
    marks = [_mark(drug) for drug in sorted(drugs)[:2]] if len(drugs) <= 2 else []
    low = (marks[0] << _BITS if marks else 0) | (marks[1] if len(marks) > 1 else 0)
    number = int.from_bytes(unique[:8]) << 64 | unique[8] << 56 | low
    number = number & ~(0xF << 76) | 8 << 76  # version
    number = number & ~(0x3 << 62) | 0x2 << 62  # variant
    return str(uuid.UUID(int=number))


class Marks:
    """Reads uuids over one knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._drugs: dict[int, str] = {}
        for drug in knowledge.drugs:
            self._drugs[_mark(drug)] = "" if _mark(drug) in self._drugs else drug

    def read(self, card: str) -> tuple[str, ...]:
        """What a card was about; nothing for a card of no single drug or pair, or one of another service."""
        try:
            number = uuid.UUID(card)
        except ValueError:
            return ()
        if number.version != 8:
            return ()
        low = number.int & ((1 << 2 * _BITS) - 1)
        found = tuple(self._drugs.get(mark, "") for mark in (low >> _BITS, low & ((1 << _BITS) - 1)) if mark)
        return found if all(found) else ()


def _mark(drug: str) -> int:
    return int.from_bytes(hashlib.sha256(drug.encode()).digest()[:4]) >> (32 - _BITS) or 1
