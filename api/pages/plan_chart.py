"""A plan as a picture: the catheter's lumens as rows over 24 hours, each infusion in a lane of its own, flushes across them.

Geometry only: the template draws it. All lengths are in the units of the picture's view box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from checker import wording
from checker.plan_model import DAY, Flush, Placement, Plan, Shared
from checker.plan_words import clock
from knowledge import Knowledge

NAMES, LABELS, AXIS = 118, 238, 864  # widths: names of lumens, names of infusions, 24 hours
WIDTH = NAMES + LABELS + AXIS + 14
LANE, BAR, LEAST, GAP, TOP = 27, 19, 38, 8, 26  # heights: a lane, the bar in it, a lumen at least, between lumens, the clock
EVERY = 120  # minutes between two times on the clock
_LETTER, _PADDING = 6.1, 7  # widths in a bar: a letter, both sides
_LONGEST_LABEL = 32  # letters that fit beside the axis in one line


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch in which an infusion runs. told: what it says inside, if that fits. title: what it says when it is pointed at."""

    x: float
    width: float
    told: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One infusion of a lumen. name: its drug and concentration, in one line or two. cls: ok | warn (a pair to decide)."""

    y: float
    name: tuple[str, ...]
    full: str
    cls: str
    keep: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Wash:
    """A flush."""

    x: float
    width: float
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One lumen. state: used | free | blocked."""

    y: float
    height: float
    name: str
    under: str
    state: str
    told: str
    fluid: str
    lanes: tuple[Lane, ...]
    washes: tuple[Wash, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The picture. hours: place and clock time of the lines down. axis: where the day begins and ends. names: where lanes are named."""

    width: float
    height: float
    axis: tuple[float, float]
    hours: tuple[tuple[float, str], ...]
    rows: tuple[Row, ...]
    summary: str
    names: int = NAMES
    bar: int = BAR

    @property
    def flushed(self) -> bool:
        """Whether any flush is drawn."""
        return any(row.washes for row in self.rows)

    @property
    def undecided(self) -> bool:
        """Whether any infusion is part of a pair to decide."""
        return any(lane.cls == "warn" for row in self.rows for lane in row.lanes)


def draw(plan: Plan, knowledge: Knowledge) -> Chart:
    """Lay a plan out."""
    rows, y = [], float(TOP)
    for number in range(len(plan.question.lumens)):
        row = _row(plan, knowledge, number, y)
        rows.append(row)
        y += row.height + GAP
    question = plan.question
    hours = tuple((_x(minute), clock(question, minute)) for minute in range(0, DAY + 1, EVERY))
    placed = sum(placement.lumen is not None for placement in plan.placements)
    summary = f"{placed} of {len(plan.placements)} infusions on {len({item.lumen for item in plan.placements} - {None})} lumens, over 24 hours from {clock(question, 0)}"
    return Chart(WIDTH, y, (_x(0), _x(DAY)), hours, tuple(rows), summary)


def named(plan: Plan, knowledge: Knowledge, wish: int) -> str:
    """An infusion by its drug and its concentration."""
    infusion = plan.question.wishes[wish].infusion
    conc = infusion.conditions.conc
    return f"{wording.name(knowledge, infusion.drug)}{f' {conc.text}' if conc else ''}"


def _row(plan: Plan, knowledge: Knowledge, number: int, y: float) -> Row:
    lumen = plan.question.lumens[number]
    here = [placement for placement in plan.placements if placement.lumen == number]
    here.sort(key=lambda placement: (bool(placement.doses), placement.doses[0].start if placement.doses else 0, placement.wish))
    asked = {wish for item in plan.to_decide if item.lumen == number for wish in _both(item)}
    lanes = tuple(_lane(plan, knowledge, placement, y + LANE * place, placement.wish in asked) for place, placement in enumerate(here))
    height = max(LANE * len(lanes), LEAST)
    washes = tuple(wash for flush in plan.flushes if flush.lumen == number for wash in _wash(plan, knowledge, flush, y, height))
    blocked = "blocked" if lumen.blocked == "blocked" else f"blocked: {lumen.blocked}"
    return Row(
        y=y,
        height=height,
        name=lumen.name if len(lumen.name) <= 14 else f"{lumen.name[:13]}…",
        under="central" if lumen.central else "peripheral",
        state="blocked" if lumen.blocked else "used" if lanes else "free",
        told=blocked if lumen.blocked else "" if lanes else "free",
        fluid=wording.name(knowledge, lumen.fluid.drug) if lumen.fluid else "",
        lanes=lanes,
        washes=washes,
    )


def _both(item: Shared) -> Sequence[int]:
    return (item.bond.a,) if item.bond.b is None else (item.bond.a, item.bond.b)


def _lane(plan: Plan, knowledge: Knowledge, placement: Placement, y: float, asked: bool) -> Lane:
    full = named(plan, knowledge, placement.wish)
    wish = plan.question.wishes[placement.wish]
    if placement.doses:
        blocks = [block for dose in placement.doses for block in _blocks(plan, full, dose.start, dose.end)]
    else:
        moved = f"moved from {plan.question.lumens[placement.moved_from].name}" if placement.moved_from is not None else ""
        parts = [part for part in ("not to be interrupted" if wish.must_not_interrupt else "", moved) if part]
        blocks = [Block(_x(0), _x(DAY) - _x(0), ", ".join(parts), f"{full}: all the time")]
    conc = wish.infusion.conditions.conc
    kept = full.replace(conc.text, conc.text.replace(" ", "\N{NO-BREAK SPACE}")) if conc else full
    lines = tuple(wrap(kept, _LONGEST_LABEL, max_lines=2, placeholder="…"))
    return Lane(y, lines, full, "warn" if asked else "ok", wish.must_not_interrupt, tuple(blocks))


def _blocks(plan: Plan, full: str, start: int, end: int) -> Iterator[Block]:
    """A dose; one that passes the end of the day goes on at its beginning."""
    at = f"{clock(plan.question, start)}–{clock(plan.question, end)}"
    for low, high in _stretches(start, end):
        width = _x(high) - _x(low)
        told = next((text for text in (at, clock(plan.question, start)) if low == start and len(text) * _LETTER + _PADDING <= width), "")
        yield Block(_x(low), width, told, f"{full}: {at}")


def _wash(plan: Plan, knowledge: Knowledge, flush: Flush, y: float, height: float) -> Iterator[Wash]:
    title = f"Flush {clock(plan.question, flush.start)}: {flush.text}"
    for low, high in _stretches(flush.start, flush.end):
        yield Wash(_x(low), max(_x(high) - _x(low), 3), y, height, title)


def _stretches(start: int, end: int) -> Iterator[tuple[int, int]]:
    start, end = (start % DAY, end - start + start % DAY)
    yield start, min(end, DAY)
    if end > DAY:
        yield 0, end - DAY


def _x(minute: int) -> float:
    return round(NAMES + LABELS + AXIS * minute / DAY, 1)
