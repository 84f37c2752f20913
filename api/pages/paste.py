"""A pasted or typed list of drugs, read line by line: "vanc 5 mg/mL NS, pip-tazo, levophed".

Names are never guessed: a name is the longest beginning of an entry that the base knows, or the whole entry when it
knows none. What is neither name, concentration, fluid, rate, duration nor line is kept in `extra`, so that nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from checker import Names, spoken
from knowledge.normalise import normalise
from knowledge.terms import PREMIX, UNDILUTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One drug as typed. All fields are text; the engine reads them. extra: words that found no place."""

    drug: str
    conc: str = ""
    vehicle: str = ""
    rate: str = ""
    hours: str = ""  # how long it runs, with its unit where one was typed
    line: str = ""
    form: str = ""
    extra: str = ""


_AMOUNT = r"\d[\d.,]*(?:\s*(?:-|–|to)\s*\d[\d.,]*)?\s*(?:k|m|mc|n|µ|μ|u)?(?:g|units?|iu|u|mol|eq)\b"
_VOLUME = r"(?:\d[\d.,]*\s*)?(?:m|d)?l\b"
_BREAK = re.compile(r"[\r\n;•]+|(?<!\d),|,(?!\d)")
_BULLET = re.compile(r"^\s*(?:[-*–—·]\s+|\(?\d{1,2}[.)]\s+)+")
_JOINT = re.compile(r"\s+(?:\+|&|and|plus|with)\s+", re.IGNORECASE)
_RATE = re.compile(r"(?:@|\bat\b|\brate\b:?)?\s*(?<![\d.,])(\d+(?:[.,]\d+)*)\s*ml\s*(?:/|per)\s*h(?:r|our)?\b\.?", re.IGNORECASE)
_CONC = re.compile(rf"(?<![\w.])((?:[<>≤≥]\s*)?{_AMOUNT}\s*(?:/|per)\s*{_VOLUME})", re.IGNORECASE)
_IN_VOLUME = re.compile(rf"(?<![\w.])({_AMOUNT})(?:\s+(?:iv|ivpb))?\s+in\s+(\d[\d.,]*\s*(?:m|d)?l)\b", re.IGNORECASE)
_LINE_OF = re.compile(r"\b(?:line|lumen|port)\s*[:=#]?\s*([\w-]+)", re.IGNORECASE)
_OF_LINE = re.compile(r"\b([\w-]+)\s+(?:line|lumen|port)\b", re.IGNORECASE)
_PERCENT = re.compile(r"^(\d+(?:\.\d+)?\s*%)(?:\s|$)")
_IDLE = frozenset({"iv", "ivpb", "infusion", "drip", "gtt", "inj", "injection", "bag", "in", "via", "the", "at", "@", "continuous", "with"})
_OVER = re.compile(r"\b(?:over|for)\s+(\d+(?:[.,]\d+)*\s*(?:h|hr|hrs|hours?|min|mins|minutes?))\b\.?", re.IGNORECASE)
# A dose, a frequency: understood, and no part of this check.
_ASIDE = re.compile(
    rf"{_AMOUNT}(?:\s*/\s*kg)?(?:\s*/\s*(?:min|h|hr|hour|day|d|dose))?\b|\d[\d.,]*\s*ml\b|\bq\s?\d+\s?(?:h|hr|hours?|min)\b"
    r"|\b(?:daily|once|twice|stat|prn|bid|tid|qid|bd|tds|qds|od|loading|dose|maintenance)\b",
    re.IGNORECASE,
)


def read(text: str, names: Names) -> list[Entry]:
    """Every drug of `text`, in its order. A text without words gives nothing."""
    return [entry for piece in _pieces(text, names) if (entry := _entry(piece, names)) is not None]


def aside(extra: str) -> tuple[str, str]:
    """What of `extra` was understood and is no part of the check (doses, frequencies), and what was not understood."""
    understood = [match[0] for match in _ASIDE.finditer(extra)]
    rest = " ".join(_ASIDE.sub(" ", extra).split()).strip(" ,.;:()[]")
    return ", ".join(understood), rest


def _pieces(text: str, names: Names) -> Iterator[str]:
    """The entries of a list: split at line ends, semicolons and commas, and between drugs joined by "+" or "and"."""
    parts = [part for part in (_BULLET.sub("", raw).strip() for raw in _BREAK.split(_columns(text, names))) if part]
    number = 0
    while number < len(parts):
        part = parts[number]
        if number + 1 < len(parts) and not _knows(names, part) and _knows(names, both := f"{part}, {parts[number + 1]}"):
            yield both  # a name that holds a comma
            number += 2
            continue
        yield from _joined(part, names)
        number += 1


