"""How much of a list of drugs the base can answer at the Y-site, and by what.

Each cell of the matrix is judged without conditions by the engine, so the figure is what users get, not a count of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from xml.sax.saxutils import escape

from checker import acidbase
from checker.check import Checker
from checker.model import UNSTATED, Judgement, Reason, Status
from checker.wording import name
from knowledge.terms import Mode, SourceKind

# How a cell was answered, best first. Only the first three rest on a statement about the pair itself.
ANSWERED = ("study", "label or guideline", "product rule")
CAUTION_ONLY = ("local policy or chart", "composition", "other mode", "acid-base caution")
UNANSWERED = ("tested under other conditions only", "nothing")
_COLOURS = {Status.INCOMPATIBLE: "#c0392b", Status.VARIABLE: "#e6a700", Status.NO_DATA: "#e8e8e8", Status.COMPATIBLE: "#2e8b57"}
_MARKS = {Status.INCOMPATIBLE: "✗", Status.VARIABLE: "!", Status.NO_DATA: "", Status.COMPATIBLE: "✓"}
_CELL = 13  # pixels


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair of the matrix and how it was answered."""

    a: str
    b: str
    status: Status
    how: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """A judged matrix. cells: every unordered pair of `drugs`, once."""

    drugs: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def by_how(self) -> Counter[str]:
        """Cells by how they were answered."""
        return Counter(cell.how for cell in self.cells)

    @property
    def by_status(self) -> Counter[str]:
        """Cells by status."""
        return Counter(str(cell.status) for cell in self.cells)

    @property
    def answered(self) -> float:
        """Share of cells with a statement about the pair itself."""
        return sum(self.by_how[how] for how in ANSWERED) / len(self.cells) if self.cells else 0.0


def cover(checker: Checker, drugs: Sequence[str]) -> Coverage:
    """Judge every pair of `drugs` at the Y-site."""
    cells = []
    for a, b in combinations(sorted(drugs), 2):
        judged = checker.judge(Mode.Y_SITE, a, b, UNSTATED, UNSTATED)
        cells.append(Cell(a, b, judged.status, _how(checker, judged)))
    return Coverage(tuple(sorted(drugs)), tuple(cells))


def _how(checker: Checker, judged: Judgement) -> str:
    if judged.reason is Reason.LOCAL_POLICY:
        return "local policy or chart"
    if judged.reason is Reason.EXCLUDED_BY_RULE or judged.reason is Reason.PERMITTED_DILUENT:
        return "product rule"
    kinds = {checker.knowledge.sources[item.row.cited.source].kind for item in judged.weighed if item.settled}
    if SourceKind.JOURNAL in kinds:
        return "study"
    if kinds & {SourceKind.LABEL, SourceKind.GUIDELINE, SourceKind.REVIEW, SourceKind.DATASET}:
        return "label or guideline"
    if kinds:
        return "local policy or chart"
    if acidbase.caution(checker.knowledge, judged) is not None:
        return "acid-base caution"
    return {
        Reason.COMPOSITION: "composition",
        Reason.OTHER_MODE: "other mode",
        Reason.OUTSIDE_TESTED: "tested under other conditions only",
    }.get(judged.reason, "nothing")


def picture(checker: Checker, covered: Coverage) -> str:
    """The matrix as one SVG document, with colour and mark for each status."""
    count = len(covered.drugs)
    left, top = 190, 190
    size = count * _CELL
    place = {drug: number for number, drug in enumerate(covered.drugs)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + size + 10} {top + size + 40}" font-family="sans-serif" font-size="10" role="img">',
        f"<title>Y-site answers for {count} drugs and fluids</title>",
        f'<rect width="{left + size + 10}" height="{top + size + 40}" fill="#fff"/>',
    ]
    for drug, number in place.items():
        label = escape(name(checker.knowledge, drug))
        parts.append(f'<text x="{left - 4}" y="{top + number * _CELL + 10}" text-anchor="end">{label}</text>')
        parts.append(f'<text transform="translate({left + number * _CELL + 10},{top - 4}) rotate(-90)">{label}</text>')
    for cell in covered.cells:
        for row, column in ((place[cell.a], place[cell.b]), (place[cell.b], place[cell.a])):
            x, y = left + column * _CELL, top + row * _CELL
            parts.append(f'<rect x="{x}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" fill="{_COLOURS[cell.status]}"/>')
            if _MARKS[cell.status]:
                parts.append(f'<text x="{x + 6}" y="{y + 10}" text-anchor="middle" fill="#fff">{_MARKS[cell.status]}</text>')
    legend = "✓ compatible (see conditions)   ! caution   ✗ incompatible   empty: no data, which is not compatible"
    parts.append(f'<text x="{left}" y="{top + size + 25}">{legend}. Knowledge {checker.knowledge.version}</text></svg>')
    return "\n".join(parts)
