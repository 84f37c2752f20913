"""Names as people type them into orders: "Dopamine 400mg in 500mL D5W", "Vancomycin (bulk) 1 g IV".

Amounts, dose forms and routes are set aside; what remains must be an exact name. Nothing near is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from api.fhir.quantities import MASSES
from checker import Names
from checker.model import NotUnderstood
from knowledge.normalise import normalise
from knowledge.terms import PREMIX, UNDILUTED
from knowledge.units import ConcentrationError, number

LONGEST = 300
_UNIT = r"(?:mcg|ug|µg|mg|gm|grams?|g|kg|milli?units?|units?|unt|iu|meq|mmol|ml|l|liters?|litres?)"
_AMOUNT = re.compile(
    rf"(?<![\w.])\d[\d,]*(?:\.\d+)?\s*(?:-\s*\d[\d,.]*\s*)?{_UNIT}(?:\s*/\s*(?:\d[\d,.]*\s*)?(?:kg|m2|ml|l|h|hr|hour|min|day|dose))*(?![\w])",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"(?<![\w.])\d+(?:\.\d+)?\s*%")
_VOLUME = r"(?P<{0}>\d[\d,]*(?:\.\d+)?)\s*(?P<{1}>ml|l|liters?|litres?)"
_INTO = re.compile(r"\bin\b\s*", re.IGNORECASE)
_OPENING_VOLUME = re.compile(_VOLUME.format("value", "unit") + r"\b\s*(?:of\s+)?", re.IGNORECASE)
_SLASHED = re.compile(r"(?<=[a-z])\s*/\s*(?=\d[\d,.]*\s*(?:ml|l)\b\s+[a-z0])", re.IGNORECASE)  # "8 mg/250 mL NS" is 8 mg in 250 mL NS
_MASS = re.compile(
    r"(?<![\w.])(?P<value>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>mcg|ug|mg|gm|grams?|g|units?|unt|iu|meq|mmol)(?!\s*/)(?![\w])", re.IGNORECASE
)
_STRENGTH = re.compile(
    r"(?<![\w.])(?P<value>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>mcg|ug|mg|gm|grams?|g|units?|unt|iu|meq|mmol)\s*/\s*(?:1\s*)?ml\b", re.IGNORECASE
)
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_NOISE = re.compile(
    r"\b(?:injectable|injections?|inj|solutions?|soln|sol|suspension|emulsion|powder|lyophili[sz]ed|reconstituted|concentrate|additive|vials?|bags?|syringes?|ampoules?|amps?|"
    r"bottle|premix(?:ed)?|iv|ivpb|ivp|intravenous(?:ly)?|infusions?|drip|continuous|bolus|push|piggyback|for|sterile|usp|ph ?eur|preservative[ -]free|pf|single[ -]dose|"
    r"multi(?:ple)?[ -]dose|product|substance|medicinal|qualifier value|tablets?|tabs?|capsules?|caps?|oral)\b\.?",
    re.IGNORECASE,
)
_JOINTS = re.compile(r"\s*(?:\+|;|\band\b|\bwith\b)\s*", re.IGNORECASE)
_COMMA = re.compile(r"(?<![\w.,])\d+(?:,\d+)+(?:\.\d+)?(?=\s*(?:%|[a-zA-Zµ]))")
_TAIL = re.compile(r"[\s,;:.@-]+$|^[\s,;:.@-]+")


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says: drugs by exact name, or candidates when a name is ambiguous; and the mixture it describes."""

    drugs: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    vehicle: str | None = None
    amount: str = ""  # "400 mg", when one amount of drug is named
    volume_ml: float | None = None
    strength: str = ""  # "2 mEq/mL", when one strength per mL is named
    clash: str = ""  # a second name in brackets that is another drug
    unread: str = ""  # a number with a comma that is, or may be, a decimal comma: no amount and no volume is then taken


