"""schema.py and references.py: text becomes records, and messages name the field and the mend."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from knowledge import KnowledgeError, load
from knowledge.files import read_all
from knowledge.load import examine
from knowledge.schema import DrugSchema, RowSchema, StatementSchema, statement
from knowledge.schema_lists import SubstanceSchema
from knowledge.terms import Effect, Finding, Method, Mode, Result, Review, Route, SeenAs
from tests.knowledge.folder import Folder

ROW = {
    "drug": "samplicin",
    "with": "exemplapenem",
    "mode": "y-site",
    "result": "incompatible",
    "basis": "physical",
    "finding": "haze",
    "at": "Table 1",
    "read": "abstract",
    "source": "x-2000",
    "id": "x-2000#1",
}


def test_a_row_is_typed_and_its_sides_are_sorted() -> None:
    row = RowSchema().load(
        {
            **ROW,
            "conc": "5 mg/mL",
            "with_conc": "0.9 %",
            "vehicle": ["NS", "D5W"],
            "with_formulation": "edta",
            "method": "visual",
            "hours": "0.5",
        }
    )

    assert ("exemplapenem", "samplicin") == row.pair
    assert ("edta", 9.0) == (row.a.formulation, row.a.conc.low)
    assert (("NS", "D5W"), 5.0) == (row.b.vehicles, row.b.conc.low)
    assert (Mode.Y_SITE, Result.INCOMPATIBLE, Finding.HAZE, (Method.VISUAL,), 0.5) == (
        row.mode,
        row.result,
        row.finding,
        row.method,
        row.hours,
    )
    assert (SeenAs.ABSTRACT, Review.TRANSCRIBED) == (row.cited.read, row.cited.review)


def test_what_is_not_stated_stays_not_stated() -> None:
    row = RowSchema().load(ROW)

    assert (None, None, (), "", "") == (row.hours, row.a.conc, row.a.vehicles, row.a.formulation, row.a.added)


def test_one_drug_in_two_formulations_is_a_pair() -> None:
    assert RowSchema().load({**ROW, "with": "samplicin", "formulation": "edta"}).pair == ("samplicin", "samplicin")


def test_a_drug_gives_each_rule_its_drug() -> None:
    drug = DrugSchema().load(
        {
            "id": "x",
            "name": "x",
            "kind": "drug",
            "infused": "no",
            "group": "g",
            "codes": {"rxnorm": "007"},
            "classes": ["a", {"class": "b", "systemic": "no"}],
            "rules": [{"rule": "no-bolus", "value": "yes", "effect": "hard", "source": "s", "at": "1", "read": "label"}],
        }
    )

    assert drug.infused is False
    assert {"rxnorm": ("007",)} == drug.codes
    assert [("a", True), ("b", False)] == [(item.cls, item.systemic) for item in drug.classes]
    assert [("x", ("yes",), Effect.HARD, "s")] == [(rule.drug, rule.values, rule.effect, rule.cited.source) for rule in drug.rules]


def test_roles_make_the_pair_and_are_kept() -> None:
    said = {"severity": "minor", "route": "iv", "source": "s"}
    with_roles = statement(StatementSchema().load({**said, "object": "b", "precipitant": "a"}), "m#1", "m")
    without = statement(StatementSchema().load({**said, "pair": ["class:b", "a"]}), "m#2", "m")

    assert ("a", "b", "b", "a", Route.IV) == (with_roles.a, with_roles.b, with_roles.object, with_roles.precipitant, with_roles.route)
    assert ("a", "class:b", "", "") == (without.a, without.b, without.object, without.precipitant)


def test_codes_of_vehicles_become_the_ids_of_fluids(folder: Folder) -> None:
    records = load(folder.root, cache=False).records
    row = next(row for row in records.rows if row.id == "roe-2015-exemplapenem#1")
    rule = next(
        rule for drug in records.drugs for rule in drug.rules if drug.id == "exemplapenem" and rule.rule == "diluent-contraindicated"
    )

    assert ("fictional-saline",) == row.a.vehicles
    assert ("fictional-dextrose",) == rule.values


NEAR = {
    "a word": ("result: variable", "result: varable", 'write "variable" if that was meant'),
    "a field": ("finding: haze", "findng: haze", 'write "finding" if that was meant'),
    "a drug": ("with: samplicin", "with: sampilcin", "write samplicin"),
}


@pytest.mark.parametrize("what", NEAR)
def test_the_mend_names_what_was_probably_meant(folder: Folder, what: str) -> None:
    old, new, mend = NEAR[what]
    folder.replace("studies/roe-2015-exemplapenem.yaml", old, new)

    with pytest.raises(KnowledgeError) as raised:
        load(folder.root, cache=False)

    assert any(mend in problem.mend for problem in raised.value.problems)


def test_a_mistake_in_common_is_told_once_and_where_it_stands(folder: Folder) -> None:
    folder.replace("studies/roe-2015-exemplapenem.yaml", "hours: 4", "hours: four")

    (problem,) = examine(read_all(folder.root)).problems

    assert ("common/hours", 3) == (problem.at, problem.line)


def test_a_reference_is_told_with_its_field(folder: Folder) -> None:
    folder.append("drugs/exemplapenem.yaml", "  - {rule: no-bolus, value: yes, effect: hard, source: nobody-1999}")

    (problem,) = examine(read_all(folder.root)).problems

    assert ("rules/7/source", folder.line("drugs/exemplapenem.yaml", "nobody-1999")) == (problem.at, problem.line)


def test_the_charge_of_an_ion_is_a_small_number_without_its_sign() -> None:
    assert SubstanceSchema().load({"id": "sodium", "kind": "ion", "charge": "1"}).charge == 1
    assert SubstanceSchema().load({"id": "lipid", "kind": "nutrient"}).charge is None
    for charge in ("0", "-1", "4", "two"):
        with pytest.raises(ValidationError):
            SubstanceSchema().load({"id": "sodium", "kind": "ion", "charge": charge})
