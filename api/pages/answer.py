"""A report as the check page and the bedside sheet show it: verdict, grid, findings worst first, demands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from api.pages import words
from api.pages.question import Asked
from api.pages.words import Mark, RowView, SourceView
from checker import product_words, wording
from checker.model import Finding, Infusion, Judgement, Kind, Level, PairResult, Reason, Relation, Report, Status, Verdict
from knowledge import Knowledge
from knowledge.terms import Severity

COMFORTABLE = 12  # drugs up to which the grid spells its words out
MOST_ROWS = (150, 40)  # tested conditions shown on one page, comfortable and compact; the rest is a link away
MOST_CARDS = (40, 10)  # findings of one level shown in full; the rest in a line each
SHORT_SEVERITY = {"contraindicated": "contra", "major": "major", "moderate": "mod.", "minor": "minor"}
_SEVERITY = {level: rank for rank, level in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Cell:
    """Where two meet. own: on the diagonal, a drug with itself."""

    mark: Mark
    href: str
    label: str
    severity: str = ""
    short: str = ""  # of the severity
    hint: str = ""  # a caution that the status does not show
    own: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A drug on the axes of the grid."""

    name: str
    conditions: str
    drug: str  # empty: not understood


@dataclass(frozen=True, slots=True)
class Grid:
    """Every drug against every drug. compact: too many for words in the cells."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    compact: bool
    used: tuple[Mark, ...]


@dataclass(slots=True)
class Card:
    """One finding as it is read. what: the first sentence. then: the rest. do: what to do."""

    id: str
    mark: Mark
    kind: str
    title: str
    drugs: tuple[str, ...]
    what: str
    then: str
    do: tuple[str, ...]
    sources: tuple[SourceView, ...]
    pair: str = ""
    holds: tuple[str, ...] = ()
    rows: list[RowView] = field(default_factory=list)
    rows_left: int = 0
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one product asks of its line."""

    icon: str
    text: str
    sources: tuple[SourceView, ...]


@dataclass(frozen=True, slots=True)
class Untested:
    """Pairs that nobody tested and for which the same is to be done. lists: a drug, and the others of its pairs with their links."""

    do: str
    lists: list[tuple[str, list[tuple[str, str]]]]


@dataclass(slots=True)
class Answer:
    """Everything that the page shows of a report."""

    verdict: Mark
    counts: list[str]
    grid: Grid | None
    stops: list[Card]
    cautions: list[Card]
    lost: list[Card]  # not understood
    unstudied: list[Untested]
    unstudied_pairs: int
    elsewhere: list[Card]  # tested, but not as asked
    compatible: list[Card]
    notes: list[Card]
    demands: list[tuple[str, str, list[Demand]]]
    mixture: str
    most: int  # findings of one level to show in full
    report: Report


def answer(knowledge: Knowledge, report: Report, asked: Asked) -> Answer:
    """Shape a report for the page."""
    return _Shaper(knowledge, report, asked).answer()


ICONS = {
    "filter-required": "filter",
    "filter-prohibited": "nofilter",
    "light-protection": "light",
    "central-line-required": "central",
    "central-line-preferred": "central",
    "vesicant": "vesicant",
    "irritant": "vesicant",
    "exfoliant": "vesicant",
    "non-pvc-required": "tubing",
    "dehp-free": "tubing",
    "device-material": "tubing",
    "no-bolus": "nobolus",
    "fatal-if-intrathecal": "nospine",
    "not-intrathecal": "nospine",
    "dilution-required": "bag",
    "minibag-required": "bag",
    "diluent-required": "bag",
    "diluent-permitted": "bag",
    "diluent-not-known": "bag",
    "dedicated-line": "dedicated",
    "flush-before-after": "flush",
    "max-rate": "clock",
    "min-infusion-time": "clock",
    "infusion-time": "clock",
    "neonatal-contraindication": "baby",
    "diluent-contraindicated": "nobag",
    "no-admixture": "nobag",
}


