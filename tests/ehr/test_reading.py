"""Orders as real senders write them, and how they are understood."""

from __future__ import annotations

from typing import Any

import pytest

from api.fhir.orders import Given
from api.fhir.question import question
from api.fhir.reader import Reader
from api.fhir.references import Sent
from checker import Names
from knowledge import Knowledge
from tests.ehr import IV, ORAL, RXNORM, coded, mixture, needs_samples, order, sample

Json = dict[str, Any]


@pytest.fixture(scope="module")
def reader(real: Knowledge, real_names: Names) -> Reader:
    return Reader.over(real, real_names)


def read(reader: Reader, *resources: Json) -> list[Given]:
    sent = Sent()
    return reader.orders.read([pair for resource in resources for pair in sent.add(resource)], sent, new=True)


def one(reader: Reader, *resources: Json) -> Given:
    [given] = read(reader, *resources)
    return given


def understood(given: Given) -> tuple[list[tuple[str, str | None]], str | None]:
    return [(part.drug, part.conc) for part in given.bag.parts], given.bag.vehicle


# concept, drugs with concentrations, fluid
CONCEPTS: list[tuple[str, Json, list[tuple[str, str | None]], str | None]] = [
    ("clinical drug", coded("1665021", "ceftriaxone 1000 MG Injection"), [("ceftriaxone", None)], None),
    ("ready-made bag carries its strength", coded("2118448", "300 ML vancomycin 5 MG/ML Injection"), [("vancomycin", "5 mg/mL")], None),
    (
        "a vial's strength is not that of what runs",
        coded("242969", "4 ML norepinephrine 1 MG/ML Injection"),
        [("norepinephrine", None)],
        None,
    ),
    ("drug in a fluid", coded("1863988"), [("potassium-chloride", "0.02 mEq/mL")], "dextrose-5-in-sodium-chloride-0.3"),
    ("fluid", coded("313002"), [], "sodium-chloride-0.9"),
    ("dose form", coded("375983", "vancomycin Injectable Solution"), [("vancomycin", None)], None),
    ("brand name of a clinical drug", coded("284534"), [("bivalirudin", None)], None),
    ("ingredient", coded("11124"), [("vancomycin", None)], None),
    ("combination", coded("74169"), [("piperacillin-tazobactam", None)], None),
    ("NDC with hyphens", coded("0069-2587-10", "", "http://hl7.org/fhir/sid/ndc"), [("vancomycin", None)], None),
    ("NDC of 11 digits", coded("00069258710", "", "http://hl7.org/fhir/sid/ndc"), [("vancomycin", None)], None),
    (
        "NDC of 10 digits with a name that says the same",
        coded("0264751010", "Dextrose 5% injection USP", "http://hl7.org/fhir/sid/ndc"),
        [],
        "dextrose-5",
    ),
    ("unknown code with a good display", coded("999999999", "PACLitaxel 100 MG Injection"), [("paclitaxel", None)], None),
    (
        "local code first, RxNorm second",
        {"coding": [{"system": "urn:local", "code": "X1"}, {"system": RXNORM, "code": "1665021"}]},
        [("ceftriaxone", None)],
        None,
    ),
    ("text only", {"text": "calcium gluconate 100 MG/ML Injectable Solution"}, [("calcium-gluconate", None)], None),
    ("text as people type it", {"text": "Vancomycin 1 g IV"}, [("vancomycin", None)], None),
    ("salt", coded("999999998", "heparin sodium, porcine 1000 UNT/ML Injectable Solution"), [("heparin", None)], None),
    ("mixture in words", {"text": "Dopamine 400mg in 500mL D5W"}, [("dopamine", "400 mg/500 mL")], "dextrose-5"),
    ("mixture with a slash", {"text": "NORepinephrine 8 mg/250 mL NS"}, [("norepinephrine", "8 mg/250 mL")], "sodium-chloride-0.9"),
    ("ambiguous ingredient code, exact display", coded("4850", "dextrose 5%"), [], "dextrose-5"),
]