@dataclass(slots=True)
class FreeText:
    """Reads texts over one knowledge base, each once."""

    names: Names
    _kept: dict[str, Said] = field(default_factory=dict)

    def read(self, text: str) -> Said:
        """What `text` says."""
        kept = self._kept.get(text)
        if kept is None:
            kept = self._read(text[:LONGEST])
            if len(self._kept) > 20_000:
                self._kept.clear()
            self._kept[text] = kept
        return kept

    def exact(self, text: str) -> str | NotUnderstood | None:
        """The drug of an exact name, why it is refused, or None when the name is not known at all."""
        key = normalise(text)
        if not key or (key not in self.names.index and key not in self.names.refused):
            return None
        found = self.names.resolve(text, "")
        return found if isinstance(found, NotUnderstood) else found.drug

    def bare(self, text: str) -> str:
        """A text without amounts, forms and brackets: what is left to name the drug."""
        return _tidy(_NOISE.sub(" ", _AMOUNT.sub(" ", _BRACKETS.sub(" ", text))))

    def _read(self, text: str) -> Said:
        vehicle, volume, before = self._mixture(text)
        unread = next((item for item in _COMMA.findall(text) if _number(item) is None), "")
        masses = {(_number(match["value"]), MASSES[match["unit"].casefold()]) for match in _MASS.finditer(before)}
        value, unit = masses.pop() if len(masses) == 1 and not unread else (None, "")
        amount = f"{value:.12g} {unit}" if value is not None else ""
        volume = None if unread else volume
        strengths = {(_number(match["value"]), MASSES[match["unit"].casefold()]) for match in _STRENGTH.finditer(before)}
        per_ml, of = strengths.pop() if len(strengths) == 1 and not unread else (None, "")
        strength = f"{per_ml:.12g} {of}/mL" if per_ml is not None else ""
        inside = [part for match in _BRACKETS.finditer(before) for part in match.groups() if part]
        found = self._names(_BRACKETS.sub(" ", before))
        if found is None or isinstance(found, list):
            return Said(candidates=tuple(found or ()), vehicle=vehicle, amount=amount, volume_ml=volume, strength=strength, unread=unread)
        clash = next((part for part in inside if self._other(part, found)), "")
        return Said(drugs=found, vehicle=vehicle, amount=amount, volume_ml=volume, clash=clash, strength=strength, unread=unread)

    def _mixture(self, text: str) -> tuple[str | None, float | None, str]:
        """The fluid and volume after an "in", and the text before it."""
        spread = _SLASHED.sub(" in ", text)
        for into in _INTO.finditer(spread):
            rest = spread[into.end() :].replace("%", "% ")
            volume = _OPENING_VOLUME.match(rest)
            ml = _ml(volume["value"], volume["unit"]) if volume else None
            words = rest[volume.end() if volume else 0 :].split()[:8]
            for start in (0, 1) if words and words[0].endswith("%") else (0,):
                for size in range(min(6, len(words) - start), 0, -1):
                    fluid = self._fluid(" ".join(words[start : start + size]))
                    if fluid is None or (
                        start == 1
                        and self._fluid(f"{words[0]} {'sodium chloride' if 'sodium' in fluid else 'dextrose'}") not in (fluid, None)
                    ):
                        continue
                    if ml is None:
                        after = _OPENING_VOLUME.match(" ".join(words[start + size :]))
                        ml = _ml(after["value"], after["unit"]) if after else None
                    return fluid, ml, spread[: into.start()]
        return None, None, text

    def _fluid(self, text: str) -> str | None:
        key = normalise(text)
        if not key or key in (PREMIX, UNDILUTED) or not (key in self.names.fluids or key in self.names.index):
            return None
        found = self.names.resolve_vehicle(text.strip(" ,.;"), "")
        return found if isinstance(found, str) else None

    def _names(self, text: str) -> tuple[str, ...] | list[str] | None:
        """Drugs (tuple), candidates of an ambiguous name (list), or None."""
        without_amounts = _AMOUNT.sub(" ", text)
        attempts = (text, _NOISE.sub(" ", text), _NOISE.sub(" ", without_amounts), _NOISE.sub(" ", _PERCENT.sub(" ", without_amounts)))
        ambiguous: list[str] = []
        for attempt in dict.fromkeys(map(_tidy, attempts)):
            found = self.exact(attempt)
            if isinstance(found, str):
                return (found,)
            if found is not None:
                ambiguous = ambiguous or list(found.candidates)
        if ambiguous:
            return ambiguous
        parts = [_tidy(_NOISE.sub(" ", part)) for part in _JOINTS.split(without_amounts)]
        if 1 < len(parts) <= 8:
            each = [found for part in parts if isinstance(found := self.exact(part), str)]
            if len(each) == len(parts):
                return tuple(dict.fromkeys(each))
        return None

    def _other(self, text: str, drugs: tuple[str, ...]) -> bool:
        """Whether a text in brackets names another drug."""
        found = self._names(text)
        if not isinstance(found, tuple) or set(found) <= set(drugs):
            return False
        known = self.names.knowledge.drugs
        near = {
            name
            for drug in drugs
            for name in (drug, known[drug].ingredient, known[drug].parent, *(part.drug for part in known[drug].components))
            if name
        }
        return not all({drug, known[drug].ingredient, known[drug].parent} & near for drug in found)


def _tidy(text: str) -> str:
    return _TAIL.sub("", " ".join(text.split()))


def _ml(value: str, unit: str) -> float | None:
    volume = _number(value)
    if volume is None or unit.lower() == "ml":
        return volume
    return volume * 1000 or None


def _number(text: str) -> float | None:
    """A number of an order, or None when its comma may be a decimal comma."""
    try:
        return number(text)
    except ConcentrationError:
        return None
