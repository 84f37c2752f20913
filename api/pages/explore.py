"""Explore: the neighbourhood of a drug, the coverage matrix, where sources disagree, what changed in the last release."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import yaml
from flask import Response, current_app, redirect, request

from api.pages import around, changes, words
from api.pages.around import Neighbour
from api.pages.drug import partners, resolve
from api.pages.frame import bp, page
from api.service import Service, service
from checker import wording
from checker.coverage import ANSWERED, CAUTION_ONLY, cover
from checker.model import Status
from knowledge.conflicts import Conflict, together
from knowledge.conflicts import conflicts as find_conflicts
from knowledge.load import HERE
from knowledge.terms import Kind, Mode, Severity

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
MOST_MATRIX = 64
_CELLS = {Status.INCOMPATIBLE: ("bad", "×"), Status.VARIABLE: ("warn", "!"), Status.NO_DATA: ("none", ""), Status.COMPATIBLE: ("ok", "✓")}
_RANK = {level: rank for rank, level in enumerate(Severity)}


@bp.get("/explore")
def explore() -> str:
    """The ways in."""
    here = service()
    base = here.knowledge
    counts = {
        "infused": sum(drug.infused for drug in base.drugs.values()),
        "pairs": sum(1 for modes in base.evidence.values() if modes.get(Mode.Y_SITE)),
        "rows": len(base.records.rows),
        "interacting": len(base.interactions),
        "sources": len(base.sources),
        "conflicts": len(_conflicts(here)),
    }
    return page("explore.html", counts=counts, busiest=[(drug, wording.name(base, drug)) for drug in _grid(here)[:24]])


# --- the neighbourhood ---


@bp.get("/explore/around")
def around_which() -> Response:
    """From the name in the form to the page."""
    return redirect(f"/explore/around/{resolve(service(), request.args.get('q', '').strip()[:200], 'q').id}", 303)  # type: ignore[return-value]


@bp.get("/explore/around/<path:name>")
def neighbourhood(name: str) -> Response | str:
    """A drug and those that it was tested with or interacts with, as a picture and as text."""
    here = service()
    base = here.knowledge
    found = resolve(here, name, "name")
    if found.id != name:
        return redirect(f"/explore/around/{found.id}", 303)  # type: ignore[return-value]
    every = _neighbours(here, found.id)
    drawn, left = around.choose(every)
    title = wording.name(base, found.id)
    sectors = [
        (cls, word, symbol, sorted((item for item in every if item.sector == cls), key=lambda item: item.name.casefold()))
        for cls, word, symbol in around.SECTORS
    ]
    return page(
        "around.html",
        drug=found,
        title=title,
        picture=around.draw(title, drawn) if drawn else "",
        left=left,
        drawn=len(drawn),
        sectors=[sector for sector in sectors if sector[3]],
        total=len(every),
        most_listed=60,
    )


def _neighbours(here: Service, drug: str) -> list[Neighbour]:
    """Partners by Y-site status, and infused drugs with which only an interaction is known."""
    base = here.knowledge
    tested = {item.drug: item for item in partners(here, drug)}
    found = []
    for other in base.graph.adj[drug]:
        if other not in base.drugs:
            continue
        pair = (drug, other) if drug <= other else (other, drug)
        stated = base.interactions.get(pair, ())
        severity = str(min((item.statement.severity for item in stated), key=_RANK.__getitem__)) if stated else ""
        partner = tested.get(other)
        if partner is None and (not severity or not base.drugs[other].infused):
            continue
        mark = partner.marks[Mode.Y_SITE] if partner else None
        sector = "inter" if partner is None else "far" if mark is None or not mark.answer else mark.cls
        found.append(
            Neighbour(other, wording.name(base, other), f"/pair/{pair[0]}/{pair[1]}", sector, severity, partner.tests if partner else 0)
        )
    return found


# --- coverage ---


@bp.get("/explore/coverage")
def coverage() -> str:
    """How much of a list of drugs has a Y-site answer: a matrix, and by what it was answered."""
    here = service()
    base = here.knowledge
    drugs = _grid(here)
    covered = cover(here.checker, drugs)
    place = {drug: number for number, drug in enumerate(covered.drugs)}
    rows: list[list[tuple[str, str]]] = [[("", "")] * number for number in range(len(drugs))]
    for cell in covered.cells:
        first, second = sorted((place[cell.a], place[cell.b]))
        rows[second][first] = _CELLS[cell.status]
    how = [(word, count, word in ANSWERED, word in CAUTION_ONLY) for word, count in covered.by_how.most_common()]
    return page(
        "coverage.html",
        drugs=[(drug, wording.name(base, drug)) for drug in covered.drugs],
        rows=rows,
        how=how,
        total=len(covered.cells),
        answered=covered.answered,
        statuses=[(mark, covered.by_status[str(status)]) for status, mark in _STATUSES],
    )


_STATUSES = (
    (Status.INCOMPATIBLE, words.INCOMPATIBLE),
    (Status.VARIABLE, words.VARIABLE),
    (Status.NO_DATA, words.NOT_STUDIED),
    (Status.COMPATIBLE, words.COMPATIBLE),
)


def _grid(here: Service) -> list[str]:
    """The drugs of the matrix: those that the knowledge lists for it, or those with most partners."""
    listed = [drug for drug in _listed(here.settings.knowledge or HERE) if drug in here.knowledge.drugs]
    if listed:
        return listed
    base = here.knowledge
    infused = [drug.id for drug in base.drugs.values() if drug.infused and drug.kind is not Kind.NUTRITION]
    return sorted(infused, key=lambda drug: (-len(base.graph.adj[drug]), drug))[:MOST_MATRIX]


@cache
def _listed(root: Path) -> tuple[str, ...]:
    path = root / "grid.yaml"
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8"))["drugs"]) if path.is_file() else ()


# --- conflicts ---


@bp.get("/explore/conflicts")
def conflicts() -> str:
    """Pairs on which sources come to different results."""
    here = service()
    base = here.knowledge
    text = request.args.get("q", "").strip()[:200]
    told = []
    for conflict in _conflicts(here):
        names = (wording.name(base, conflict.pair[0]), wording.name(base, conflict.pair[1]))
        if text.casefold() not in f"{names[0]} {names[1]} {' '.join(conflict.pair)}".casefold():
            continue
        said = [(words.source(base, rows[0].cited), words.RESULTS[together(rows)], len(rows)) for rows in conflict.by_source.values()]
        told.append((names, f"/pair/{conflict.pair[0]}/{conflict.pair[1]}", words.MODES[conflict.mode], said))
    return page("conflicts.html", conflicts=told, q=text, clear=f"/explore/conflicts?{urlencode({'q': ''})}")


def _conflicts(here: Service) -> list[Conflict]:
    """Found once for each application."""
    kept: list[Conflict] | None = current_app.extensions.get("linewise-conflicts")
    if kept is None:
        kept = current_app.extensions["linewise-conflicts"] = find_conflicts(here.knowledge)
    return kept


# --- what changed ---


@bp.get("/explore/changes")
def changed() -> str:
    """The changelog, newest release first."""
    return page("changes.html", releases=changes.read(CHANGELOG))
