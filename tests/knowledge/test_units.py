"""units.py: a concentration is read, or refused with a reason; like is compared with like only."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from knowledge.units import Concentration, ConcentrationError, Family, Rate, UnitMismatch

MASS, ACTIVITY, CHARGE, AMOUNT = Family.MASS, Family.ACTIVITY, Family.CHARGE, Family.AMOUNT

GOOD = {
    "5 mg/mL": (5, 5, MASS),
    "5mg/ml": (5, 5, MASS),
    "5 MG/ML": (5, 5, MASS),
    "5 mg per mL": (5, 5, MASS),
    "5 g/L": (5, 5, MASS),
    "50 mcg/mL": (0.05, 0.05, MASS),
    "50 µg/mL": (0.05, 0.05, MASS),
    "50 μg/mL": (0.05, 0.05, MASS),
    "50 ug/mL": (0.05, 0.05, MASS),
    "200 ng/mL": (0.0002, 0.0002, MASS),
    "1 g/250 mL": (4, 4, MASS),
    "500 mg in 100 mL": (5, 5, MASS),
    "1,000 mg/L": (1, 1, MASS),
    "25,000 units/500 mL": (50, 50, ACTIVITY),
    "1,250,000 units/L": (1250, 1250, ACTIVITY),
    "1,500.5 mg/L": (1.5005, 1.5005, MASS),
    "1 500 mg/L": (1.5, 1.5, MASS),
    "500 mg/1,000 mL": (0.5, 0.5, MASS),
    "1,000-2,000 mg/L": (1, 2, MASS),
    "20 milliunits/mL": (0.02, 0.02, ACTIVITY),
    "20 Milliunits/mL": (0.02, 0.02, ACTIVITY),
    ".5 mg/mL": (0.5, 0.5, MASS),
    "0.9 %": (9, 9, MASS),
    "0.9%": (9, 9, MASS),
    "100 units/mL": (100, 100, ACTIVITY),
    "100 IU/mL": (100, 100, ACTIVITY),
    "1 U/mL": (1, 1, ACTIVITY),
    "0.4 mEq/mL": (0.4, 0.4, CHARGE),
    "40 mEq/L": (0.04, 0.04, CHARGE),
    "20 mmol/L": (0.02, 0.02, AMOUNT),
    "1 mol/L": (1, 1, AMOUNT),
    "5-10 mg/mL": (5, 10, MASS),
    "5 - 10 mg/mL": (5, 10, MASS),
    "5 to 10 mg/mL": (5, 10, MASS),
    "5–10 mg/mL": (5, 10, MASS),
    "<20 mg/mL": (0, 20, MASS),
    "<=20 mg/mL": (0, 20, MASS),
    "up to 4 mg/mL": (0, 4, MASS),
    ">1 unit/mL": (1, math.inf, ACTIVITY),
    "at least 2 mg/mL": (2, math.inf, MASS),
}


@pytest.mark.parametrize("text", GOOD)
def test_accepted_forms(text: str) -> None:
    low, high, family = GOOD[text]

    read = Concentration.parse(text)

    assert (pytest.approx(low), pytest.approx(high), family) == (read.low, read.high, read.family)
    assert text == str(read)


BAD = {
    "5 mg": "amount, not a concentration",
    "5": "not a concentration",
    "": "not a concentration",
    "mg/mL": "not a concentration",
    "five mg/mL": "not a concentration",
    "-5 mg/mL": "not a concentration",
    "5 mg/mL/h": "not a concentration",
    "5 mg/mL; drop table": "not a concentration",
    "1:25 v/v": "not a concentration",
    "1e5 mg/mL": "not a concentration",
    "0 mg/mL": "zero",
    "10-5 mg/mL": "from high to low",
    "5 mg/h": "unknown unit",
    "5 mgs/mL": "unknown unit",
    "5 furlong/mL": "unknown unit",
    "5 mL/mg": "not an amount in a volume",
    "5 mL/mL": "not an amount in a volume",
    "5 mg/g": "not an amount in a volume",
    "5 mg/0 mL": "volume of zero",
    "<5-10 mg/mL": "both a bound and a range",
    "5 %/mL": "percent",
    "9" * 400 + " mg/mL": "too large",
    # a comma that is, or may be, a decimal comma
    "0,016 mg/mL": 'decimal comma: write "0.016"',
    "0,125 mg/mL": 'decimal comma: write "0.125"',
    "<0,016 mg/mL": 'decimal comma: write "0.016"',
    "0,5-1 mg/mL": 'decimal comma: write "0.5"',
    "0.5-1,5 mg/mL": 'decimal comma: write "1.5"',
    "2,5 mg/mL": 'decimal comma: write "2.5"',
    "1,25 mg/mL": 'decimal comma: write "1.25"',
    "1 g/0,25 L": 'decimal comma: write "0.25"',
    "0,9 %": 'decimal comma: write "0.9"',
    "1234,567 mg/L": 'decimal comma: write "1234.567"',
    "1,500 mg/L": 'thousands or be a decimal comma: write "1500" or "1.5"',
    "12,500 units/mL": 'thousands or be a decimal comma: write "12500" or "12.5"',
    "0,000,016 mg/mL": "do not part thousands",
    "1,0000,000 mg/mL": "do not part thousands",
    "1.500,5 mg/mL": "write numbers with a decimal point",
    "0 016 mg/mL": "do not part thousands",
    # milli or million, kilo or kallikrein inhibitor
    "1 MIU/mL": "million units",
    "1 mIU/mL": "million units",
    "1 MU/mL": "million units",
    "60 mU/mL": "million units",
    "1 Munits/mL": "million units",
    "1 munit/mL": "million units",
    "10 KIU/mL": "kallikrein",
    "10 kU/mL": "kallikrein",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:30])
def test_refused_forms_say_why_and_what_is_accepted(text: str) -> None:
    with pytest.raises(ConcentrationError) as raised:
        Concentration.parse(text)

    assert BAD[text] in raised.value.reason
    assert "accepted forms" in str(raised.value)


numbers = st.integers(1, 10_000_000).map(lambda number: number / 1000)
ALIKE = {
    MASS: [("mg/mL", 1.0), ("g/L", 1.0), ("mcg/mL", 1000.0), ("mg/L", 1000.0), ("g/100 mL", 0.1), ("%", 0.1), ("mg/dL", 100.0)],
    ACTIVITY: [("units/mL", 1.0), ("IU/mL", 1.0), ("units/L", 1000.0)],
    CHARGE: [("mEq/mL", 1.0), ("mEq/L", 1000.0), ("Eq/L", 1.0)],
    AMOUNT: [("mmol/mL", 1.0), ("mmol/L", 1000.0), ("mol/L", 1.0)],
}


@given(numbers, st.sampled_from([(family, unit, other) for family, units in ALIKE.items() for unit in units for other in units]))
def test_other_units_same_answer(number: float, pick: tuple[Family, tuple[str, float], tuple[str, float]]) -> None:
    family, (unit, factor), (other, other_factor) = pick
    one = Concentration.parse(f"{number * factor:.9f} {unit}")
    two = Concentration.parse(f"{number * other_factor:.9f} {other}")
    assume(number * min(factor, other_factor) > 1e-3)  # nine places hold it

    assert family is one.family is two.family
    assert one.low == pytest.approx(two.low, rel=1e-5)


@given(numbers, st.sampled_from(list(Family)), st.sampled_from(list(Family)))
def test_unlike_units_never_compare(number: float, one: Family, two: Family) -> None:
    first, second = Concentration.parse(f"{number} {one}"), Concentration.parse(f"{number} {two}")

    if one is two:
        assert first.covers(second)
    else:
        with pytest.raises(UnitMismatch):
            first.covers(second)


COVERS = [
    ("5 mg/mL", "5 mg/mL", True),
    ("5 mg/mL", "5.1 mg/mL", False),
    ("5 mg/mL", "5 g/L", True),
    ("0.3 mg/mL", "300 mcg/mL", True),
    ("5-10 mg/mL", "7 mg/mL", True),
    ("5-10 mg/mL", "5 mg/mL", True),
    ("5-10 mg/mL", "4.9 mg/mL", False),
    ("5-10 mg/mL", "5-10 mg/mL", True),
    ("5-10 mg/mL", "5-11 mg/mL", False),
    ("<20 mg/mL", "20 mg/mL", False),
    ("<20 mg/mL", "19.9 mg/mL", True),
    ("<20 mg/mL", "<20 mg/mL", True),
    ("<20 mg/mL", "up to 20 mg/mL", False),
    ("up to 20 mg/mL", "20 mg/mL", True),
    ("up to 20 mg/mL", "<20 mg/mL", True),
    (">2 mg/mL", "2 mg/mL", False),
    ("at least 2 mg/mL", "2 mg/mL", True),
    ("at least 2 mg/mL", ">2 mg/mL", True),
    # no finite test reaches what was asked without an end
    ("5 mg/mL", ">5 mg/mL", False),
    ("5 mg/mL", "at least 5 mg/mL", False),
    ("2-100 units/mL", ">1000 units/mL", False),
    ("up to 20 mg/mL", "at least 5 mg/mL", False),
    # what was asked without a lower bound reaches down to nothing; only a source that says so of its test goes with it
    ("5 mg/mL", "<5 mg/mL", False),
    ("2-5 mg/mL", "up to 5 mg/mL", False),
    ("0.001-5 mg/mL", "<5 mg/mL", False),
    ("up to 20 mg/mL", "<5 mg/mL", True),
]


@pytest.mark.parametrize(("tested", "asked", "covered"), COVERS)
def test_covers(tested: str, asked: str, covered: bool) -> None:
    assert covered is Concentration.parse(tested).covers(Concentration.parse(asked))


@pytest.mark.parametrize(
    ("text", "per_h", "family"),
    [
        ("15 mg/h", 15, MASS),
        ("2 mg/min", 120, MASS),
        ("1 g/h", 1000, MASS),
        ("50 mcg/min", 3, MASS),
        ("2,000 units/h", 2000, ACTIVITY),
        ("10 mEq/h", 10, CHARGE),
        ("10 mmol/h", 10, AMOUNT),
        ("1.5 mL/min", 90, None),
        ("1 L/h", 1000, None),
    ],
)
def test_rates(text: str, per_h: float, family: Family | None) -> None:
    assert Rate.parse(text) == Rate(pytest.approx(per_h), family)


@pytest.mark.parametrize("text", ["5 mg/kg/h", "150 mg PE/min", "5 mg/mL", "5 mg", "", "0,5 mg/h", "1 MIU/h"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ConcentrationError):
        Rate.parse(text)


def test_a_salt_whose_ions_carry_one_charge_is_counted_in_either_unit() -> None:
    asked = Concentration.parse("40-80 mEq/L")

    assert asked.counted_as(CHARGE, 1) is asked
    assert asked.counted_as(AMOUNT, 1).high == pytest.approx(0.08)
    assert asked.counted_as(AMOUNT, 2).low == pytest.approx(0.02)
    assert Concentration.parse("4 mmol/mL").counted_as(CHARGE, 2).low == pytest.approx(8)
    with pytest.raises(UnitMismatch):
        asked.counted_as(MASS, 1)


@given(st.text(max_size=40))
def test_any_text_is_a_concentration_or_refused(text: str) -> None:
    try:
        read = Concentration.parse(text)
    except ConcentrationError:
        return
    assert 0 <= read.low <= read.high
