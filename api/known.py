"""What is known: of a drug, a pair, a source, and of the whole knowledge base. Read-only pages with stable addresses."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, Response, request

from api.problems import Failure
from api.schemas import DrugsQuery, NoQuery
from api.service import Service, service
from api.shapes import results_of
from api.wire import answer, read_query
from checker import AskProblem
from checker.model import Infusion, NotUnderstood, Order
from knowledge.model import Drug
from knowledge.terms import Mode

bp = Blueprint("known", __name__, url_prefix="/v1")
_DRUGS = DrugsQuery()
_NOTHING = NoQuery()


@bp.get("/drugs")
def drugs() -> Response:
    """Type-ahead over names, brands, abbreviations and codes, best first. For choosing, never for deciding."""
    here = service()
    asked = read_query(request, _DRUGS)
    hits = here.names.search(asked["q"], asked["limit"])
    found = [here.shapes.brief(here.knowledge.drugs[hit.drug]) | {"matched": hit.name, "matched_by": hit.matched_by} for hit in hits]
    return answer({"q": asked["q"], "drugs": found, "knowledge": here.renderer.identity})


@bp.get("/drugs/<path:name>")
def drug(name: str) -> Response:
    """All that is known of one drug, fluid or nutrition, by id or name."""
    here = service()
    read_query(request, _NOTHING)
    return answer(here.shapes.drug(_resolve(here, name, "id")) | {"knowledge": here.renderer.identity})


@bp.get("/pairs/<a>/<b>")
def pair(a: str, b: str) -> Response:
    """All that is known of two drugs in every mode, judged without conditions; in either order, by ids or names."""
    here = service()
    read_query(request, _NOTHING)
    one, two = sorted((_resolve(here, a, "a"), _resolve(here, b, "b")), key=lambda item: item.id)
    if one is two:
        raise Failure(
            "bad-pair",
            f"Both are {one.id}. A pair has two drugs.",
            [AskProblem("b", f'"{a}" and "{b}" are the same drug', f"see /v1/drugs/{one.id}")],
        )
    lines, findings = {}, {}
    both = tuple(Infusion(drug=item.id, at=at, asked=item.id) for at, item in (("a", one), ("b", two)))
    for mode in Mode:
        report = here.renderer.plain(here.checker.check(Order(infusions=both, mode=mode)))
        lines[mode] = report["pairs"][0]["line"]
        findings[mode] = [finding for finding in report["findings"] if finding["kind"] in ("line", "composition")]
    stated = here.knowledge.interactions.get((one.id, two.id), ())
    rules = [rule for drug, other in ((one, two), (two, one)) for rule in drug.rules if other.id in rule.values]
    return answer(
        {
            "pair": [one.id, two.id],
            "drugs": [here.shapes.brief(one), here.shapes.brief(two)],
            "line": lines,
            "findings": findings,
            "rules": [here.shapes.rule(rule) for rule in rules],
            "interactions": [here.shapes.stated(item) for item in stated],
            "knowledge": here.renderer.identity,
        }
    )


@bp.get("/sources/<identity>")
def source(identity: str) -> Response:
    """One source, and every fact that rests on it."""
    here = service()
    read_query(request, _NOTHING)
    found = here.knowledge.sources.get(identity)
    if found is None:
        mistake = AskProblem("id", "this source is not known", "take the id from an answer")
        raise Failure("unknown-source", "No source has this id. Answers name the ids of their sources.", [mistake])
    records, shapes = here.knowledge.records, here.shapes
    every = records.drugs
    return answer(
        shapes.source(found)
        | {
            "rests_on_it": {
                "rows": [shapes.row(row) for row in records.rows if row.cited.source == identity],
                "rules": [shapes.rule(rule) for drug in every for rule in drug.rules if rule.cited.source == identity],
                "interactions": [shapes.statement(item) for item in records.interactions if item.cited.source == identity],
                "composition": [
                    {"drug": drug.id} | shapes.content(item) for drug in every for item in drug.composition if item.cited.source == identity
                ],
                "ph": [
                    {"drug": drug.id} | shapes.acidity(item) for drug in every for item in drug.acidity if item.cited.source == identity
                ],
                "memberships": [
                    {"drug": drug.id, "class": item.cls}
                    for drug in every
                    for item in drug.classes
                    if (item.source or here.knowledge.classes[item.cls].source) == identity
                ],
            },
            "knowledge": here.renderer.identity,
        }
    )


@bp.get("/knowledge")
def knowledge() -> Response:
    """Which knowledge answers here, and how much it holds."""
    here = service()
    read_query(request, _NOTHING)
    return answer(here.renderer.identity | {"date": here.knowledge.date, "counts": counts(here)})


def counts(here: Service) -> dict[str, Any]:
    """How much the knowledge holds, counted from what is loaded."""
    base, records = here.knowledge, here.knowledge.records
    pairs = {mode: sum(1 for modes in base.evidence.values() if modes.get(mode)) for mode in Mode}
    return {
        "kinds": dict(sorted(Counter(str(drug.kind) for drug in records.drugs).items())),
        "infused": sum(drug.infused for drug in records.drugs),
        "classes": len(records.classes),
        "sources": dict(sorted(Counter(str(item.kind) for item in records.sources).items())),
        "withdrawn_sources": sum(bool(item.withdrawn) for item in records.sources),
        "rows": results_of(records.rows),
        "rows_by_mode": dict(sorted(Counter(str(row.mode) for row in records.rows).items())),
        "rows_read_as": dict(sorted(Counter(str(row.cited.read) for row in records.rows).items())),
        "pairs_with_evidence": pairs,
        "rules": sum(len(drug.rules) for drug in records.drugs),
        "interaction_statements": len(records.interactions),
        "interacting_pairs": len(base.interactions),
    }


def _resolve(here: Service, text: str, at: str) -> Drug:
    """The drug of an id or a name. Raises Failure with near names when there is none, or several."""
    found = here.knowledge.drugs.get(text)
    if found is not None:
        return found
    match = here.names.resolve(text, at)
    if isinstance(match, NotUnderstood):
        reason = "this name has several meanings" if match.reason == "ambiguous-name" else "this name is not known"
        mend = f"did you mean: {', '.join(match.candidates)}" if match.candidates else "find the id with /v1/drugs?q="
        why = f" ({match.why})" if match.why else ""
        raise Failure("unknown-drug", f"{reason.capitalize()}{why}.", [AskProblem(at, reason, mend)], candidates=match.candidates)
    return here.knowledge.drugs[match.drug]