@pytest.mark.parametrize(("concept", "parts", "fluid"), [pytest.param(*row[1:], id=row[0]) for row in CONCEPTS])
def test_a_concept_is_understood(reader: Reader, concept: Json, parts: list[Any], fluid: str | None) -> None:
    given = one(reader, order(concept))

    assert [] == given.problems
    assert (parts, fluid) == understood(given)


# concept, reason, something that stands in the explanation or candidates
REFUSED: list[tuple[str, Json, str, str]] = [
    ("code and display disagree", coded("1665021", "cefazolin 1000 MG Injection"), "code-and-name-disagree", "cefazolin"),
    ("code and text disagree", coded("1665021", text="vancomycin"), "code-and-name-disagree", "vancomycin"),
    (
        "two codes disagree",
        {"coding": [{"system": RXNORM, "code": "1665021"}, {"system": RXNORM, "code": "11124"}]},
        "code-and-name-disagree",
        "ceftriaxone",
    ),
    ("brackets name another drug", {"text": "Zosyn (vancomycin)"}, "code-and-name-disagree", "vancomycin"),
    ("ambiguous name", {"text": "Amphotericin B"}, "ambiguous-name", "amphotericin-b-liposomal"),
    ("near miss", {"text": "Vancomycine hydrochlorid"}, "unresolved-name", ""),
    ("unknown name", {"text": "xyzzymab 100 MG Injection"}, "unresolved-name", ""),
    ("unknown code alone", coded("999999997"), "unresolved-name", ""),
    ("NDC of 10 digits alone", coded("0264751010", "", "http://hl7.org/fhir/sid/ndc"), "unresolved-name", ""),
    ("fluid of unknown strength", {"text": "sodium chloride"}, "ambiguous-name", "sodium-chloride-0.9"),
]


@pytest.mark.parametrize(
    ("text", "parts", "unread"),
    [
        ("Heparin 25,000 units in 500 mL D5W", [("heparin", "25000 units/500 mL")], ""),
        ("Heparin 1,250,000 units in 1 L NS", [("heparin", "1250000 units/1000 mL")], ""),
        ("Morphine 0,5 mg in 50 mL NS", [("morphine", None)], "0,5"),
        ("Morphine 1,500 mg in 50 mL NS", [("morphine", None)], "1,500"),
        ("Morphine 50 mg in 0,25 L NS", [("morphine", None)], "0,25"),
    ],
)
def test_a_decimal_comma_is_never_read_as_thousands(reader: Reader, text: str, parts: list[tuple[str, str | None]], unread: str) -> None:
    given = one(reader, order({"text": text}))

    assert understood(given)[0] == parts
    assert [note for note in given.bag.notes if "comma" in note] == (
        [f'the comma in "{unread}" is, or may be, a decimal comma: no concentration was taken from it'] if unread else []
    )


