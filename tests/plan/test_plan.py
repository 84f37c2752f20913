"""Plans over the made-up world: what each rule of the base means for a lumen, and what the plan says of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker import Checker, Names, Renderer
from checker.plan import plan
from checker.plan_report import plain
from knowledge import Knowledge, load
from tests.conftest import WORLD
from tests.plan.referee import broken, together

Json = dict[str, Any]
WHITE, BLUE, HAND = {"name": "white", "kind": "central"}, {"name": "blue", "kind": "central"}, {"name": "hand", "kind": "peripheral"}
# drugs at the concentrations of roe-2015-exemplapenem: the first two are compatible, the first and third are not
PENEM = {"drug": "exemplapenem", "conc": "20 mg/mL", "vehicle": "NS"}
WEAK = {"drug": "fictazolam", "conc": "1 mg/mL", "vehicle": "NS"}
STRONG = {"drug": "fictazolam", "conc": "5 mg/mL", "vehicle": "NS"}


class Planner:
    """The planner over one knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge, self.names, self.checker, self.renderer = knowledge, Names(knowledge), Checker(knowledge), Renderer(knowledge)

    def ask(self, *infusions: Any, lumens: Any = (WHITE, BLUE), **more: Any) -> Json:
        return self.answer(
            {"infusions": [{"drug": item} if isinstance(item, str) else item for item in infusions], "lumens": list(lumens), **more}
        )

    def answer(self, question: Json, seconds: float = 20.0) -> Json:
        answer = plain(plan(question, self.checker, self.names, seconds), self.renderer)
        assert not broken(question, answer, self.knowledge, self.names)
        return answer


@pytest.fixture(scope="session")
def planner(world: Knowledge) -> Planner:
    return Planner(world)


def where(answer: Json) -> dict[str, str]:
    return {item["at"]: item["lumen"] for item in answer["infusions"]}


def goal(answer: Json, name: str) -> int:
    return next(item["value"] for item in answer["goals"] if item["goal"] == name)


def test_compatible_drugs_share_one_lumen(planner: Planner) -> None:
    answer = planner.ask(PENEM, WEAK)

    assert ("optimal", 1, []) == (answer["status"], len(set(where(answer).values())), answer["to_decide"])
    assert {"lumens": 1, "more_central": 0, "proven": True} == answer["lumens_needed"]
    shared = answer["shared"][0]
    assert ("together", "compatible", False) == (shared["how"], shared["line"]["status"], shared["ask"])
    assert "roe-2015-exemplapenem" == shared["line"]["evidence"][0]["source"]["id"]


def test_incompatible_drugs_do_not(planner: Planner) -> None:
    answer = planner.ask(PENEM, STRONG)

    assert 2 == len(set(where(answer).values()))
    assert "incompatible with fictazolam" in answer["infusions"][0]["text"]


def test_no_data_is_not_compatible(planner: Planner) -> None:
    answer = planner.ask("samplicin", "fictazolam")

    assert 2 == len(set(where(answer).values()))


def test_what_cannot_be_avoided_is_asked_and_cited(planner: Planner) -> None:
    answer = planner.ask("samplamycin", "exemplapenem", lumens=(WHITE,))

    assert "optimal" == answer["status"]
    assert ["no-data"] == [item["line"]["status"] for item in answer["to_decide"]]
    assert answer["verdict"] in ("unknown", "caution")
    assert any("A pharmacist has to decide" in text for text in answer["summary"])


def test_strict_never_lets_untested_drugs_meet(planner: Planner) -> None:
    answer = planner.ask("samplamycin", "exemplapenem", lumens=(WHITE,), policy="strict")

    assert "no-plan" == answer["status"]
    assert {"infusions/0", "infusions/1"} == set(answer["conflict"]["infusions"])
    assert answer["conflict"]["smallest"] and answer["conflict"]["clique"]
    assert {"lumens": 2, "more_central": 1, "proven": True} == answer["lumens_needed"]
    assert 1 == len(answer["breaks"]) and "needs another access" in answer["breaks"][0]["text"]


