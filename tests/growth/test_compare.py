"""Differences between two knowledge bases, a user's own table, and the coverage matrix."""

import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest

from checker import Checker, Names
from checker.compare import compare, difference
from checker.coverage import cover, picture
from checker.growth_cli import told
from checker.model import UNSTATED
from knowledge.link import link
from knowledge.terms import Mode


def without(world, source):
    sources = tuple(replace(item, withdrawn="2026-02-01 retracted") if item.id == source else item for item in world.records.sources)
    return link(replace(world.records, sources=sources), "y")


def test_nothing_changed_is_said_so(world):
    changed = difference(world, world)

    assert changed.empty
    assert "No answer and no fact changed" in told(changed, "main")


def test_a_withdrawn_source_takes_its_answers_back(world):
    changed = difference(world, without(world, "poe-2012-bracket"))
    flips = {(flip.pair, flip.mode): (flip.before, flip.after) for flip in changed.flips}

    assert changed.sources_withdrawn == ("poe-2012-bracket",)
    assert flips == {(("fictazolam", "samplamycin"), "y-site"): ("compatible", "no-data")}
    assert "less strict" not in told(changed, "main"), "from compatible to no data is stricter"


def test_an_incompatibility_that_goes_is_shown_as_less_strict(world):
    words = told(difference(world, without(world, "moe-2008-lists")), "main")

    assert "less strict" in words and "fictazolam + mockprazole (y-site): incompatible -> no-data" in words


def test_what_one_rule_changes_for_many_is_one_line(world):
    alone = next(rule for rule in world.drugs["imaginuximab"].rules if rule.rule == "dedicated-line")
    drugs = tuple(
        replace(drug, rules=tuple(rule for rule in drug.rules if rule != alone)) if drug.id == "imaginuximab" else drug
        for drug in world.records.drugs
    )
    before = link(replace(world.records, drugs=drugs), "y")
    words = told(difference(before, world), "main")
    others = {other for flip in difference(before, world).flips for other in flip.pair} - {"imaginuximab"}

    assert len(others) > 10
    assert re.search(r"^- imaginuximab with \d+ drugs \(.*y-site.*\): no-data -> incompatible \[label-imaginux\]$", words, re.MULTILINE)
    assert len(re.findall(r"^- imaginuximab \+ ", words, re.MULTILINE)) < 4, "only those of which other modes had an answer before"
    counted = sum(int(count) for count in re.findall(r"with (\d+) drugs \([^)]*y-site", words)) + len(
        re.findall(r" \+ \S+ \([^)]*y-site", words)
    )
    assert counted == sum(flip.mode == "y-site" for flip in difference(before, world).flips), "nothing is lost in the folding"


def test_graver_changes_come_first(world):
    words = told(difference(without(world, "poe-2012-bracket"), without(world, "moe-2008-lists")), "main").splitlines()
    less = words.index("Answers that became less strict:")

    assert "incompatible -> no-data" in words[less + 1]
    assert any("no-data -> compatible" in line for line in words[less + 2 :])


def test_a_label_that_permits_a_fluid_is_named_as_the_source_of_the_change(world):
    permitted = [
        (drug, rule)
        for drug in world.records.drugs
        for rule in drug.rules
        if rule.rule == "diluent-required" and set(rule.values) & set(world.vehicles)
    ]
    stripped = tuple(
        replace(drug, rules=tuple(rule for rule in drug.rules if rule.rule != "diluent-required")) for drug in world.records.drugs
    )
    changed = difference(link(replace(world.records, drugs=stripped), "y"), world)
    new = [flip for flip in changed.flips if (flip.before, flip.after) == ("no-data", "compatible")]

    assert permitted and new
    assert all(flip.sources for flip in new)


@pytest.mark.parametrize("kind", ["diluent-required", "no-admixture", "dedicated-line", "diluent-contraindicated", "composition", "parent"])
def test_no_change_of_an_answer_is_missed(world, kind):
    """Against every pair of the base, asked one by one."""
    lacking = {"composition": {"composition": ()}, "parent": {"parent": ""}}
    drugs = tuple(
        replace(drug, **lacking.get(kind, {"rules": tuple(rule for rule in drug.rules if rule.rule != kind)}))
        for drug in world.records.drugs
    )
    old = link(replace(world.records, drugs=drugs), "y")
    before, after = Checker(old), Checker(world)
    expected = {
        (pair, mode)
        for pair in combinations(sorted(world.drugs), 2)
        for mode in Mode
        if world.drugs[pair[0]].infused and world.drugs[pair[1]].infused
        if before.judge(mode, *pair, UNSTATED, UNSTATED).status is not after.judge(mode, *pair, UNSTATED, UNSTATED).status
    }

    assert expected
    assert expected <= {(flip.pair, flip.mode) for flip in difference(old, world).flips}


def test_a_table_is_compared_and_danger_named(tmp_path, world):
    file = tmp_path / "table.csv"
    file.write_text(
        "drug_a,drug_b,verdict\nsamplamycin,fictazolam,I\nmockprazole,fictazolam,incompatible\nsamplicin,zzzmab,C\nsamplicin,warfictin,huh\n",
        encoding="utf-8",
    )
    found = compare(Checker(world), Names(world), file)

    assert found.compared == 2 and found.agreement == 0.5
    assert [(pair, verdict) for pair, verdict, _ in found.dangerous] == [(("fictazolam", "samplamycin"), "incompatible")]
    assert [line for line, _ in found.unread] == [4, 5]


def test_a_table_without_its_columns_is_refused(tmp_path, world):
    file = tmp_path / "table.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")

    with pytest.raises(ValueError, match="drug_a, drug_b, verdict"):
        compare(Checker(world), Names(world), file)


def test_coverage_counts_each_pair_once_and_draws_it(world_checker):
    drugs = ["fictazolam", "samplamycin", "mockprazole", "soloximab", "warfictin"]
    covered = cover(world_checker, drugs)

    assert len(covered.cells) == 10
    assert sum(covered.by_how.values()) == sum(covered.by_status.values()) == 10
    assert covered.by_how["study"] >= 2 and covered.by_how["nothing"] >= 1
    svg = ElementTree.fromstring(picture(world_checker, covered))  # noqa: S314 - our own output
    assert len(svg.findall("{http://www.w3.org/2000/svg}rect")) == 1 + 20
