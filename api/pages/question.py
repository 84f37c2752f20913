"""A question as a form and as an address: the fields of the page, the permanent link, and what the engine is asked.

The link holds d1, c1, v1, r1, h1, l1, f1, x1 for the first drug (name, concentration, diluent, rate, hours that it runs, line,
formulation, words that found no place), d2 ... for the second, m1 ... for medicines that are not infused, mode and age (in days). It has no
place for anything that identifies a patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import quote_plus

from api.pages import paste
from api.pages.paste import Entry
from checker import AskError, AskProblem, Names, order
from checker.model import NotUnderstood, Order
from knowledge.terms import Mode

LETTERS = {"d": "drug", "c": "conc", "v": "vehicle", "r": "rate", "h": "hours", "l": "line", "f": "form", "x": "extra"}
LONGEST_LINK = 4000  # characters of a request line that a server takes for sure
_NUMBERED = re.compile(rf"([{''.join(LETTERS)}m])([1-9]\d{{0,3}})")
RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:ml\s*/\s*(?:h|hr|hour))?", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(h|hr|hrs|hours?|min|mins|minutes?)?", re.IGNORECASE)
_PLAIN = frozenset({"mode", "age", "list", "paste", "drop", "add"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question on the page. strange: parameters that mean nothing here. canonical: the address says it the short way."""

    entries: tuple[Entry, ...] = ()
    medications: tuple[str, ...] = ()
    mode: str = "y-site"
    age: str = ""
    strange: tuple[str, ...] = ()
    canonical: bool = True

    @property
    def empty(self) -> bool:
        """Nothing was asked yet."""
        return not self.entries and not self.medications

    @property
    def query(self) -> str:
        """The query string of the permanent link."""
        told: list[tuple[str, str]] = []
        for number, entry in enumerate(self.entries, start=1):
            told += [(f"{letter}{number}", value) for letter, name in LETTERS.items() if (value := getattr(entry, name))]
        told += [(f"m{number}", name) for number, name in enumerate(self.medications, start=1)]
        if self.mode != "y-site":
            told.append(("mode", self.mode))
        if self.age:
            told.append(("age", self.age))
        return "&".join(f"{name}={quote_plus(value, safe='/')}" for name, value in told)

    def choosing(self, at: str, drug: str) -> Asked:
        """The same question with another name for one of its drugs or medicines."""
        kind, _, place = at.partition("/")
        number = int(place.partition("/")[0])
        if kind == "medications":
            return replace(self, medications=(*self.medications[:number], drug, *self.medications[number + 1 :]))
        entry = self.entries[number]
        changed = replace(entry, vehicle=drug) if at.endswith("/vehicle") else replace(entry, drug=drug)
        return replace(self, entries=(*self.entries[:number], changed, *self.entries[number + 1 :]))


@dataclass(slots=True)
class Form:
    """Parameters of a form or an address. numbered: letter -> number -> value ("d1" -> "d" -> 1). strange: those without a meaning here."""

    numbered: dict[str, dict[int, str]] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    blank: bool = False

    def entries(self, letters: Mapping[str, str]) -> dict[int, dict[str, str]]:
        """What stands under some letters, by number, each value under the name of its letter."""
        found: dict[int, dict[str, str]] = {}
        for letter, name in letters.items():
            for number, value in self.numbered.get(letter, {}).items():
                found.setdefault(number, {})[name] = value
        return dict(sorted(found.items()))

    def listed(self, letter: str) -> dict[int, str]:
        """The values under one letter, by number."""
        return dict(sorted(self.numbered.get(letter, {}).items()))


def read(given: Iterable[tuple[str, str]], names: Names) -> Asked:
    """The question of a form or an address. `list` and `paste` are read as typed lists and added; `drop` takes one out."""
    form = gather(given, _NUMBERED, _PLAIN)
    drop = form.plain.get("drop", "")
    entries = {number: Entry(**({"drug": ""} | found)) for number, found in form.entries(LETTERS).items()}
    listed = form.listed("m")
    kept = [entry for number, entry in entries.items() if drop != f"d{number}"]
    medications = [name for number, name in listed.items() if drop != f"m{number}"] + separated(form.plain.get("add", ""))
    typed = [entry for name in ("list", "paste") for entry in paste.read(form.plain.get(name, ""), names)]
    tidy = not form.blank and not any(name in form.plain for name in ("list", "paste", "drop", "add"))
    tidy = tidy and counted_up(entries) and counted_up(listed)
    mode = form.plain.get("mode", "y-site")
    strange = list(form.strange)
    if mode not in set(Mode):
        strange.append(f"mode={mode}")
        mode = "y-site"
    return Asked(
        entries=tuple(kept + typed),
        medications=tuple(medications),
        mode=mode,
        age=form.plain.get("age", ""),
        strange=tuple(strange),
        canonical=tidy or bool(strange),
    )