@pytest.mark.parametrize(("concept", "reason", "words"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_what_cannot_be_understood_is_told_and_not_guessed(reader: Reader, concept: Json, reason: str, words: str) -> None:
    given = one(reader, order(concept))

    [problem] = given.problems
    assert reason == problem.reason
    assert words in f"{problem.why} {problem.candidates}"
    assert ([], None) == understood(given)


def test_versions_put_the_medication_in_different_places(reader: Reader) -> None:
    base = {"resourceType": "MedicationRequest", "id": "x", "status": "active"}
    shapes = [
        base | {"medicationCodeableConcept": {"text": "vancomycin"}},
        base | {"medication": {"concept": {"text": "vancomycin"}}},
        base
        | {
            "medication": {"reference": {"reference": "#m"}},
            "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "vancomycin"}}],
        },
        base
        | {
            "medicationReference": {"reference": "#m"},
            "contained": {"resourceType": "Medication", "id": "m", "code": {"text": "vancomycin"}},
        },
        base | {"medicationReference": {"display": "vancomycin"}},
        base | {"resourceType": "MedicationOrder", "medicationCodeableConcept": {"text": "vancomycin"}},
    ]

    assert [[("vancomycin", None)]] * 6 == [understood(one(reader, shape))[0] for shape in shapes]


@pytest.mark.parametrize(
    "reference", ["Medication/m1", "https://ehr.example/fhir/Medication/m1", "urn:uuid:4e0a", "Medication/m1/_history/2"]
)
def test_a_medication_that_was_sent_along_is_found(reader: Reader, reference: str) -> None:
    sent = Sent()
    sent.add(
        {
            "resourceType": "Bundle",
            "entry": [{"fullUrl": "urn:uuid:4e0a", "resource": {"resourceType": "Medication", "id": "m1", "code": {"text": "vancomycin"}}}],
        }
    )
    [given] = reader.orders.read(
        [("MedicationRequest/x", {"resourceType": "MedicationRequest", "medicationReference": {"reference": reference}})], sent, new=True
    )

    assert [("vancomycin", None)] == understood(given)[0]


def test_a_medication_that_was_not_sent_is_told(reader: Reader) -> None:
    [problem] = one(
        reader, {"resourceType": "MedicationRequest", "id": "x", "medicationReference": {"reference": "Medication/elsewhere"}}
    ).problems

    assert "unresolved-reference" == problem.reason


def test_a_mixture_of_a_base_and_an_additive_is_put_together(reader: Reader) -> None:
    given = one(reader, mixture((coded("999999996", "Dopamine"), "400 mg", 500), ("Dextrose 5% in water", "", None)))

    assert ([("dopamine", "400 mg/500 mL")], "dextrose-5") == understood(given)


def test_ingredients_may_be_medications_of_their_own(reader: Reader) -> None:
    given = one(
        reader,
        {
            "resourceType": "MedicationRequest",
            "id": "x",
            "medicationReference": {"reference": "#mix"},
            "contained": [
                {
                    "resourceType": "Medication",
                    "id": "mix",
                    "ingredient": [{"itemReference": {"reference": "#main"}}, {"itemReference": {"reference": "#base"}}],
                },
                {"resourceType": "Medication", "id": "main", "code": {"text": "vancomycin"}},
                {"resourceType": "Medication", "id": "base", "code": {"text": "NS"}},
            ],
        },
    )

    assert ([("vancomycin", None)], "sodium-chloride-0.9") == understood(given)


def test_medications_that_contain_each_other_end(reader: Reader) -> None:
    given = one(
        reader,
        {
            "resourceType": "MedicationRequest",
            "id": "x",
            "medicationReference": {"reference": "#a"},
            "contained": [{"resourceType": "Medication", "id": "a", "ingredient": [{"itemReference": {"reference": "#a"}}]}],
        },
    )

    assert given.problems


def test_the_strength_of_a_vial_is_not_that_of_the_bag(reader: Reader) -> None:
    alone = one(reader, mixture((coded("204520", "Potassium Chloride"), "2 mEq", 1), (coded("313002"), "", None)))
    written = mixture((coded("204520", "Potassium Chloride"), "2 mEq", 1), (coded("313002"), "", None))
    written["dosageInstruction"] = [{"text": "KCl 20 mEq in 1 L 0.9%NS IV at 100 ml/hr", "route": IV}]

    assert ([("potassium-chloride", None)], "sodium-chloride-0.9") == understood(alone)
    assert ([("potassium-chloride", "20 mEq/1000 mL")], "sodium-chloride-0.9") == understood(one(reader, written))


def test_two_concentrations_are_both_left_out_and_told(reader: Reader) -> None:
    given = one(
        reader,
        mixture(("dopamine", "400 mg", 500), ("D5W", "", None))
        | {"dosageInstruction": [{"text": "dopamine 800 mg in 500 mL D5W", "route": IV}]},
    )

    assert [("dopamine", None)] == understood(given)[0]
    assert any("more than one concentration" in note for note in given.bag.notes)


def test_a_medication_whose_code_is_not_among_its_ingredients_is_refused(reader: Reader) -> None:
    made = mixture(("dopamine", "400 mg", 500), ("D5W", "", None))
    made["contained"][0]["code"] = {"text": "vancomycin"}
    given = one(reader, made)

    assert "code-and-name-disagree" == given.problems[0].reason
    assert [] == given.bag.parts


def test_an_ingredient_that_is_not_understood_is_told_beside_the_others(reader: Reader) -> None:
    given = one(reader, mixture(("vancomycin", "", None), ("xyzzymab", "", None), ("NS", "", None)))

    assert ["xyzzymab"] == [problem.asked for problem in given.problems]
    assert ([("vancomycin", None)], "sodium-chloride-0.9") == understood(given)


# dosage, mL/h, hours
DOSAGES: list[tuple[str, Json, float | None, float | None]] = [
    (
        "ratio",
        {"doseAndRate": [{"rateRatio": {"numerator": {"value": 100, "code": "mL"}, "denominator": {"value": 1, "code": "h"}}}]},
        100,
        None,
    ),
    (
        "ratio in minutes",
        {"doseAndRate": [{"rateRatio": {"numerator": {"value": 2, "unit": "ml"}, "denominator": {"value": 1, "unit": "min"}}}]},
        120,
        None,
    ),
    ("quantity, not UCUM", {"doseAndRate": [{"rateQuantity": {"value": 50, "code": "ml/hr"}}]}, 50, None),
    ("quantity by unit", {"doseAndRate": {"rateQuantity": {"value": "50", "unit": "mL per hour"}}}, 50, None),
    ("STU3 place", {"rateRatio": {"numerator": {"value": 60, "code": "mL"}, "denominator": {"value": 1, "code": "h"}}}, 60, None),
    ("by weight", {"doseAndRate": [{"rateQuantity": {"value": 4, "unit": "ug/kg/min"}}]}, None, None),
    ("a time in the place of a rate", {"doseAndRate": [{"rateQuantity": {"value": 30, "unit": "min"}}]}, None, 0.5),
    (
        "a dose over a time",
        {"doseAndRate": [{"rateRatio": {"numerator": {"value": 1.8, "code": "mg/kg"}, "denominator": {"value": 20, "code": "min"}}}]},
        None,
        1 / 3,
    ),
    (
        "range of times: the shorter",
        {"doseAndRate": [{"rateRange": {"low": {"value": 2, "unit": "min"}, "high": {"value": 5, "unit": "min"}}}]},
        None,
        1 / 30,
    ),
    ("duration", {"timing": {"repeat": {"duration": 4, "durationUnit": "h"}}}, None, 4),
    ("duration of the therapy", {"timing": {"repeat": {"duration": 12, "durationUnit": "wk"}}}, None, None),
    ("in words", {"text": "1 g IV over 60 minutes"}, None, 1),
    ("in words, a range", {"text": "0.1 mg/kg IV over 2-5 minutes"}, None, 1 / 30),
    ("beyond all sense", {"doseAndRate": [{"rateQuantity": {"value": 8, "code": "l/min"}}]}, None, None),
    ("negative", {"doseAndRate": [{"rateQuantity": {"value": -5, "code": "ml/h"}}]}, None, None),
]


@pytest.mark.parametrize(("dosage", "rate", "hours"), [pytest.param(*row[1:], id=row[0]) for row in DOSAGES])
def test_rates_and_times(reader: Reader, dosage: Json, rate: float | None, hours: float | None) -> None:
    given = one(reader, order("vancomycin") | {"dosageInstruction": [dosage | {"route": IV}]})

    assert (pytest.approx(rate) if rate else None, pytest.approx(hours) if hours else None) == (given.rate_ml_per_h, given.hours)


# concept, dosage, infused, route
ROUTES: list[tuple[str, str, list[Json], bool, str]] = [
    ("SNOMED", "vancomycin", [{"route": IV}], True, "iv"),
    ("SNOMED oral", "vancomycin", [{"route": ORAL}], False, "oral"),
    (
        "local code first",
        "vancomycin",
        [{"route": {"coding": [{"system": "urn:x", "code": "318173"}, {"system": "http://snomed.info/sct", "code": "255560000"}]}}],
        True,
        "iv",
    ),
    ("words", "vancomycin", [{"route": {"text": "IV DRIP"}}], True, "iv"),
    ("display only", "vancomycin", [{"route": {"coding": [{"display": "Oral route"}]}}], False, "oral"),
    (
        "HL7 v3",
        "vancomycin",
        [{"route": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "code": "PO"}]}}],
        False,
        "oral",
    ),
    (
        "intrathecal",
        "vincristine",
        [{"route": {"coding": [{"system": "http://snomed.info/sct", "code": "72607000"}]}}],
        False,
        "intrathecal",
    ),
    (
        "HL7 v3, into the subarachnoid space",
        "vincristine",
        [{"route": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "code": "SUBARACHINJ"}]}}],
        False,
        "intrathecal",
    ),
    (
        "HL7 v3, into a ventricle of the heart",
        "vincristine",
        [{"route": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "code": "IVENTINJ"}]}}],
        False,
        "other",
    ),
    ("intrathecal in words", "vincristine", [{"route": {"text": "IT"}}], False, "intrathecal"),
    ("intrathecal in the text of the dosage", "vincristine", [{"text": "2 mg intrathecally once"}], False, "intrathecal"),
    ("by vein, warned of the spine", "vincristine", [{"text": "Fatal if given intrathecally"}], True, "iv"),
    ("spinal canal beside the mouth", "vincristine", [{"route": ORAL}, {"text": "give intrathecally"}], False, "intrathecal"),
    ("epidural", "vincristine", [{"route": {"text": "epidural"}}], False, "other"),
    ("intramuscular", "ceftriaxone", [{"route": {"text": "IM"}}], False, "im"),
    ("not said, infused in the base", "vancomycin", [], True, "iv"),
    ("not said, never infused", "warfarin", [], False, "other"),
    ("not said, an oral form", "Ketorolac Tromethamine 10 MG Oral Tablet", [], False, "oral"),
    ("not said, in the text of the dosage", "warfarin", [{"text": "2 mg IV once"}], True, "iv"),
    ("first by vein, then by mouth", "vancomycin", [{"route": IV}, {"route": ORAL}], True, "iv"),
    ("unknown route of an infused drug", "vancomycin", [{"route": {"text": "per protocol"}}], True, "iv"),
]