@pytest.mark.parametrize("policy", ["ask", "strict"])
def test_incompatible_drugs_never_meet_under_any_policy(planner: Planner, policy: str) -> None:
    answer = planner.ask(PENEM, STRONG, lumens=(WHITE,), policy=policy)

    assert ("no-plan", 1) == (answer["status"], len(answer["breaks"]))
    assert not together(answer)


def test_reported_without_conditions_is_asked_as_well(planner: Planner) -> None:
    answer = planner.ask("fictazolam", "mockplatin", lumens=(WHITE,))

    assert (0, 1) == (goal(answer, "pairs-to-decide"), goal(answer, "unstated-pairs"))
    assert ["conditions-not-stated"] == [item["line"]["reason"] for item in answer["to_decide"]]
    assert "no-plan" == planner.ask("fictazolam", "mockplatin", lumens=(WHITE,), policy="strict")["status"]


def test_tested_drugs_are_preferred_to_untested_ones(planner: Planner) -> None:
    """Three on two lumens: the two that are known to be compatible share."""
    answer = planner.ask(PENEM, WEAK, "warfictin")

    assert 0 == goal(answer, "pairs-to-decide")
    assert where(answer)["infusions/0"] == where(answer)["infusions/1"] != where(answer)["infusions/2"]


def test_a_drug_that_needs_a_central_line_gets_one(planner: Planner) -> None:
    answer = planner.ask("mockplatin", {**PENEM, "prefer": ["white"]}, lumens=(HAND, WHITE))

    assert {"infusions/0": "white", "infusions/1": "hand"} == where(answer)
    assert ["label-mockplatin"] == [cite["id"] for bar in answer["barred"] if bar["code"] == "central-only" for cite in bar["sources"]]


def test_without_a_central_line_there_is_no_plan_and_the_label_says_why(planner: Planner) -> None:
    answer = planner.ask("mockplatin", "warfictin", lumens=(HAND,))

    assert ("no-plan", ["infusions/0"], True) == (answer["status"], answer["conflict"]["infusions"], answer["conflict"]["smallest"])
    assert "central line" in answer["conflict"]["text"]


def test_a_blocked_lumen_is_not_used(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "now": "white"}, lumens=({**WHITE, "blocked": "pressure monitoring"}, BLUE))

    assert {"infusions/0": "blue"} == where(answer)
    assert "white" == answer["infusions"][0]["moved_from"]
    assert "pressure monitoring" in answer["lumens"][0]["text"]


def test_what_runs_stays_where_it_runs(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "now": "blue"}, {**STRONG, "prefer": ["blue"]})

    assert {"infusions/0": "blue", "infusions/1": "white"} == where(answer)
    assert 0 == goal(answer, "moves")


def test_a_lumen_knows_what_runs_through_it(planner: Planner) -> None:
    answer = planner.ask(PENEM, STRONG, lumens=(WHITE, {**BLUE, "in_use_by": ["exemplapenem"]}))

    assert {"infusions/0": "blue", "infusions/1": "white"} == where(answer)


def test_moves_count_more_than_lumens(planner: Planner) -> None:
    """Two compatible drugs that run apart stay apart, though one lumen would do."""
    answer = planner.ask({**PENEM, "now": "white"}, {**WEAK, "now": "blue"})

    assert {"infusions/0": "white", "infusions/1": "blue"} == where(answer)
    assert 1 == answer["lumens_needed"]["lumens"]


def test_a_fluid_that_a_label_forbids_is_in_the_way(planner: Planner) -> None:
    answer = planner.ask("exemplapenem", lumens=({**WHITE, "fluid": "D5W"}, HAND))

    assert {"infusions/0": "hand"} == where(answer)
    assert ["fluid"] == [bar["code"] for bar in answer["barred"]]
    assert "label-exemplex" in {cite["id"] for bar in answer["barred"] for cite in bar["sources"]}


def test_a_permitted_fluid_is_known_to_be_compatible(planner: Planner) -> None:
    answer = planner.ask("exemplapenem", lumens=({**WHITE, "fluid": "NS"},), policy="strict")

    assert ("optimal", ["permitted-diluent"]) == (answer["status"], [item["line"]["reason"] for item in answer["shared"]])


