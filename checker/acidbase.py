"""A caution for pairs that nobody has tested: an acidic and an alkaline product far apart in pH.

The base of a drug is least soluble in alkaline solution and the acid of another in acidic solution, so the salts
of the two may fall out when they meet. The rule (opposite acid-base character, and a pH gap) and its threshold
are data (knowledge/acid-base.yaml); its error is measured on our own evidence, leaving out both drugs of each
pair that is predicted. It never makes a pair better, and its absence is no reassurance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import knowledge
from checker import wording
from checker.model import Finding, Judgement, Kind, Level, Status
from knowledge import Knowledge
from knowledge.model import Acidity
from knowledge.terms import Mode, Result

WANTED_PREDICTIVE_VALUE = 0.8  # the least that the rule must keep on drugs it was not chosen on
TRAINED_PREDICTIVE_VALUE = 0.9  # what it must keep where it is chosen: a margin, since what is chosen looks better than it is
FEWEST_FLAGGED = 20  # pairs; below, a share is too uncertain to stop the search for a smaller gap
GAPS = tuple(step / 2 for step in range(2, 13))  # pH units tried as threshold
_OPPOSITE = frozenset({"acid", "base"})
Z = 1.96  # 95 % interval
_DATA = Path(knowledge.__file__).parent / "acid-base.yaml"
_HEAD = """# When two drugs that were never tested together lie far apart in pH, the answer stays no-data and gains a caution.
# The gap is chosen, and its error measured, by: python -m checker acid-base --write docs/reasoning.md
"""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one product's acidity over all its sources. low, high: pH."""

    low: float
    high: float
    character: str
    sources: tuple[Acidity, ...]


def profile(base: Knowledge, drug: str) -> Profile | None:
    """The pH range and character of a product; None where a source for one of them is missing, or sources disagree on the character."""
    stated = base.drugs[drug].acidity
    with_ph = [item for item in stated if item.low is not None and item.high is not None]
    characters = {item.character for item in stated if item.character}
    if not with_ph or len(characters) != 1:
        return None
    low = min(item.low for item in with_ph if item.low is not None)
    high = max(item.high for item in with_ph if item.high is not None)
    return Profile(low, high, characters.pop(), stated)


def gap(one: Profile | None, two: Profile | None) -> float | None:
    """The pH gap between the middles of two products of opposite character; None for any other pair."""
    if one is None or two is None or {one.character, two.character} != _OPPOSITE:
        return None
    return abs((one.low + one.high) / 2 - (two.low + two.high) / 2)


def caution(base: Knowledge, judged: Judgement) -> Finding | None:
    """The caution for an untested pair, or None."""
    rule = base.records.acid_base
    if rule is None or judged.status is not Status.NO_DATA:
        return None
    a, b = judged.pair
    one, two = profile(base, a), profile(base, b)
    apart = gap(one, two)
    if one is None or two is None or apart is None or apart < rule.least_gap:
        return None
    names = [f"{wording.name(base, drug)} ({who.character}, pH {_range(who)})" for drug, who in ((a, one), (b, two))]
    text = (
        f"{names[0]} + {names[1]}: not studied, and far apart in pH, an acid and a base: they may precipitate. Of tested pairs that this rule flags, "
        f"{rule.predictive_value:.0%} were not compatible (95 % interval {rule.predictive_value_interval[0]:.0%} to {rule.predictive_value_interval[1]:.0%}); "
        f"it misses {1 - rule.sensitivity:.0%} of those that are not. Keep them apart."
    )
    cited = [item.cited for who in (one, two) for item in who.sources]
    return Finding(level=Level.CAUTION, kind=Kind.LINE, code="acid-base", drugs=judged.pair, text=text, sources=wording.cites(cited))


def _range(who: Profile) -> str:
    return f"{who.low:g}" if who.low == who.high else f"{who.low:g}-{who.high:g}"


# --- choosing the threshold, and measuring its error ---


@dataclass(frozen=True, slots=True)
class Example:
    """A tested pair with both profiles known. gap: pH units; None when not of opposite character."""

    a: str
    b: str
    gap: float | None
    against: bool


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its Wilson 95 % interval. Source: Wilson EB, J Am Stat Assoc 1927;22:209-212."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself; 0 of nothing is 0."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        if not self.of:
            return (0.0, 1.0)
        centre = (self.value + Z * Z / (2 * self.of)) / (1 + Z * Z / self.of)
        half = Z / (1 + Z * Z / self.of) * sqrt(self.value * (1 - self.value) / self.of + Z * Z / (4 * self.of**2))
        return (max(0.0, centre - half), min(1.0, centre + half))


