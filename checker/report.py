"""A Report as JSON: the core of the contract that every door shares.

Rows, judgements and findings do not change once made, so each is rendered once and its bytes are used again.
"""

from __future__ import annotations

from typing import Any

import orjson

from checker import line_words, wording
from checker.model import (
    Cite,
    Finding,
    Infusion,
    InteractionHit,
    Judgement,
    Medication,
    NotUnderstood,
    PairResult,
    Relation,
    Report,
    Status,
    Weighed,
)
from knowledge import Knowledge
from knowledge.link import Via
from knowledge.model import Cited, Row, Side, Source

REMEMBERED = 40_000  # rendered pieces kept at most; half a kilobyte each
Json = dict[str, Any]


class Renderer:
    """Turns reports over one knowledge base into JSON."""

    def __init__(self, knowledge: Knowledge, remember: int = REMEMBERED) -> None:
        self.knowledge = knowledge
        self._most = remember
        # id of a frozen object -> the object (so that its id stays its own) and its bytes
        self._memory: dict[int, tuple[object, orjson.Fragment]] = {}
        self.identity: Json = {"version": knowledge.version, "digest": f"sha256:{knowledge.digest}", "overlay": None}
        if knowledge.overlay is not None:
            self.identity["overlay"] = {"name": knowledge.overlay.name, "digest": f"sha256:{knowledge.overlay.digest}"}

    def json(self, report: Report, *, explain: bool = False) -> bytes:
        """The report as UTF-8 JSON. explain: say of every row whether it covers the question and whether it settled it."""
        return orjson.dumps(self._report(report, explain), option=orjson.OPT_APPEND_NEWLINE)

    def plain(self, report: Report, *, explain: bool = False) -> Json:
        """The report as plain dicts and lists."""
        return orjson.loads(self.json(report, explain=explain))  # type: ignore[no-any-return]

    def findings(self, report: Report) -> list[orjson.Fragment]:
        """The findings of a report alone, each as JSON."""
        return [self._kept(finding, self._finding) for finding in report.findings]

    def _report(self, report: Report, explain: bool) -> Json:
        given: list[Infusion | Medication] = [*report.infusions, *report.medications]
        drugs = [
            {
                "at": item.at,
                "asked": item.asked,
                "drug": item.drug,
                "name": wording.name(self.knowledge, item.drug),
                "matched_by": item.matched_by,
            }
            for item in given
        ]
        line = self._explained if explain else self._line
        return {
            "verdict": report.verdict,
            "mode": report.mode,
            "drugs": drugs,
            "not_understood": [self._not_understood(item) for item in report.not_understood],
            "pairs": [
                {"pair": pair.pair, "at": pair.at, "line": line(pair.line) if pair.line else None, "interactions": self._interactions(pair)}
                for pair in report.pairs
            ],
            "findings": self.findings(report),
            "knowledge": self.identity,
        }

    def _kept(self, thing: Any, render: Any) -> orjson.Fragment:
        kept = self._memory.get(id(thing))
        if kept is not None and kept[0] is thing:
            return kept[1]
        if len(self._memory) >= self._most:
            self._memory.clear()
        fragment = orjson.Fragment(
            bytes(memoryview(orjson.dumps(render(thing))))
        )  # a copy of just that size: orjson's own holds on to more memory
        self._memory[id(thing)] = (thing, fragment)
        return fragment

    # --- the parts ---

    def _not_understood(self, item: NotUnderstood) -> Json:
        told: Json = {"at": item.at, "asked": item.asked, "reason": item.reason, "candidates": item.candidates}
        return told | {"why": item.why} if item.why else told

    def _line(self, judged: Judgement) -> orjson.Fragment:
        return self._kept(judged, self._judgement)

    def _explained(self, judged: Judgement) -> Json:
        return self._judgement(judged, explain=True)

    def _judgement(self, judged: Judgement, explain: bool = False) -> Json:
        told: Json = {"status": judged.status, "reason": judged.reason, "mode": judged.mode}
        if judged.status is Status.COMPATIBLE:
            settled = [item.row for item in judged.weighed if item.settled]
            told["holds_for"] = [self._condition(row) for row in settled] if judged.stated else ["conditions not stated"]
        told["evidence"] = [self._weighed(item, explain) for item in judged.weighed if explain or item.relation is not Relation.EXCLUDES]
        nearest = [item for item in judged.weighed if item.relation is Relation.EXCLUDES]
        if nearest and not explain:
            told["nearest"] = [self._weighed(item, False) for item in nearest]
        if judged.policy is not None:
            told["policy"] = {
                "status": judged.policy.status,
                "published": judged.published,
                "reason": judged.policy.reason,
                "approver": judged.policy.approver or None,
                "date": judged.policy.date or None,
            }
        if judged.kin:
            told["derived"] = [self._weighed(item, explain) for item in judged.kin]
        if judged.context:
            told["context"] = [self.row(row) for row in judged.context]
        if judged.rules:
            told["rules"] = [
                {
                    "drug": hit.rule.drug,
                    "rule": hit.rule.rule,
                    "value": hit.value,
                    "against": hit.against,
                    "effect": hit.rule.effect,
                    "text": line_words.rule_hit(self.knowledge, hit),
                    "source": self.cited(hit.rule.cited),
                }
                | self._via(hit.via)
                for hit in judged.rules
            ]
        return told

    def _condition(self, row: Row) -> Json:
        held: Json = {"a": self._side(row.a), "b": self._side(row.b)}
        return held | {"hours": row.hours} if row.hours is not None else held

    def _weighed(self, item: Weighed, explain: bool) -> Json:
        told = self.row(item.row) | self._via(item.via)
        if explain:
            told |= {"relation": item.relation, "settled": item.settled, "why": wording.weighed_words(item)}
        return told

    def _via(self, via: Via | None) -> Json:
        if via is None:
            return {}
        return {
            "derived_from": {
                "kind": via.kind,
                "through": via.through,
                "member": via.member,
                "text": wording.via_text(self.knowledge, via),
                "sources": [self.cited(cited) for cited in via.cited],
            }
        }

    def row(self, row: Row) -> Json:
        """One tested condition with its source."""
        told: Json = {
            "id": row.id,
            "a": self._side(row.a),
            "b": self._side(row.b),
            "mode": row.mode,
            "result": row.result,
            "finding": row.finding,
            "basis": row.basis,
            "method": row.method,
            "hours": row.hours,
            "source": self.cited(row.cited),
        }
        return told | {"note": row.note} if row.note else told

    def _side(self, side: Side) -> Json:
        told: Json = {"drug": side.drug, "conc": side.conc.text if side.conc else None, "vehicles": side.vehicles}
        if side.formulation:
            told["formulation"] = side.formulation
        if side.added:
            told["added"] = side.added
        return told

    def _interactions(self, pair: PairResult) -> list[orjson.Fragment]:
        return [self._kept(hit, self._interaction) for hit in pair.interactions]

    def _interaction(self, hit: InteractionHit) -> Json:
        statement = hit.stated.statement
        told: Json = {
            "severity": statement.severity,
            "mechanism": statement.mechanism,
            "effect": statement.effect or None,
            "management": [{"code": code, "text": wording.word(self.knowledge, "manage", code)} for code in statement.manage],
            "route": statement.route,
            "holds": "yes" if hit.holds else "undecided",
            "sources": [self.cited(statement.cited)],
        }
        if statement.condition:
            told["condition"] = statement.condition
        if hit.stated.object:
            told |= {"object": hit.stated.object, "precipitant": hit.stated.precipitant}
        if hit.stated.via:
            told["via"] = [{"kind": via.kind, "through": via.through, "member": via.member} for via in hit.stated.via]
        return told

    def _finding(self, finding: Finding) -> Json:
        told: Json = {"level": finding.level, "kind": finding.kind, "code": finding.code, "drugs": finding.drugs, "text": finding.text}
        if finding.severity:
            told["severity"] = finding.severity
        if finding.management:
            told["management"] = [{"code": code, "text": wording.word(self.knowledge, "manage", code)} for code in finding.management]
        told["sources"] = [self._cite(cite) for cite in finding.sources]
        return told

    def cited(self, cited: Cited) -> Json:
        """A source with the place in it."""
        return self._cite(next(iter(wording.cites([cited]))))

    def _cite(self, cite: Cite) -> Json:
        source = self.knowledge.sources[cite.source]
        told: Json = {
            "id": source.id,
            "cite": cite_line(source),
            "kind": source.kind,
            "at": cite.at,
            "read": cite.read or None,
            "review": cite.review,
        }
        for key in ("year", "pmid", "doi"):
            if getattr(source, key):
                told[key] = getattr(source, key)
        return told


def cite_line(source: Source) -> str:
    """A source in one line: author, title, publisher, year, as far as they are known."""
    parts = [part for part in (source.author, source.title, source.publisher, source.year) if part]
    return ". ".join(part.rstrip(".") for part in parts) or source.id
