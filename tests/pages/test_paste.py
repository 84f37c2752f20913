"""Lists as wards write them."""

from __future__ import annotations

import pytest

from api.pages.paste import Entry, aside, read
from checker import Names

LISTS = {
    "vanc 5 mg/mL NS, pip-tazo, levophed": [
        Entry(drug="vanc", conc="5 mg/mL", vehicle="NS"),
        Entry(drug="pip-tazo"),
        Entry(drug="levophed"),
    ],
    "1. vancomycin 1 g/250 mL in NS\n2) Zosyn 4.5 g/100 mL\n- norepinephrine 16 mcg/mL D5W 10 mL/h white lumen": [
        Entry(drug="vancomycin", conc="1 g/250 mL", vehicle="NS"),
        Entry(drug="Zosyn", conc="4.5 g/100 mL"),
        Entry(drug="norepinephrine", conc="16 mcg/mL", vehicle="D5W", rate="10", line="white"),
    ],
    "heparin 25,000 units/500 mL D5W @ 12 mL/hr": [Entry(drug="heparin", conc="25,000 units/500 mL", vehicle="D5W", rate="12")],
    "insulin regular 1 unit/mL in 0.9% sodium chloride at 3 ml/h line 2": [
        Entry(drug="insulin regular", conc="1 unit/mL", vehicle="0.9% sodium chloride", rate="3", line="2")
    ],
    "D5W; 0.9% NaCl 100 mL/h; lactated ringer's": [Entry(drug="D5W"), Entry(drug="0.9% NaCl", rate="100"), Entry(drug="lactated ringer's")],
    "dextrose 5%, D5 1/2 NS": [Entry(drug="dextrose 5%"), Entry(drug="D5 1/2 NS")],
    "epinephrine 4 mg in 250 mL NS": [Entry(drug="epinephrine", conc="4 mg/250 mL", vehicle="NS")],
    "vanc + zosyn and levophed": [Entry(drug="vanc"), Entry(drug="zosyn"), Entry(drug="levophed")],
    "vancomycin 5 mg/ml (NS) (line: blue)": [Entry(drug="vancomycin", conc="5 mg/ml", vehicle="NS", line="blue")],
    "amiodarone@1.8mg/mL/D5W@white": [Entry(drug="amiodarone", conc="1.8mg/mL", vehicle="D5W", line="white")],
    "vancomycin\t5 mg/mL\tNS\nheparin\tlevophed": [
        Entry(drug="vancomycin", conc="5 mg/mL", vehicle="NS"),
        Entry(drug="heparin"),
        Entry(drug="levophed"),
    ],
    "vancomycin 5 mg/mL NS over 15 min, vanc over 1.5 hours, levophed 10 mL/h for 24 h": [
        Entry(drug="vancomycin", conc="5 mg/mL", vehicle="NS", hours="15 min"),
        Entry(drug="vanc", hours="1.5 hours"),
        Entry(drug="levophed", rate="10", hours="24 h"),
    ],
    "heparin 100 units/mL at 12,5 mL/h, vanc over 0,5 h": [  # whole, so that the page can refuse it: 5 mL/h was never asked
        Entry(drug="heparin", conc="100 units/mL", rate="12,5"),
        Entry(drug="vanc", hours="0,5 h"),
    ],
    "lidocaine 2%": [Entry(drug="lidocaine", conc="2%")],
    "IV vancomycin": [Entry(drug="vancomycin")],
    "ceftriaxone with NS": [Entry(drug="ceftriaxone", vehicle="NS")],
    "  ,, ;\n ": [],
}


@pytest.mark.parametrize("text", LISTS)
def test_a_list_is_read_as_it_was_meant(real_names: Names, text: str) -> None:
    assert LISTS[text] == read(text, real_names)


def test_an_unknown_name_stays_whole_and_keeps_its_conditions(real_names: Names) -> None:
    assert [Entry(drug="xyzzymab", conc="5 mg/mL", vehicle="NS")] == read("xyzzymab 5 mg/mL NS", real_names)


def test_an_ambiguous_name_is_left_as_typed(real_names: Names) -> None:
    assert [Entry(drug="MS", conc="1 mg/mL")] == read("MS 1 mg/mL", real_names)


def test_what_has_no_place_is_kept(real_names: Names) -> None:
    (entry,) = read("vancomycin 1 g q12h over 1 hour wibble NS over and over", real_names)

    assert ("vancomycin", "NS", "1 hour") == (entry.drug, entry.vehicle, entry.hours)
    assert ("1 g, q12h", "wibble over and over") == aside(entry.extra)


@pytest.mark.parametrize(
    "text",
    [
        "vancomycin frobnicated 5 mg/mL NS twice zyx 100 mL/h",
        "a b c d e f g h",
        "norepi gtt 0.1 mcg/kg/min",
        "5 mg/mL",
        "@@@",
        "heparin @",
        "x" * 4000,
    ],
)
def test_every_word_of_a_list_comes_back(real_names: Names, text: str) -> None:
    """Nothing typed is dropped, but for words that only join (in, at, drip ...) and the unit of a rate."""
    told = " ".join(" ".join((e.drug, e.conc, e.vehicle, e.rate, e.line, e.extra)) for e in read(text, real_names))
    for word in text.replace("@", " ").split():
        assert word in told or word in ("gtt", "mL/h"), (word, told)
