"""Questions: what is refused, where and with which mend; what a command line writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from checker import AskError, Names, order, spoken
from knowledge.terms import Mode

DRUG = "exemplapenem"


@pytest.mark.parametrize(
    ("question", "at", "reason"),
    [
        ([], "", "not an object"),
        ("exemplapenem", "", "not an object"),
        ({}, "drugs", "required"),
        ({"drugs": []}, "drugs", "minimum length"),
        ({"drugs": "exemplapenem"}, "drugs", "list"),
        ({"drugs": "exemplapenem " * 20}, "drugs", "list"),
        ({"drugs": None}, "drugs", "null"),
        ({"drugs": [""]}, "drugs/0", "empty"),
        ({"drugs": ["   "]}, "drugs/0", "empty"),
        ({"drugs": [7]}, "drugs/0", "name or a code"),
        ({"drugs": [["exemplapenem"]]}, "drugs/0", "name or a code"),
        ({"drugs": [None]}, "drugs/0", "null"),
        ({"drugs": ["x" * 201]}, "drugs/0", "more than"),
        ({"drugs": [{}]}, "drugs/0/drug", "missing"),
        ({"drugs": [{"drug": DRUG, "colour": "red"}]}, "drugs/0/colour", "Unknown field"),
        ({"drugs": [DRUG], "drug": 1}, "drug", "Unknown field"),
        ({"drugs": [{"system": "rxnorm"}]}, "drugs/0/code", "required"),
        ({"drugs": [{"drug": {"system": "rxnorm", "code": 11124}}]}, "drugs/0/drug/code", "string"),
        ({"drugs": [DRUG], "mode": "y"}, "mode", "one of"),
        ({"drugs": [{"drug": DRUG, "conc": "5 mg"}]}, "drugs/0/conc", "amount"),
        ({"drugs": [{"drug": DRUG, "conc": "0 mg/mL"}]}, "drugs/0/conc", "zero"),
        ({"drugs": [{"drug": DRUG, "conc": "-5 mg/mL"}]}, "drugs/0/conc", "not a concentration"),
        ({"drugs": [{"drug": DRUG, "conc": "5 zorkmids/mL"}]}, "drugs/0/conc", "unknown unit"),
        ({"drugs": [{"drug": DRUG, "conc": "5 mg/h"}]}, "drugs/0/conc", ""),
        ({"drugs": [{"drug": DRUG, "conc": "0,016 mg/mL"}]}, "drugs/0/conc", 'write "0.016"'),
        ({"drugs": [{"drug": DRUG, "conc": "1,500 mg/L"}]}, "drugs/0/conc", 'write "1500" or "1.5"'),
        ({"drugs": [{"drug": DRUG, "conc": "1 MIU/mL"}]}, "drugs/0/conc", "units in full"),
        ({"drugs": [{"drug": DRUG, "conc": 5}]}, "drugs/0/conc", "string"),
        ({"drugs": [{"drug": DRUG, "hours": 0}]}, "drugs/0/hours", "greater than"),
        ({"drugs": [{"drug": DRUG, "hours": True}]}, "drugs/0/hours", "number"),
        ({"drugs": [{"drug": DRUG, "hours": float("nan")}]}, "drugs/0/hours", ""),
        ({"drugs": [{"drug": DRUG, "start": "noon"}]}, "drugs/0/start", "not a time"),
        ({"drugs": [{"drug": DRUG, "start": "9999-12-31T23:00", "hours": 9999}]}, "drugs/0/hours", "after the year 9999"),
        ({"drugs": [{"drug": DRUG, "start": "9999-12-31T23:00-05:00"}]}, "drugs/0/start", "not a time"),
        (
            {"drugs": [{"drug": DRUG, "start": "2026-01-05T08:00+05:00"}, {"drug": "samplicin", "start": "2026-01-05T08:30"}]},
            "drugs/1/start",
            "no zone, and drugs/0/start has one",
        ),
        (
            {"drugs": [{"drug": DRUG, "start": "2026-01-05T08:00"}, {"drug": "zzzmab", "start": "2026-01-05T08:30Z"}]},
            "drugs/1/start",
            "has a zone, and drugs/0/start has none",
        ),
        ({"drugs": [{"drug": DRUG, "route": "by owl"}]}, "drugs/0/route", "one of"),
        ({"drugs": [DRUG, "Exemplex"]}, "drugs/1", "asks already"),
        ({"drugs": [DRUG], "medications": ["phonyvir", "phonyvir"]}, "medications/1", "asks already"),
        ({"drugs": [DRUG], "patient": {"name": "Roe"}}, "patient/name", "Unknown field"),
        ({"drugs": [DRUG], "patient": {"age_days": -1}}, "patient/age_days", "greater than"),
        ({"drugs": [DRUG], "patient": {"age_days": 1.5}}, "patient/age_days", "integer"),
        ({"drugs": [DRUG], "explain": "yes"}, "explain", "boolean"),
        ({"drugs": [f"drug {number}" for number in range(61)]}, "drugs", "61 entries"),
        ({"drugs": [DRUG], "medications": ["x"] * 61}, "medications", "61 entries"),
    ],
)
def test_a_bad_question_is_refused_with_place_reason_and_mend(world_names: Names, question: Any, at: str, reason: str) -> None:
    with pytest.raises(AskError) as refused:
        order(question, world_names)

    assert at in {problem.at for problem in refused.value.problems}
    problem = next(problem for problem in refused.value.problems if problem.at == at)
    assert reason.casefold() in problem.reason.casefold()
    assert problem.mend


def test_all_problems_come_at_once(world_names: Names) -> None:
    with pytest.raises(AskError) as refused:
        order({"drugs": [{"drug": DRUG, "conc": "5 mg"}, {"drug": "samplicin", "conc": "zork", "start": "noon"}]}, world_names)

    assert {"drugs/0/conc", "drugs/1/conc", "drugs/1/start"} == {problem.at for problem in refused.value.problems}


def test_a_full_question(world_names: Names) -> None:
    asked = order(
        {
            "mode": "admixture",
            "patient": {"age_days": 12},
            "medications": [{"drug": "phonyvir"}, "warfictin"],
            "drugs": [
                {
                    "drug": {"system": "rxnorm", "code": "90000002"},
                    "conc": "1 g/50 mL",
                    "vehicle": "NS",
                    "formulation": "EDTA free",
                    "line": "white",
                    "start": "2026-01-05T08:00+01:00",
                    "hours": 0.5,
                    "rate_ml_per_h": 100,
                }
            ],
        },
        world_names,
    )

    infusion = asked.infusions[0]
    assert (asked.mode, asked.age_days) == (Mode.ADMIXTURE, 12)
    assert (infusion.drug, infusion.matched_by, infusion.asked) == ("exemplapenem-fixobactam", "code", "rxnorm 90000002")
    assert (infusion.conditions.vehicle, infusion.conditions.formulation) == ("fictional-saline", "edta-free")
    assert infusion.conditions.conc is not None and infusion.conditions.conc.low == 20
    assert (infusion.start, infusion.end) == (datetime(2026, 1, 5, 7), datetime(2026, 1, 5, 7, 30))
    assert [item.route for item in asked.medications] == ["oral", "oral"]


def test_starts_that_all_tell_their_zone_are_set_side_by_side(world_names: Names) -> None:
    zoned = [{"drug": DRUG, "start": "2026-01-05T08:00+05:00"}, {"drug": "samplicin", "start": "2026-01-05T04:00+01:00"}]
    asked = order({"drugs": zoned}, world_names)

    assert {item.start for item in asked.infusions} == {datetime(2026, 1, 5, 3)}


def test_the_same_drug_on_two_lines_is_a_question(world_names: Names) -> None:
    asked = order({"drugs": [{"drug": DRUG, "line": "a"}, {"drug": DRUG, "line": "b"}]}, world_names)
    assert len(asked.infusions) == 2


def test_what_is_not_understood_is_part_of_the_order(world_names: Names) -> None:
    asked = order({"drugs": ["zzzmab", {"drug": DRUG, "vehicle": "moonwater"}], "medications": ["EXS"]}, world_names)

    assert [(item.at, item.reason) for item in asked.not_understood] == [
        ("drugs/0", "unresolved-name"),
        ("drugs/1/vehicle", "unresolved-vehicle"),
        ("medications/0", "ambiguous-name"),
    ]


@pytest.mark.parametrize(
    ("drug", "formulation", "candidates"),
    [("exe/fix", "banana", ("edta", "edta-free")), ("exe/fix", "!!", ("edta", "edta-free")), ("samplicin", "edta", ())],
)
def test_a_formulation_that_no_evidence_on_the_drug_tells_is_not_understood(
    world_names: Names, drug: str, formulation: str, candidates: tuple[str, ...]
) -> None:
    asked = order({"drugs": [{"drug": drug, "formulation": formulation}]}, world_names)

    assert [(item.at, item.asked, item.reason, item.candidates) for item in asked.not_understood] == [
        ("drugs/0/formulation", formulation, "unknown-formulation", candidates)
    ]
    assert asked.infusions[0].conditions.formulation is None


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("vancomycin", "vancomycin"),
        (" pip/tazo ", "pip/tazo"),
        ("vancomycin@5mg/mL", {"drug": "vancomycin", "conc": "5mg/mL"}),
        ("vancomycin@5 mg/mL/NS", {"drug": "vancomycin", "conc": "5 mg/mL", "vehicle": "NS"}),
        ("vancomycin@5mg/mL/NS@white", {"drug": "vancomycin", "conc": "5mg/mL", "vehicle": "NS", "line": "white"}),
        ("vancomycin@NS", {"drug": "vancomycin", "vehicle": "NS"}),
        ("vancomycin@@white", {"drug": "vancomycin", "line": "white"}),
        ("heparin@100units/mL/D5W", {"drug": "heparin", "conc": "100units/mL", "vehicle": "D5W"}),
        ("pip/tazo@4.5 g/100 mL/NS", {"drug": "pip/tazo", "conc": "4.5 g/100 mL", "vehicle": "NS"}),
        ("vancomycin@0,5mg/mL/NS", {"drug": "vancomycin", "conc": "0,5mg/mL", "vehicle": "NS"}),  # refused when it is read
        ("dextrose@5%", {"drug": "dextrose", "conc": "5%"}),
        ("x@5-10 mg/mL/LR", {"drug": "x", "conc": "5-10 mg/mL", "vehicle": "LR"}),
        ("vancomycin@NS/5mg/mL", {"drug": "vancomycin", "conc": "5mg/mL", "vehicle": "NS"}),
        ("vancomycin@5mg/mL/0.9% NaCl", {"drug": "vancomycin", "conc": "5mg/mL", "vehicle": "0.9% NaCl"}),
        ("vancomycin@0.9% NaCl", {"drug": "vancomycin", "vehicle": "0.9% NaCl"}),
    ],
)
def test_spoken(typed: str, asked: dict[str, str] | str) -> None:
    assert spoken(typed) == asked


def test_a_spoken_amount_is_not_taken_for_a_fluid_in_silence(world_names: Names) -> None:
    """ "5mg" is no concentration; it reaches the reader and is told, never dropped."""
    asked = order({"drugs": [spoken("exemplapenem@5mg")]}, world_names)
    assert [item.at for item in asked.not_understood] == ["drugs/0/vehicle"]


def test_text_that_cannot_be_written_out_is_refused(world_names: Names) -> None:
    """A lone surrogate cannot be encoded: the answer could not show what was asked."""
    with pytest.raises(AskError):
        order({"drugs": ["exempla\ud800penem"]}, world_names)
