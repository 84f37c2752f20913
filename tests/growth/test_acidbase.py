"""The caution for untested pairs far apart in pH."""

from dataclasses import replace
from pathlib import Path

import pytest

from checker import Checker, acidbase
from checker.acidbase import Example, Share
from checker.model import UNSTATED, Status
from knowledge.link import link
from knowledge.model import AcidBase, Acidity, Cited
from knowledge.terms import Mode

RULE = AcidBase(
    rule="opposite-character-and-ph-gap",
    least_gap=3.5,
    predictive_value=0.9,
    predictive_value_interval=(0.8, 0.95),
    sensitivity=0.4,
    sensitivity_interval=(0.3, 0.5),
    pairs=100,
)


def acidity(low, high, character):
    return Acidity(
        low=low,
        high=high,
        of="injection",
        character=character,
        salt="",
        pka="",
        osmolarity="",
        cited=Cited(source="label-alonimab", at="description"),
    )


def with_acidity(world, **given):
    drugs = tuple(replace(drug, acidity=(given[drug.id],)) if drug.id in given else drug for drug in world.records.drugs)
    return link(replace(world.records, drugs=drugs, acid_base=RULE), "x")


def cautions(base, a, b):
    checker = Checker(base)
    judged, findings = checker._judge(Mode.Y_SITE, a, b, UNSTATED, UNSTATED)
    return judged, [finding for finding in findings if finding.code == "acid-base"]


def test_an_acid_and_a_base_far_apart_are_cautioned_and_stay_untested(world):
    base = with_acidity(world, warfictin=acidity(9, 10, "acid"), depotaril=acidity(3, 4, "base"))
    judged, found = cautions(base, "warfictin", "depotaril")

    assert judged.status is Status.NO_DATA
    assert len(found) == 1 and found[0].level == "caution"
    assert "pH 9-10" in found[0].text and "pH 3-4" in found[0].text and "90%" in found[0].text
    assert found[0].sources


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ((9, 10, "acid"), (6, 7, "base")),  # too near
        ((9, 10, "acid"), (3, 4, "acid")),  # of one character
        ((9, 10, "acid"), (3, 4, "")),  # character unknown
        ((None, None, "acid"), (3, 4, "base")),  # pH unknown
    ],
)
def test_no_caution_without_the_rule_met(world, one, two):
    base = with_acidity(world, warfictin=acidity(*one), depotaril=acidity(*two))

    assert cautions(base, "warfictin", "depotaril")[1] == []


def test_a_tested_pair_is_left_alone(world):
    base = with_acidity(world, samplamycin=acidity(10, 10, "acid"), fictazolam=acidity(3, 3, "base"))
    judged, found = cautions(base, "fictazolam", "samplamycin")

    assert judged.status is Status.COMPATIBLE and found == []


def test_wilson_interval_of_a_known_case():
    low, high = Share(31, 34).interval  # Wilson score interval, worked by hand

    assert (round(low, 3), round(high, 3)) == (0.770, 0.970)
    assert Share(0, 0).value == 0 and Share(0, 0).interval == (0.0, 1.0)


def test_the_threshold_keeps_its_predictive_value():
    known = [Example(f"a{i}", f"b{i}", 5.0, True) for i in range(30)] + [Example(f"c{i}", f"d{i}", 2.0, i % 2 == 0) for i in range(30)]

    assert acidbase.choose(known) == 2.5
    assert acidbase.choose([]) == float("inf")


def test_the_shipped_figures_are_those_that_the_evidence_gives(real):
    found = acidbase.validate(real)
    rule = real.records.acid_base

    assert rule.least_gap == found.chosen
    assert rule.predictive_value == pytest.approx(found.predictive_value.value, abs=0.005)
    assert rule.sensitivity == pytest.approx(found.sensitivity.value, abs=0.005)
    assert found.predictive_value.value >= acidbase.WANTED_PREDICTIVE_VALUE
    page = (Path(__file__).parents[2] / "docs" / "reasoning.md").read_text(encoding="utf-8")
    assert acidbase.chapter(found) in page, "run: python -m checker acid-base --write docs/reasoning.md"
