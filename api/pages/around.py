"""The neighbourhood of one drug, drawn: who was tested with it and how that went, and with whom it interacts.

Partners stand on a circle, gathered by status; a spoke is a test, a second one an interaction. Lines differ in dash as
well as in colour, and every sector carries its word. Attributes only, no style: the pages allow none of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

RADIUS = 250.0
HUB = 62.0
LETTER = 6.6  # width of a letter, nearly
MOST = 84  # names that stay legible around the circle
ROOMY = 9  # partners of a sector from which its word stands within it
GAP = 1.6  # steps left between two sectors


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One partner. sector: the class of its status. severity: of the worst interaction, or empty."""

    drug: str
    name: str
    href: str
    sector: str
    severity: str
    tests: int


SECTORS = (
    ("bad", "incompatible", "×"),
    ("warn", "caution", "!"),
    ("ok", "compatible", "✓"),
    ("far", "other ways only", "?"),
    ("inter", "interaction only", "†"),
)


_SIGNS = {"contraindicated": "‡", "major": "†"}


def choose(neighbours: Sequence[Neighbour]) -> tuple[list[Neighbour], int]:
    """Those that are drawn, in the order of the circle, and how many are left out: first the tested, then the worst interactions."""
    weight = {"contraindicated": 0, "major": 1, "moderate": 2, "minor": 3, "": 4}
    place = {sector: number for number, (sector, _, _) in enumerate(SECTORS)}
    place["ok"] = place["warn"]  # among the tested, those with more tests come first

    def rank(item: Neighbour) -> tuple[bool, int, int, int, str]:
        return item.sector == "inter", place[item.sector], weight[item.severity], -item.tests, item.name.casefold()

    ranked = sorted(neighbours, key=rank)
    order = [sector for sector, _, _ in SECTORS]
    drawn = sorted(ranked[:MOST], key=lambda item: (order.index(item.sector), item.name.casefold()))
    return drawn, len(neighbours) - len(drawn)


def draw(title: str, drawn: Sequence[Neighbour]) -> Markup:
    """The picture as SVG."""
    sectors = [(cls, word, symbol, [item for item in drawn if item.sector == cls]) for cls, word, symbol in SECTORS]
    sectors = [sector for sector in sectors if sector[3]]
    steps = len(drawn) + GAP * len(sectors)
    step = 2 * math.pi / max(steps, 1)
    lines, labels, arcs = [], [], []
    box = [-RADIUS, -RADIUS, RADIUS, RADIUS]  # left, top, right, bottom of everything drawn
    angle = -math.pi / 2 + step * GAP / 2
    for cls, word, symbol, items in sectors:
        first = angle
        for item in items:
            lines.append(_spokes(angle, cls, item))
            labels.append(_label(angle, item))
            _stretch(box, angle, RADIUS + 26 + LETTER * len(_text(item)))
            angle += step
        arcs.append(_arc(first - step / 2, angle - step / 2, cls, symbol, f"{word} ({len(items)})", len(items)))
        angle += step * GAP
    parts = [
        f'<svg class="around" viewBox="{box[0]:.0f} {box[1]:.0f} {box[2] - box[0]:.0f} {box[3] - box[1]:.0f}" '
        'role="group" aria-labelledby="around-title" aria-describedby="around-desc" font-size="12.5">',
        f'<title id="around-title">Neighbourhood of {escape(title)}</title>',
        f'<desc id="around-desc">{escape("; ".join(f"{word}: {len(items)}" for _, word, _, items in sectors))}. The same is told as text below.</desc>',
    ]
    parts += [*lines, *arcs, *labels]
    parts.append(f'<circle class="hub" r="{HUB:g}"/>')
    parts += _hub(title)
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  # every text in it was escaped


def _at(angle: float, radius: float) -> tuple[str, str]:
    return f"{radius * math.cos(angle):.1f}", f"{radius * math.sin(angle):.1f}"


def _stretch(box: list[float], angle: float, reach: float) -> None:
    """Widen `box` so that it holds what stands at `angle` out to `reach`."""
    x, y = reach * math.cos(angle), reach * math.sin(angle)
    box[:] = min(box[0], x - 8), min(box[1], y - 8), max(box[2], x + 8), max(box[3], y + 8)


def _spokes(angle: float, cls: str, item: Neighbour) -> str:
    told = ""
    if cls != "inter":
        (x1, y1), (x2, y2) = _at(angle, HUB), _at(angle, RADIUS - 5)
        told = f'<line class="e-{cls}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
    if item.severity:
        turn = angle + 0.012 if cls != "inter" else angle
        (x1, y1), (x2, y2) = _at(turn, HUB), _at(turn, RADIUS - 5)
        told += f'<line class="e-int {item.severity}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
    return told


def _label(angle: float, item: Neighbour) -> str:
    x, y = _at(angle, RADIUS + 13)
    degrees = math.degrees(angle)
    left = math.cos(angle) < -1e-9
    turn = f"{degrees + 180:.1f}" if left else f"{degrees:.1f}"
    text = _text(item)
    told = f"{item.name}{f', {item.severity} interaction' if item.severity else ''}"
    anchor = ' text-anchor="end"' if left else ""
    return f'<a href="{escape(item.href)}" aria-label="{escape(told)}"><text x="{x}" y="{y}" dy=".35em"{anchor} transform="rotate({turn} {x} {y})">{escape(text)}</text></a>'


def _text(item: Neighbour) -> str:
    name = item.name if len(item.name) <= 30 else f"{item.name[:29]}…"
    return f"{name} {_SIGNS[item.severity]}" if item.severity in _SIGNS else name


def _arc(start: float, end: float, cls: str, symbol: str, word: str, count: int) -> str:
    """The rim of a sector with its symbol; its word too where there is room for it."""
    (x1, y1), (x2, y2) = _at(start, RADIUS), _at(end, RADIUS)
    large = int(end - start > math.pi)
    middle = (start + end) / 2
    x, y = _at(middle, RADIUS - 16)
    told = (
        f'<path class="arc-{cls}" d="M{x1} {y1}A{RADIUS:g} {RADIUS:g} 0 {large} 1 {x2} {y2}"/>'
        f'<circle class="tag" cx="{x}" cy="{y}" r="11"/><text class="tag-{cls}" x="{x}" y="{y}" dy=".35em" text-anchor="middle">{escape(symbol)}</text>'
    )
    if count < ROOMY:
        return told
    x, y = _at(middle, RADIUS * 0.58)
    width = 7.4 * len(word) + 14
    return (
        f'{told}<rect class="tag" x="{float(x) - width / 2:.1f}" y="{float(y) - 12:.1f}" width="{width:.1f}" height="23" rx="3"/>'
        f'<text class="tag-{cls}" x="{x}" y="{y}" dy=".35em" text-anchor="middle">{escape(word)}</text>'
    )


def _hub(title: str) -> list[str]:
    """The drug's own name, broken at hyphens and spaces so that it fits."""
    lines: list[str] = []
    for part in title.replace("-", "- ").split():
        if lines and len(lines[-1]) + len(part) <= 13:
            lines[-1] += part if lines[-1].endswith("-") else f" {part}"
        else:
            lines.append(part)
    top = -(len(lines) - 1) * 8
    size = min(14.0, 1.65 * HUB / (0.6 * max(map(len, lines))))
    return [
        f'<text class="hub-name" font-size="{size:.1f}" y="{top + number * 16:g}" dy=".35em" text-anchor="middle">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
