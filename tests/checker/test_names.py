"""Names: exact but for spelling marks, never guessed."""

from __future__ import annotations

import pytest

from checker import Names
from checker.model import NotUnderstood
from checker.names import Match, normalise
from knowledge import Knowledge


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Exe/Fix", "exefix"),
        ("exe-fix", "exefix"),
        ("  EXE  FIX ", "exefix"),
        ("0.9 % NaCl", "0.9nacl"),
        ("0,9% NaCl", "0.9nacl"),
        ("MgSO₄", "mgso4"),
        ("naïve", "naive"),
        ("D5½NS", "d512ns"),
        ("exemplapenem.", "exemplapenem"),
        ("...", ""),
        ("万古霉素", ""),
    ],
)
def test_spelling_marks_do_not_matter(written: str, key: str) -> None:
    assert normalise(written) == key


@pytest.mark.parametrize(
    ("written", "drug", "matched_by"),
    [
        ("exemplapenem", "exemplapenem", "name"),
        ("EXEMPLApenem", "exemplapenem", "name"),
        ("Exemplex", "exemplapenem", "brand"),
        ("exemplapenem sodium", "exemplapenem", "salt"),
        ("expm", "exemplapenem", "abbreviation"),
        ("Exe / Fix", "exemplapenem-fixobactam", "abbreviation"),
        ("imaginuximab-abcd", "imaginuximab", "biosimilar"),
        ("ns", "fictional-saline", "abbreviation"),
        ("Mock Ringer’s", "fictional-ringer", "synonym"),
        ("nutrimock with calcium", "nutrimock-with-calcium", "name"),
    ],
)
def test_every_kind_of_name_resolves(world_names: Names, written: str, drug: str, matched_by: str) -> None:
    assert world_names.resolve(written, "drugs/0") == Match(drug, matched_by)


@pytest.mark.parametrize("name", ["exemplapenam", "exemplapene", "fictazola", "samplicine", "samplamycine", "mockplatinn", "exe/fixx"])
def test_a_near_miss_suggests_and_never_resolves(world_names: Names, name: str) -> None:
    found = world_names.resolve(name, "drugs/0")

    assert isinstance(found, NotUnderstood)
    assert found.reason == "unresolved-name"
    assert found.candidates


def test_what_looks_like_nothing_gets_no_suggestion(world_names: Names) -> None:
    assert world_names.suggest("qqqqqqqq") == ()
    assert world_names.suggest("ex") == ()  # too short to mean anything


def test_one_letter_changed_never_resolves_to_another_drug(real: Knowledge, real_names: Names) -> None:
    """Every name of the base with a letter doubled or dropped: what it resolves to, if anything, is a name of its own."""
    for drug in list(real.drugs.values())[::7]:
        for wrong in (drug.name[:-1], drug.name + drug.name[-1]):
            found = real_names.resolve(wrong, "x")
            if isinstance(found, Match):
                assert normalise(wrong) in real_names.index


def test_an_ambiguous_token_is_refused_before_any_name(world_names: Names) -> None:
    found = world_names.resolve("e.x.s", "drugs/0")

    assert isinstance(found, NotUnderstood)
    assert (found.reason, found.candidates, found.why) == (
        "ambiguous-name",
        ("exemplapenem", "samplicin"),
        "short form of two made-up drugs",
    )


def test_every_ambiguous_token_of_the_base_is_refused(real: Knowledge, real_names: Names) -> None:
    for token in real.records.ambiguous:
        if token.token in token.candidates:  # an id given back as it was shown names its drug
            continue
        found = real_names.resolve(token.token, "x")
        assert isinstance(found, NotUnderstood), token.token
        assert found.reason == "ambiguous-name"
        assert found.candidates


def test_every_name_of_the_base_leads_to_its_drug_or_is_refused(real: Knowledge, real_names: Names) -> None:
    for drug in real.drugs.values():
        for name in (drug.name, drug.usan, *(alias.name for alias in drug.aliases)):
            if name:
                found = real_names.resolve(name, "x")
                assert found.drug == drug.id if isinstance(found, Match) else found.reason == "ambiguous-name", (name, drug.id, found)


@pytest.mark.parametrize(
    ("system", "code", "answer"),
    [
        ("rxnorm", "90000001", "exemplapenem"),
        ("RxNorm", " 90000001 ", "exemplapenem"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "90000003", "fictazolam"),
        ("urn:oid:2.16.840.1.113883.4.9", "X0X0X0X001", "exemplapenem"),
        ("rxnorm", "90000010", "ambiguous-code"),
        ("rxnorm", "1", "unresolved-code"),
        ("unii", "90000001", "unresolved-code"),
        ("atc", "J01", "unknown-code-system"),
        ("", "90000001", "unknown-code-system"),
    ],
)
def test_codes_resolve_by_system_or_are_refused(world_names: Names, system: str, code: str, answer: str) -> None:
    found = world_names.resolve_code(system, code, "drugs/0")

    assert answer == (found.drug if isinstance(found, Match) else found.reason)


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("NS", "fictional-saline"),
        ("d5w", "fictional-dextrose"),
        ("fictional ringer", "fictional-ringer"),
        ("Premix", "premix"),
        ("undiluted", "undiluted"),
        ("fict saline", "fictional-saline"),
        ("nutrimock", "nutrimock"),
        ("fictazolam", "not-a-vehicle"),
        ("NSS", "unresolved-vehicle"),
        ("EXS", "ambiguous-vehicle"),
    ],
)
def test_vehicles(world_names: Names, written: str, answer: str) -> None:
    found = world_names.resolve_vehicle(written, "drugs/0/vehicle")

    assert answer == (found if isinstance(found, str) else found.reason)


def test_type_ahead_puts_the_name_itself_first_then_beginnings_then_the_rest(world_names: Names) -> None:
    assert [hit.drug for hit in world_names.search("samplicin")][0] == "samplicin"
    assert {hit.drug for hit in world_names.search("sampl")} >= {"samplicin", "samplamycin"}
    assert [hit.drug for hit in world_names.search("exemplapenem")][:2] == ["exemplapenem", "exemplapenem-fixobactam"]
    beginnings = [hit.drug for hit in world_names.search("mock")]
    assert beginnings.index("mockplatin") < beginnings.index("calcium-mockate")


def test_type_ahead_finds_brands_codes_and_slips(world_names: Names) -> None:
    brand = world_names.search("exemplex")[0]
    assert (brand.drug, brand.name, brand.matched_by) == ("exemplapenem", "Exemplex", "brand")
    assert {hit.drug for hit in world_names.search("90000010")} == {"placebotaxel", "placebotaxel-albumin"}
    assert world_names.search("fictazolem")[0].drug == "fictazolam"
    assert world_names.search("") == [] == world_names.search("!!")
    assert len(world_names.search("s", limit=3)) == 3


def test_type_ahead_on_the_real_base(real_names: Names) -> None:
    assert real_names.search("vanc")[0].drug == "vancomycin"
    assert real_names.search("pip/tazo")[0].drug == "piperacillin-tazobactam"
    assert real_names.search("keytruda")[0].drug == "pembrolizumab"
