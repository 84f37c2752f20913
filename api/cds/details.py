"""The body of a card in Markdown: what was found, under which conditions, what to do, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.fhir.orders import Given
from api.fhir.topics import PAIR, Topic
from checker import cite_line, wording
from checker.model import Cite, Finding, Infusion, Judgement, Kind, Relation, Weighed
from knowledge import Knowledge
from knowledge.model import Source

_LINE = frozenset({Kind.LINE, Kind.COMPOSITION})
MOST_ROWS = 6
MOST_SOURCES = 8
MOST_LINKS = 5
SHARED = "*One shared line is assumed: the orders do not say through which lumen each runs.*"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/?&=%+:,@-]*)?(?=[\s;,]|$)")
_MARKS = re.compile(r"([\\`*_\[\]|~#!])")
Json = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The parts of a card that follow from its findings alone. on_line: they speak of a shared line."""

    findings: str
    evidence: str
    links: list[Json]
    on_line: bool


class Details:
    """Writes details over one knowledge base."""

    def __init__(self, knowledge: Knowledge, codes: str, public_url: str | None) -> None:
        self.knowledge = knowledge
        self.public_url = public_url
        overlay = f", {knowledge.overlay.name}" if knowledge.overlay else ""
        self.footer = f"Decision support, to be judged by a professional. Linewise knowledge {knowledge.version} ({knowledge.digest[:12]}{overlay}), codes {codes[:12]}."

    def of(self, topic: Topic, written: Written, origin: dict[str, Given], infusions: dict[str, Infusion]) -> str:
        """The detail of a topic. origin, infusions: the orders it speaks of, by `at`."""
        ats = (
            [at for pair in topic.pairs for at in pair.at]
            if topic.pairs
            else [at for at, infusion in infusions.items() if infusion.drug in topic.drugs]
        )
        parts = [written.findings, *self._orders(list(dict.fromkeys(ats)), origin, infusions)]
        if written.on_line and any(pair.line is not None and not _one_bag(pair.at, infusions) for pair in topic.pairs):
            parts.append(SHARED)
        return "\n\n".join(filter(None, [*parts, written.evidence, self.footer]))

    def write(self, topic: Topic, shown: Sequence[Finding]) -> Written:
        """What follows from the findings alone, whatever the request. shown: those that are told, loudest first.

        What is said of the line stands in a card in any case, also where it is good.
        """
        line = [finding for finding in topic.findings if finding.kind in _LINE]
        told = list(dict.fromkeys((*shown, *line))) if shown else []
        lines = [pair.line for pair in topic.pairs if pair.line is not None]
        rows = [self._rows(line) for line in lines[:2]] if topic.kind == PAIR else []
        return Written(
            findings="\n\n".join(dict.fromkeys(_plain(finding.text) for finding in told)),
            evidence="\n\n".join(filter(None, [*rows, self.sources(cite for finding in told for cite in finding.sources)])),
            links=self._links(topic, told),
            on_line=bool(line),
        )

    # --- the same for every request ---

    def _rows(self, line: Judgement) -> str:
        ordered = sorted(
            (*line.weighed, *line.kin),
            key=lambda item: (not item.settled, item.relation is Relation.EXCLUDES, item.row.result.value != "incompatible", item.row.id),
        )
        if not ordered:
            return ""
        table = ["| tested | result | source |", "|---|---|---|"]
        table += [
            f"| {_cell(wording.tested(self.knowledge, item.row))} | {_result(item)} | {_where(self.knowledge.sources[item.row.cited.source])} |"
            for item in ordered[:MOST_ROWS]
        ]
        more = len(ordered) - MOST_ROWS
        return "\n".join(table) + (f"\n\n{more} more tested conditions are known." if more > 0 else "")

    def sources(self, cites: Iterable[Cite]) -> str:
        """A list of sources, each once, with the way there."""
        cited = list({cite.source: cite for cite in cites}.values())
        told = []
        for cite in cited[:MOST_SOURCES]:
            source = self.knowledge.sources[cite.source]
            url, title = address(source), _plain(cite_line(source))
            where = f", {_plain(cite.at)}" if cite.at else ""
            told.append(f"- {f'[{_link(title)}]({url})' if url else title}{where}{f', {cite.read} read' if cite.read else ''}")
        more = len(cited) - MOST_SOURCES
        return "\n".join(["**Sources**", "", *told, *([f"- and {more} more"] if more > 0 else [])]) if told else ""

    def _links(self, topic: Topic, shown: Iterable[Finding]) -> list[Json]:
        """Links to the sources that have an address, and to the page of the pair."""
        found: dict[str, str] = {}
        if self.public_url and topic.kind == PAIR:
            found[f"{self.public_url}/v1/pairs/{topic.drugs[0]}/{topic.drugs[1]}"] = "All that is known of this pair"
        for finding in shown:
            for cite in finding.sources:
                source = self.knowledge.sources[cite.source]
                url = address(source)
                if url and len(found) < MOST_LINKS:
                    found.setdefault(url, cite_line(source)[:120])
        return [{"label": label, "url": url, "type": "absolute"} for url, label in found.items()]

    # --- of this request ---

    def _orders(self, ats: Sequence[str], origin: dict[str, Given], infusions: dict[str, Infusion]) -> list[str]:
        """How each order was understood."""
        rows = []
        for at in ats:
            given, infusion = origin.get(at), infusions.get(at)
            if given is None:
                continue
            read = self._conditions(infusion) if infusion else f"not infused ({given.route})"
            notes = f"; {escape('; '.join(dict.fromkeys(given.bag.notes)))}" if given.bag.notes else ""
            rows.append(f"| {escape(given.label)} | {'new' if given.new else 'active'} | {_cell(read)}{notes} |")
        return ["\n".join(["| order | | understood as |", "|---|---|---|", *rows[:12]])] if rows else []

    def _conditions(self, infusion: Infusion) -> str:
        asked = infusion.conditions
        parts = [wording.name(self.knowledge, infusion.drug), asked.conc.text if asked.conc else "concentration not stated"]
        fluid = wording.vehicle(self.knowledge, asked.vehicle) if asked.vehicle else "fluid not stated"
        parts.append(f"in {fluid}" if asked.vehicle in self.knowledge.drugs else fluid)
        parts += [f"{infusion.rate_ml_per_h:g} mL/h"] if infusion.rate_ml_per_h else []
        parts += [f"over {infusion.hours * 60:.0f} min" if infusion.hours < 3 else f"over {infusion.hours:g} h"] if infusion.hours else []
        return ", ".join(parts)


