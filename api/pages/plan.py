"""The planner's page: infusions and lumens in, the catheter over 24 hours out, one permanent link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from flask import Response, redirect, request

from api.pages import answer as answers
from api.pages import paste, plan_chart, plan_question, words
from api.pages.answer import Answer
from api.pages.frame import bp, page
from api.pages.named import Choice, Mistake, fluids, resolve
from api.pages.plan_chart import Chart
from api.pages.plan_question import PlanAsked, Running, Tube
from api.pages.question import LONGEST_LINK, Asked, runs
from api.pages.words import Mark
from api.plan import planned
from api.record import answered
from api.service import Service, service
from checker import AskError, wording
from checker.model import Verdict
from checker.plan_alarms import NO_LUMEN, TO_DECIDE
from checker.plan_model import Goal, Placement, Plan, PlanStatus, Shared
from checker.plan_words import GOALS, clock, headline

PRESETS = (
    ("distal, medial, proximal", "three central lumens"),
    ("central, hand:peripheral", "one central, one peripheral"),
    ("hand:peripheral", "one peripheral"),
)
EXAMPLE = (
    "d1=norepinephrine&c1=16+mcg/mL&v1=D5W&k1=1&n1=distal&d2=midazolam&c2=1+mg/mL&v2=NS&d3=insulin-regular&c3=1+unit/mL&v3=NS"
    "&d4=vancomycin&c4=5+mg/mL&v4=NS&h4=1&e4=12&d5=piperacillin-tazobactam&c5=40+mg/mL&v5=NS&h5=0.5&e5=6&d6=furosemide&b6=1&w6=06:00-08:00"
    "&ln1=distal&ln2=medial&ln3=proximal&starts=07:00&go=1"
)
MEANS = {
    PlanStatus.OPTIMAL: "All have a place, and no plan is better: this is proven.",
    PlanStatus.BEST_FOUND: "All have a place. The time ended before it was proven that no plan is better.",
    PlanStatus.NO_PLAN: "Not all of these can run on these lumens: this is proven. Below is the best plan for most.",
    PlanStatus.NOT_DECIDED: "The time ended before a plan for all was found or excluded. Below is the best so far.",
}
SYMBOLS = {"bad": "×", "none": "?", "warn": "!", "ok": "✓"}
SHOWN_APART = (NO_LUMEN, TO_DECIDE)  # findings that have a section of their own
_SECTIONS = {"infusions": "d", "lumens": "ln", "medications": "m"}
_FIELDS = {
    "conc": ("c", "concentration"),
    "vehicle": ("v", "diluent"),
    "rate_ml_per_h": ("r", "rate"),
    "formulation": ("f", "formulation"),
    "hours": ("h", "hours of a dose"),
    "every_hours": ("e", "hours from dose to dose"),
    "windows": ("w", "when a dose may start"),
    "bolus": ("b", "pushed"),
    "must_not_interrupt": ("k", "not to be interrupted"),
    "now": ("n", "where it runs"),
    "prefer": ("p", "preferred lumen"),
    "name": ("ln", "name"),
    "kind": ("lk", "kind"),
    "fluid": ("lf", "fluid"),
    "blocked": ("lb", "blocked"),
}
_PLAIN = {
    "flush_minutes": ("flush", "minutes of a flush"),
    "day_starts": ("starts", "start of the day"),
    "patient/age_days": ("age", "age in days"),
}


@dataclass(frozen=True, slots=True)
class InfusionChip:
    """One infusion of the question, as the form shows it. state: as in `named.resolve`. problems: by letter of the field."""

    number: int
    name: str
    matched: str
    state: str
    why: str
    choices: tuple[Choice, ...]
    asked: Running
    unread: str
    aside: str
    problems: dict[str, str]

    @property
    def summary(self) -> str:
        """The conditions and the schedule in a line."""
        asked = self.asked
        every = f"every {asked.every} h" if asked.every else ""
        parts = (
            asked.conc,
            f"in {asked.vehicle}" if asked.vehicle else "",
            asked.form,
            "pushed" if asked.bolus else "",
            runs(asked.hours),
            every,
            asked.windows,
        )
        rest = (
            f"on {asked.now}" if asked.now else "",
            f"rather {asked.prefer}" if asked.prefer else "",
            "not to be interrupted" if asked.keep else "",
        )
        return " · ".join(part for part in (*parts, *rest) if part)


@dataclass(frozen=True, slots=True)
class LumenChip:
    """One lumen of the question."""

    number: int
    asked: Tube
    choices: tuple[Choice, ...]  # of its fluid
    problems: dict[str, str]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.asked.name or "a lumen without a name"


@dataclass(frozen=True, slots=True)
class Share:
    """Two that use one lumen."""

    lumen: str
    title: str
    href: str
    together: bool
    ask: bool
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One infusion of the plan in words. when: empty = it has no place."""

    title: str
    drug: str
    when: str
    text: str
    elsewhere: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LumenView:
    """One lumen of the plan in words. flushes: clock time and what to do."""

    name: str
    kind: str
    text: str
    lines: tuple[Line, ...]
    flushes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """Everything that the page shows of a plan."""

    cls: str
    symbol: str
    word: str
    means: str
    summary: tuple[str, ...]
    chart: Chart
    decide: tuple[Share, ...]
    shared: tuple[Share, ...]
    lumens: tuple[LumenView, ...]
    left_out: tuple[Line, ...]
    goals: tuple[tuple[Goal, str], ...]
    checked: Answer