@pytest.mark.parametrize(("drug", "dosage", "infused", "route"), [pytest.param(*row[1:], id=row[0]) for row in ROUTES])
def test_routes(reader: Reader, drug: str, dosage: list[Json], infused: bool, route: str) -> None:
    given = one(reader, order(drug) | {"dosageInstruction": dosage})

    assert (infused, route) == (given.infused, given.route)


@pytest.mark.parametrize(
    "more",
    [{"status": status} for status in ("stopped", "cancelled", "completed", "entered-in-error", "ended", "not-done", "not-taken")]
    + [
        {"intent": "proposal"},
        {"intent": "option"},
        {"doNotPerform": True},
        {"taken": "n"},
        {"adherence": {"code": {"coding": [{"code": "not-taking"}]}}},
    ],
)
def test_what_does_not_apply_is_passed_over(reader: Reader, more: Json) -> None:
    assert [] == read(reader, order("vancomycin") | more)


@pytest.mark.parametrize(
    "more",
    [{"status": "active"}, {"status": "on-hold"}, {"status": "draft"}, {"status": "unknown"}, {"intent": "plan"}, {"doNotPerform": False}],
)
def test_what_may_apply_is_read(reader: Reader, more: Json) -> None:
    assert 1 == len(read(reader, order("vancomycin") | more))


