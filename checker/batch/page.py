"""The summary of a batch as one page for people: self-contained, readable on paper, in greyscale and by a screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from checker import wording
from checker.batch.errors import BatchError
from checker.check import Checker
from checker.model import Finding, Infusion, Kind, Order
from checker.report import cite_line
from knowledge import Knowledge

SOURCES_SHOWN = 4
PAIRS_SHOWN = 25
_VERDICTS = (
    ("stop", "✗", "something in the set must not be given like this"),
    ("caution", "!", "something needs a decision"),
    ("unknown", "?", "nothing is known against it, but not all of it is studied or understood"),
    ("clear", "✓", "all that was asked is covered by sources"),
    ("error", "#", "the row could not be read"),
)
_LINE = (Kind.LINE, Kind.COMPOSITION)


def page(told: dict[str, Any], knowledge: Knowledge, name: str) -> str:
    """The page. told: a summary. With the knowledge that gave the answers, each pair is shown with what its sources say."""
    for key in ("verdicts", "errors", "incompatible_pairs", "worst_sets", "knowledge"):
        if key not in told:
            raise BatchError("this is not the summary of a batch", "give OUT.summary.json as the batch wrote it")
    overlay = told["knowledge"]["overlay"]
    here = knowledge.overlay
    same = told["knowledge"]["digest"] == f"sha256:{knowledge.digest}" and (overlay or {}).get("digest") == (
        f"sha256:{here.digest}" if here else None
    )
    sets = max(1, told["sets"])
    counts = told["verdicts"] | {"error": told["errors"]["sets"]}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    teller = _Teller(knowledge) if same else None
    return environment.get_template("page.html").render(
        told=told,
        name=name,
        same=same,
        verdicts=[(verdict, symbol, words, counts[verdict], 100 * counts[verdict] / sets) for verdict, symbol, words in _VERDICTS],
        incompatible=_pairs(told["incompatible_pairs"], teller, _LINE, sets),
        variable=_pairs(told["variable_pairs"], teller, _LINE, sets),
        interactions=_pairs(told["interactions"], teller, (Kind.INTERACTION, Kind.SEQUENCE), sets),
    )


class _Teller:
    """What the knowledge says of a pair."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.engine = Checker(knowledge)

    def tell(self, pair: list[str], kinds: tuple[Kind, ...]) -> list[dict[str, Any]]:
        """Text and sources of the findings of these kinds; empty when the pair is no longer in the base."""
        if any(drug not in self.knowledge.drugs for drug in pair):
            return []
        order = Order(infusions=tuple(Infusion(drug=drug, at=f"drugs/{place}", asked=drug) for place, drug in enumerate(pair)))
        return [
            self._finding(finding)
            for finding in self.engine.check(order).findings
            if finding.kind in kinds and set(finding.drugs) == set(pair)
        ]

    def names(self, pair: list[str]) -> list[str]:
        """The drugs as people call them."""
        return [wording.name(self.knowledge, drug) for drug in pair]

    def _finding(self, finding: Finding) -> dict[str, Any]:
        cites = [
            f"{cite_line(self.knowledge.sources[cite.source])} ({', '.join(filter(None, [cite.at, f'read: {cite.read}' if cite.read else '']))})"
            for cite in finding.sources
        ]
        return {"text": finding.text, "sources": cites[:SOURCES_SHOWN], "more": max(0, len(cites) - SOURCES_SHOWN)}


def _pairs(told: dict[str, Any], teller: _Teller | None, kinds: tuple[Kind, ...], sets: int) -> list[dict[str, Any]]:
    most = max((item["sets"] for item in told["top"]), default=1)
    found = []
    for item in told["top"][:PAIRS_SHOWN]:
        names, findings = (teller.names(item["pair"]), teller.tell(item["pair"], kinds)) if teller else (item["pair"], [])
        found.append(item | {"names": names, "findings": findings, "width": 100 * item["sets"] / most, "share": 100 * item["sets"] / sets})
    return found