class _Shaper:
    def __init__(self, knowledge: Knowledge, report: Report, asked: Asked) -> None:
        self.knowledge, self.report, self.asked = knowledge, report, asked
        self.pairs: dict[tuple[str, ...], PairResult] = {}
        for pair in report.pairs:
            if pair.pair not in self.pairs or pair.line is not None:
                self.pairs[pair.pair] = pair
        self.anchors: dict[tuple[str, ...], str] = {}
        self.rows_shown = 0
        self.compact = len(asked.entries) > COMFORTABLE
        self.far_in_ph = {frozenset(finding.drugs) for finding in report.findings if finding.code == "acid-base"}

    def answer(self) -> Answer:
        cards: dict[Level, list[Card]] = {level: [] for level in Level}
        lost, elsewhere, compatible, unstudied, demands, mixture = [], [], [], [], [], ""
        for number, finding in enumerate(self.report.findings):
            if finding.kind is Kind.NAME:
                lost.append(self._card(finding, number))
            elif finding.code == "mixture-not-proven":
                mixture = finding.text
            elif finding.level is Level.UNKNOWN and finding.code == "no-data/not-studied":
                unstudied.append(finding)
            elif finding.level is Level.UNKNOWN:
                elsewhere.append(self._card(finding, number))
            elif finding.level is Level.NOTE and finding.kind in (Kind.LINE, Kind.COMPOSITION) and len(finding.drugs) == 2:
                compatible.append(self._card(finding, number))
            elif finding.level is Level.NOTE and len(finding.drugs) == 1:
                demands.append(finding)
            else:
                cards[finding.level].append(self._card(finding, number))
        gathered = self._unstudied(unstudied)
        return Answer(
            verdict=self._verdict(),
            counts=self._counts(cards, lost, elsewhere, unstudied, compatible),
            grid=self._grid(),
            stops=cards[Level.STOP],
            cautions=cards[Level.CAUTION],
            lost=lost,
            unstudied=gathered,
            unstudied_pairs=len(unstudied),
            elsewhere=elsewhere + cards[Level.UNKNOWN],
            compatible=compatible,
            notes=cards[Level.NOTE],
            demands=self._demands(demands),
            mixture=mixture,
            most=MOST_CARDS[self.compact],
            report=self.report,
        )

    def _verdict(self) -> Mark:
        """The verdict in words; where no two were asked, its words claim nothing of pairs."""
        mark = words.VERDICTS[self.report.verdict]
        alone = self.report.verdict is Verdict.CLEAR and not self.report.pairs
        return replace(mark, means=words.ONE_ALONE) if alone else mark

    # --- findings ---

    def _card(self, finding: Finding, number: int) -> Card:
        identity = f"f{number}"
        both = tuple(sorted(finding.drugs))
        if "/" in finding.code:  # the status that the cell of the grid shows
            self.anchors[both] = identity
        self.anchors.setdefault(both, identity)
        title = words.names_of(self.knowledge, finding.drugs)
        text = finding.text.removeprefix(f"{title}: ") if title else finding.text
        managed = tuple(wording.word(self.knowledge, "manage", code) for code in finding.management)
        for sentence in managed:
            text = text.replace(f" {sentence.rstrip('.')}.", "")
        what, _, then = text.partition(". ")
        what = f"{what[:1].upper()}{what[1:]}"
        mark = words.LEVELS[finding.level]
        judged = self._judged(finding)
        do: tuple[str, ...] = managed
        holds: tuple[str, ...] = ()
        if judged is not None:
            mark = words.mark(judged)
            if finding.code.startswith("compatible/") and any(item.settled for item in judged.weighed):
                holds = tuple(dict.fromkeys(wording.tested(self.knowledge, item.row) for item in judged.weighed if item.settled))
                if judged.stated:
                    where = words.MODE_WORDS[judged.mode]
                    what, then = f"Compatible {where}, only as tested", text.rpartition(f"{holds[-1]}.")[2].strip()
            elif then and judged.reason is not Reason.EXCLUDED_BY_RULE and judged.status is not Status.NO_DATA and judged.policy is None:
                do, then = (*managed, then), ""
        sources = tuple(words.cite(self.knowledge, item.source, item.at, item.read, item.review) for item in finding.sources)
        card = Card(
            identity,
            mark,
            str(finding.kind),
            title,
            finding.drugs,
            what if what.endswith((".", "?")) else f"{what}.",
            then,
            do,
            sources,
            pair=f"/pair/{finding.drugs[0]}/{finding.drugs[1]}" if len(finding.drugs) == 2 else "",
            holds=holds,
            severity=finding.severity,
        )
        if judged is not None:
            self._evidence(card, judged)
        return card

    def _judged(self, finding: Finding) -> Judgement | None:
        if finding.kind not in (Kind.LINE, Kind.COMPOSITION) or len(finding.drugs) != 2 or "/" not in finding.code:
            return None
        pair = self.pairs.get(finding.drugs)
        return pair.line if pair else None

    def _evidence(self, card: Card, judged: Judgement) -> None:
        """The tests behind a judgement, those that settled it first, as long as the page has room."""
        ranked = sorted(judged.weighed, key=lambda item: (not item.settled, item.relation is Relation.EXCLUDES))
        room = max(0, MOST_ROWS[self.compact] - self.rows_shown)
        every = [
            (item.row, words.RELATIONS[item.relation], item.settled, wording.via_text(self.knowledge, item.via) if item.via else "")
            for item in ranked
        ]
        every += [
            (item.row, "of a related product", item.settled, wording.via_text(self.knowledge, item.via) if item.via else "")
            for item in judged.kin
        ]
        every += [(row, f"tested {words.MODE_WORDS[row.mode]}", False, "") for row in judged.context]
        shown = every[: min(room, 12)]
        card.rows = [words.row(self.knowledge, row, relation, settled, via) for row, relation, settled, via in shown]
        card.rows_left = len(every) - len(shown)
        self.rows_shown += len(shown)

    def _unstudied(self, findings: Sequence[Finding]) -> list[Untested]:
        """Pairs without any test, gathered by what is to be done, the commonest first."""
        by_advice: dict[str, list[Finding]] = {}
        for finding in findings:
            by_advice.setdefault(finding.text.partition(". ")[2], []).append(finding)
        return [Untested(do, self._by_drug(some)) for do, some in sorted(by_advice.items(), key=lambda item: (-len(item[1]), item[0]))]

    def _by_drug(self, findings: Sequence[Finding]) -> list[tuple[str, list[tuple[str, str]]]]:
        """Pairs, each under the drug that has most of them."""
        left: dict[str, set[str]] = {}
        for finding in findings:
            for drug, other in (finding.drugs, finding.drugs[::-1]):
                left.setdefault(drug, set()).add(other)
        told = []
        while any(left.values()):
            drug = min(left, key=lambda name: (-len(left[name]), name))
            others = sorted(left.pop(drug))
            for other in others:
                left[other].discard(drug)
                self.anchors.setdefault(tuple(sorted((drug, other))), "unstudied")
            told.append(
                (
                    wording.name(self.knowledge, drug),
                    [(wording.name(self.knowledge, other), f"/pair/{min(drug, other)}/{max(drug, other)}") for other in others],
                )
            )
        return told

    def _demands(self, findings: Sequence[Finding]) -> list[tuple[str, str, list[Demand]]]:
        """What each product asks, in the order of the question: its findings, and how its label wants the line flushed."""
        told: dict[str, list[Demand]] = {item.drug: [] for item in self.report.infusions}
        for finding in findings:
            sources = tuple(words.cite(self.knowledge, item.source, item.at, item.read, item.review) for item in finding.sources)
            text = finding.text.removeprefix(f"{wording.name(self.knowledge, finding.drugs[0])}: ")
            told.setdefault(finding.drugs[0], []).append(Demand(ICONS.get(finding.code, "note"), f"{text[:1].upper()}{text[1:]}", sources))
        for drug in told:
            flushing = [rule for rule in self.knowledge.drugs[drug].rules if rule.rule == "flush-before-after"]
            if flushing:
                text = product_words.demand(self.knowledge, flushing).removeprefix(f"{wording.name(self.knowledge, drug)}: ")
                told[drug].append(
                    Demand("flush", text, tuple(dict.fromkeys(words.source(self.knowledge, rule.cited) for rule in flushing)))
                )
        return [(drug, wording.name(self.knowledge, drug), found) for drug, found in told.items() if found]

    def _counts(
        self, cards: dict[Level, list[Card]], lost: list[Card], elsewhere: list[Card], unstudied: list[Finding], compatible: list[Card]
    ) -> list[str]:
        told = [
            (len(cards[Level.STOP]), "to stop for", "to stop for"),
            (len(cards[Level.CAUTION]), "caution", "cautions"),
            (len(lost), "not understood", "not understood"),
            (len(unstudied) + len(elsewhere), "pair without an answer", "pairs without an answer"),
            (len(compatible), "pair compatible as tested", "pairs compatible as tested"),
        ]
        return [f"{count} {one if count == 1 else many}" for count, one, many in told if count]

    # --- the grid ---

    def _grid(self) -> Grid | None:
        count = len(self.asked.entries)
        if count < 2:
            return None
        by_at = {item.at: item for item in self.report.infusions}
        found = {frozenset(pair.at): pair for pair in self.report.pairs if len(set(pair.at)) == 2}
        places = [f"drugs/{number}" for number in range(count)]
        heads = tuple(self._head(by_at.get(at), self.asked.entries[number].drug) for number, at in enumerate(places))
        compact = self.compact
        rows = []
        for number, at in enumerate(places):
            upto = places[: number + 1] if compact else places
            rows.append(
                tuple(self._cell(by_at, found, at, other, heads[number], heads[place], compact) for place, other in enumerate(upto))
            )
        seen = {cell.mark for row in rows for cell in row if cell and not cell.own}
        return Grid(heads, tuple(rows), compact, tuple(mark for mark in words.LEGEND if mark in seen))

    def _head(self, infusion: Infusion | None, typed: str) -> Head:
        if infusion is None:
            return Head(typed, "not understood", "")
        asked = infusion.conditions
        parts = [
            asked.conc.text if asked.conc else "",
            wording.vehicle(self.knowledge, asked.vehicle) if asked.vehicle else "",
            asked.formulation or "",
        ]
        told = " · ".join(part for part in (*parts, f"line {infusion.line}" if infusion.line else "") if part)
        return Head(wording.name(self.knowledge, infusion.drug), f"{told} (standard)" if infusion.assumed else told, infusion.drug)

    def _cell(
        self,
        by_at: dict[str, Infusion],
        found: dict[frozenset[str], PairResult],
        at: str,
        other: str,
        row: Head,
        column: Head,
        compact: bool,
    ) -> Cell | None:
        label = f"{row.name} with {column.name}"
        if at == other:
            return Cell(words.SEPARATE, "", row.name, own=True)
        pair = found.get(frozenset((at, other)))
        if pair is None:
            return Cell(
                words.NOT_CHECKED if at not in by_at or other not in by_at else words.SEPARATE,
                "#lost" if at not in by_at or other not in by_at else "",
                label,
            )
        levels = [hit.stated.statement.severity for hit in pair.interactions]
        worst = min(levels, key=_SEVERITY.__getitem__) if levels else ""
        anchor = self.anchors.get(pair.pair, "")
        mark = words.mark(pair.line)
        if pair.line is not None and pair.line.status == "no-data" and not anchor:
            anchor = "unstudied"
        return Cell(
            mark,
            f"#{anchor}" if anchor else "",
            label,
            str(worst),
            SHORT_SEVERITY.get(worst, ""),
            "far apart in pH" if frozenset(pair.pair) in self.far_in_ph else "",
        )


def spoken(answer: Answer) -> str:
    """The verdict as a screen reader should hear it when it changes."""
    return f"{answer.verdict.word}. {'; '.join(answer.counts)}." if answer.counts else f"{answer.verdict.word}."
