"""From a report to cards: worst first, at most ten, the same for the same request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from api.cds import summaries
from api.cds.details import SHARED, Details, Written, escape
from api.cds.marks import identity
from api.cds.suggestions import suggestions
from api.cds.tiers import GATHER, INFO, LOUDNESS, NONE, Tiers
from api.fhir.concepts import DISAGREE
from api.fhir.question import Asked
from api.fhir.topics import PAIR, Topic, topics
from checker import wording
from checker.model import Finding, Infusion, Kind, Level, NotUnderstood, Report
from knowledge import Knowledge

MOST = 10
MOST_LISTED = 200  # pairs in one card
TOPIC_SYSTEM = "urn:linewise:card-topic"
REASON_SYSTEM = "urn:linewise:override-reason"
_REASONS = {
    "line": (
        ("separate-line", "Given through a separate line or lumen"),
        ("not-together", "Not given at the same time; flushed between"),
        ("conditions-tested", "Compatible at our concentrations and fluids, checked"),
        ("benefit-outweighs", "Benefit outweighs the risk"),
    ),
    "interaction": (
        ("monitored", "Will be monitored"),
        ("known-tolerated", "Known and tolerated"),
        ("dose-adjusted", "Dose or timing adjusted"),
        ("benefit-outweighs", "Benefit outweighs the risk"),
    ),
    "order": (
        ("product-differs", "Another product or fluid is used"),
        ("verified", "Verified with pharmacy"),
        ("benefit-outweighs", "Benefit outweighs the risk"),
    ),
    "reading": (
        ("verified", "Verified with pharmacy"),
        ("not-infused", "Not given intravenously"),
        ("wrong-record", "The record is being corrected"),
    ),
}
REASONS = {code: display for offered in _REASONS.values() for code, display in offered}  # what an override may give as its reason
_TOPICS = {
    "line": "IV line compatibility",
    "interaction": "Drug interaction",
    "order": "Preparation and giving",
    "reading": "Not understood",
}
REMEMBERED = 20_000
_RANK = {show: rank for rank, show in enumerate(LOUDNESS)}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A card before it has its place."""

    key: str
    topic: str
    summary: str
    detail: str
    indicator: str
    links: list[Json]
    suggested: list[Json]
    drugs: tuple[str, ...] = ()  # what feedback on the card is counted under


@dataclass(frozen=True, slots=True)
class _Told:
    """How a topic is told: follows from its findings alone, so it is made once. parts: kept so that their ids stay theirs."""

    parts: tuple[object, ...]
    shown: list[Finding]
    loudest: str
    about: str
    summary: str
    written: Written