@bp.route("/plan", methods=["GET", "POST"])
def plan_page() -> Response | str:
    """The page. A form that is sent is answered with its permanent link; nothing is planned before that is asked for."""
    here = service()
    given = request.form if request.method == "POST" else request.args
    asked = plan_question.read(given.items(multi=True), here.names)
    if (request.method == "POST" or not asked.canonical) and len(asked.query) <= LONGEST_LINK:
        return redirect(f"/plan?{asked.query}" if asked.query else "/plan", 303)  # type: ignore[return-value]
    view, mistakes = _planned(here, asked) if asked.go else (None, [])
    wrong = {mistake.field: mistake.reason for mistake in mistakes}
    told = page(
        "plan.html",
        asked=asked,
        view=view,
        mistakes=mistakes,
        chips=_infusions(here, asked, wrong),
        lumens=_lumens(here, asked, wrong),
        medications=[
            (number, name, resolve(here, name, f"medications/{number - 1}", asked.choosing))
            for number, name in enumerate(asked.medications, start=1)
        ],
        problems=wrong,
        fluids=fluids(here),
        presets=PRESETS,
        example=EXAMPLE,
        too_long=len(asked.query) > LONGEST_LINK,
        today=date.today().isoformat(),
    )
    return Response(told, 422 if mistakes else 200, mimetype="text/html")


def _planned(here: Service, asked: PlanAsked) -> tuple[PlanView | None, list[Mistake]]:
    """The plan, or why there is none."""
    lacking = []
    if not asked.infusions:
        lacking.append(Mistake("the infusions", "there is none to plan", "add at least one infusion", "add-drug"))
    if not asked.lumens:
        lacking.append(Mistake("the lumens", "there is none to plan for", "add at least one lumen", "add-lumen"))
    if lacking:
        return None, lacking
    try:
        found = planned(plan_question.to_body(asked))
    except AskError as error:
        return None, [_mistake(asked, problem.at, problem.reason, problem.mend) for problem in error.problems]
    answered("plan", found.told, asked.query.encode())
    return _view(here, found), []


def _mistake(asked: PlanAsked, at: str, reason: str, mend: str) -> Mistake:
    """A problem of the planner's question at the field of the form where it can be mended."""
    mend = mend.split("; ")[0]
    if at in _PLAIN:
        field, called = _PLAIN[at]
        return Mistake(called, reason, mend, field)
    part, _, rest = at.partition("/")
    place, _, rest = rest.partition("/")
    if part not in _SECTIONS or not place.isdigit():
        return Mistake(
            {"infusions": "the infusions", "lumens": "the lumens"}.get(part, "the question"),
            reason,
            mend,
            "add-lumen" if part == "lumens" else "add-drug",
        )
    number = int(place)
    names = (
        [item.drug for item in asked.infusions]
        if part == "infusions"
        else [item.name for item in asked.lumens]
        if part == "lumens"
        else asked.medications
    )
    name = names[number] if number < len(names) else ""
    field, called = _FIELDS.get(rest.split("/")[0], (_SECTIONS[part], ""))
    where = f"{name or 'an entry without a name'}{f', {called}' if called and called != 'name' else ''}"
    return Mistake(where, reason, mend, f"{field}{number + 1}")


# --- the form ---


