"""A question to the planner as a form and as an address, and as the body of POST /v1/plan.

The link holds d1, c1, v1, r1, h1 (hours a dose runs), f1, x1 as that of a check does, and of the same infusion e1 (hours from
dose to dose), w1 (clock times between which a dose may start), b1 (pushed), k1 (not to be interrupted), n1 (the lumen it
runs on), p1 (lumens preferred); ln1, lk1, lf1, lb1 of the first lumen (name, kind, fluid, why it is blocked); m1 ... for
medicines that are not infused; policy, flush (minutes), starts (clock time), age (days); and go=1 when it is to be planned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus

from api.pages import paste
from api.pages.question import RATE, counted_up, gather, hours, separated
from checker import AskError, AskProblem, Names

LETTERS = {
    "d": "drug",
    "c": "conc",
    "v": "vehicle",
    "r": "rate",
    "f": "form",
    "h": "hours",
    "e": "every",
    "w": "windows",
    "b": "bolus",
    "k": "keep",
    "n": "now",
    "p": "prefer",
    "x": "extra",
}
LUMEN_LETTERS = {"ln": "name", "lk": "kind", "lf": "fluid", "lb": "blocked"}
KINDS = ("central", "peripheral")
POLICIES = ("ask", "strict")
ADDING = ("list", "paste", "lumens", "preset", "add")  # what is typed and becomes part of the question
_NUMBERED = re.compile(rf"(l[nkfb]|[{''.join(LETTERS)}m])([1-9]\d{{0,3}})")
_PLAIN = frozenset({*ADDING, "policy", "flush", "starts", "age", "drop", "go"})
_OF_A_CHECK = re.compile(r"l[1-9]\d{0,3}|mode")  # of a check's link, and without a meaning here: lumens are what is sought
_WINDOW = re.compile(r"(\d{1,2}:\d\d)\s*(?:-|–|to)\s*(\d{1,2}:\d\d)", re.IGNORECASE)
_EVERY = re.compile(r"\b(?:q|every)\s?(\d+(?:\.\d+)?)\s?(?:h|hr|hrs|hours?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One infusion as typed. All fields are text; a box that is ticked is "1"."""

    drug: str = ""
    conc: str = ""
    vehicle: str = ""
    rate: str = ""
    form: str = ""
    hours: str = ""
    every: str = ""
    windows: str = ""
    bolus: str = ""
    keep: str = ""
    now: str = ""
    prefer: str = ""
    extra: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tube:
    """One lumen as typed."""

    name: str = ""
    kind: str = ""
    fluid: str = ""
    blocked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAsked:
    """The question on the page. strange: parameters without a meaning here. canonical: the address says it the short way."""

    infusions: tuple[Running, ...] = ()
    lumens: tuple[Tube, ...] = ()
    medications: tuple[str, ...] = ()
    policy: str = "ask"
    flush: str = ""
    starts: str = ""
    age: str = ""
    go: bool = False
    strange: tuple[str, ...] = ()
    canonical: bool = True

    @property
    def query(self) -> str:
        """The query string of the permanent link."""
        told: list[tuple[str, str]] = []
        for letters, items in ((LETTERS, self.infusions), (LUMEN_LETTERS, self.lumens)):
            for number, item in enumerate(items, start=1):
                told += [(f"{letter}{number}", value) for letter, name in letters.items() if (value := getattr(item, name))]
        told += [(f"m{number}", name) for number, name in enumerate(self.medications, start=1)]
        plain = {"policy": self.policy if self.policy != "ask" else "", "flush": self.flush, "starts": self.starts, "age": self.age}
        told += [(name, value) for name, value in plain.items() if value]
        if self.go:
            told.append(("go", "1"))
        return "&".join(f"{name}={quote_plus(value, safe='/:')}" for name, value in told)

    def choosing(self, at: str, drug: str) -> str:
        """The link to the same question with another name in one place ("infusions/0", "lumens/1/fluid", "medications/0")."""
        kind, number, *_ = (*at.split("/"), "")
        place = int(number)
        if kind == "medications":
            changed = replace(self, medications=(*self.medications[:place], drug, *self.medications[place + 1 :]))
        elif kind == "lumens":
            tube = replace(self.lumens[place], fluid=drug)
            changed = replace(self, lumens=(*self.lumens[:place], tube, *self.lumens[place + 1 :]))
        else:
            running = self.infusions[place]
            running = replace(running, vehicle=drug) if at.endswith("/vehicle") else replace(running, drug=drug)
            changed = replace(self, infusions=(*self.infusions[:place], running, *self.infusions[place + 1 :]))
        return f"/plan?{changed.query}"