def test_a_drug_and_the_fluid_it_is_prepared_in_may_share(planner: Planner) -> None:
    answer = planner.ask({**PENEM}, "NS", lumens=(WHITE,), policy="strict")

    assert "optimal" == answer["status"]


def test_a_fluid_that_nobody_tested_is_asked(planner: Planner) -> None:
    answer = planner.ask("samplamycin", lumens=({**WHITE, "fluid": "fictional-water"},))

    assert 1 == goal(answer, "pairs-to-decide")
    assert ["lumens/0/fluid", "infusions/0"] == answer["to_decide"][0]["at"]


def test_a_label_against_co_infusion_keeps_a_drug_apart_in_time(planner: Planner) -> None:
    dose = {"drug": "imaginuximab", "hours": 2, "every_hours": 24}
    answer = planner.ask(dose, {**PENEM, "hours": 0.5, "every_hours": 8}, lumens=(WHITE,))

    assert "optimal" == answer["status"] and not together(answer)
    assert "no-plan" == planner.ask(dose, PENEM, lumens=(WHITE,))["status"]


def test_doses_that_must_not_meet_follow_each_other_with_a_flush(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "hours": 1, "every_hours": 8}, {**STRONG, "hours": 2, "every_hours": 12}, lumens=(WHITE,))

    assert "optimal" == answer["status"]
    assert ["in-turn"] == [item["how"] for item in answer["shared"]]
    flush = answer["lumens"][0]["flushes"]
    assert flush and all("between" == item["code"] and 10 == item["to_minute"] - item["from_minute"] for item in flush)
    assert any(item["code"] == "flush-between" for item in answer["findings"])


def test_the_flush_between_is_one_that_nothing_forbids(planner: Planner) -> None:
    """label-samplicin names NS or D5W; label-exemplex forbids D5W."""
    answer = planner.ask({**PENEM, "hours": 1, "every_hours": 8}, {"drug": "samplicin", "hours": 1, "every_hours": 8}, lumens=(WHITE,))

    between = [flush for flush in answer["lumens"][0]["flushes"] if flush["code"] == "between"]
    assert between and all(["fictional-saline"] == flush["fluids"] for flush in between)
    assert all("label-samplicin" in {cite["id"] for cite in flush["sources"]} for flush in between)


def test_a_longer_flush_keeps_doses_further_apart(planner: Planner) -> None:
    answer = planner.ask(
        {**PENEM, "hours": 1, "every_hours": 8}, {**STRONG, "hours": 1, "every_hours": 8}, lumens=(WHITE,), flush_minutes=60
    )
    first, second = sorted(dose["from_minute"] for item in answer["infusions"] for dose in item["doses"])[:2]

    assert 120 == second - first


def test_doses_without_room_are_no_plan(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "hours": 4, "every_hours": 8}, {**STRONG, "hours": 4, "every_hours": 8}, lumens=(WHITE,))

    assert ("no-plan", False) == (answer["status"], answer["conflict"]["clique"] and not answer["conflict"]["smallest"])


def test_doses_come_as_early_as_they_can(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "hours": 1, "every_hours": 8}, {**STRONG, "hours": 0.5, "every_hours": 24}, lumens=(WHITE,))

    assert ["00:40", "08:40", "16:40"] == [dose["start"] for dose in answer["infusions"][0]["doses"]]
    assert ["00:00"] == [dose["start"] for dose in answer["infusions"][1]["doses"]]
    assert 40 == goal(answer, "dose-delay")


def test_doses_keep_their_windows_past_midnight(planner: Planner) -> None:
    late = {**PENEM, "hours": 1, "windows": [{"from": "23:30", "to": "00:30"}]}
    answer = planner.ask(late, {**STRONG, "hours": 1, "windows": [{"from": "23:00", "to": "23:30"}]}, lumens=(WHITE,), day_starts="07:00")

    assert [["00:10"], ["23:00"]] == [[dose["start"] for dose in item["doses"]] for item in answer["infusions"]]


