"""Read concentrations and compare like with like.

A concentration is kept in one base unit of its own family: mg/mL (mass), units/mL
(activity), mEq/mL (charge) or mmol/mL (amount of substance). Families are never
converted into one another: that would need a molar mass, a clinical fact that a
label must state. Only mEq and mmol of a salt are, where all its ions carry the same
charge, which the caller must know (knowledge/substances.yaml). Percent is weight in volume (1 % = 10 mg/mL), as
the USP General Notices define it for solutions of solids in liquids.

A point is the decimal sign. A comma parts thousands only where it can do nothing else; one that is, or may be, a
decimal comma is refused, for the two readings lie a thousandfold apart. So are spellings of units that do.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

import pint


class Family(StrEnum):
    """What a concentration counts. Two families are never compared."""

    MASS = "mg/mL"
    ACTIVITY = "units/mL"
    CHARGE = "mEq/mL"
    AMOUNT = "mmol/mL"


ACCEPTED = (
    'accepted forms: "5 mg/mL", "5 g/L", "50 mcg/mL", "100 units/mL", "0.4 mEq/mL", '
    '"20 mmol/L", "0.9 %", "1 g/250 mL"; ranges: "5-10 mg/mL", "<20 mg/mL", "up to 4 mg/mL"; '
    "a decimal point, never a decimal comma"
)


class UnitMismatch(ValueError):
    """Two concentrations measure different things and cannot be compared."""


class ConcentrationError(ValueError):
    """A text is not a concentration. The message says why and lists the accepted forms."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; {ACCEPTED}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Concentration:
    """A tested or asked concentration, possibly a range, in the base unit of its family.

    low, high: bounds in `family`'s unit; `high` may be infinite ("at least 2 mg/mL").
    open_low, open_high: the bound itself is excluded ("<20 mg/mL").
    text: as the source or the user wrote it.
    """

    low: float
    high: float
    family: Family
    text: str
    open_low: bool = False
    open_high: bool = False

    @classmethod
    def parse(cls, text: str) -> Concentration:
        """Read a concentration.

        Raises ConcentrationError when the text is an amount, a rate, negative, zero or nonsense.
        """
        return _parse(text)

    def covers(self, other: Concentration) -> bool:
        """Whether `other` lies wholly within this range. Raises UnitMismatch across families."""
        if self.family is not other.family:
            raise UnitMismatch(f"{self.text} and {other.text} measure different things")
        above = other.low > self.low or (_near(other.low, self.low) and (not self.open_low or other.open_low))
        below = other.high < self.high or (_near(other.high, self.high) and (not self.open_high or other.open_high))
        return above and below

    def counted_as(self, family: Family, charge: float) -> Concentration:
        """The same in mmol/mL or mEq/mL, of a salt whose ions all carry `charge`: 1 mmol of it is `charge` mEq.

        Raises UnitMismatch for any other two families.
        """
        if self.family is family:
            return self
        if {self.family, family} != {Family.CHARGE, Family.AMOUNT}:
            raise UnitMismatch(f"{self.text} and {family} measure different things")
        factor = charge if family is Family.CHARGE else 1 / charge
        return replace(self, low=self.low * factor, high=self.high * factor, family=family)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Rate:
    """How much runs in an hour: of a drug in the base unit of its family (mg, units, mEq, mmol), or mL (family None)."""

    per_h: float
    family: Family | None

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read a rate: "15 mg/h", "2 mL/min". Raises ConcentrationError for one by body weight and for anything else."""
        shape = _RATE.fullmatch(text.strip())
        if shape is None:
            raise ConcentrationError(f'"{text}" is not a rate')
        times = 60 if shape["per"].lower() == "min" else 1
        amount = number(shape["number"]) * times
        if (ml := _ML.get(shape["unit"].lower())) is not None:
            return cls(amount * ml, None)
        family, factor = _factor(text, shape["unit"], "mL")
        return cls(amount * factor, family)


def _near(a: float, b: float) -> bool:
    """Equal but for the rounding of unit conversion. What has no end is near nothing that has one."""
    return math.isclose(a, b, rel_tol=1e-9)


# A closed registry of our own: only what a concentration of an infusion can be made of.
_REGISTRY: Any = pint.UnitRegistry(None)
for _line in (
    "kilo- = 1e3 = k-",
    "deci- = 1e-1 = d-",
    "milli- = 1e-3 = m-",
    "micro- = 1e-6 = µ- = μ- = u- = mc-",
    "nano- = 1e-9 = n-",
    "gram = [mass] = g",
    "liter = [volume] = l = L",
    "mole = [substance] = mol",
    "equivalent = [charge_amount] = Eq = eq = val",
    "unit = [activity] = units = U = IU = iu = u",
):
    _REGISTRY.define(_line)

_BASES = {
    "[mass] / [volume]": (Family.MASS, "milligram / milliliter"),
    "[activity] / [volume]": (Family.ACTIVITY, "unit / milliliter"),
    "[charge_amount] / [volume]": (Family.CHARGE, "milliequivalent / milliliter"),
    "[substance] / [volume]": (Family.AMOUNT, "millimole / milliliter"),
}
_NUMBER = r"\d+(?:(?: \d{3})+|(?:,\d+)+)?(?:\.\d+)?|\.\d+"
_SHAPE = re.compile(
    rf"(?P<bound><=|>=|<|>|≤|≥|up to|max(?:imum)?|at most|below|under|at least|min(?:imum)?|above|over)?\s*"
    rf"(?P<low>{_NUMBER})\s*(?:(?:-|–|to)\s*(?P<high>{_NUMBER})\s*)?"
    rf"(?P<unit>[a-zA-Zµμ]+|%)(?:\s*(?:/|per|in)\s*(?P<volume>{_NUMBER})?\s*(?P<per>[a-zA-Zµμ]+))?",
    re.IGNORECASE,
)
_RATE = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>[a-zA-Zµμ]+)\s*/\s*(?P<per>h|min)", re.IGNORECASE)
_ML = {"ml": 1.0, "l": 1000.0}
_UPPER = {"<", "<=", "≤", "up to", "max", "maximum", "at most", "below", "under"}
_STRICT = {"<", ">", "below", "under", "above", "over"}


@lru_cache(maxsize=65536)
def _parse(text: str) -> Concentration:
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        comma = ": write numbers with a decimal point" if re.search(r"\d,\d", text) else ""
        raise ConcentrationError(f'"{text}" is not a concentration{comma}')
    low = number(shape["low"])
    high = number(shape["high"]) if shape["high"] else low
    unit, per = shape["unit"], shape["per"]
    if unit == "%":
        if per:
            raise ConcentrationError(f'"{text}" mixes percent with a volume')
        family, factor = Family.MASS, 10.0
    elif per is None:
        raise ConcentrationError(f'"{text}" is an amount, not a concentration: it has no volume')
    else:
        family, factor = _factor(text, unit, per)
        if shape["volume"]:
            volume = number(shape["volume"])
            if volume == 0:
                raise ConcentrationError(f'"{text}" divides by a volume of zero')
            factor /= volume
    low, high = low * factor, high * factor
    if not 0 < low <= high < float("inf"):
        raise ConcentrationError(f'"{text}" is zero, too large or runs from high to low')
    bound = (shape["bound"] or "").lower()
    if not bound:
        return Concentration(low, high, family, text.strip())
    if shape["high"]:
        raise ConcentrationError(f'"{text}" has both a bound and a range')
    strict = bound in _STRICT
    if bound in _UPPER:
        return Concentration(0.0, high, family, text.strip(), open_low=True, open_high=strict)
    return Concentration(low, float("inf"), family, text.strip(), open_low=strict)


def number(text: str) -> float:
    """A number as wards write it. Raises ConcentrationError for a comma that is no, or may be no, mark of thousands."""
    whole, point, rest = text.partition(".")
    first, *groups = re.split("[ ,]", whole)
    comma = "," in whole
    if comma and len(groups) == 1 and not point:
        decimal = f"{first}.{groups[0].rstrip('0') or '0'}"
        if first.startswith("0") or len(first) > 3 or len(groups[0]) != 3:
            raise ConcentrationError(f'"{text}" has a decimal comma: write "{decimal}"')
        if groups[0] != "000":  # "25,000" is left to thousands: nobody states three decimals that are naught
            raise ConcentrationError(
                f'the comma in "{text}" may part thousands or be a decimal comma: write "{first}{groups[0]}" or "{decimal}"'
            )
    if groups and (first.startswith("0") or len(first) > 3 or any(len(group) != 3 for group in groups)):
        raise ConcentrationError(f'the {"commas" if comma else "spaces"} in "{text}" do not part thousands: write the number without them')
    return float("".join((first, *groups)) + point + rest)


@lru_cache(maxsize=4096)
def _factor(text: str, unit: str, per: str) -> tuple[Family, float]:
    """Family of `unit`/`per`, and the factor that turns it into the family's base unit."""
    spelled = f"{_spell(unit)} / {_spell(per)}"
    try:
        quantity = _REGISTRY.Quantity(1.0, spelled)
        base = _BASES.get(str(quantity.dimensionality))
    except (pint.UndefinedUnitError, pint.DefinitionSyntaxError, AttributeError, ValueError) as error:
        raise ConcentrationError(f'"{text}" has an unknown unit') from error
    if base is None:
        raise ConcentrationError(f'"{text}" is not an amount in a volume')
    family, base_unit = base
    return family, float(quantity.to(base_unit).magnitude)


_CASELESS = ("ng", "mcg", "ug", "mg", "g", "kg", "ml", "dl", "l", "mmol", "mol", "meq", "eq", "iu", "units", "unit", "u")
_SPELL = {
    "meq": "mEq",
    "eq": "Eq",
    "iu": "unit",
    "u": "unit",
    "units": "unit",
    "mval": "mEq",
    "milliunit": "milliunit",
    "milliunits": "milliunit",
}
_EITHER = (  # wards write these in any case, so that the case tells nothing
    (frozenset({"mu", "miu", "munit", "munits"}), "thousandths of a unit (milliunits) or million units"),
    (frozenset({"ku", "kiu", "kunit", "kunits"}), "thousand units or kallikrein inhibitor units"),
)


def _spell(unit: str) -> str:
    """Units as wards write them (MG, ML, MEQ, IU), spelled as the registry knows them. Raises ConcentrationError for one of two meanings."""
    lower = unit.lower()
    for spellings, meanings in _EITHER:
        if lower in spellings:
            raise ConcentrationError(
                f'"{unit}" may mean {meanings}: write the number of units in full ("0.02 units/mL", "1000000 units/mL")'
            )
    if lower in _SPELL:
        return _SPELL[lower]
    return lower if lower in _CASELESS else unit
