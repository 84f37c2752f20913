"""What a plan warns of by itself: a push that labels forbid, what meets now, what has no place. Then it is never clear."""

from __future__ import annotations

from typing import Any

import pytest

from checker import Checker, Names, Renderer
from checker.plan import plan
from checker.plan_model import Plan
from checker.plan_words import headline
from tests.plan.test_plan import BLUE, PENEM, STRONG, WEAK, WHITE, Json, Planner, planner

__all__ = ["planner"]


def told(answer: Json, code: str) -> list[tuple[str, list[str]]]:
    """Level and drugs of the findings with a code."""
    return [(item["level"], item["drugs"]) for item in answer["findings"] if item["code"] == code]


def pushed(drug: str, **more: Any) -> Json:
    return {"drug": drug, "bolus": True, "every_hours": 12, **more}


# --- pushes ---


def test_a_hard_rule_against_a_push_stops_the_plan(planner: Planner) -> None:
    answer = planner.ask(pushed("imaginuximab", hours=2))

    assert [("stop", ["imaginuximab"])] == [item for item in told(answer, "no-bolus") if item[0] != "note"]
    assert "stop" == answer["verdict"]
    assert any(item["sources"] and "asked as a push" in item["text"] for item in answer["findings"] if item["level"] == "stop")


def test_what_is_not_pushed_is_only_told_of_the_rule(planner: Planner) -> None:
    answer = planner.ask({"drug": "imaginuximab", "hours": 2, "every_hours": 12})

    assert [("note", ["imaginuximab"])] == told(answer, "no-bolus")


@pytest.mark.parametrize(("vehicle", "against"), [(None, "dilution-required"), ("undiluted", "not-diluted"), ("NS", ""), ("premix", "")])
def test_a_push_that_must_be_diluted_first(planner: Planner, vehicle: str | None, against: str) -> None:
    answer = planner.ask(pushed("placebotaxel", **({"vehicle": vehicle} if vehicle else {})))

    stops = [item["code"] for item in answer["findings"] if item["level"] == "stop"]
    assert ([against] if against else []) == [code for code in stops if "dilut" in code]


def test_a_softer_rule_cautions(planner: Planner) -> None:
    answer = planner.ask(pushed("placebotaxel", vehicle="NS"))

    assert ("caution", ["placebotaxel"]) in told(answer, "minibag-required")


@pytest.mark.parametrize(("drug", "code"), [("voriconazole", "no-bolus"), ("nitroglycerin", "no-bolus"), ("rituximab", "no-bolus"), ("vincristine", "minibag-required")])  # fmt: skip
def test_real_drugs_that_are_never_pushed(real_checker: Checker, real_names: Names, real_renderer: Renderer, drug: str, code: str) -> None:
    found = plan({"infusions": [pushed(drug)], "lumens": [WHITE]}, real_checker, real_names)

    assert "stop" == found.told.verdict
    assert [code] == [item.code for item in found.alarms if item.level == "stop" and item.code != "dilution-required"]


# --- the state before the plan ---


def test_incompatible_infusions_that_run_on_one_lumen_raise_an_alarm(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "now": "white"}, {**STRONG, "now": "white"})

    assert [("stop", ["exemplapenem", "fictazolam"])] == told(answer, "meets-now")
    assert "stop" == answer["verdict"]
    assert any("they meet now" in text for text in answer["summary"])


def test_compatible_infusions_that_run_on_one_lumen_raise_none(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "now": "white"}, {**WEAK, "now": "white"})

    assert not told(answer, "meets-now")


def test_an_infusion_that_runs_beside_a_fluid_that_it_must_not_meet(planner: Planner) -> None:
    fluids = [fluid for fluid in ("LR", "D5W", "NS") if _forbidden(planner, fluid)]
    assert fluids, "no drug of the world is forbidden a fluid any more"


def _forbidden(planner: Planner, fluid: str) -> bool:
    lumens = ({**WHITE, "fluid": fluid}, BLUE)
    answers = [planner.ask({"drug": drug, "now": "white"}, lumens=lumens) for drug in ("exemplapenem", "samplicin", "imaginuximab")]
    return any(told(answer, "meets-now") for answer in answers)


# --- the verdict ---


def test_a_plan_that_leaves_something_out_is_not_clear(planner: Planner) -> None:
    answer = planner.ask(PENEM, STRONG, lumens=(WHITE,))

    assert 1 == len(told(answer, "no-lumen"))
    assert "stop" == answer["verdict"]


def test_one_drug_in_two_preparations_is_not_clear(planner: Planner) -> None:
    answer = planner.ask(PENEM, {"drug": "exemplapenem", "conc": "10 mg/mL", "vehicle": "NS"}, lumens=(WHITE,))

    assert 1 == len(answer["to_decide"])
    assert "clear" != answer["verdict"]


def asked(planner: Planner, *infusions: Json, lumens: tuple[Json, ...] = (WHITE,)) -> Plan:
    return plan({"infusions": list(infusions), "lumens": list(lumens)}, planner.checker, planner.names)


def test_only_a_plan_with_nothing_to_mind_is_called_optimal(planner: Planner) -> None:
    unknown = {"drug": "samplamycin"}

    assert "Optimal" == headline(asked(planner, PENEM, WEAK))
    assert "Planned, with 1 pair to decide" == headline(asked(planner, PENEM, unknown))
    assert "No plan for all" == headline(asked(planner, PENEM, STRONG))
    assert headline(asked(planner, pushed("imaginuximab"))).startswith("Planned, with ")


# --- words ---


def test_why_an_infusion_is_alone_reads_as_sentences(planner: Planner) -> None:
    answer = planner.ask(PENEM, STRONG, lumens=({"name": "h", "kind": "central"}, BLUE))

    text = answer["infusions"][0]["text"]
    assert "It runs alone there. Against lumen" in text and "incompatible with fictazolam" in text
    assert "Alone:" not in text


def test_the_real_verdict_of_a_plan_without_all(real_checker: Checker, real_names: Names) -> None:
    """Law 2: oxaliplatin and fluorouracil on one lumen."""
    found = plan({"infusions": [{"drug": "oxaliplatin"}, {"drug": "fluorouracil"}], "lumens": [WHITE]}, real_checker, real_names)

    assert found.left_out and "stop" == found.told.verdict