def gather(given: Iterable[tuple[str, str]], numbered: re.Pattern[str], plain: frozenset[str]) -> Form:
    """Sort parameters by their names. numbered: a pattern with the letter and the number. Blank ones count as not given."""
    form = Form()
    seen: set[str] = set()
    for name, raw in given:
        value = raw.strip()
        if name in seen:
            form.strange.append(f"{name}={value} (given twice)")
            continue
        seen.add(name)
        if not value:
            form.blank = True
        elif match := numbered.fullmatch(name):
            form.numbered.setdefault(match[1], {})[int(match[2])] = value
        elif name in plain:
            form.plain[name] = value
        else:
            form.strange.append(f"{name}={value}")
    return form


def separated(text: str) -> list[str]:
    """The parts of a typed list of names."""
    return [name for piece in re.split(r"[,;\n\r]+", text) if (name := piece.strip())]


def counted_up(numbered: Mapping[int, object]) -> bool:
    """Whether the numbers are 1, 2, 3 ..."""
    return list(numbered) == list(range(1, len(numbered) + 1))


def to_order(asked: Asked, names: Names, most_drugs: int) -> Order:
    """What the engine is asked. Raises AskError with every problem, where `at` names the drug by its place ("drugs/0/conc")."""
    problems: list[AskProblem] = []
    drugs = [_infusion(entry, f"drugs/{number}", problems) for number, entry in enumerate(asked.entries)]
    question: dict[str, Any] = {"mode": asked.mode, "drugs": drugs}
    if asked.medications:
        question["medications"] = list(asked.medications)
    if asked.age:
        if asked.age.isdecimal() and len(asked.age) < 6:
            question["patient"] = {"age_days": int(asked.age)}
        else:
            problems.append(AskProblem("age", f'"{asked.age}" is not an age in days', 'write a whole number, e.g. "12"'))
    try:
        found = order(question, names, most_drugs=most_drugs)
    except AskError as error:
        raise AskError([*problems, *error.problems]) from error
    if problems:
        raise AskError(problems)
    why = "the address holds something that this page does not know"
    unread = [*_unread(asked), *(NotUnderstood(at="", asked=text, reason="unknown-parameter", why=why) for text in asked.strange)]
    return replace(found, not_understood=(*found.not_understood, *unread)) if unread else found


def _infusion(entry: Entry, at: str, problems: list[AskProblem]) -> dict[str, Any]:
    told: dict[str, Any] = {"drug": entry.drug or "?"}
    if not entry.drug:
        problems.append(AskProblem(at, "conditions stand here without a drug", "write the drug's name, or remove the entry"))
    for name, key in (("conc", "conc"), ("vehicle", "vehicle"), ("form", "formulation"), ("line", "line")):
        if value := getattr(entry, name):
            told[key] = value
    if entry.rate:
        rate = RATE.fullmatch(entry.rate)
        if rate is None:
            problems.append(AskProblem(f"{at}/rate", f'"{entry.rate}" is not a rate in mL/h', 'write a number, e.g. "100"'))
        else:
            told["rate_ml_per_h"] = float(rate[1])
    if entry.hours:
        told["hours"] = hours(entry.hours, f"{at}/hours", "1", problems)
    return told


def hours(text: str, at: str, example: str, problems: list[AskProblem]) -> float:
    """A duration in hours, as typed in hours or minutes. Adds a problem for any other text."""
    found = _DURATION.fullmatch(text)
    if found is None:
        problems.append(AskProblem(at, f'"{text}" is no number of hours', f'write "{example}", or minutes as "30 min"'))
        return 1.0
    return float(found[1]) / (60 if (found[2] or "h").casefold().startswith("m") else 1)


def runs(text: str) -> str:
    """How long it runs, as a chip shows it: a bare number is hours."""
    return f"{text} h" if text.replace(".", "").isdigit() else text


def _unread(asked: Asked) -> list[NotUnderstood]:
    """Words beside a drug that mean nothing here."""
    return [
        NotUnderstood(at=f"drugs/{number}/extra", asked=rest, reason="unread-words", why=f"typed with {entry.drug}")
        for number, entry in enumerate(asked.entries)
        if (rest := paste.aside(entry.extra)[1])
    ]


def as_mapping(entry: Entry) -> Mapping[str, str]:
    """The fields of an entry by name."""
    return {item.name: getattr(entry, item.name) for item in fields(entry)}