def test_a_window_with_an_interval_anchors_one_dose(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "hours": 1, "every_hours": 8, "windows": [{"from": "20:00", "to": "21:00"}]})

    assert ["04:00", "12:00", "20:00"] == [dose["start"] for dose in answer["infusions"][0]["doses"]]


@pytest.mark.parametrize(("every", "expected"), [(24, 1), (12, 2), (5, 5), (7, 4), (18, 2), (36, 1), (48, 1), (0.5, 48)])
def test_as_many_doses_as_begin_in_the_day(planner: Planner, every: float, expected: int) -> None:
    answer = planner.ask({"drug": "fictazolam", "hours": 0.25, "every_hours": every})

    assert expected == len(answer["infusions"][0]["doses"])
    assert (1440 % (every * 60) != 0) == any("does not divide the day" in text for text in answer["summary"])


def test_a_quiet_lumen_gets_no_flush(planner: Planner) -> None:
    """warfictin must not be interrupted, so the two doses that need a flush between go elsewhere."""
    doses = ({**PENEM, "hours": 1, "every_hours": 12}, {**STRONG, "hours": 1, "every_hours": 12})
    answer = planner.ask({"drug": "fictazolam", "conc": "1 mg/mL", "vehicle": "NS", "must_not_interrupt": True}, *doses)

    assert where(answer)["infusions/0"] not in [where(answer)["infusions/2"]]


@pytest.mark.parametrize(
    "partner",
    [
        {**PENEM, "bolus": True, "every_hours": 8},  # a push, and the flush after it
        {"drug": "alonimab", "hours": 1, "every_hours": 12},  # its label asks for a flush after it
    ],
)
def test_a_push_or_a_labelled_flush_never_goes_through_a_quiet_lumen(planner: Planner, partner: Json) -> None:
    keep = {**WEAK, "must_not_interrupt": True}
    lumens = (WHITE, {**BLUE, "blocked": True})

    assert "no-plan" == planner.ask(keep, partner, lumens=lumens)["status"]
    assert 2 == len(set(where(planner.ask(keep, partner)).values()))
    assert "optimal" == planner.ask(WEAK, partner, lumens=lumens)["status"]


def test_what_must_not_be_interrupted_is_left_out_last(planner: Planner) -> None:
    answer = planner.ask({**PENEM, "must_not_interrupt": True}, {**STRONG, "now": "white"}, lumens=(WHITE,))

    assert ["infusions/1"] == [item["infusion"] for item in answer["breaks"]]


def test_two_preparations_of_one_drug_are_asked(planner: Planner) -> None:
    answer = planner.ask(WEAK, STRONG, lumens=(WHITE,))

    assert [None] == [item["line"] for item in answer["to_decide"]]
    assert "does not judge a drug against itself" in answer["to_decide"][0]["text"]


def test_advice_for_a_large_vein_is_followed_where_it_can_be(planner: Planner) -> None:
    """The made-up world has the advice beside the demand, so the demand decides."""
    assert 0 == goal(planner.ask("mockplatin", lumens=(WHITE, HAND)), "advice-not-followed")


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1])
def test_however_short_the_time_the_answer_is_honest(planner: Planner, seconds: float) -> None:
    infusions = [{"drug": name, "hours": 1, "every_hours": 6} for name in DRUGS[:6]] + [{"drug": name} for name in DRUGS[6:]]

    answer = planner.answer({"infusions": infusions, "lumens": [WHITE, BLUE, HAND]}, seconds)

    assert answer["status"] in ("optimal", "best-found", "no-plan", "not-decided")
    assert ("not-decided" == answer["status"] or "no-plan" == answer["status"]) == bool(answer["breaks"])


def test_the_plan_names_its_knowledge_and_its_verdict(planner: Planner) -> None:
    answer = planner.ask(PENEM, WEAK)

    assert planner.renderer.identity == answer["knowledge"]
    assert answer["verdict"] in ("clear", "caution", "unknown", "stop")
    assert answer["findings"]