def test_a_statement_without_a_route_is_not_taken_to_run(reader: Reader) -> None:
    given = one(
        reader, {"resourceType": "MedicationStatement", "id": "s", "status": "active", "medicationCodeableConcept": {"text": "furosemide"}}
    )

    assert not given.infused


@needs_samples
@pytest.mark.parametrize(
    ("name", "parts", "fluid", "unread"),
    [
        ("MedicationRequest-medrx0318", [("vancomycin", None)], None, 0),
        ("MedicationRequest-medrx0319", [("piperacillin-tazobactam", None)], "dextrose-5", 0),
        ("MedicationRequest-medrx0322", [("potassium-chloride", "20 mEq/1000 mL")], "sodium-chloride-0.9", 0),
        ("MedicationRequest-medrx0336", [("dopamine", "400 mg/500 mL")], "dextrose-5", 0),
        ("MedicationRequest-medrx0315", [("lorazepam", "2 mg/1 mL")], None, 0),  # its method is a push, so the vial's strength runs
        ("MedicationRequest-medrx0317", [("alemtuzumab", None)], None, 0),
        (
            "MedicationRequest-medrx0323",
            [("parenteral-nutrition-2-in-1-clinimix-4.25-10", None), ("fat-emulsion-intralipid-20", None)],
            None,
            1,
        ),
        ("MedicationAdministration-medadmin0305", [("brentuximab-vedotin", None)], None, 0),
    ],
)
def test_the_examples_of_hl7_are_understood(reader: Reader, name: str, parts: list[Any], fluid: str | None, unread: int) -> None:
    given = one(reader, sample(f"hl7-r4-examples/{name}.json") | {"status": "active"})

    assert (parts, fluid) == understood(given)
    assert unread == len(given.problems)
    assert given.infused


