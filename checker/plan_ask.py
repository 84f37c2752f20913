"""From a question to the planner (the body of POST /v1/plan) to a PlanQuestion.

Drugs, concentrations and vehicles are read by `checker.ask`, so both doors understand the same words. A plan over
something not understood would be no plan, so here an unknown name is a problem and not a part of the answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from checker.ask import AskError, AskProblem, flatten, order
from checker.model import Infusion, NotUnderstood, Order
from checker.names import Names
from checker.plan_model import DAY, STEP, Lumen, PlanQuestion, Policy, Schedule, Window, Wish
from checker.plan_schema import CENTRAL, MOST_LUMENS, PlanSchema

MOST_INFUSIONS = 40
MOST_DOSES = 150  # in the day, over all infusions
LEAST_HOURS = 1 / 3600  # of a dose
BOLUS_MINUTES = STEP  # a push without stated hours takes one step of the grid
_WRITE_ANOTHER = "write a name, a brand or a code that the base knows; nothing is planned on a guess"


_PLAN = PlanSchema()
_CONDITIONS = ("drug", "conc", "vehicle", "formulation", "hours", "rate_ml_per_h")


def read(question: Any, names: Names) -> PlanQuestion:
    """Read a question to the planner.

    Raises AskError with every problem found: a wrong shape, unknown drugs or lumens, times that cannot be kept.
    """
    if not isinstance(question, Mapping):
        raise AskError([AskProblem("", "the question is not an object", 'write {"infusions": [...], "lumens": [...]}')])
    for part, most in (("infusions", MOST_INFUSIONS), ("lumens", MOST_LUMENS)):
        given = question.get(part)
        if isinstance(given, Sequence) and len(given) > most:
            raise AskError(
                [
                    AskProblem(
                        part,
                        f"{len(given)} entries; at most {most} can be planned at once",
                        "leave out what does not compete for these lumens",
                    )
                ]
            )
    if question.get("lumens") == []:
        raise AskError([AskProblem("lumens", "there is no lumen to plan for", "name at least one lumen")])
    try:
        data: dict[str, Any] = _PLAN.load(question)
    except ValidationError as error:
        raise AskError(flatten(error.messages)) from error
    return _Reader(data, names).question()


class _Reader:
    """Resolves one question whose shape is right."""

    def __init__(self, data: dict[str, Any], names: Names) -> None:
        self.data = data
        self.names = names
        self.problems: list[AskProblem] = []
        self.flush = math.ceil(data.get("flush_minutes", 10) / STEP) * STEP
        self.day_starts = self._clock(data.get("day_starts", "00:00"), "day_starts")
        self.numbers: dict[str, int] = {}

    def question(self) -> PlanQuestion:
        for number, item in enumerate(self.data["lumens"]):
            self._refuse_twice(item["name"], number)
        try:
            resolved = self._order()
        except AskError as error:
            raise AskError([*self.problems, *error.problems]) from error
        in_use = self._in_use()
        wishes = [self._wish(number, item, in_use) for number, item in enumerate(self.data["infusions"])]
        lumens = [self._lumen(number, item) for number, item in enumerate(self.data["lumens"])]
        if not self.problems and all(lumen.blocked for lumen in lumens):
            self._wrong("lumens", "every lumen is blocked", "name at least one lumen that can be used")
        if not self.problems:
            self._refuse_slips(wishes)
        schedules = [wish.schedule for wish in wishes if wish.schedule]
        doses = sum(math.ceil(DAY / schedule.every) if schedule.every else len(schedule.windows) or 1 for schedule in schedules)
        if doses > MOST_DOSES:
            self._wrong(
                "infusions",
                f"{doses} doses in a day; at most {MOST_DOSES} can be planned at once",
                "leave out what does not compete for these lumens",
            )
        if self.problems:
            raise AskError(list(dict.fromkeys(self.problems)))
        return PlanQuestion(
            wishes=tuple(wishes),
            lumens=tuple(lumens),
            policy=Policy(self.data.get("policy", Policy.ASK)),
            flush=self.flush,
            day_starts=self.day_starts,
            medications=resolved.medications,
            age_days=resolved.age_days,
        )

    def _wrong(self, at: str, reason: str, mend: str) -> None:
        self.problems.append(AskProblem(at, reason, mend))

    # --- drugs and fluids ---

    def _order(self) -> Order:
        """Infusions and fluids as a question to the checker, so that names and units are read there. Raises AskError."""
        drugs = [
            {key: item[key] for key in _CONDITIONS if key in item} | {"line": f"infusion {number}"}
            for number, item in enumerate(self.data["infusions"])
        ]
        places = [f"infusions/{number}" for number in range(len(drugs))]
        for number, item in enumerate(self.data["lumens"]):
            if "fluid" in item:
                places.append(f"lumens/{number}/fluid")
                drugs.append({"drug": item["fluid"], "line": f"fluid {number}"})
        asked: dict[str, Any] = {"drugs": drugs}
        asked |= {key: self.data[key] for key in ("medications", "patient") if self.data.get(key)}

        def place(at: str) -> str:
            match = re.match(r"drugs/(\d+)(.*)", at)
            return places[int(match[1])] + match[2] if match else at

        try:
            found = order(asked, self.names, most_drugs=len(drugs) + len(self.data.get("medications", ())))
        except AskError as error:
            raise AskError([AskProblem(place(problem.at), problem.reason, problem.mend) for problem in error.problems]) from error
        if found.not_understood:
            raise AskError(
                [
                    AskProblem(
                        place(item.at), _why_not(item), f"write one of: {', '.join(item.candidates)}" if item.candidates else _WRITE_ANOTHER
                    )
                    for item in found.not_understood
                ]
            )
        self.by_place = {place(item.at): item for item in found.infusions}
        return found

    def _infusion(self, number: int, hours: float | None) -> Infusion:
        found = self.by_place[f"infusions/{number}"]
        return replace(found, at=f"infusions/{number}", line=None, hours=hours)

    def _drug_at(self, named: str | dict[str, str], at: str) -> str | None:
        """The id behind a name that has to be one of the infusions."""
        found = self.names.resolve(named, at) if isinstance(named, str) else self.names.resolve_code(named["system"], named["code"], at)
        return getattr(found, "drug", None)

    # --- lumens ---

    def _refuse_twice(self, name: str, number: int) -> None:
        key = _fold(name)
        if key in self.numbers:
            self._wrong(
                f"lumens/{number}/name",
                f'"{name}" is named twice: lumens/{self.numbers[key]} has this name already',
                "give each lumen a name of its own",
            )
        self.numbers.setdefault(key, number)

    def _number(self, name: str, at: str) -> int | None:
        number = self.numbers.get(_fold(name))
        if number is None:
            self._wrong(
                at,
                f'"{name}" is not one of the lumens',
                f"write one of: {', '.join(item['name'] for item in self.data['lumens'])}",
            )
        return number

    def _in_use(self) -> dict[int, int]:
        """Which infusion runs through which lumen, as the lumens tell it."""
        running: dict[int, int] = {}
        for lumen, item in enumerate(self.data["lumens"]):
            for place, named in enumerate(item.get("in_use_by", ())):
                at = f"lumens/{lumen}/in_use_by/{place}"
                drug = self._drug_at(named, at)
                fitting = [number for number in range(len(self.data["infusions"])) if self.by_place[f"infusions/{number}"].drug == drug]
                asked = named if isinstance(named, str) else named["code"]
                if not fitting:
                    self._wrong(
                        at,
                        f'"{asked}" runs through this lumen and is not among the infusions',
                        "add it to infusions, or write blocked: and why",
                    )
                elif len(fitting) > 1:
                    self._wrong(at, f'"{asked}" is among the infusions {len(fitting)} times', "write now: at the infusion that is meant")
                elif running.setdefault(fitting[0], lumen) != lumen:
                    self._wrong(at, f'"{asked}" runs through two lumens', "name it at one of them; a second pump is a second infusion")
        return running

    def _lumen(self, number: int, item: dict[str, Any]) -> Lumen:
        fluid = self.by_place.get(f"lumens/{number}/fluid")
        if fluid is not None and fluid.drug not in self.names.knowledge.vehicles:
            self._wrong(f"lumens/{number}/fluid", f'"{fluid.asked}" is a drug, not a fluid', "name it among the infusions")
        if fluid is not None:
            fluid = replace(fluid, at=f"lumens/{number}/fluid", line=item["name"])
        central, blocked = item["kind"] == CENTRAL, item.get("blocked", "")
        return Lumen(name=item["name"].strip(), at=f"lumens/{number}", central=central, blocked=blocked, fluid=fluid)

    # --- infusions ---

    def _wish(self, number: int, item: dict[str, Any], in_use: dict[int, int]) -> Wish:
        at = f"infusions/{number}"
        now = self._number(item["now"], f"{at}/now") if "now" in item else None
        if now is not None and in_use.get(number, now) != now:
            self._wrong(
                f"{at}/now",
                f'it runs through "{item["now"]}" here and through another lumen by in_use_by',
                "tell it in one place",
            )
        prefer = {self._number(name, f"{at}/prefer/{place}") for place, name in enumerate(item.get("prefer", ()))}
        schedule = self._schedule(item, at)
        hours = item.get("hours", schedule.minutes / 60 if schedule else None)
        return Wish(
            infusion=self._infusion(number, hours),
            schedule=schedule,
            now=in_use.get(number, now),
            prefer=tuple(sorted(place for place in prefer if place is not None)),
            must_not_interrupt=item.get("must_not_interrupt", False),
            bolus=item.get("bolus", False),
        )

    def _schedule(self, item: dict[str, Any], at: str) -> Schedule | None:
        """When it runs; None = all the time. Adds a problem for times that cannot be kept."""
        bolus, every, given = item.get("bolus", False), item.get("every_hours"), item.get("windows", ())
        hours = item.get("hours", BOLUS_MINUTES / 60 if bolus else None)
        if hours is None:
            if every is not None or given:
                self._wrong(
                    f"{at}/hours",
                    "how long a dose runs is missing",
                    "add hours, or leave out every_hours and windows: it then runs all the time",
                )
            return None
        if hours < LEAST_HOURS:
            self._wrong(f"{at}/hours", f"a dose of {hours:g} h is shorter than a second", "write how many hours a dose runs, e.g. 0.5")
            return None
        minutes = math.ceil(round(hours * 60 / STEP, 6)) * STEP
        interval = None if every is None else self._interval(every, hours, at)
        if minutes > DAY:
            if given:
                self._wrong(
                    f"{at}/hours",
                    f"a dose of {hours:g} h does not end within the day, so windows say nothing of it",
                    "leave out the windows: it then runs all the time",
                )
            return None
        windows = [self._window(window, f"{at}/windows/{place}") for place, window in enumerate(given)]
        if interval is None and windows and not self.problems:
            self._refuse_crowded(windows, minutes, at)
        if interval is not None and windows and DAY % interval:
            self._wrong(
                f"{at}/windows",
                f"doses every {every:g} h come at other times each day, so they cannot keep to windows",
                "leave out the windows or the interval",
            )
        return Schedule(minutes=minutes, every=interval, windows=tuple(sorted(windows, key=lambda window: (window.low, window.high))))

    def _interval(self, every: float, hours: float, at: str) -> int | None:
        minutes = round(every * 60, 6)
        if minutes < STEP:
            self._wrong(
                f"{at}/every_hours",
                f"{every:g} h is less than the {STEP} minutes in which the planner counts",
                "write the hours from dose to dose, e.g. 8",
            )
            return None
        if hours > every + 1e-9:
            self._wrong(
                f"{at}/hours",
                f"a dose of {hours:g} h is longer than its interval of {every:g} h",
                "write how long one dose runs, or leave out hours and every_hours: it then runs all the time",
            )
        if minutes % STEP:
            self._wrong(
                f"{at}/every_hours",
                f"{every:g} h is not a multiple of {STEP} minutes",
                f"write the interval in steps of {STEP} minutes",
            )
            return None
        return int(minutes)

    def _window(self, window: dict[str, str], at: str) -> Window:
        low = (self._clock(window["low"], f"{at}/from") - self.day_starts) % DAY
        return Window(low=low, high=low + (self._clock(window["high"], f"{at}/to") - self.day_starts - low) % DAY)

    def _clock(self, text: str, at: str) -> int:
        minutes = int(text[:2]) * 60 + int(text[3:])
        if minutes % STEP:
            self._wrong(
                at,
                f'"{text}" is not on the grid of {STEP} minutes',
                f'write "{minutes // 60:02d}:{minutes % 60 // STEP * STEP:02d}"',
            )
        return minutes

    def _refuse_crowded(self, windows: Sequence[Window], minutes: int, at: str) -> None:
        """Doses of one drug must have room for each other."""
        free, first = 0, min(window.low for window in windows)
        for window in sorted(windows, key=lambda window: (window.low, window.high)):
            start = max(window.low, free)
            if start > window.high:
                self._wrong(
                    f"{at}/windows",
                    f"the windows leave no room for doses of {minutes} minutes one after the other",
                    "widen the windows or write fewer",
                )
                return
            free = start + minutes
        if free > first + DAY:
            self._wrong(
                f"{at}/windows",
                f"the last dose of {minutes} minutes runs into the first of the next day",
                "widen the windows or write fewer",
            )

    def _refuse_slips(self, wishes: Sequence[Wish]) -> None:
        """The same infusion twice, in all that was told, is a slip."""
        seen: dict[object, str] = {}
        for wish in wishes:
            key = (wish.infusion.drug, wish.infusion.conditions, wish.infusion.rate_ml_per_h, wish.schedule, wish.now)
            if key in seen:
                self._wrong(
                    wish.infusion.at,
                    f'"{wish.infusion.asked}" is {wish.infusion.drug}, which {seen[key]} asks already in the same way',
                    "leave one out, or tell what is different",
                )
            seen.setdefault(key, wish.infusion.at)


def _why_not(item: NotUnderstood) -> str:
    told = f'"{item.asked}" is {"ambiguous" if item.reason.startswith("ambiguous") else "not known"}'
    return f"{told}: {item.why}" if item.why else told


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()