def _infusions(here: Service, asked: PlanAsked, wrong: dict[str, str]) -> list[InfusionChip]:
    chips = []
    for number, item in enumerate(asked.infusions, start=1):
        state, drug, matched, why, choices = resolve(here, item.drug, f"infusions/{number - 1}", asked.choosing)
        aside, unread = paste.aside(item.extra)
        chips.append(
            InfusionChip(
                number=number,
                name=wording.name(here.knowledge, drug) if drug else item.drug,
                matched=f"“{item.drug}”, {matched}" if matched and matched != "name" else "",
                state=state,
                why=why,
                choices=choices,
                asked=item,
                unread=unread,
                aside=aside,
                problems=_problems(wrong, plan_question.LETTERS, number),
            )
        )
    return chips


def _lumens(here: Service, asked: PlanAsked, wrong: dict[str, str]) -> list[LumenChip]:
    chips = []
    for number, item in enumerate(asked.lumens, start=1):
        choices = resolve(here, item.fluid, f"lumens/{number - 1}/fluid", asked.choosing)[4] if item.fluid else ()
        chips.append(LumenChip(number, item, choices, _problems(wrong, plan_question.LUMEN_LETTERS, number)))
    return chips


def _problems(wrong: dict[str, str], letters: dict[str, str], number: int) -> dict[str, str]:
    """What is wrong with one entry, by the letter of its field. wrong: by field, of the whole form."""
    return {letter: wrong[f"{letter}{number}"] for letter in letters if f"{letter}{number}" in wrong}


# --- the plan ---


def _view(here: Service, plan: Plan) -> PlanView:
    colour, told = _colour(plan), plan.told
    others = replace(told, findings=tuple(finding for finding in told.findings if finding.code not in SHOWN_APART))
    shared = tuple(_share(here, plan, item) for item in plan.shared)
    return PlanView(
        cls=colour,
        symbol=SYMBOLS[colour],
        word=headline(plan),
        means=MEANS[plan.status],
        summary=plan.summary[1:],
        chart=plan_chart.draw(plan, here.knowledge),
        decide=tuple(item for item in shared if item.ask),
        shared=tuple(item for item in shared if not item.ask),
        lumens=tuple(_lumen(here, plan, number) for number in range(len(plan.question.lumens))),
        left_out=tuple(_line(here, plan, item) for item in plan.placements if item.lumen is None),
        goals=tuple((goal, GOALS[goal.name]) for goal in plan.goals),
        checked=answers.answer(here.knowledge, others, Asked()),
    )


def _colour(plan: Plan) -> str:
    """Green only for a plan of which nothing is left to say."""
    verdict = plan.told.verdict
    if verdict is Verdict.STOP:
        return "bad"
    if plan.status is PlanStatus.NOT_DECIDED:
        return "none"
    return "ok" if verdict is Verdict.CLEAR else "warn"


def _share(here: Service, plan: Plan, item: Shared) -> Share:
    base = here.knowledge
    fluid = plan.question.lumens[item.lumen].fluid
    second = plan.question.wishes[item.bond.b].infusion if item.bond.b is not None else fluid
    drugs = [plan.question.wishes[item.bond.a].infusion.drug, *([second.drug] if second else [])]
    return Share(
        lumen=plan.question.lumens[item.lumen].name,
        title=" + ".join(wording.name(base, drug) for drug in drugs),
        href=f"/pair/{min(drugs)}/{max(drugs)}" if len(set(drugs)) == 2 else "",
        together=item.how == "together",
        ask=item.ask,
        mark=words.mark(item.bond.judged) if item.bond.judged is not None else words.NOT_CHECKED,
        text=item.text,
    )


def _lumen(here: Service, plan: Plan, number: int) -> LumenView:
    lumen = plan.question.lumens[number]
    return LumenView(
        name=lumen.name,
        kind="central" if lumen.central else "peripheral",
        text=plan.lumen_texts[number].removeprefix(f"{lumen.name}: "),
        lines=tuple(_line(here, plan, item) for item in plan.placements if item.lumen == number),
        flushes=tuple((clock(plan.question, flush.start), flush.text) for flush in plan.flushes if flush.lumen == number),
    )


def _line(here: Service, plan: Plan, placement: Placement) -> Line:
    lumens = plan.question.lumens
    return Line(
        title=plan_chart.named(plan, here.knowledge, placement.wish),
        drug=plan.question.wishes[placement.wish].infusion.drug,
        when=", ".join(f"{clock(plan.question, dose.start)}–{clock(plan.question, dose.end)}" for dose in placement.doses)
        or ("all the time" if placement.lumen is not None else ""),
        text=placement.text,
        elsewhere=tuple((lumens[lumen].name, "; ".join(told) or "nothing against it") for lumen, told in placement.elsewhere),
    )