@dataclass(frozen=True, slots=True)
class Validation:
    """The rule's error. by_gap: threshold -> (predictive value, sensitivity) on all pairs, for the choice to be seen."""

    examples: int
    against: int
    chosen: float
    predictive_value: Share
    sensitivity: Share
    by_gap: tuple[tuple[float, Share, Share], ...]


def examples(base: Knowledge) -> Iterator[Example]:
    """Every pair with direct Y-site rows and both profiles: against = any row is not compatible."""
    profiles = {drug: found for drug in base.drugs if (found := profile(base, drug)) is not None}
    for (a, b), modes in sorted(base.evidence.items()):
        rows = [item.row for item in modes.get(Mode.Y_SITE, ()) if item.via is None]
        if rows and a in profiles and b in profiles:
            yield Example(a, b, gap(profiles[a], profiles[b]), any(row.result is not Result.COMPATIBLE for row in rows))


def validate(base: Knowledge) -> Validation:
    """Choose the threshold and measure it leaving drugs out.

    Each pair is predicted by a threshold chosen on the pairs that hold neither of its drugs.
    """
    known = list(examples(base))
    flagged = hits = 0
    for pair in known:
        rest = [other for other in known if not {other.a, other.b} & {pair.a, pair.b}]
        if pair.gap is not None and pair.gap >= choose(rest):
            flagged += 1
            hits += pair.against
    against = sum(pair.against for pair in known)
    return Validation(
        len(known),
        against,
        choose(known),
        Share(hits, flagged),
        Share(hits, against),
        tuple((least, *_shares(known, least)) for least in GAPS),
    )


def choose(known: Sequence[Example]) -> float:
    """The smallest gap from which on every larger one, too, keeps the wanted predictive value; infinite when none does."""
    chosen = float("inf")
    for least in reversed(GAPS):
        predictive, _ = _shares(known, least)
        if predictive.of >= FEWEST_FLAGGED and predictive.value < TRAINED_PREDICTIVE_VALUE:
            break
        if predictive.of:
            chosen = least
    return chosen


def _shares(known: Sequence[Example], least: float) -> tuple[Share, Share]:
    flagged = [pair for pair in known if pair.gap is not None and pair.gap >= least]
    hits = sum(pair.against for pair in flagged)
    return Share(hits, len(flagged)), Share(hits, sum(pair.against for pair in known))


def chapter(found: Validation) -> str:
    """The measured error as a chapter of docs/reasoning.md."""
    lines = [
        f"{found.examples} pairs have Y-site rows and a sourced pH and character of both drugs; {found.against} of them are not compatible. The rule flags an acid with a base whose pH lie at least "
        f"{found.chosen:g} apart (middles of the published ranges).",
        "",
        f"Leaving out both drugs of each pair that is predicted, **predictive value {_percent(found.predictive_value)}**, **sensitivity {_percent(found.sensitivity)}** (95 % Wilson intervals). "
        "Most incompatibilities have other causes, so the absence of this caution says nothing.",
        "",
        "| least pH gap | flagged | predictive value | sensitivity |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {least:g} | {predictive.of} | {_percent(predictive)} | {_percent(sensitivity)} |"
        for least, predictive, sensitivity in found.by_gap
        if predictive.of
    ]
    return "\n".join([*lines, "", "The table is on all pairs at once, to show the choice; the figures above it are those to trust."])


def _percent(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.0%} ({share.hits} of {share.of}; {low:.0%} to {high:.0%})"


_BEGIN, _END = "<!-- acid-base: written by python -m checker acid-base --write -->", "<!-- acid-base: end -->"


def write(found: Validation, text: str, page: Path) -> None:
    """Put the figures between the markers of `page`, and into the data file that answers quote. Raises ValueError without markers."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no place for the figures; add the lines {_BEGIN} and {_END}")
    page.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")
    (low, high), (least, most) = found.predictive_value.interval, found.sensitivity.interval
    _DATA.write_text(
        f"{_HEAD}rule: opposite-character-and-ph-gap\nleast_gap: {found.chosen:g}\npredictive_value: {found.predictive_value.value:.2f}\n"
        f"predictive_value_interval: [{low:.2f}, {high:.2f}]\nsensitivity: {found.sensitivity.value:.2f}\nsensitivity_interval: [{least:.2f}, {most:.2f}]\npairs: {found.examples}\n",
        encoding="utf-8",
    )
