"""conflicts.py: where sources disagree, and Cohen's kappa between kinds of sources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import load
from knowledge.conflicts import agreements, conflicts, explanation, kappa, together
from knowledge.model import Cited, Row, Side
from knowledge.terms import Basis, Finding, Mode, Result
from knowledge.units import Concentration
from tests.knowledge.folder import Folder


def _pairs(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> list[tuple[object, object]]:
    return [("y", "y")] * yes_yes + [("y", "n")] * yes_no + [("n", "y")] * no_yes + [("n", "n")] * no_no


KAPPA = {
    # by hand: observed (20 + 15) / 50 = 0.7, expected (25 * 30 + 25 * 20) / 50**2 = 0.5
    "in part": (_pairs(20, 5, 10, 15), 0.4),
    "in full": (_pairs(5, 0, 0, 5), 1.0),
    "never": (_pairs(0, 5, 5, 0), -1.0),
    "as by chance": (_pairs(25, 25, 25, 25), 0.0),
}


@pytest.mark.parametrize("name", KAPPA)
def test_kappa(name: str) -> None:
    ratings, value = KAPPA[name]

    assert pytest.approx(value) == kappa(ratings)


@pytest.mark.parametrize("ratings", [[], [("y", "y")] * 4], ids=["nothing to compare", "one word only"])
def test_kappa_is_not_defined(ratings: list[tuple[object, object]]) -> None:
    assert kappa(ratings) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=40))
def test_kappa_is_symmetric_and_at_most_one(ratings: list[tuple[object, object]]) -> None:
    value, turned = kappa(ratings), kappa([(b, a) for a, b in ratings])

    if value is None:
        assert turned is None
    else:
        assert value == pytest.approx(turned)
        assert value <= 1 + 1e-12


def test_results_of_rows_as_one(folder: Folder) -> None:
    rows = load(folder.root, cache=False).records.rows
    compatible = [row for row in rows if row.result is Result.COMPATIBLE]
    incompatible = [row for row in rows if row.result is Result.INCOMPATIBLE]

    assert Result.COMPATIBLE is together(compatible)
    assert Result.INCOMPATIBLE is together(incompatible)
    assert Result.VARIABLE is together(compatible + incompatible)


STUDY = """source: {{id: {id}, kind: {kind}, title: made up, pmid: 00000009}}
read: {{what: abstract}}
common: {{drug: nonesuch, with: mockplatin, mode: y-site, basis: physical, at: abstract}}
rows:
  - {{result: {result}, finding: {finding}}}
"""


def _study(folder: Folder, identity: str, kind: str, result: str, finding: str = "none") -> None:
    folder.write(f"studies/{identity}.yaml", STUDY.format(id=identity, kind=kind, result=result, finding=finding))


def test_sources_that_disagree_are_listed_side_by_side(folder: Folder) -> None:
    _study(folder, "a-2001", "journal", "compatible")
    _study(folder, "b-2002", "label", "incompatible", "haze")

    found = [item for item in conflicts(load(folder.root, cache=False)) if item.pair == ("mockplatin", "nonesuch")]

    assert [(Mode.Y_SITE, {"a-2001", "b-2002"})] == [(item.mode, set(item.by_source)) for item in found]


def test_sources_that_agree_or_speak_of_other_modes_are_not(folder: Folder) -> None:
    _study(folder, "a-2001", "journal", "compatible")
    _study(folder, "b-2002", "label", "compatible")
    _study(folder, "c-2003", "label", "incompatible", "haze")
    folder.replace("studies/c-2003.yaml", "mode: y-site", "mode: admixture")

    assert [] == [item for item in conflicts(load(folder.root, cache=False)) if item.pair == ("mockplatin", "nonesuch")]


def test_agreement_counts_the_pairs_of_which_both_speak(folder: Folder) -> None:
    _study(folder, "a-2001", "journal", "compatible")
    _study(folder, "b-2002", "label", "incompatible", "haze")

    line = next(item for item in agreements(load(folder.root, cache=False)) if (item.first, item.second) == ("journal", "label"))

    assert 1 <= line.pairs
    assert line.agreed < line.pairs


def _row(
    result: Result, conc: str = "", vehicle: str = "", formulation: str = "", hours: float | None = None, basis: Basis = Basis.PHYSICAL
) -> Row:
    one = Side(
        drug="fictazolam", conc=Concentration.parse(conc) if conc else None, vehicles=(vehicle,) if vehicle else (), formulation=formulation
    )
    return Row(
        id="x#1",
        a=one,
        b=Side(drug="samplicin"),
        mode=Mode.Y_SITE,
        result=result,
        basis=basis,
        method=(),
        hours=hours,
        finding=Finding.OTHER,
        note="",
        cited=Cited(source="x"),
    )


GOOD, BAD = Result.COMPATIBLE, Result.INCOMPATIBLE


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([_row(GOOD, "1 mg/mL"), _row(BAD, "5 mg/mL")], ("concentration",)),
        ([_row(GOOD, "1 mg/mL"), _row(BAD, "5 mEq/mL")], ()),
        ([_row(GOOD, "1-5 mg/mL"), _row(BAD, "5 mg/mL")], ()),
        ([_row(GOOD, "1 mg/mL"), _row(BAD)], ()),
        ([_row(GOOD, vehicle="ns"), _row(BAD, vehicle="d5w")], ("vehicle",)),
        ([_row(GOOD, formulation="edta"), _row(BAD, formulation="edta-free")], ("formulation",)),
        ([_row(GOOD, basis=Basis.PHYSICAL), _row(BAD, basis=Basis.CHEMICAL)], ("method",)),
        ([_row(GOOD, hours=1), _row(BAD, hours=24)], ("hours",)),
        ([_row(GOOD, hours=24), _row(BAD, hours=1)], ()),
        ([_row(GOOD), _row(BAD)], ()),
        ([_row(GOOD), _row(GOOD)], ()),
    ],
)
def test_a_conflict_is_explained_only_by_what_every_row_states(rows: list[Row], words: tuple[str, ...]) -> None:
    assert words == explanation(rows)