def _columns(text: str, names: Names) -> str:
    """Cells of a spreadsheet: one that begins with a drug begins an entry, any other belongs to the one before."""

    def cell(match: re.Match[str]) -> str:
        words = match[1].split()
        return f"{'; ' if _leading(words, names) and not _fluid_at(words, names) else ' '}{match[1]}"

    return re.sub(r"\t([^\t\r\n;]*)", cell, text)


def _joined(piece: str, names: Names) -> Iterator[str]:
    if _knows(names, piece):
        yield piece
        return
    for joint in _JOINT.finditer(piece):
        left, right = piece[: joint.start()], piece[joint.end() :]
        if _leading(right.split(), names) and _leading(left.split(), names) and not _is_vehicle_of(joint[0], right, names):
            yield left
            yield from _joined(right, names)
            return
    yield piece


def _is_vehicle_of(joint: str, right: str, names: Names) -> bool:
    """ "ceftriaxone with NS" may name a fluid to run in; "with" then joins nothing."""
    return joint.strip().casefold() == "with" and bool(_fluid_at(right.split(), names))


def _entry(piece: str, names: Names) -> Entry | None:
    text = piece.strip().strip(".")
    if not normalise(text):
        return None
    if _knows(names, text):
        return Entry(drug=text)
    rest, rate = _take(_RATE, text)
    rest, hours = _take(_OVER, rest)
    rest = rest.strip(" ,()")
    if "@" in rest and not rate:
        return replace(_spoken(rest), hours=hours)
    if _knows(names, rest):
        return Entry(drug=rest, rate=rate, hours=hours)
    if in_volume := _IN_VOLUME.search(rest):
        conc, rest = f"{in_volume[1]}/{in_volume[2]}", f"{rest[: in_volume.start()]} {rest[in_volume.end() :]}"
    else:
        rest, conc = _take(_CONC, rest)
    told = _LINE_OF.search(rest)
    rest, line = _take(_LINE_OF if told and not _is_fluid(names, told[1]) else _OF_LINE, rest)
    words = [word for word in re.split(r"[\s()\[\],]+", rest) if word]
    return replace(_named(words, names, conc), rate=rate, hours=hours, line=line) if words else Entry(drug=text)


def _named(words: list[str], names: Names, conc: str) -> Entry:
    """Name first, then a fluid; what is left over is kept."""
    start = 0
    while start < len(words) - 1 and words[start].casefold() in _IDLE:
        start += 1
    words = words[start:]
    length = _leading(words, names)
    if not length:  # unknown: all is the name, but for a fluid at the end
        for cut in range(1, len(words)):
            tail = words[cut + 1 :] if words[cut].casefold() in ("in", "with") else words[cut:]
            if tail and _fluid_at(tail, names) == len(tail):
                return Entry(drug=" ".join(words[:cut]), conc=conc, vehicle=" ".join(tail))
        return Entry(drug=" ".join(words), conc=conc)
    drug, rest = " ".join(words[:length]), words[length:]
    if not conc and (percent := _PERCENT.match(" ".join(rest))):
        conc, rest = percent[1], " ".join(rest)[percent.end() :].split()
    vehicle, left = "", []
    while rest:
        if not vehicle and (taken := _fluid_at(rest, names)):
            vehicle, rest = " ".join(rest[:taken]), rest[taken:]
            continue
        if rest[0].casefold() not in _IDLE:
            left.append(rest[0])
        rest = rest[1:]
    return Entry(drug=drug, conc=conc, vehicle=vehicle, extra=" ".join(left))


def _spoken(text: str) -> Entry:
    told = spoken(text)
    return (
        Entry(drug=told)
        if isinstance(told, str)
        else Entry(drug=told["drug"], conc=told.get("conc", ""), vehicle=told.get("vehicle", ""), line=told.get("line", ""))
    )


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """`text` without the first match, and what matched."""
    found = pattern.search(text)
    if found is None:
        return text, ""
    return f"{text[: found.start()]} {text[found.end() :]}", next(group for group in found.groups() if group)


def _leading(words: list[str], names: Names) -> int:
    """How many words, at most, from the first on are a name that the base knows, or refuses as ambiguous."""
    return next((length for length in range(min(len(words), 10), 0, -1) if _knows(names, " ".join(words[:length]))), 0)


def _fluid_at(words: list[str], names: Names) -> int:
    return next((length for length in range(min(len(words), 6), 0, -1) if _is_fluid(names, " ".join(words[:length]))), 0)


def _knows(names: Names, text: str) -> bool:
    key = normalise(text)
    return key in names.index or key in names.refused


def _is_fluid(names: Names, text: str) -> bool:
    key = normalise(text)
    if key in (PREMIX, UNDILUTED) or key in names.fluids:
        return True
    found = names.index.get(key, {})
    return len(found) == 1 and next(iter(found)) in names.knowledge.vehicles
