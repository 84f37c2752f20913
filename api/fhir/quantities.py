"""Amounts, volumes, rates and durations as orders give them. Units are read liberally; what is not understood is None."""

from __future__ import annotations

from typing import Any

from api.fhir.peek import Json, either, number, obj, text

_VOLUMES = {"ml": 1.0, "milliliter": 1.0, "milliliters": 1.0, "cc": 1.0, "l": 1000.0, "liter": 1000.0, "liters": 1000.0, "dl": 100.0}
_TIMES = {
    "s": 1 / 3600,
    "sec": 1 / 3600,
    "min": 1 / 60,
    "minute": 1 / 60,
    "minutes": 1 / 60,
    "h": 1.0,
    "hr": 1.0,
    "hour": 1.0,
    "hours": 1.0,
    "d": 24.0,
    "day": 24.0,
}
MASSES = {
    "ng": "ng",
    "ug": "mcg",
    "mcg": "mcg",
    "µg": "mcg",
    "mg": "mg",
    "g": "g",
    "gm": "g",
    "gram": "g",
    "grams": "g",
    "[iu]": "units",
    "iu": "units",
    "[usp'u]": "units",
    "unit": "units",
    "units": "units",
    "unt": "units",
    "u": "units",
    "{unit}": "units",
    "meq": "mEq",
    "mmol": "mmol",
    "mol": "mol",
}
_RATES = frozenset({"rateRatio", "rateQuantity", "rateSimpleQuantity", "rateRange"})
MOST_ML_PER_H = 5000.0  # beyond it, a rate is a slip and is not used


def unit(quantity: Any) -> str:
    """The unit of a Quantity in lower case: its code, or what is printed."""
    found = obj(quantity)
    return (text(found.get("code")) or text(found.get("unit"))).casefold().replace(" ", "")


def volume_ml(quantity: Any) -> float | None:
    """A Quantity as millilitres."""
    factor, value = _first(quantity, _VOLUMES), number(obj(quantity).get("value"))
    return value * factor if factor and value and value > 0 else None


def hours(quantity: Any) -> float | None:
    """A Quantity as hours."""
    factor, value = _first(quantity, _TIMES), number(obj(quantity).get("value"))
    return value * factor if factor and value and value > 0 else None


def amount(quantity: Any) -> str | None:
    """A Quantity as an amount of drug: "400 mg". None for doses by weight and for anything else."""
    known, value = _first(quantity, MASSES), number(obj(quantity).get("value"))
    return f"{value:g} {known}" if known and value and value > 0 else None


def _first(quantity: Any, table: dict[str, Any]) -> Any:
    """The entry of the code or, failing that, of the printed unit."""
    found = obj(quantity)
    for name in ("code", "unit"):
        known = table.get(text(found.get(name)).casefold().replace(" ", ""))
        if known:
            return known
    return None


def strength(ingredient: Json) -> tuple[str | None, float | None, float | None]:
    """Of an ingredient: its amount of drug, the volume that amount is in, and its own volume when it is a fluid."""
    ratio = obj(either(ingredient, "strengthRatio", "strength", "amount"))
    numerator = ratio.get("numerator") if "numerator" in ratio else either(ingredient, "strengthQuantity")
    return amount(numerator), volume_ml(ratio.get("denominator")), volume_ml(numerator)


def rate_of(holder: Json) -> tuple[float | None, float | None]:
    """mL/h, and hours of one infusion, from rateRatio, rateQuantity or rateRange (also STU3's places)."""
    if not _RATES & holder.keys():
        return None, None
    rate = time = None
    ratio = obj(holder.get("rateRatio"))
    over = hours(ratio.get("denominator"))
    if over:
        volume = volume_ml(ratio.get("numerator"))
        if volume is not None:
            rate = volume / over
        elif _is_dose(ratio):
            time = over
    for quantity in (obj(holder.get("rateQuantity")), obj(holder.get("rateSimpleQuantity")), obj(obj(holder.get("rateRange")).get("high"))):
        rate = rate or _per_hour(quantity)
    time = time or hours(holder.get("rateQuantity")) or hours(obj(holder.get("rateRange")).get("low"))
    return (rate if rate is not None and rate <= MOST_ML_PER_H else None), time


def _is_dose(ratio: Json) -> bool:
    """A dose over a time ("1.8 mg/kg over 20 min") is told apart from a rate ("2 mg per 1 min")."""
    return number(obj(ratio.get("denominator")).get("value")) != 1


def _per_hour(quantity: Json) -> float | None:
    value = number(quantity.get("value"))
    for name in ("code", "unit"):
        volume, slash, time = text(quantity.get(name)).casefold().replace(" ", "").replace("per", "/").partition("/")
        if slash and volume in _VOLUMES and time in _TIMES and value and value > 0:
            return value * _VOLUMES[volume] / _TIMES[time]
    return None
