"""What is known: drugs, pairs, sources, the knowledge itself."""

from __future__ import annotations

from flask.testing import FlaskClient

from checker import Checker, Names, Renderer, order
from knowledge import Knowledge


def test_the_answer_is_the_engines(client: FlaskClient, world: Knowledge) -> None:
    """The door adds nothing and takes nothing away."""
    question = {"drugs": ["exemplapenem", "fictazolam", "nobody"], "medications": ["warfictin"], "explain": True}

    expected = Renderer(world).json(Checker(world).check(order(question, Names(world))), explain=True)

    assert expected == client.post("/v1/check", json=question).data
    assert expected == client.post("/v1/check", json=question).data


def test_explain_is_asked_in_the_body(client: FlaskClient) -> None:
    question = {"drugs": ["exemplapenem", "fictazolam"]}

    def rows(answer: dict) -> list[dict]:
        return answer["pairs"][0]["line"]["evidence"]

    assert all("relation" not in row for row in rows(client.post("/v1/check", json=question).get_json()))
    assert all("relation" in row for row in rows(client.post("/v1/check", json=question | {"explain": True}).get_json()))


def test_type_ahead_finds_by_name_brand_and_code(client: FlaskClient) -> None:
    for text, matched, matched_by in (
        ("exempla", "exemplapenem", "name"),
        ("exemplex", "Exemplex", "brand"),
        ("90000001", "90000001", "code"),
    ):
        best = client.get("/v1/drugs", query_string={"q": text}).get_json()["drugs"][0]

        assert ("exemplapenem", "EXEMPLApenem", "drug") == (best["id"], best["tall_man"], best["kind"])
        assert (matched, matched_by) == (best["matched"], best["matched_by"])


def test_type_ahead_keeps_to_the_limit(client: FlaskClient) -> None:
    assert 2 == len(client.get("/v1/drugs?q=fict&limit=2").get_json()["drugs"])
    assert [] == client.get("/v1/drugs?q=qqqqqqqqqq").get_json()["drugs"]


def test_a_drug_by_id_by_brand_and_in_any_case_is_the_same_page(client: FlaskClient) -> None:
    page = client.get("/v1/drugs/exemplapenem")

    assert "exemplapenem" == page.get_json()["id"]
    assert page.data == client.get("/v1/drugs/Exemplex").data == client.get("/v1/drugs/EXEMPLAPENEM").data


def test_a_drug_page_shows_rules_in_words_with_their_sources(client: FlaskClient, world: Knowledge) -> None:
    page = client.get("/v1/drugs/exemplapenem").get_json()

    assert len(world.drugs["exemplapenem"].rules) == len(page["rules"])
    assert all(rule["text"] and rule["source"]["id"] in world.sources for rule in page["rules"])
    assert {"rxnorm": ["90000001"], "unii": ["X0X0X0X001"]} == page["codes"]


def test_a_drug_page_counts_what_is_known_with_whom(client: FlaskClient, world: Knowledge) -> None:
    known = client.get("/v1/drugs/exemplapenem").get_json()["known"]

    for pair, modes in world.evidence.items():
        if "exemplapenem" not in pair:
            continue
        other = next(drug for drug in pair if drug != "exemplapenem")
        partner = next(item for item in known["partners"] if item["drug"] == other)
        for mode, rows in modes.items():
            assert len(rows) == partner["modes"][mode]["rows"] == sum(partner["modes"][mode]["results"].values())
        assert 200 == client.get(partner["pair"]).status_code
    assert sum("exemplapenem" in pair for pair in world.interactions) == known["interactions"]["partners"]


def test_a_pair_is_the_same_in_either_order_and_by_any_name(client: FlaskClient) -> None:
    page = client.get("/v1/pairs/exemplapenem/fictazolam")

    assert ["exemplapenem", "fictazolam"] == page.get_json()["pair"]
    assert page.data == client.get("/v1/pairs/fictazolam/exemplapenem").data == client.get("/v1/pairs/Fictazo/Exemplex").data


def test_a_pair_page_holds_all_evidence_of_all_modes(client: FlaskClient, world: Knowledge) -> None:
    for (a, b), modes in world.evidence.items():
        page = client.get(f"/v1/pairs/{a}/{b}").get_json()
        for mode, line in page["line"].items():
            assert sorted(item.row.id for item in modes.get(mode, ())) == sorted(row["id"] for row in line["evidence"])
        assert len(world.interactions.get((a, b), ())) == len(page["interactions"])
        assert all(item["sources"] for item in page["interactions"])


def test_a_pair_nobody_studied_says_so(client: FlaskClient) -> None:
    page = client.get("/v1/pairs/nonesuch/phonyvir").get_json()

    assert [("no-data", "not-studied")] * 3 == [(line["status"], line["reason"]) for line in page["line"].values()]


def test_a_source_page_holds_all_that_rests_on_it(client: FlaskClient, world: Knowledge) -> None:
    totals = {"rows": 0, "rules": 0, "interactions": 0, "composition": 0, "ph": 0, "memberships": 0}
    for source in world.sources:
        page = client.get(f"/v1/sources/{source}").get_json()
        assert source == page["id"]
        for kind, facts in page["rests_on_it"].items():
            totals[kind] += len(facts)

    drugs = world.records.drugs
    assert {
        "rows": len(world.records.rows),
        "rules": sum(len(drug.rules) for drug in drugs),
        "interactions": len(world.records.interactions),
        "composition": sum(len(drug.composition) for drug in drugs),
        "ph": sum(len(drug.acidity) for drug in drugs),
        "memberships": sum(len(drug.classes) for drug in drugs),
    } == totals


def test_a_withdrawn_source_stays_readable(client: FlaskClient) -> None:
    page = client.get("/v1/sources/label-alonimab-list").get_json()

    assert "withdrawn" in page and page["withdrawn"].startswith("2026-01-02")
    assert page["rests_on_it"]["rows"]


def test_the_knowledge_says_what_it_holds(client: FlaskClient, world: Knowledge) -> None:
    told = client.get("/v1/knowledge").get_json()

    assert (world.version, f"sha256:{world.digest}", world.date) == (told["version"], told["digest"], told["date"])
    assert len(world.drugs) == sum(told["counts"]["kinds"].values())
    assert len(world.records.rows) == told["counts"]["rows"]["rows"] == sum(told["counts"]["rows_by_mode"].values())


def test_every_real_drug_and_source_has_its_page(real_client: FlaskClient, real: Knowledge) -> None:
    for number, (kind, identity) in enumerate(
        [*(("drugs", drug) for drug in real.drugs), *(("sources", source) for source in real.sources)]
    ):
        if number % 7 == 0:  # every seventh keeps the suite quick
            response = real_client.get(f"/v1/{kind}/{identity}")
            assert (200, identity) == (response.status_code, response.get_json()["id"])


def test_alive_and_ready(client: FlaskClient, world: Knowledge) -> None:
    assert {"status": "alive"} == client.get("/healthz").get_json()
    assert ("ready", len(world.drugs)) == (client.get("/readyz").get_json()["status"], client.get("/readyz").get_json()["drugs"])


def test_the_index_names_the_doors(client: FlaskClient) -> None:
    doors = client.get("/").get_json()["doors"]

    assert {"check", "drugs", "drug", "pair", "source", "knowledge", "cds_hooks", "fhir", "docs", "openapi", "alive", "ready"} == set(doors)