@dataclass(frozen=True, slots=True)
class Cards:
    """Writes cards over one knowledge base."""

    knowledge: Knowledge
    tiers: Tiers
    details: Details
    public_url: str | None
    _kept: dict[tuple[object, ...], _Told] = field(default_factory=dict)

    def of(self, asked: Asked, report: Report, seed: str, *, partial: Sequence[str] = ()) -> list[Json]:
        """The cards of a report. seed: what tells this request from others. partial: lists that came incomplete."""
        base = self._base(seed)
        infusions = {infusion.at: infusion for infusion in report.infusions}
        drafts: list[_Draft] = []
        gathered: list[tuple[Topic, _Told]] = []
        for topic in topics(report):
            told = self._told(topic)
            if told.loudest == GATHER:
                gathered.append((topic, told))
            elif told.loudest != NONE:
                drafts.append(self._draft(topic, told, told.loudest, asked, infusions, base))
        drafts += self._gathered(gathered, asked, infusions, base)
        told_anyway = [self._unread(asked, report.not_understood)] if asked.order.not_understood else []
        told_anyway += [self._partial(partial)] if partial else []
        drafts.sort(key=_loudness)  # stable: within an indicator, in the order of the findings
        room = MOST - len(told_anyway)
        if len(drafts) > room:
            drafts = [*drafts[: room - 1], self._rest(drafts[room - 1 :])]
        return [self._card(draft, base) for draft in sorted((*drafts, *told_anyway), key=_loudness)]

    def single(self, key: str, topic: str, summary: str, detail: str, seed: str) -> Json:
        """One information card that is not of a report."""
        return self._card(_Draft(key, topic, summary, f"{detail}\n\n{self.details.footer}", INFO, [], []), self._base(seed))

    def _base(self, seed: str) -> bytes:
        """What the uuids of a request's cards are made from: the request and the knowledge."""
        return f"urn:linewise:card|{seed}|{self.knowledge.digest}|".encode()

    # --- one card ---

    def _told(self, topic: Topic) -> _Told:
        """How a topic is told: its findings loudest first, those that are not told left out."""
        parts = (*topic.findings, *(pair.line for pair in topic.pairs))
        key = (topic.kind, *map(id, parts))
        kept = self._kept.get(key)
        if kept is None:
            loud = sorted(((self.tiers.of(finding), finding) for finding in topic.findings), key=lambda item: _RANK[item[0]])
            shown = [finding for show, finding in loud if show != NONE]
            kinds = {finding.kind for finding in shown}
            about = (
                "line"
                if kinds & {Kind.LINE, Kind.COMPOSITION}
                else "interaction"
                if kinds & {Kind.INTERACTION, Kind.SEQUENCE, Kind.DUPLICATION}
                else "order"
            )
            summary = summaries.summary(self.knowledge, topic, shown) if shown else ""
            kept = _Told(parts, shown, loud[0][0], about, summary, self.details.write(topic, shown))
            if len(self._kept) >= REMEMBERED:
                self._kept.clear()
            self._kept[key] = kept
        return kept

    def _draft(self, topic: Topic, told: _Told, indicator: str, asked: Asked, infusions: dict[str, Infusion], base: bytes) -> _Draft:
        suggested = suggestions(self.knowledge, topic, told.shown, asked.given, infusions)
        for number, suggestion in enumerate(suggested):
            suggestion["uuid"] = identity(base, f"{topic.key} suggestion {number}")
        detail = self.details.of(topic, told.written, asked.given, infusions)
        return _Draft(
            topic.key,
            told.about,
            told.summary,
            detail,
            indicator,
            told.written.links,
            suggested,
            topic.drugs if topic.kind == PAIR else topic.drugs[:1],
        )

    def _card(self, draft: _Draft, base: bytes) -> Json:
        source: Json = {
            "label": "Linewise: IV compatibility",
            "topic": {"system": TOPIC_SYSTEM, "code": draft.topic, "display": _TOPICS[draft.topic]},
        }
        if self.public_url:
            source["url"] = self.public_url
        card: Json = {
            "uuid": identity(base, draft.key, draft.drugs),
            "summary": draft.summary,
            "detail": draft.detail,
            "indicator": draft.indicator,
            "source": source,
            "overrideReasons": [{"system": REASON_SYSTEM, "code": code, "display": display} for code, display in _REASONS[draft.topic]],
        }
        if draft.suggested:
            card |= {"suggestions": draft.suggested, "selectionBehavior": "at-most-one"}
        if draft.links:
            card["links"] = draft.links
        return card

    # --- cards that gather ---

    def _gathered(self, found: Sequence[tuple[Topic, _Told]], asked: Asked, infusions: dict[str, Infusion], base: bytes) -> list[_Draft]:
        """The topics that a tiering gathers: pairs without data in one card, all else in another."""
        if len(found) == 1:
            return [self._draft(*found[0], INFO, asked, infusions, base)]
        untested = [topic for topic, _ in found if topic.level is Level.UNKNOWN]
        others = [told for topic, told in found if topic.level is not Level.UNKNOWN]
        drafts = [self._untested(untested)] if untested else []
        if others:
            lines = _lines([told.summary for told in others])
            detail = "\n\n".join(("These are told together, as the tiering here has it:", lines, self.details.footer))
            drafts.append(
                _Draft("gathered", "line", summaries.listed("Also found: ", [told.summary for told in others]), detail, INFO, [], [])
            )
        return drafts

    def _untested(self, found: Sequence[Topic]) -> _Draft:
        """Pairs without data, in one card: unknown is not compatible, but it need not interrupt."""
        pairs = [" + ".join(self._names(topic)) for topic in found]
        opening = "No study or label was found for these pairs. Unknown is not compatible: use separate lumens, or ask a pharmacist."
        detail = "\n\n".join((opening, _lines(pairs), SHARED, self.details.footer))
        return _Draft("untested", "line", summaries.listed("No data on one line: ", pairs), detail, INFO, [], [])

    def _names(self, topic: Topic) -> list[str]:
        return [wording.name(self.knowledge, drug) for drug in topic.drugs]

    def _unread(self, asked: Asked, problems: Sequence[NotUnderstood]) -> _Draft:
        """What was not understood, each by the name it came with. It was not checked, and nothing is said of it."""
        new = [item for item in problems if item.at not in asked.read or asked.read[item.at].new]
        lines = [f"- {escape(item.asked)}: {escape(_why(item))}" for item in dict.fromkeys((*new, *problems))]
        names = list(dict.fromkeys(item.asked for item in (*new, *problems)))
        detail = "\n\n".join(("These were not understood and **not checked**:", "\n".join(lines), self.details.footer))
        opening = (
            "Code and name disagree, not checked: "
            if any(item.reason == DISAGREE for item in problems)
            else "Not understood, not checked: "
        )
        return _Draft(
            "not-understood",
            "reading",
            summaries.listed(opening, names),
            detail,
            self.tiers.new_not_understood if new else self.tiers.active_not_understood,
            [],
            [],
        )

    def _partial(self, lists: Sequence[str]) -> _Draft:
        told = ", ".join(lists)
        detail = (
            f"The EHR sent only a part of these lists: {escape(told)}. What is missing from them was not checked.\n\n{self.details.footer}"
        )
        return _Draft(
            "partial",
            "reading",
            summaries.cut(f"Not all was checked: the EHR sent only a part of {told}"),
            detail,
            self.tiers.partial_list,
            [],
            [],
        )

    def _rest(self, drafts: Sequence[_Draft]) -> _Draft:
        """All that is beyond the last card, in one."""
        lines = "\n".join(f"- **{draft.indicator}**: {_first(draft)}" for draft in drafts)
        detail = "\n\n".join((f"{len(drafts)} more findings, worst first:", lines, self.details.footer))
        worst = drafts[0].indicator
        opening = f"{len(drafts)} more findings: "
        return _Draft("rest", drafts[0].topic, summaries.listed(opening, [draft.summary for draft in drafts]), detail, worst, [], [])


