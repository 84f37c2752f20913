"""Where sources disagree, and how well kinds of sources agree beyond chance.

Only rows that name both drugs are compared; what reaches a pair through a group is not a second opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from knowledge.link import Knowledge, Pair
from knowledge.model import Row, Side
from knowledge.terms import Mode, Result, SourceKind
from knowledge.units import Concentration

# Guidelines and reviews both weigh what others measured; they are one voice here.
VOICES = {kind: str(kind) for kind in SourceKind} | {SourceKind.GUIDELINE: "guideline or review", SourceKind.REVIEW: "guideline or review"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A pair and mode on which sources disagree.

    by_source: the rows of each, in file order. explained_by: what tells the results apart, in coded form
    (concentration, vehicle, formulation, method, hours); empty: unexplained.
    """

    pair: Pair
    mode: Mode
    by_source: dict[str, tuple[Row, ...]]
    explained_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How two kinds of sources agree on the pairs that both speak of. kappa: None when chance alone would agree fully."""

    first: str
    second: str
    pairs: int
    agreed: int
    kappa: float | None


def conflicts(knowledge: Knowledge) -> list[Conflict]:
    """Pairs, per mode, on which at least two sources come to different results."""
    found = []
    for (pair, mode), rows in _direct(knowledge).items():
        by_source: dict[str, list[Row]] = {}
        for row in rows:
            by_source.setdefault(row.cited.source, []).append(row)
        if len({together(some) for some in by_source.values()}) > 1:
            found.append(
                Conflict(
                    pair=pair,
                    mode=mode,
                    by_source={source: tuple(some) for source, some in by_source.items()},
                    explained_by=explanation(rows),
                )
            )
    return sorted(found, key=lambda conflict: (conflict.mode, conflict.pair))


def explanation(rows: Sequence[Row]) -> tuple[str, ...]:
    """What keeps the compatible rows of a pair apart from the others: each word alone would be enough.

    A condition explains only where every row states it. Concentrations explain when those of one drug do not
    overlap, hours when every failure was seen later than the longest compatible watch.
    """
    good = [row for row in rows if row.result is Result.COMPATIBLE]
    bad = [row for row in rows if row.result is not Result.COMPATIBLE]
    if not good or not bad:
        return ()
    found = []
    if any(_apart([pick(row).conc for row in good], [pick(row).conc for row in bad]) for pick in _SIDES):
        found.append("concentration")
    if any(_disjoint([set(pick(row).vehicles) for row in good], [set(pick(row).vehicles) for row in bad]) for pick in _SIDES):
        found.append("vehicle")
    if any(_disjoint([_one(pick(row).formulation) for row in good], [_one(pick(row).formulation) for row in bad]) for pick in _SIDES):
        found.append("formulation")
    if _disjoint([_one(str(row.basis)) for row in good], [_one(str(row.basis)) for row in bad]) or _disjoint(
        [_known(row) for row in good], [_known(row) for row in bad]
    ):
        found.append("method")
    watched, failed = [row.hours for row in good], [row.hours for row in bad]
    if (
        None not in watched
        and None not in failed
        and max(hours for hours in watched if hours is not None) < min(hours for hours in failed if hours is not None)
    ):
        found.append("hours")
    return tuple(found)


_SIDES: tuple[Callable[[Row], Side], ...] = (lambda row: row.a, lambda row: row.b)


def _apart(good: Sequence[Concentration | None], bad: Sequence[Concentration | None]) -> bool:
    """Whether two sets of concentrations of one family lie wholly above and below each other."""
    known_good, known_bad = [conc for conc in good if conc], [conc for conc in bad if conc]
    if len(known_good) < len(good) or len(known_bad) < len(bad) or len({conc.family for conc in known_good + known_bad}) != 1:
        return False
    highest, lowest = max(conc.high for conc in known_good), min(conc.low for conc in known_good)
    return highest < min(conc.low for conc in known_bad) or lowest > max(conc.high for conc in known_bad)


def _disjoint(good: Sequence[set[str]], bad: Sequence[set[str]]) -> bool:
    """Whether every row states something, and no compatible row shares it with another."""
    return all(good) and all(bad) and not set().union(*good) & set().union(*bad)


def _one(text: str) -> set[str]:
    return {text} if text else set()


def _known(row: Row) -> set[str]:
    """The methods of a row; "other" tells nothing."""
    return {str(method) for method in row.method} - {"other"}


def agreements(knowledge: Knowledge) -> list[Agreement]:
    """Kappa between each two kinds of sources, over the pairs and modes of which both speak."""
    verdicts: dict[str, dict[tuple[Pair, Mode], Result]] = {voice: {} for voice in dict.fromkeys(VOICES.values())}
    for key, rows in _direct(knowledge).items():
        by_voice: dict[str, list[Row]] = {}
        for row in rows:
            by_voice.setdefault(VOICES[knowledge.sources[row.cited.source].kind], []).append(row)
        for voice, some in by_voice.items():
            verdicts[voice][key] = together(some)
    found = []
    for first, second in combinations(verdicts, 2):
        both = [(verdicts[first][key], verdicts[second][key]) for key in verdicts[first].keys() & verdicts[second].keys()]
        if both:
            agreed = sum(a is b for a, b in both)
            found.append(Agreement(first=first, second=second, pairs=len(both), agreed=agreed, kappa=kappa(both)))
    return found


def kappa(ratings: Sequence[tuple[object, object]]) -> float | None:
    """Cohen's kappa: (observed - expected agreement) / (1 - expected agreement).

    None when there is nothing to compare, or when both raters always say the same one thing.
    Source: Cohen J. A coefficient of agreement for nominal scales. Educ Psychol Meas 1960;20(1):37-46.
    """
    if not ratings:
        return None
    n = len(ratings)
    firsts, seconds = [a for a, _ in ratings], [b for _, b in ratings]
    observed = sum(a == b for a, b in ratings) / n
    expected = sum(firsts.count(word) * seconds.count(word) for word in set(firsts)) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def together(rows: Iterable[Row]) -> Result:
    """What some rows say as one: the result on which all agree, else variable."""
    results = {row.result for row in rows}
    return results.pop() if len(results) == 1 else Result.VARIABLE


def _direct(knowledge: Knowledge) -> dict[tuple[Pair, Mode], list[Row]]:
    """Rows that name both drugs, by pair and mode."""
    return {
        (pair, mode): rows
        for pair, modes in knowledge.evidence.items()
        for mode, found in modes.items()
        if (rows := [item.row for item in found if item.via is None])
    }
