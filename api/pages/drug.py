"""The list of drugs, and the page of one: identity, line demands, compatibility with all that is known, interactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request

from api.pages import words
from api.pages.answer import ICONS
from api.pages.frame import bp, page
from api.pages.words import Mark, SourceView
from api.problems import Failure
from api.service import Service, service
from checker import product_words, wording
from checker.model import UNSTATED, NotUnderstood
from knowledge import Knowledge
from knowledge.model import Acidity, Drug, Rule
from knowledge.terms import Mode, Severity

PER_PAGE = 100
LONGEST = 200  # characters of a search
DEMANDS = (
    "dedicated-line",
    "filter-required",
    "filter-prohibited",
    "light-protection",
    "central-line-required",
    "central-line-preferred",
    "vesicant",
    "irritant",
    "exfoliant",
    "non-pvc-required",
    "dehp-free",
    "device-material",
    "flush-before-after",
    "no-bolus",
    "fatal-if-intrathecal",
    "not-intrathecal",
    "minibag-required",
    "neonatal-contraindication",
)
DILUENTS = ("diluent-required", "diluent-contraindicated", "dilution-required", "reconstitution-fluid", "no-admixture")


@bp.get("/drugs")
def drugs() -> str:
    """Find a drug, or look through those that begin with a letter."""
    here = service()
    text, letter = request.args.get("q", "").strip()[:LONGEST], request.args.get("letter", "").strip().lower()[:1]
    every = [drug for drug in here.knowledge.drugs.values() if drug.infused]
    found: list[tuple[Drug, str, str]] = []
    if text:
        found = [(here.knowledge.drugs[hit.drug], hit.name, hit.matched_by) for hit in here.names.search(text, 40)]
    elif letter:
        found = [(drug, "", "") for drug in sorted(every, key=lambda drug: drug.name.casefold()) if drug.name[:1].lower() == letter]
    told = [
        (
            drug.id,
            wording.name(here.knowledge, drug.id),
            drug.kind,
            drug.infused,
            matched if matched.casefold() != drug.name.casefold() else "",
            by,
        )
        for drug, matched, by in found
    ]
    refused = here.names.resolve(text, "") if text else None
    ambiguous = refused if isinstance(refused, NotUnderstood) and refused.reason.startswith("ambiguous") else None
    letters = sorted({drug.name[:1].lower() for drug in every if drug.name[:1].isalpha()})
    return page(
        "drugs.html",
        q=text,
        letter=letter,
        found=told,
        letters=letters,
        counts=Counter(str(drug.kind) for drug in every),
        ambiguous=ambiguous,
    )


@bp.get("/drug/<path:name>")
def drug(name: str) -> Response | str:
    """One drug."""
    here = service()
    base = here.knowledge
    found = resolve(here, name, "drug")
    if found.id != name:
        return redirect(f"/drug/{found.id}", 303)  # type: ignore[return-value]  # a response of werkzeug
    others = tuple(dict.fromkeys(rule.rule for rule in found.rules if rule.rule not in (*DEMANDS, *DILUENTS)))
    return page(
        "drug.html",
        drug=found,
        title=wording.name(base, found.id),
        identity=_identity(base, found),
        modes=words.MODES,
        table=_table(here, found),
        demands=_rules(base, found, DEMANDS),
        diluents=_rules(base, found, DILUENTS),
        others=_rules(base, found, others),
        interactions=interactions(base, found.id),
    )


def resolve(here: Service, text: str, at: str) -> Drug:
    """The drug of an id or a name. Raises Failure with near names when there is none, or several."""
    found = here.knowledge.drugs.get(text)
    if found is not None:
        return found
    match = here.names.resolve(text, at)
    if isinstance(match, NotUnderstood):
        detail = f'"{text}" has several meanings' if match.reason == "ambiguous-name" else f'"{text}" is not a name that is known here'
        raise Failure(
            "unknown-drug", f"{detail}{f' ({match.why})' if match.why else ''}. Nothing was chosen for you.", candidates=match.candidates
        )
    return here.knowledge.drugs[match.drug]


# --- compatibility with everything known ---


@dataclass(frozen=True, slots=True)
class Partner:
    """What is known of a drug beside another one. marks: mode -> how it was judged; None = never tested so."""

    drug: str
    name: str
    marks: dict[Mode, Mark | None]
    tests: int
    sources: tuple[SourceView, ...]

    @property
    def worst(self) -> int:
        """Rank of the worst answer in any mode."""
        return min((_RANKS[mark.word] for mark in self.marks.values() if mark), default=_LAST)

    @property
    def at_y_site(self) -> int:
        """Rank of the answer at the Y-site."""
        mark = self.marks[Mode.Y_SITE]
        return _RANKS[mark.word] if mark else _LAST


_WORST_FIRST = (words.INCOMPATIBLE, words.VARIABLE, words.UNCONFIRMED, words.NOT_AS_ASKED, words.NOT_STUDIED, words.COMPATIBLE)
_RANKS = {mark.word: rank for rank, mark in enumerate(_WORST_FIRST)}
_LAST = len(_RANKS)
_SORTS: dict[str, Callable[[Partner], Any]] = {
    "name": lambda item: item.name.casefold(),
    "status": lambda item: (item.at_y_site, item.worst, item.name.casefold()),
    "tests": lambda item: (-item.tests, item.name.casefold()),
}


@dataclass(frozen=True, slots=True)
class Table:
    """One page of a drug's partners, as it was filtered and sorted. links: sorts and pages -> addresses."""

    partners: list[Partner]
    every: int
    matching: int
    shows: list[tuple[str, int]]
    show: str
    q: str
    sort: str
    number: int
    sorts: dict[str, str]
    pages: dict[int, str]