def address(source: Source) -> str:
    """Where a reader finds a source; "" when it has no public number."""
    if source.pmid:
        return f"https://pubmed.ncbi.nlm.nih.gov/{source.pmid}/"
    if source.doi and not re.search(r"[\s()<>\"]", source.doi):
        return f"https://doi.org/{source.doi}"
    if source.pmcid:
        return f"https://pmc.ncbi.nlm.nih.gov/articles/{source.pmcid}/"
    found = _ADDRESS.match(source.locator)
    return found[0] if found else ""


def escape(text: str) -> str:
    """Text from outside, harmless in Markdown and HTML."""
    return _MARKS.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _plain(text: str) -> str:
    """Our own words: only what Markdown or HTML would swallow is escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _link(text: str) -> str:
    return text.replace("[", "(").replace("]", ")")


def _where(source: Source) -> str:
    """A source in a cell: who and when, with the way there."""
    told = _cell(
        ", ".join(
            filter(
                None,
                [(source.author or source.title or source.publisher or source.id).split(",")[0].split(";")[0][:48].strip(), source.year],
            )
        )
    )
    url = address(source)
    return f"[{_link(told)}]({url})" if url else told


def _result(item: Weighed) -> str:
    beyond = {Relation.EXCLUDES: ", other conditions", Relation.SILENT: ", conditions not all stated"}.get(item.relation, "")
    finding = f" ({item.row.finding})" if item.row.finding not in ("none", "other") else ""
    via = ", derived" if item.via else ""
    return f"{item.row.result}{finding}{beyond}{via}"


def _one_bag(ats: Iterable[str], infusions: dict[str, Infusion]) -> bool:
    bags = {infusions[at].bag for at in ats if at in infusions}
    return len(bags) == 1 and None not in bags
