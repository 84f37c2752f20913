"""The page of a pair, and the page of a source: what was tested, what was said, and by whom."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request

from api.pages import words
from api.pages.drug import PER_PAGE, resolve, sentence, whole
from api.pages.frame import bp, page
from api.pages.words import RowView
from api.problems import Failure
from api.service import service
from checker import AskProblem, cite_line, line_words, wording
from checker.model import UNSTATED, Judgement
from knowledge import Knowledge
from knowledge.link import Stated
from knowledge.model import Cited, Row
from knowledge.terms import Mode, Result, Severity


@bp.get("/pair/<a>/<b>")
def pair(a: str, b: str) -> Response | str:
    """All that is known of two drugs, in every mode, judged without conditions."""
    here = service()
    base = here.knowledge
    one, two = sorted((resolve(here, a, "a"), resolve(here, b, "b")), key=lambda item: item.id)
    if one is two:
        detail = f"Both names lead to {wording.name(base, one.id)}. A pair has two drugs."
        raise Failure("bad-pair", detail, [AskProblem("b", "this is the same drug", "choose another one")])
    if (one.id, two.id) != (a, b):
        return redirect(f"/pair/{one.id}/{two.id}", 303)  # type: ignore[return-value]  # a response of werkzeug
    modes = [(words.MODES[mode], *_judged(base, here.checker.judge(mode, one.id, two.id, UNSTATED, UNSTATED))) for mode in Mode]
    stated = sorted(base.interactions.get((one.id, two.id), ()), key=lambda item: list(Severity).index(item.statement.severity))
    return page(
        "pair.html",
        one=one,
        two=two,
        names=(wording.name(base, one.id), wording.name(base, two.id)),
        modes=modes,
        interactions=[_stated(base, item) for item in stated],
        check=f"/?d1={one.id}&d2={two.id}",
    )


def _judged(base: Knowledge, judged: Judgement) -> tuple[words.Mark, str, list[RowView], list[words.SourceView]]:
    """How a mode was judged: mark, sentence, tests, and the sources that are no test."""
    finding = line_words.line_finding(base, judged)
    text = finding.text.removeprefix(f"{words.names_of(base, judged.pair)}: ")
    if finding.code == "compatible/tested":
        text = "found compatible, only under the conditions below."
    sources = (
        [words.cite(base, item.source, item.at, item.read, item.review) for item in finding.sources] if judged.rules or judged.kin else []
    )
    return words.mark(judged), f"{text[:1].upper()}{text[1:]}", _tests(base, judged), sources


def _tests(base: Knowledge, judged: Judgement) -> list[RowView]:
    own = [(item, "") for item in judged.weighed]
    related = [(item, "of a related product") for item in judged.kin]
    rows = [
        words.row(base, item.row, what, item.settled, wording.via_text(base, item.via) if item.via else "")
        for item, what in (*own, *related)
    ]
    return sorted(rows, key=lambda row: _RESULTS[row.result.word])


_RESULTS = {words.RESULTS[result].word: rank for rank, result in enumerate((Result.INCOMPATIBLE, Result.VARIABLE, Result.COMPATIBLE))}


def _stated(base: Knowledge, stated: Stated) -> dict[str, Any]:
    said = stated.statement
    return {
        "severity": said.severity,
        "said": said.said,
        "condition": said.condition,
        "note": said.note,
        "route": words.route(base, said.route),
        "mechanism": wording.word(base, "mechanism", said.mechanism),
        "effect": wording.word(base, "effect", said.effect) if said.effect else "",
        "manage": [wording.word(base, "manage", code) for code in said.manage],
        "first": wording.name(base, said.first) if said.first else "",
        "roles": (wording.name(base, stated.object), wording.name(base, stated.precipitant)) if stated.object else None,
        "via": [wording.via_text(base, via) for via in stated.via],
        "source": words.source(base, said.cited),
    }


@bp.get("/source/<identity>")
def source(identity: str) -> str:
    """What one source said: every fact that rests on it."""
    base = service().knowledge
    found = base.sources.get(identity)
    if found is None:
        raise Failure("unknown-source", "No source has this id. Answers link to their sources.")
    facts = _Facts(base, identity)
    last = max(1, -(-max(len(facts.rows), len(facts.statements), len(facts.rules)) // PER_PAGE))
    number = min(whole(request.args.get("page")), last)
    part = slice((number - 1) * PER_PAGE, number * PER_PAGE)
    cited = facts.cited()
    return page(
        "source.html",
        source=found,
        cite=cite_line(found),
        kind=words.KINDS[found.kind],
        number=number,
        pages=last,
        facts=len(cited),
        links=[(name, value) for name, value in (("DOI", found.doi), ("PubMed", found.pmid), ("PMC", found.pmcid)) if value],
        read=sorted({words.READ.get(str(item.read or ""), str(item.read)) for item in cited}),
        twice=sum(item.review == "second-read" for item in cited),
        rows=[facts.row(row) for row in facts.rows[part]],
        row_count=len(facts.rows),
        rules=[(rule.drug, wording.name(base, rule.drug), sentence(base, rule), rule.cited.at) for rule in facts.rules[part]],
        rule_count=len(facts.rules),
        statements=[
            (wording.name(base, item.a), wording.name(base, item.b), item, wording.word(base, "mechanism", item.mechanism))
            for item in facts.statements[part]
        ],
        statement_count=len(facts.statements),
        others=facts.others() if number == 1 else [],
    )


class _Facts:
    """What rests on one source, withdrawn or not."""

    def __init__(self, base: Knowledge, identity: str) -> None:
        records = base.records
        self.base = base
        self.rows = [row for row in records.rows if row.cited.source == identity]
        self.statements = [item for item in records.interactions if item.cited.source == identity]
        self.rules = [rule for drug in records.drugs for rule in drug.rules if rule.cited.source == identity]
        self.contents = [(drug, item) for drug in records.drugs for item in drug.composition if item.cited.source == identity]
        self.acidity = [(drug, item) for drug in records.drugs for item in drug.acidity if item.cited.source == identity]

    def cited(self) -> list[Cited]:
        """Every place in the source that a fact names."""
        plain = [row.cited for row in self.rows] + [item.cited for item in self.statements] + [rule.cited for rule in self.rules]
        return plain + [item.cited for _, item in self.contents] + [item.cited for _, item in self.acidity]

    def row(self, row: Row) -> tuple[str, str, str, RowView]:
        """Names, the page of the pair, and the tested condition."""
        link = f"/pair/{row.a.drug}/{row.b.drug}" if row.a.drug in self.base.drugs and row.b.drug in self.base.drugs else ""
        return wording.name(self.base, row.a.drug), wording.name(self.base, row.b.drug), link, words.row(self.base, row)

    def others(self) -> list[tuple[str, str, str, str]]:
        """Composition and pH: product, its name, what is said, where."""
        told = [
            (drug, f"{item.component.replace('-', ' ')} {item.amount} {item.unit}".strip(), item.cited.at) for drug, item in self.contents
        ]
        for drug, item in self.acidity:
            span = " to ".join(dict.fromkeys(f"{value:g}" for value in (item.low, item.high) if value is not None))
            told.append((drug, f"pH {span} {item.character}".strip(), item.cited.at))
        return [(drug.id, wording.name(self.base, drug.id), text, at) for drug, text, at in told]