def read(given: Iterable[tuple[str, str]], names: Names) -> PlanAsked:
    """The question of a form or an address. What is typed into a list is added; `drop` takes one out.

    A form of which only the conditions changed, sent with Enter, is to be planned; one that adds or drops something is not yet.
    """
    form = gather(((name, value) for name, value in given if not _OF_A_CHECK.fullmatch(name)), _NUMBERED, _PLAIN)
    drop = form.plain.get("drop", "")
    infusions = {number: Running(**found) for number, found in form.entries(LETTERS).items()}
    lumens = {number: Tube(**found) for number, found in form.entries(LUMEN_LETTERS).items()}
    listed = form.listed("m")
    kept = [running for number, running in infusions.items() if drop != f"d{number}"]
    tubes = [tube for number, tube in lumens.items() if drop != f"ln{number}"]
    medications = [name for number, name in listed.items() if drop != f"m{number}"] + separated(form.plain.get("add", ""))
    typed = [_running(entry) for name in ("list", "paste") for entry in paste.read(form.plain.get(name, ""), names)]
    tubes += [_tube(text) for name in ("preset", "lumens") for text in separated(form.plain.get(name, ""))]
    changes = any(name in form.plain for name in (*ADDING, "drop"))
    strange = list(form.strange)
    policy = form.plain.get("policy", "ask")
    if policy not in POLICIES:
        strange.append(f"policy={policy}")
        policy = "ask"
    return PlanAsked(
        infusions=tuple(kept + typed),
        lumens=tuple(tubes),
        medications=tuple(medications),
        policy=policy,
        flush=form.plain.get("flush", ""),
        starts=form.plain.get("starts", ""),
        age=form.plain.get("age", ""),
        go="go" in form.plain and not changes,
        strange=tuple(strange),
        canonical=bool(strange) or not (changes or form.blank) and all(counted_up(part) for part in (infusions, lumens, listed)),
    )


def _running(entry: paste.Entry) -> Running:
    """What was typed as a list, with its schedule ("over 1 h", "q12h") where it has one."""
    rest, every = _taken(_EVERY, entry.extra)
    return Running(
        drug=entry.drug,
        conc=entry.conc,
        vehicle=entry.vehicle,
        rate=entry.rate,
        form=entry.form,
        hours=entry.hours,
        every=every,
        now=entry.line,
        extra=rest,
    )


def _taken(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    match = pattern.search(text)
    return (" ".join(f"{text[: match.start()]} {text[match.end() :]}".split()), match[1]) if match else (text, "")


def _tube(text: str) -> Tube:
    """A lumen as it is named on the command line: "brown", "hand:peripheral"."""
    name, _, kind = text.rpartition(":")
    return Tube(name=name.strip(), kind=kind.strip()) if name and kind.strip() in KINDS else Tube(name=text)


def to_body(asked: PlanAsked) -> dict[str, Any]:
    """The body of POST /v1/plan. Raises AskError with every text that is no number or clock time, at the places of that body."""
    problems: list[AskProblem] = []
    body: dict[str, Any] = {
        "infusions": [_infusion(running, f"infusions/{number}", problems) for number, running in enumerate(asked.infusions)],
        "lumens": [
            {"name": tube.name, "kind": tube.kind or "central"}
            | ({"fluid": tube.fluid} if tube.fluid else {})
            | ({"blocked": tube.blocked} if tube.blocked else {})
            for tube in asked.lumens
        ],
        "policy": asked.policy,
    }
    if asked.medications:
        body["medications"] = list(asked.medications)
    if asked.flush:
        body["flush_minutes"] = _whole(asked.flush, "flush_minutes", "a number of minutes", "10", problems)
    if asked.starts:
        body["day_starts"] = asked.starts.zfill(5)
    if asked.age:
        body["patient"] = {"age_days": _whole(asked.age, "patient/age_days", "an age in days", "12", problems)}
    problems += [AskProblem("", f'"{text}" has no meaning here', "take it out of the address") for text in asked.strange]
    if problems:
        raise AskError(problems)
    return body


def _infusion(running: Running, at: str, problems: list[AskProblem]) -> dict[str, Any]:
    told: dict[str, Any] = {"drug": running.drug or "?"}
    if not running.drug:
        problems.append(AskProblem(at, "conditions stand here without a drug", "write the drug's name, or remove the entry"))
    for name, key in (("conc", "conc"), ("vehicle", "vehicle"), ("form", "formulation"), ("now", "now")):
        if value := getattr(running, name):
            told[key] = value
    if running.rate:
        rate = RATE.fullmatch(running.rate)
        if rate is None:
            problems.append(AskProblem(f"{at}/rate_ml_per_h", f'"{running.rate}" is not a rate in mL/h', 'write a number, e.g. "100"'))
        else:
            told["rate_ml_per_h"] = float(rate[1])
    for name, key, example in (("hours", "hours", "1"), ("every", "every_hours", "12")):
        if text := getattr(running, name):
            told[key] = hours(text, f"{at}/{key}", example, problems)
    if running.windows:
        windows = [_WINDOW.fullmatch(part) for part in separated(running.windows)]
        if not all(windows):
            problems.append(
                AskProblem(f"{at}/windows", f'"{running.windows}" is no span of clock times', 'write "06:00-08:00, 18:00-20:00"')
            )
        told["windows"] = [{"from": found[1].zfill(5), "to": found[2].zfill(5)} for found in windows if found]
    told |= {key: True for key, box in (("bolus", running.bolus), ("must_not_interrupt", running.keep)) if box}
    if running.prefer:
        told["prefer"] = separated(running.prefer)
    return told


def _whole(text: str, at: str, what: str, example: str, problems: list[AskProblem]) -> int:
    if text.isdecimal() and len(text) < 6:
        return int(text)
    problems.append(AskProblem(at, f'"{text}" is not {what}', f'write a whole number, e.g. "{example}"'))
    return 1