KCL = {"text": "potassium chloride 2 mEq/mL"}
IV_PUSH = {"text": "IV push"}
# medication, dosage, vehicle and concentration of the question
PUSHED: list[tuple[str, Json, Json, str | None, str | None]] = [
    ("a strength and a push", KCL, {"route": IV_PUSH}, "undiluted", "2 mEq/mL"),
    ("by the code of the product", coded("242969", "4 ML norepinephrine 1 MG/ML Injection"), {"route": IV_PUSH}, "undiluted", "1 mg/mL"),
    ("by HL7's code", KCL, {"route": {"coding": [{"code": "IVPUSH"}]}}, "undiluted", "2 mEq/mL"),
    (
        "by its method",
        KCL,
        {"route": IV, "method": {"coding": [{"code": "420620005", "display": "Push - dosing instruction imperative"}]}},
        "undiluted",
        "2 mEq/mL",
    ),
    ("in the text of the dosage", KCL, {"route": IV, "text": "20 mEq IV push now"}, "undiluted", "2 mEq/mL"),
    ("said outright", {"text": "potassium chloride"}, {"route": IV, "text": "give undiluted"}, "undiluted", None),
    ("forbidden by its text", KCL, {"route": IV, "text": "Never IV push, must not be given undiluted"}, None, None),
    ("a push without a strength", {"text": "potassium chloride"}, {"route": IV_PUSH}, None, None),
    ("a strength without a push", KCL, {"route": IV}, None, None),
    ("a fluid beside it", KCL, {"route": IV_PUSH, "text": "in 100 mL NS"}, "sodium-chloride-0.9", None),
]


@pytest.mark.parametrize(("drug", "dosage", "vehicle", "conc"), [pytest.param(*row[1:], id=row[0]) for row in PUSHED])
def test_what_is_pushed_at_a_strength_is_undiluted(
    reader: Reader, real: Knowledge, drug: Json, dosage: Json, vehicle: str | None, conc: str | None
) -> None:
    given = one(reader, order(drug) | {"dosageInstruction": [dosage]})

    [infusion] = question(real, [given], None).order.infusions

    assert (vehicle, conc) == (infusion.conditions.vehicle, infusion.conditions.conc.text if infusion.conditions.conc else None)


def test_an_ingredient_of_a_strength_that_is_pushed_is_undiluted(reader: Reader) -> None:
    given = one(reader, mixture(("potassium chloride", "20 meq", 10)) | {"dosageInstruction": [{"route": IV_PUSH}]})

    assert given.bag.undiluted
    assert [("potassium-chloride", "20 mEq/10 mL")] == understood(given)[0]
