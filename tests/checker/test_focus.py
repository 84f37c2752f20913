"""A question about what is new beside what runs, and two drugs of one bag."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from checker import Checker, Names, order
from checker.model import Kind
from knowledge import Knowledge
from knowledge.terms import Mode

DRUGS = ("exemplapenem", "fictazolam", "samplicin", "calcium mockate", "imaginuximab", "nonesuch")


def test_only_what_touches_the_focus_is_judged(world_checker: Checker, world_names: Names) -> None:
    asked = order({"drugs": list(DRUGS), "medications": ["warfictin"]}, world_names)
    report = world_checker.check(replace(asked, focus=frozenset({"drugs/2"})))

    assert len(DRUGS) == len(report.pairs)
    assert all("drugs/2" in pair.at for pair in report.pairs)
    assert all("samplicin" in finding.drugs for finding in report.findings if finding.code != "mixture-not-proven")


@given(st.sets(st.integers(0, len(DRUGS) - 1)))
def test_a_focus_leaves_out_and_changes_nothing_else(world: Knowledge, chosen: set[int]) -> None:
    asked = order({"drugs": list(DRUGS)}, Names(world))
    whole = Checker(world).check(asked)
    part = Checker(world).check(replace(asked, focus=frozenset(f"drugs/{number}" for number in chosen)))

    assert set(part.findings) - {finding for finding in part.findings if finding.code == "mixture-not-proven"} <= set(whole.findings)
    assert [pair for pair in whole.pairs if {at for at in pair.at} & {f"drugs/{number}" for number in chosen}] == list(part.pairs)


def test_no_focus_judges_everything(world_checker: Checker, world_names: Names) -> None:
    asked = order({"drugs": list(DRUGS)}, world_names)

    assert asked.focus is None
    assert len(list(combinations(DRUGS, 2))) == len(world_checker.check(asked).pairs)


def test_two_drugs_of_one_bag_are_judged_as_an_admixture(world_checker: Checker, world_names: Names) -> None:
    asked = order({"drugs": ["exe/fix", "samplicin", "mockprazole"]}, world_names)
    mixed = replace(
        asked, infusions=tuple(replace(infusion, bag="one") if infusion.at != "drugs/2" else infusion for infusion in asked.infusions)
    )
    lines = {frozenset(pair.at): pair.line for pair in world_checker.check(mixed).pairs}

    assert Mode.ADMIXTURE is lines[frozenset({"drugs/0", "drugs/1"})].mode  # type: ignore[union-attr]
    assert Mode.Y_SITE is lines[frozenset({"drugs/0", "drugs/2"})].mode  # type: ignore[union-attr]
    assert any(
        finding.kind is Kind.LINE and finding.code == "incompatible/excluded-by-rule" for finding in world_checker.check(mixed).findings
    )