def _loudness(draft: _Draft) -> int:
    return _RANK[draft.indicator]


def _lines(names: Sequence[str]) -> str:
    """A list in Markdown; what is beyond is counted."""
    more = len(names) - MOST_LISTED
    return "\n".join([*(f"- {escape(name)}" for name in names[:MOST_LISTED]), *([f"- and {more} more"] if more > 0 else [])])


def _first(draft: _Draft) -> str:
    """What a card says first: its finding, or its summary where that opens a list."""
    opening = draft.detail.split("\n\n")[0]
    return escape(draft.summary) if opening.endswith(":") or draft.key == "untested" else opening


def _why(item: NotUnderstood) -> str:
    """Why something was not understood, with what it may have been."""
    told = {
        "unresolved-name": "this name is not known",
        "ambiguous-name": "this name has several meanings",
        DISAGREE: "code and name disagree",
        "unresolved-reference": "its Medication was not sent",
        "no-medication": "no medication is named",
    }.get(item.reason, item.reason.replace("-", " "))
    why = f" ({item.why})" if item.why and item.reason not in ("ambiguous-name",) else ""
    candidates = f"; perhaps {', '.join(item.candidates[:6])}" if item.candidates and item.reason != DISAGREE else ""
    return f"{told}{why}{candidates}"