def test_interactions_are_told_although_no_lumen_cures_them(planner: Planner) -> None:
    answer = planner.ask("samplamycin", "exemplapenem", medications=["warfictin"])

    assert any(finding["kind"] == "interaction" for finding in answer["findings"])


DRUGS = [
    "exemplapenem",
    "fictazolam",
    "samplicin",
    "samplamycin",
    "mockprazole",
    "mockplatin",
    "imaginuximab",
    "alonimab",
    "calcium-mockate",
    "soloximab",
    "fictional-saline",
    "nutrimock",
]


@st.composite
def questions(draw: st.DrawFn) -> Json:
    drugs = draw(st.lists(st.sampled_from(DRUGS), min_size=1, max_size=6, unique=True))
    lumens = [
        {"name": name, "kind": draw(st.sampled_from(["central", "central", "peripheral"]))}
        for name in ["white", "blue", "brown"][: draw(st.integers(1, 3))]
    ]
    infusions = []
    for drug in drugs:
        item: Json = {"drug": drug}
        if draw(st.booleans()):
            item |= {"hours": draw(st.sampled_from([0.5, 1, 3])), "every_hours": draw(st.sampled_from([6, 8, 12, 24]))}
        elif draw(st.booleans()):
            item |= {"must_not_interrupt": True}
        if draw(st.booleans()):
            item["now"] = draw(st.sampled_from([lumen["name"] for lumen in lumens]))
        infusions.append(item)
    if draw(st.booleans()):
        lumens[0]["fluid"] = draw(st.sampled_from(["NS", "D5W", "LR"]))
    return {"infusions": infusions, "lumens": lumens, "policy": draw(st.sampled_from(["ask", "strict"]))}


_PLANNER: list[Planner] = []


def shared_planner() -> Planner:
    if not _PLANNER:
        _PLANNER.append(Planner(load(WORLD, cache=False)))
    return _PLANNER[0]


@given(questions())
def test_a_plan_always_passes_the_checker(question: Json) -> None:
    answer = shared_planner().answer(question)

    assert answer["status"] in ("optimal", "no-plan")
    assert not [
        pair for pair in answer["shared"] if pair["how"] == "together" and pair["line"] and pair["line"]["status"] == "incompatible"
    ]


@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_the_question_never_matters(question: Json, chance: Any) -> None:
    turned = {**question, "infusions": list(question["infusions"]), "lumens": list(question["lumens"])}
    chance.shuffle(turned["infusions"])
    chance.shuffle(turned["lumens"])

    one, two = shared_planner().answer(question), shared_planner().answer(turned)

    def said(answer: Json) -> dict[str, Any]:
        return {item["drug"]: (item["lumen"], item["doses"]) for item in answer["infusions"]}

    assert said(one) == said(two)
    assert one["goals"] == two["goals"]


@given(questions())
def test_a_lumen_more_never_makes_the_plan_worse(question: Json) -> None:
    more = {**question, "lumens": [*question["lumens"], {"name": "new", "kind": "central"}]}

    def worth(answer: Json) -> list[Any]:
        values = [item["value"] for item in answer["goals"]]
        return [answer["status"] != "optimal", *([0, 0, 0] if answer["status"] == "optimal" else []), *values]

    assert worth(shared_planner().answer(more)) <= worth(shared_planner().answer(question))


@given(questions(), st.data())
def test_an_infusion_less_never_needs_more_lumens(question: Json, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(question["infusions"]) - 1))
    fewer = {**question, "infusions": [item for place, item in enumerate(question["infusions"]) if place != number]}
    if not fewer["infusions"]:
        return

    whole, less = (shared_planner().answer(some)["lumens_needed"] for some in (question, fewer))

    assert (less["more_central"], less["lumens"]) <= (whole["more_central"], whole["lumens"])


def test_a_drug_that_the_base_knows_only_beside_infusions_is_told(planner: Planner) -> None:
    answer = planner.ask("warfictin")

    assert "not-known-as-infusion" in [finding["code"] for finding in answer["findings"]]
    assert "caution" == answer["verdict"]
