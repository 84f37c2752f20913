"""A second opinion on a plan: read from its JSON, minute by minute, with nothing of the planner's own code but the checker."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from checker import Checker, Names, order
from checker.model import Status
from knowledge import Knowledge

DAY = 24 * 60
Json = dict[str, Any]


def runs(infusion: Json) -> set[int]:
    """The minutes of the day in which an infusion runs; one that passes midnight goes on in the morning."""
    if infusion["lumen"] is None:
        return set()
    if infusion["continuous"]:
        return set(range(DAY))
    return {minute % DAY for dose in infusion["doses"] for minute in range(dose["from_minute"], dose["to_minute"])}


def together(answer: Json) -> list[tuple[Json, Json]]:
    """Infusions that run through one lumen at one time."""
    return [(a, b) for a, b in combinations(answer["infusions"], 2) if a["lumen"] and a["lumen"] == b["lumen"] and runs(a) & runs(b)]


def broken(question: Json, answer: Json, knowledge: Knowledge, names: Names) -> list[str]:
    """What a plan breaks of what must hold."""
    wrong: list[str] = []
    lumens = {item["name"]: item for item in question["lumens"]}
    decide = {frozenset(item["at"]) for item in answer["to_decide"]}
    checker = Checker(knowledge)
    for infusion in answer["infusions"]:
        asked = question["infusions"][int(infusion["at"].split("/")[1])]
        if infusion["lumen"] is not None and lumens[infusion["lumen"]].get("blocked"):
            wrong.append(f"{infusion['drug']} is on a blocked lumen")
        rules = [
            rule
            for rule in knowledge.drugs[infusion["drug"]].rules
            if rule.rule == "central-line-required" and rule.effect == "hard" and "no" not in rule.values
        ]
        if infusion["lumen"] is not None and rules and lumens[infusion["lumen"]]["kind"] != "central":
            wrong.append(f"{infusion['drug']} needs a central line")
        if infusion["lumen"] is not None and not infusion["continuous"]:
            wrong += _times(asked, infusion)
    for a, b in together(answer):
        ask = {"drugs": [_asked(question, a), _asked(question, b)]}
        judged = checker.check(order(ask, names)).pairs[0].line if a["drug"] != b["drug"] else None
        own = a["drug"] != b["drug"] and judged is not None and judged.mode != "y-site"  # a drug and its own vehicle
        if judged is not None and judged.status is Status.INCOMPATIBLE:
            wrong.append(f"{a['drug']} and {b['drug']} are incompatible and run together on {a['lumen']}")
        safe = own or (judged is not None and judged.status is Status.COMPATIBLE and judged.stated) or _same(question, a, b)
        if not safe and (answer["policy"] == "strict" or frozenset((a["at"], b["at"])) not in decide):
            wrong.append(f"{a['drug']} and {b['drug']} run together on {a['lumen']} without proof, and nobody is asked")
    return wrong + _flushes(question, answer)


def _asked(question: Json, infusion: Json) -> Json:
    asked = question["infusions"][int(infusion["at"].split("/")[1])]
    return {key: asked[key] for key in ("drug", "conc", "vehicle", "formulation") if key in asked}


def _same(question: Json, a: Json, b: Json) -> bool:
    return a["drug"] == b["drug"] and _asked(question, a) == _asked(question, b)


def _times(asked: Json, infusion: Json) -> list[str]:
    """Doses are as long as asked, at their interval, and in their windows."""
    wrong = []
    starts = [dose["from_minute"] for dose in infusion["doses"]]
    if not starts:
        return [f"{infusion['drug']} gets no dose"]
    if "hours" in asked and any(dose["to_minute"] - dose["from_minute"] < asked["hours"] * 60 for dose in infusion["doses"]):
        wrong.append(f"{infusion['drug']}: a dose is cut short")
    if "every_hours" in asked and any(
        abs(two - one - asked["every_hours"] * 60) > 1e-6 for one, two in zip(starts, starts[1:], strict=False)
    ):
        wrong.append(f"{infusion['drug']}: the interval is not kept")
    if "windows" in asked and "every_hours" not in asked and len(starts) != len(asked["windows"]):
        wrong.append(f"{infusion['drug']}: not one dose in each window")
    for dose in infusion["doses"] if "windows" in asked and "every_hours" not in asked else ():
        if not any(_within(dose["start"], window["from"], window["to"]) for window in asked["windows"]):
            wrong.append(f"{infusion['drug']}: {dose['start']} is outside its windows")
    return wrong


def _within(start: str, low: str, high: str) -> bool:
    return low <= start <= high if low <= high else start >= low or start <= high


def _flushes(question: Json, answer: Json) -> list[str]:
    """Between two that follow each other and are not known to be compatible lies a flush; none passes where it must not."""
    wrong = []
    quiet = {item["at"]: item["lumen"] for item in answer["infusions"] if item["must_not_interrupt"] and item["continuous"]}
    places = {item["at"]: item for item in answer["infusions"]}
    for lumen in answer["lumens"]:
        for flush in lumen["flushes"]:
            if lumen["name"] in [place for place in quiet.values() if place]:
                wrong.append(f"a flush passes through {lumen['name']}, where something must not be interrupted")
            if flush["to_minute"] - flush["from_minute"] < question.get("flush_minutes", 10):
                wrong.append(f"a flush on {lumen['name']} is too short")
    for item in answer["shared"]:
        if item["how"] != "in-turn" or (
            item["line"] and item["line"]["status"] == "compatible" and item["line"].get("holds_for") != ["conditions not stated"]
        ):
            continue
        a, b = (places[at] for at in item["at"])
        flushes = [flush for lumen in answer["lumens"] if lumen["name"] == item["lumen"] for flush in lumen["flushes"]]
        cleared = {minute % DAY for flush in flushes for minute in range(flush["from_minute"], flush["to_minute"])}
        for first, second in ((a, b), (b, a)):
            for dose in first["doses"]:
                following = min((other["from_minute"] - dose["to_minute"]) % DAY for other in second["doses"])
                gap = {minute % DAY for minute in range(dose["to_minute"], dose["to_minute"] + following)}
                if first is not second and not gap & cleared:
                    wrong.append(f"no flush between {first['drug']} and {second['drug']} after minute {dose['to_minute']}")
    return wrong
