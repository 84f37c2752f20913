"""Clinical drugs: names taken apart, tables built and read."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from knowledge import Knowledge, KnowledgeError
from knowledge.__main__ import main
from knowledge.rxnorm import COLUMNS, HERE, NDC, RXNORM, TABLE, Codes, Component, Part, Products, ndc11, read_name, rows
from knowledge.rxnorm_build import build_list, build_rrf

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "codes"
LISTS = [SAMPLES / "iv-drug-rxcui.csv", SAMPLES / "vehicle-rxcui.csv"]
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the lists of codes stand beside the checkout, in ../shared/samples/codes, and are not there"
)


@pytest.mark.parametrize(
    ("text", "components", "volume", "form", "brand"),
    [
        ("150 ML vancomycin 5 MG/ML Injection", [("vancomycin", "5 mg/mL")], 150.0, "Injection", ""),
        ("vancomycin 1000 MG Injection", [("vancomycin", None)], None, "Injection", ""),
        ("piperacillin 4000 MG / tazobactam 500 MG Injection", [("piperacillin", None), ("tazobactam", None)], None, "Injection", ""),
        (
            "heparin sodium, porcine 1000 UNT/ML Injectable Solution",
            [("heparin sodium, porcine", "1000 units/mL")],
            None,
            "Injectable Solution",
            "",
        ),
        ("potassium chloride 2 MEQ/ML Injectable Solution", [("potassium chloride", "2 mEq/mL")], None, "Injectable Solution", ""),
        ("bivalirudin 250 MG Injection [Angiomax]", [("bivalirudin", None)], None, "Injection", "Angiomax"),
        ("vancomycin Injectable Solution", [("vancomycin", None)], None, "Injectable Solution", ""),
        ("vancomycin", [("vancomycin", None)], None, "", ""),
        ("Sensor 3 ML insulin glargine 100 UNT/ML Pen Injector", [("insulin glargine", "100 units/mL")], 3.0, "Pen Injector", ""),
        (
            "insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension",
            [("insulin isophane, human", "70 units/mL"), ("insulin, regular, human", "30 units/mL")],
            None,
            "Injectable Suspension",
            "",
        ),
    ],
)
def test_a_name_is_taken_apart(text: str, components: list[tuple[str, str | None]], volume: float | None, form: str, brand: str) -> None:
    name = read_name(text)

    assert name is not None
    assert components == [(item.ingredient, item.conc) for item in name.components]
    assert (volume, form, brand) == (name.volume_ml, name.form, name.brand)


@pytest.mark.parametrize("text", ["", "   ", "{1 (3 ML x 0.05 MG/ML Pen Injector) / 1 (y) } Pack", "x" * 5000])
def test_what_is_no_clinical_name(text: str) -> None:
    assert read_name(text) is None


def test_a_strength_in_another_unit_is_no_concentration() -> None:
    assert Component("x", 5, "MG", "ACTUAT").conc is None and Component("x", 5, "MG").conc is None


@pytest.mark.parametrize(
    ("code", "forms"),
    [
        ("0069-2587-10", {"00069258710"}),
        ("51144-050-01", {"51144005001"}),
        ("12345-6789-1", {"12345678901"}),
        ("00069258710", {"00069258710"}),
        ("0264751010", {"00264751010", "02647051010", "02647510100"}),
        ("123", set()),
        ("", set()),
        ("a-b-c", set()),
        ("123456789012", set()),
        ("1-2-3", set()),
    ],
)
def test_the_forms_of_an_ndc(code: str, forms: set[str]) -> None:
    assert forms == ndc11(code)


def test_fluids_are_told_by_their_strength(real: Knowledge) -> None:
    products = Products(real)

    assert "sodium-chloride-0.9" == products.read("1000 ML sodium chloride 9 MG/ML Injection").vehicle  # type: ignore[union-attr]
    assert None is products.read("sodium chloride Injection"), "of unknown strength"
    assert None is products.read("500 ML sodium chloride 72 MG/ML Injection"), "not in the base"


def test_a_name_of_several_drugs_is_not_resolved(real: Knowledge) -> None:
    assert None is Products(real).read("haloperidol decanoate 100 MG/ML Injection")
    assert None is Products(real).read("amphotericin B 50 MG Injection")


def test_every_product_of_the_shipped_table_is_in_the_base(real: Knowledge) -> None:
    listed = list(rows(HERE / TABLE))
    codes = Codes.load(real)

    assert len(listed) == codes.size["rxnorm"] > 600
    assert list(COLUMNS) == list(listed[0])


@needs_samples
def test_the_shipped_table_is_what_the_command_makes(real: Knowledge, tmp_path: Path) -> None:
    build_list(real, LISTS, tmp_path / TABLE)

    assert (HERE / TABLE).read_text(encoding="utf-8") == (tmp_path / TABLE).read_text(encoding="utf-8"), (
        "run python -m knowledge rxnorm-table on the lists"
    )


def test_curated_tables_speak_of_drugs_of_the_base(real: Knowledge) -> None:
    for name, fields in (("fluids.csv", ("fluid", "with")), ("ingredients.csv", ("drug",)), ("ndc.csv", ("drug", "vehicle"))):
        for row in rows(HERE / name):
            for field in fields:
                assert not row[field] or row[field] in real.drugs, (name, row)


def test_codes_of_drugs_that_a_base_does_not_hold_are_left_out(world: Knowledge) -> None:
    assert {"rxnorm": 0, "ndc": 0, "local": 0} == Codes.load(world).size


def test_a_facility_adds_its_own_codes(world: Knowledge, tmp_path: Path) -> None:
    (tmp_path / "local.csv").write_text(
        "system,code,drug,vehicle,conc\nurn:ward,A1,samplicin,fictional-saline,5 mg/mL\nurn:ward,A2,elsewhere,,\n", encoding="utf-8"
    )

    codes = Codes.load(world, tmp_path)

    product = codes.find("urn:ward", "A1")
    assert product is not None and (Part("samplicin", "5 mg/mL"),) == product.parts and "fictional-saline" == product.vehicle
    assert None is codes.find("urn:ward", "A2")
    assert codes.digest != Codes.load(world).digest


# --- from RRF ---

CONSO = """\
11124|ENG||||||1||11124||RXNORM|IN|11124|vancomycin||N||
1807508|ENG||||||2||1807508||RXNORM|SCD|1807508|150 ML vancomycin 5 MG/ML Injection||N||
375983|ENG||||||3||375983||RXNORM|SCDF|375983|vancomycin Injectable Solution||N||
1650893|ENG||||||4||1650893||RXNORM|SCDG|1650893|vancomycin Injectable Product||N||
66955|ENG||||||5||66955||RXNORM|PIN|66955|vancomycin hydrochloride||N||
74169|ENG||||||6||74169||RXNORM|MIN|74169|piperacillin / tazobactam||N||
8339|ENG||||||7||8339||RXNORM|IN|8339|piperacillin||N||
37617|ENG||||||8||37617||RXNORM|IN|37617|tazobactam||N||
1659149|ENG||||||9||1659149||RXNORM|SCD|1659149|piperacillin 4000 MG / tazobactam 500 MG Injection||N||
203171|ENG||||||10||203171||RXNORM|SBD|203171|odd words that no parser knows 5 MG Injection [Vancocin]||N||
313002|ENG||||||11||313002||RXNORM|SCD|313002|sodium chloride 9 MG/ML Injectable Solution||N||
999|ENG||||||12||999||RXNORM|SCD|999|unheardofin 5 MG Oral Tablet||N||
998|ENG||||||13||998||RXNORM|SCD|998|vancomycin 250 MG Injection||O||
997|ENG||||||14||997||MTHSPL|DP|997|vancomycin label||N||
996|ENG||||||15||996||RXNORM|GPCK|996|{1 (vancomycin 5 MG Injection) } Pack||N||
313570|ENG||||||16||313570||RXNORM|SCD|313570|vancomycin 250 MG Oral Capsule||N||
"""
REL = """\
203171||CUI|RO|313570||CUI|has_tradename|1||RXNORM||||N|
313570||CUI|RO|11124||CUI|ingredient_of|2||RXNORM||||N|
11124||CUI|RO|66955||CUI|form_of|3||RXNORM||||N|
1659149||CUI|RO|74169||CUI|ingredients_of|4||RXNORM||||N|
"""
SAT = """\
1807508||||CUI|1|||NDC|RXNORM|00338355048|N||
1807508||||CUI|1|||NDC|RXNORM|0338-3550-48|N||
1807508||||CUI|1|||NDC|MTHSPL|0338-3550-49|N||
313002||||CUI|1|||UNII_CODE|RXNORM|451W47IQ8X|N||
999||||CUI|1|||NDC|RXNORM|00000000001|N||
"""


@pytest.fixture
def rrf(tmp_path: Path) -> Path:
    folder = tmp_path / "rrf"
    folder.mkdir()
    for name, text in (("RXNCONSO", CONSO), ("RXNREL", REL), ("RXNSAT", SAT)):
        (folder / f"{name}.RRF").write_text(text, encoding="utf-8")
    return folder


def test_tables_are_built_from_rxnorm(real: Knowledge, rrf: Path, tmp_path: Path) -> None:
    built = build_rrf(real, rrf, tmp_path / "codes")
    codes = Codes.load(real, tmp_path / "codes")

    def drugs(code: str, system: str = RXNORM) -> list[tuple[str, str | None]]:
        found = codes.find(system, code)
        assert found is not None, code
        return [(part.drug, part.conc) for part in found.parts] or [(found.vehicle or "", None)]

    assert (1, 1) == (built.ndcs, built.unread - 1), "tazobactam alone and the unheard-of are left out"
    assert [("vancomycin", "5 mg/mL")] == drugs("1807508") == drugs("0338-3550-48", NDC)
    assert [("vancomycin", None)] == drugs("375983") == drugs("1650893") == drugs("66955") == drugs("11124")
    assert [("piperacillin-tazobactam", None)] == drugs("1659149") == drugs("74169")
    assert [("sodium-chloride-0.9", None)] == drugs("313002")
    assert [("vancomycin", None)] == [(drug, None) for drug, _ in drugs("203171")], "by its ingredients, where the name fails"
    assert "oral" == codes.find(RXNORM, "313570").route  # type: ignore[union-attr]
    assert all(codes.find(RXNORM, code) is None for code in ("999", "998", "997", "996"))


@pytest.mark.parametrize(
    ("name", "text", "words"), [("RXNCONSO", None, "not there"), ("RXNREL", "a|b|c\n", "3 fields"), ("RXNSAT", "x\n", "1 fields")]
)
def test_files_of_another_shape_are_told(real: Knowledge, rrf: Path, tmp_path: Path, name: str, text: str | None, words: str) -> None:
    path = rrf / f"{name}.RRF"
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")

    with pytest.raises(KnowledgeError, match=words):
        build_rrf(real, rrf, tmp_path / "codes")


def test_the_commands_say_what_they_made(rrf: Path, tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["rxnorm-build", str(rrf), "--out", str(tmp_path / "codes")])
    (tmp_path / "list.csv").write_text("rxcui,name,source\n1,vancomycin 500 MG Injection,here\n", encoding="utf-8")
    listed = CliRunner().invoke(main, ["rxnorm-table", str(tmp_path / "list.csv"), "--out", str(tmp_path / TABLE)])

    assert (0, 0) == (made.exit_code, listed.exit_code), made.output + listed.output
    assert "1 NDCs" in made.output and "1 clinical drugs" in listed.output


def test_a_command_without_its_files_says_so(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["rxnorm-build", str(tmp_path), "--out", str(tmp_path / "codes")])

    assert 1 == made.exit_code and "not there" in made.output