def _table(here: Service, found: Drug) -> Table:
    show, text = request.args.get("show", ""), request.args.get("q", "").strip()[:LONGEST]
    sort = request.args.get("sort", "status")
    sort = sort if sort in _SORTS else "status"
    every = partners(here, found.id)
    shown = [item for item in every if text.casefold() in f"{item.name} {item.drug}".casefold()]
    shown = sorted(
        (item for item in shown if not show or any(mark and mark.word == show for mark in item.marks.values())), key=_SORTS[sort]
    )
    last = max(1, -(-len(shown) // PER_PAGE))
    number = min(whole(request.args.get("page")), last)

    def link(**changed: object) -> str:
        told = {"q": text, "show": show, "sort": sort} | changed
        return f"/drug/{found.id}?{urlencode({name: value for name, value in told.items() if value})}#compatibility"

    return Table(
        shown[(number - 1) * PER_PAGE : number * PER_PAGE],
        len(every),
        len(shown),
        _counts(every),
        show,
        text,
        sort,
        number,
        {key: link(sort=key) for key in _SORTS},
        {place: link(page=place) for place in range(1, last + 1)},
    )


def partners(here: Service, drug: str) -> list[Partner]:
    """Everything with which a drug was tested, judged without conditions."""
    base = here.knowledge
    found = []
    for other in base.graph.adj[drug]:
        pair = (drug, other) if drug <= other else (other, drug)
        evidence = base.evidence.get(pair)
        if not evidence:
            continue
        marks: dict[Mode, Mark | None] = {}
        for mode in Mode:
            judged = here.checker.judge(mode, pair[0], pair[1], UNSTATED, UNSTATED)
            marks[mode] = words.mark(judged) if evidence.get(mode) or judged.rules else None
        rows = [item.row for of_mode in evidence.values() for item in of_mode]
        sources = tuple(words.cite(base, identity, "", "", "") for identity in dict.fromkeys(row.cited.source for row in rows))
        found.append(Partner(other, wording.name(base, other), marks, len(rows), sources))
    return found


def _counts(every: Iterable[Partner]) -> list[tuple[str, int]]:
    found = Counter(word for item in every for word in {mark.word for mark in item.marks.values() if mark})
    return sorted(found.items(), key=lambda entry: _RANKS[entry[0]])


def whole(text: str | None) -> int:
    """The number of a page; 1 for anything that is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 and int(text) > 0 else 1


# --- identity and rules ---


def _identity(base: Knowledge, drug: Drug) -> dict[str, Any]:
    aliases: dict[str, list[str]] = {}
    for alias in drug.aliases:
        aliases.setdefault(alias.kind, []).append(alias.name)
    return {
        "kind": drug.kind,
        "group": drug.group.replace("-", " "),
        "code": drug.vehicle_code,
        "infused": drug.infused,
        "aliases": sorted(aliases.items()),
        "codes": [(_SYSTEMS.get(system, system), ", ".join(codes)) for system, codes in drug.codes.items()],
        "tall_man": [", ".join(item.confused_with) for item in drug.tall_man if item.confused_with],
        "classes": [base.classes[item.cls].name for item in drug.classes],
        "composition": [
            (item.component.replace("-", " "), f"{item.amount} {item.unit}".strip(), item.role, words.source(base, item.cited))
            for item in drug.composition
        ],
        "ph": [(_range(item), item.character, item.of, words.source(base, item.cited)) for item in drug.acidity],
        "parts": [(part.name, part.drug) for part in drug.components],
        "parent": (drug.parent, wording.name(base, drug.parent)) if drug.parent in base.drugs else None,
    }


_SYSTEMS = {"rxnorm": "RxNorm", "unii": "UNII", "snomed": "SNOMED CT", "wikidata": "Wikidata", "atc": "ATC"}


def _range(item: Acidity) -> str:
    return "–".join(dict.fromkeys(f"{value:g}" for value in (item.low, item.high) if value is not None))


def _rules(base: Knowledge, drug: Drug, kinds: tuple[str, ...]) -> list[tuple[str, str, str, list[SourceView]]]:
    """Icon, effect, sentence and sources of each thing that labels ask, one line for each different sentence."""
    told: dict[tuple[str, str, str], dict[SourceView, None]] = {}
    for kind in kinds:
        for rule in drug.rules:
            if rule.rule == kind:
                told.setdefault((ICONS.get(kind, "note"), str(rule.effect), sentence(base, rule)), {})[words.source(base, rule.cited)] = (
                    None
                )
    return [(*key, list(sources)) for key, sources in told.items()]


def sentence(base: Knowledge, rule: Rule) -> str:
    """One product rule in words, without the product's name."""
    text = product_words.demand(base, [rule]).removeprefix(f"{wording.name(base, rule.drug)}: ")
    return f"{text} ({rule.note})" if rule.note else text


# --- interactions ---


@dataclass(frozen=True, slots=True)
class Said:
    """One interaction, said of many partners at once. partners: id, name, whether infused."""

    mechanism: str
    effect: str
    condition: str
    manage: tuple[str, ...]
    role: str
    route: str
    source: SourceView
    partners: tuple[tuple[str, str, bool], ...]


def interactions(base: Knowledge, drug: str) -> list[tuple[str, int, list[Said]]]:
    """Interactions of a drug by severity, with the count of partners; what one source says of several partners stands together."""
    gathered: dict[tuple[Any, ...], dict[str, None]] = {}
    for other in base.graph.adj[drug]:
        for stated in base.interactions.get((drug, other) if drug <= other else (other, drug), ()):
            said = stated.statement
            role = (
                "its effect changes"
                if stated.object == drug
                else "it changes the effect of the other"
                if stated.precipitant == drug
                else ""
            )
            key = (said.severity, said.mechanism, said.effect, said.condition, said.manage, role, said.route, said.cited)
            gathered.setdefault(key, {})[other] = None
    told: dict[Severity, list[Said]] = {level: [] for level in Severity}
    for (severity, mechanism, effect, condition, manage, role, route, cited), others in gathered.items():
        named = sorted(
            ((other, wording.name(base, other), base.drugs[other].infused) for other in others),
            key=lambda item: (not item[2], item[1].casefold()),
        )
        told[severity].append(
            Said(
                wording.word(base, "mechanism", mechanism),
                wording.word(base, "effect", effect) if effect else "",
                condition,
                tuple(wording.word(base, "manage", code) for code in manage),
                role,
                words.route(base, route),
                words.source(base, cited),
                tuple(named),
            )
        )
    return [
        (level, len({partner for said in items for partner in said.partners}), sorted(items, key=lambda said: -len(said.partners)))
        for level, items in told.items()
        if items
    ]
