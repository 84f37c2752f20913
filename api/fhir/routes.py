"""Routes and dosage of an order: is it for the vein, how fast, over what time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from api.fhir.peek import Json, codings, items, number, obj, text
from api.fhir.quantities import amount, hours, rate_of
from knowledge.rxnorm import HERE, rows

LONGEST_HOURS = 96.0  # a longer `duration` is that of the therapy, not of one infusion
_OVER = re.compile(r"\bover\s+(\d+(?:\.\d+)?)\s*(?:(?:-|to)\s*\d+(?:\.\d+)?\s*)?(min(?:ute)?s?|h(?:ou)?rs?|h)\b", re.IGNORECASE)
_VEIN = re.compile(r"\b(?:intravenous|intraven|iv|ivpb|ivp)\b", re.IGNORECASE)
_SPINE = re.compile(r"\bintrathecal(?:ly)?\b", re.IGNORECASE)
# Orders by vein carry the label's "fatal if given intrathecally".
_WARNING = re.compile(r"\b(?:no|not|never|avoid|fatal|death|other than|contraindicated)\b", re.IGNORECASE)
_PUSH = re.compile(r"\b(?:push|iv\s?push|ivp|direct(?:ly)?|undiluted)\b", re.IGNORECASE)  # of a route or a method
_PUSH_SAID = re.compile(  # of a dosage in words, which may tell of much else
    r"\b(?:iv\s?push|ivp|intravenous push|push iv|direct(?:ly)? (?:iv|intravenous(?:ly)?)|(?:iv|intravenous(?:ly)?) direct(?:ly)?|undiluted)\b",
    re.IGNORECASE,
)
_UNDILUTED = re.compile(r"\bundiluted\b", re.IGNORECASE)
_DOSES = frozenset({"doseQuantity", "doseSimpleQuantity", "dose"})
_DISTINCTIVE = 6  # a code of at least so many characters is known without its system


@dataclass(slots=True)
class Dosage:
    """What an order says of how it is given. route "" = not said. spinal: beside the vein, the order names the spinal canal too.

    push: it is pushed into the vein. undiluted: the order says so in this word.
    """

    route: str = ""
    spinal: bool = False
    push: bool = False
    undiluted: bool = False
    rate_ml_per_h: float | None = None
    hours: float | None = None
    dose: str | None = None
    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Routes:
    """Reads dosages with the table of route codes."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], str] = {}
        self._words: dict[str, str] = {}
        for row in rows(HERE / "routes.csv"):
            if row["system"]:
                self._codes[row["system"], row["code"]] = row["route"]
                if len(row["code"]) >= _DISTINCTIVE:
                    self._codes["", row["code"]] = row["route"]
                self._words.setdefault(row["display"].casefold(), row["route"])
            else:
                self._words[row["code"].casefold()] = row["route"]

    def read(self, order: Json) -> Dosage:
        """The dosage of an order, an administration or a statement, in any version."""
        found = Dosage()
        routes: list[str] = []
        rates: list[float] = []
        times: list[float] = []
        doses: list[str | None] = []
        for dosage in [*items(order.get("dosageInstruction")), *items(order.get("dosage"))][:50]:
            routes += self._routes(dosage.get("route"), found.notes)
            said = text(dosage.get("text"))
            manner = " ".join(_words_of(dosage.get("route")) + _words_of(dosage.get("method")))
            found.push = found.push or _asks(_PUSH, manner) or _asks(_PUSH_SAID, said)
            found.undiluted = found.undiluted or _asks(_UNDILUTED, manner) or _asks(_UNDILUTED, said)
            found.texts += [said] if said else []
            for holder in (dosage, *items(dosage.get("doseAndRate"))):
                rate, over = rate_of(holder)
                rates += [rate] if rate else []
                times += [over] if over else []
                doses += [amount(holder[name]) for name in _DOSES & holder.keys()]
            times += list(_duration(dosage))
            if said and not times:
                times += list(_written(said))
        if not routes:
            routes = ["iv" for said in found.texts if _VEIN.search(said)]
        routes += ["intrathecal" for said in found.texts if _spinal(said)]
        found.route = _one_route(routes, found.notes)
        found.spinal = found.route == "iv" and "intrathecal" in routes
        found.rate_ml_per_h = max(rates, default=None)
        found.hours = min(times, default=None)
        found.dose = doses[0] if len(set(doses)) == 1 else None
        return found

    def _routes(self, concept: Any, notes: list[str]) -> list[str]:
        """Every route that a concept's codings and text name; an unknown one leaves a note."""
        known: list[str] = []
        said: list[str] = []
        for system, code, display in codings(concept):
            said += filter(None, (display, code))
            found = self._codes.get((system, code)) or self._codes.get(("", code)) or self._word(code) or self._word(display)
            known += [found] if found else []
        words = text(obj(concept).get("text"))
        said += [words] if words else []
        found = self._word(words)
        known += [found] if found else []
        if not known and said:
            notes.append(f'the route "{said[0]}" is not known here')
        return known

    def _word(self, words: str) -> str | None:
        if not words:
            return None
        return self._words.get(words.casefold()) or ("iv" if _VEIN.search(words) else "intrathecal" if _spinal(words) else None)


def _words_of(concept: Any) -> list[str]:
    """The codes, displays and text of a concept."""
    return [*(said for _, code, display in codings(concept) for said in (code, display) if said), text(obj(concept).get("text"))]


def _spinal(words: str) -> bool:
    return _asks(_SPINE, words)


def _asks(what: re.Pattern[str], words: str) -> bool:
    """Whether a text asks for something, and does not warn of it."""
    return what.search(words) is not None and not _WARNING.search(words)


def _one_route(routes: Iterable[str], notes: list[str]) -> str:
    """The route to judge by: the vein, when any part of the order says so; else the spinal canal."""
    distinct = list(dict.fromkeys(routes))
    if len(distinct) > 1 and "iv" in distinct:
        notes.append(f"the order names several routes ({', '.join(distinct)}): it was taken as intravenous")
        return "iv"
    if "intrathecal" in distinct:
        return "intrathecal"
    return distinct[0] if distinct else ""


def _duration(dosage: Json) -> Iterator[float]:
    repeat = obj(obj(dosage.get("timing")).get("repeat"))
    value = number(repeat.get("duration"))
    if value:
        found = hours({"value": value, "code": repeat.get("durationUnit") or repeat.get("durationUnits")})
        if found and found <= LONGEST_HOURS:
            yield found


def _written(said: str) -> Iterator[float]:
    for match in _OVER.finditer(said):
        value = float(match[1])
        if value > 0:
            yield value if match[2].lower().startswith("h") else value / 60
