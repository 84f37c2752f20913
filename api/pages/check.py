"""The check page and the bedside sheet: one question, one answer, one permanent link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from flask import Response, redirect, request

from api import health
from api.pages import answer as answers
from api.pages import paste, question
from api.pages.answer import Answer, Card
from api.pages.frame import bp, page
from api.pages.named import Choice, Mistake, fluids, resolve
from api.pages.question import LONGEST_LINK, Asked
from api.record import answered
from api.service import Service, service
from checker import AskError, wording
from checker.model import NotUnderstood

ON_ONE_SHEET = 14  # drugs; the grid and the demands of more take a second sheet
SHEET_LINES, TWO_SHEETS_LINES = 38, 90  # findings, and rows of the grid, that the paper takes
EXAMPLES = (
    (
        "vancomycin and piperacillin-tazobactam, with what is in the bags",
        "d1=vancomycin&c1=5+mg/mL&v1=NS&d2=piperacillin-tazobactam&c2=40+mg/mL&v2=NS&f2=edta&d3=norepinephrine",
    ),
    ("ceftriaxone and Ringer's lactate in a neonate", "d1=ceftriaxone&d2=lactated-ringers&age=12"),
    ("amiodarone, heparin and furosemide on one line; warfarin by mouth", "d1=amiodarone&v1=D5W&d2=heparin&d3=furosemide&m1=warfarin"),
)


@dataclass(frozen=True, slots=True)
class Chip:
    """One drug or medicine of the question, as the form shows it. state: known | ambiguous | unknown | blank."""

    number: int
    typed: str
    name: str
    drug: str
    matched: str
    state: str
    why: str
    choices: tuple[Choice, ...]
    problems: dict[str, str]
    entry: paste.Entry
    forms: tuple[str, ...]
    aside: str
    unread: str

    @property
    def summary(self) -> str:
        """The conditions in a line."""
        entry = self.entry
        rate = f"{entry.rate} mL/h" if entry.rate.replace(".", "").isdigit() else entry.rate
        runs = question.runs(entry.hours)
        parts = (
            entry.conc,
            f"in {entry.vehicle}" if entry.vehicle else "",
            entry.form,
            rate,
            runs,
            f"line {entry.line}" if entry.line else "",
        )
        return " · ".join(part for part in parts if part)


@bp.route("/", methods=["GET", "POST"])
def check() -> Response | str:
    """The page. A form that is sent is answered with its permanent link, so that the address always reproduces the question."""
    if request.method == "GET" and not request.args and "text/html" not in request.headers.get("Accept", ""):
        return health.index()  # a machine that looks which doors there are
    here = service()
    given = request.form if request.method == "POST" else request.args
    asked = question.read(given.items(multi=True), here.names)
    if (request.method == "POST" or not asked.canonical) and len(asked.query) <= LONGEST_LINK:
        return redirect(f"/?{asked.query}" if asked.query else "/", 303)  # type: ignore[return-value]
    answer, mistakes = _answer(here, asked)
    status = 422 if mistakes else 200
    told = page(
        "check.html",
        asked=asked,
        answer=answer,
        mistakes=mistakes,
        chips=_chips(here, asked, mistakes),
        medications=_medications(here, asked, mistakes),
        most=here.settings.most_drugs,
        examples=EXAMPLES if asked.empty else (),
        spoken=answers.spoken(answer) if answer else "",
        too_long=len(asked.query) > LONGEST_LINK,
        fluids=fluids(here),
    )
    return Response(told, status, {"Vary": "Accept"}, mimetype="text/html")


@bp.get("/print")
def bedside() -> Response | str:
    """The checked set on one sheet of paper."""
    here = service()
    asked = question.read(request.args.items(multi=True), here.names)
    answer, mistakes = _answer(here, asked)
    told = page(
        "print.html",
        asked=asked,
        answer=answer,
        acts=_printed(answer) if answer else [],
        mistakes=mistakes,
        today=date.today().isoformat(),
        entries=_chips(here, asked, mistakes),
    )
    return Response(told, 422 if mistakes else 200, mimetype="text/html")


def _printed(answer: Answer) -> list[Card]:
    """The findings that the sheet explains: every stop, whatever paper it takes, then what the sheet has room for beside the grid."""
    drugs = len(answer.report.infusions)
    room = (SHEET_LINES if drugs <= ON_ONE_SHEET else TWO_SHEETS_LINES) - drugs
    return (answer.stops + answer.cautions + answer.elsewhere)[: max(len(answer.stops), room)]


def _answer(here: Service, asked: Asked) -> tuple[Answer | None, list[Mistake]]:
    """The answer, or why there is none."""
    if asked.empty:
        return None, []
    if not asked.entries:
        return None, [Mistake("the list", "no infused drug was asked", "add at least one drug that runs through the line", "add-drug")]
    try:
        order = question.to_order(asked, here.names, here.settings.most_drugs)
    except AskError as error:
        return None, [_mistake(asked, problem.at, problem.reason, problem.mend) for problem in error.problems]
    report = here.checker.check(order)
    answered("page", report, asked.query.encode())
    return answers.answer(here.knowledge, report, asked), []


_FIELDS = {"conc": "c", "vehicle": "v", "rate": "r", "rate_ml_per_h": "r", "hours": "h", "line": "l", "formulation": "f", "drug": "d"}
_CALLED = {
    "conc": "concentration",
    "vehicle": "diluent",
    "rate": "rate",
    "rate_ml_per_h": "rate",
    "hours": "hours it runs",
    "line": "line",
    "formulation": "formulation",
}


def _mistake(asked: Asked, at: str, reason: str, mend: str) -> Mistake:
    parts = at.split("/")
    if len(parts) > 1 and parts[0] in ("drugs", "medications") and parts[1].isdigit():
        number = int(parts[1])
        listed = [entry.drug for entry in asked.entries] if parts[0] == "drugs" else list(asked.medications)
        name = listed[number] if number < len(listed) else ""
        last = parts[2] if len(parts) > 2 else ""
        field = f"{_FIELDS.get(last, 'd') if parts[0] == 'drugs' else 'm'}{number + 1}"
        for place, drug in enumerate(asked.entries):
            reason = reason.replace(f"which drugs/{place} asks", f"which {drug.drug} asks")
        return Mistake(
            f"{name or 'an entry without a name'}{f', {_CALLED[last]}' if last in _CALLED else ''}", reason, mend.split("; ")[0], field
        )
    return Mistake(
        {"age": "age in days", "drugs": "the list of drugs"}.get(at, at or "the question"),
        reason,
        mend,
        "age" if at == "age" else "add-drug",
    )


def _links(asked: Asked) -> Callable[[str, str], str]:
    return lambda at, name: f"/?{asked.choosing(at, name).query}"


def _chips(here: Service, asked: Asked, mistakes: list[Mistake]) -> list[Chip]:
    wrong = {mistake.field: mistake.reason for mistake in mistakes}
    chips = []
    for number, entry in enumerate(asked.entries, start=1):
        problems = {letter: wrong[f"{letter}{number}"] for letter in question.LETTERS if f"{letter}{number}" in wrong}
        if entry.vehicle and isinstance(found := here.names.resolve_vehicle(entry.vehicle, ""), NotUnderstood):
            problems.setdefault(
                "v", f'"{entry.vehicle}" is not understood' + (f"; did you mean {', '.join(found.candidates)}?" if found.candidates else "")
            )
        chips.append(_chip(here, asked, number, entry, f"drugs/{number - 1}", problems))
    return chips


def _medications(here: Service, asked: Asked, mistakes: list[Mistake]) -> list[Chip]:
    wrong = {mistake.field: mistake.reason for mistake in mistakes}
    return [
        _chip(
            here,
            asked,
            number,
            paste.Entry(drug=name),
            f"medications/{number - 1}",
            {"m": wrong[f"m{number}"]} if f"m{number}" in wrong else {},
        )
        for number, name in enumerate(asked.medications, start=1)
    ]


def _chip(here: Service, asked: Asked, number: int, entry: paste.Entry, at: str, problems: dict[str, str]) -> Chip:
    """One drug or other medicine as it was asked. at: its place in the question, as problems name it."""
    state, drug, matched, why, choices = resolve(here, entry.drug, at, _links(asked))
    understood, unread = paste.aside(entry.extra)
    forms = here.names.formulations.get(drug, ())
    if entry.form and entry.form not in forms:
        forms = (*forms, entry.form)
    if entry.form and drug and isinstance(unknown := here.names.resolve_formulation(drug, entry.form, ""), NotUnderstood):
        problems = {"f": f'"{entry.form}" is not understood: {unknown.why}'} | problems
    name = wording.name(here.knowledge, drug) if drug else entry.drug
    return Chip(number, entry.drug, name, drug, matched, state, why, choices, problems, entry, forms, understood, unread)
