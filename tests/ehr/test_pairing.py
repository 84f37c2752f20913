"""What is paired: new against new and active, never active against active; and what only one order says."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.ehr import INSTANCE, ORAL, SERVICE, active, assert_cards, bundle, call, coded, mixture, order


def summaries(cards: list[dict[str, Any]]) -> list[str]:
    return [card["summary"] for card in cards]


def test_new_against_active_names_both_and_the_verdict(ask: Any) -> None:
    [card] = ask([order("samplicin")], [active("calcium mockate")])

    assert "critical" == card["indicator"]
    assert "samplicin" in card["summary"] and "calcium mockate" in card["summary"] and "must not share a line" in card["summary"]
    assert "One shared line is assumed" in card["detail"]
    assert "**Sources**" in card["detail"]


def test_active_orders_are_never_paired_with_each_other(ask: Any) -> None:
    cards = ask([order("mockprazole")], [active("samplicin", "a"), active("calcium mockate", "b")])

    assert not any(
        "samplicin + calcium" in text or "calcium mockate + samplicin" in text
        for card in cards
        for text in (card["summary"], card["detail"])
    )


def test_nothing_new_gives_no_cards(ask: Any) -> None:
    assert [] == ask([], [active("samplicin", "a"), active("calcium mockate", "b")])


def test_two_new_orders_are_paired(ask: Any) -> None:
    [card] = ask([order("samplicin", "a"), order("calcium mockate", "b")])

    assert "must not share a line" in card["summary"]


def test_order_select_looks_at_what_is_selected(client: FlaskClient, ask: Any) -> None:
    request = call([order("samplicin", "a"), order("calcium mockate", "b"), order("soloximab", "c")], hook="order-select")
    request["context"]["selections"] = ["MedicationRequest/a"]

    cards = assert_cards(client.post(SERVICE, json=request).get_json())

    assert any("calcium mockate" in card["summary"] and "samplicin" in card["summary"] for card in cards), (
        "other drafts stand beside the selected one"
    )
    assert not any("calcium mockate" in card["summary"] and "soloximab" in card["summary"] for card in cards)


def test_a_selection_that_leads_nowhere_is_named(client: FlaskClient) -> None:
    request = call([order("samplicin", "a")], hook="order-select")
    request["context"]["selections"] = ["MedicationRequest/other"]

    [card] = assert_cards(client.post(SERVICE, json=request).get_json())

    assert "MedicationRequest/other" in card["summary"]


def test_medication_verify_takes_both_shapes_of_its_context(client: FlaskClient) -> None:
    drug, runs = order("samplicin", "a", status="active"), active("calcium mockate")
    answers = []
    for context in ({"medication": drug}, {"order": {"resource": drug}}, {"medication": bundle(drug)}):
        request = {
            "hook": "medication-verify",
            "hookInstance": INSTANCE,
            "context": {"userId": "Practitioner/1", "patientId": "1"} | context,
            "prefetch": {"activeMedications": bundle(runs, drug)},
        }
        response = client.post("/cds-services/iv-compatibility-verify", json=request)
        assert 200 == response.status_code, response.text
        answers.append(assert_cards(response.get_json()))

    assert answers[0] and answers[0] == answers[1] == answers[2]


def test_the_verified_order_is_not_paired_with_itself_in_the_active_list(client: FlaskClient) -> None:
    drug = order("samplicin", "a", status="active")
    request = {
        "hook": "medication-verify",
        "hookInstance": INSTANCE,
        "context": {"medication": drug, "patientId": "1", "userId": "Practitioner/1"},
        "prefetch": {"activeMedications": bundle(drug)},
    }

    assert [] == assert_cards(client.post("/cds-services/iv-compatibility-verify", json=request).get_json())


def test_patient_view_pairs_nothing_and_never_interrupts(client: FlaskClient) -> None:
    request = {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "context": {"userId": "Practitioner/1", "patientId": "1"},
        "prefetch": {
            "activeMedications": bundle(
                active("samplicin", "a"), active("calcium mockate", "b"), active("imaginuximab", "c"), active("xyzzymab", "d")
            )
        },
    }

    cards = assert_cards(client.post("/cds-services/iv-line-overview", json=request).get_json())

    assert {"info"} == {card["indicator"] for card in cards}
    assert "imaginuximab" in cards[0]["summary"]
    assert "xyzzymab" in cards[1]["summary"]
    assert not any("samplicin" in summary for summary in summaries(cards))


def test_a_deprecated_hook_is_answered(client: FlaskClient) -> None:
    request = {
        "hook": "medication-prescribe",
        "hookInstance": INSTANCE,
        "context": {"patientId": "1", "medications": bundle(order("samplicin"))},
        "prefetch": {"activeMedications": bundle(active("calcium mockate"))},
    }

    assert assert_cards(client.post(SERVICE, json=request).get_json())


def test_a_drug_and_its_own_fluid_is_a_diluent_check(ask: Any) -> None:
    cards = ask([mixture(("exemplapenem", "500 mg", None), ("fictional dextrose", "100 mL", None))])

    [card] = [card for card in cards if card["indicator"] == "critical"]
    assert "must not be prepared in fictional dextrose" in card["summary"]
    assert not any(" + " in card["summary"] for card in cards), "no Y-site card of a drug with its own fluid"


def test_a_fluid_that_the_label_allows_is_offered(ask: Any) -> None:
    [card] = [
        card
        for card in ask([mixture(("exemplapenem", "500 mg", None), ("fictional dextrose", "100 mL", None))])
        if card["indicator"] == "critical"
    ]

    [suggestion] = card["suggestions"]
    [action] = suggestion["actions"]
    poured = action["resource"]["contained"][0]["ingredient"][1]["itemCodeableConcept"]
    assert "in NS" in suggestion["label"]
    assert "update" == action["type"] and "fictional saline" == poured["text"]


def test_a_separate_line_is_offered_for_the_new_order_only(ask: Any) -> None:
    [card] = ask([order("samplicin")], [active("calcium mockate")])

    [suggestion] = card["suggestions"]
    assert "samplicin" in suggestion["label"]
    assert "new" == suggestion["actions"][0]["resource"]["id"]
    assert "calcium mockate" in suggestion["actions"][0]["resource"]["note"][-1]["text"]


def test_two_drugs_of_one_bag_are_asked_as_an_admixture(ask: Any) -> None:
    cards = ask([mixture(("exemplapenem-fixobactam", "", None), ("samplicin", "", None), ("fictional saline", "", None))])

    assert any("must not be mixed" in summary for summary in summaries(cards)), summaries(cards)
    assert not any("at the Y-site" in summary for summary in summaries(cards))


def test_an_oral_drug_raises_no_line_card(ask: Any) -> None:
    assert {"line"} == {card["source"]["topic"]["code"] for card in ask([order("samplicin")], [active("calcium mockate")])}
    assert not any(card["source"]["topic"]["code"] == "line" for card in ask([order("samplicin", route=ORAL)], [active("calcium mockate")]))


def test_an_interaction_with_an_oral_drug_is_told(ask: Any) -> None:
    [card] = ask([order("samplicin")], [active("warfictin", route=ORAL)])

    assert "major interaction" in card["summary"] and "warning" == card["indicator"]
    assert "One shared line" not in card["detail"]


def test_what_must_run_alone_is_one_card_for_all_it_must_not_meet(ask: Any) -> None:
    cards = ask([order("imaginuximab")], [active(drug, drug) for drug in ("samplicin", "mockprazole", "fictazolam")])

    [alone] = [card for card in cards if "line of its own" in card["summary"]]
    assert all(drug in alone["summary"] for drug in ("imaginuximab", "samplicin", "mockprazole", "fictazolam"))


def test_pairs_without_data_are_gathered_and_never_called_compatible(ask: Any) -> None:
    cards = ask([order("nonesuch")], [active("lipomock", "a"), active("mockprazole", "b"), active("phonyvir", "c")])

    [card] = [card for card in cards if card["summary"].startswith("No data")]
    assert "info" == card["indicator"]
    assert "Unknown is not compatible" in card["detail"]


def test_at_most_ten_cards_and_the_rest_in_the_last(ask: Any, world: Any) -> None:
    everything = [drug.name for drug in world.drugs.values() if drug.infused]
    cards = ask([order(name, f"n{number}") for number, name in enumerate(everything)])

    assert 10 == len(cards)
    [rest] = [card for card in cards if "more findings" in card["summary"]]
    assert rest["detail"].count("\n- **") == int(rest["summary"].split()[0])


def test_what_was_not_understood_is_named_also_beside_many_findings(ask: Any, world: Any) -> None:
    everything = [drug.name for drug in world.drugs.values() if drug.infused]
    unknown = [order(f"xyzzymab {number}", f"x{number}") for number in range(20)]
    cards = ask([*(order(name, f"n{number}") for number, name in enumerate(everything)), *unknown])

    [card] = [card for card in cards if "not checked" in card["summary"]]
    assert 10 == len(cards) and all(f"xyzzymab {number}" in card["detail"] for number in range(20))


def test_the_same_request_gives_the_same_cards(client: FlaskClient) -> None:
    request = call([order("samplicin"), order("exemplapenem", "b")], [active("calcium mockate"), active("nonesuch", "x")])

    assert client.post(SERVICE, json=request).data == client.post(SERVICE, json=request).data


def test_another_instance_gives_other_uuids(client: FlaskClient) -> None:
    request = call([order("samplicin")], [active("calcium mockate")])
    one, other = (
        client.post(SERVICE, json=request | {"hookInstance": instance}).get_json()["cards"][0]["uuid"]
        for instance in (INSTANCE, INSTANCE.replace("5", "6"))
    )

    assert one != other


def test_duplicates_collapse(ask: Any) -> None:
    once = ask([order("samplicin")], [active("calcium mockate", "a")])
    thrice = ask(
        [order("samplicin")],
        [
            active("calcium mockate", "a"),
            active("calcium mockate", "b"),
            {
                "resourceType": "MedicationAdministration",
                "id": "c",
                "status": "in-progress",
                "medicationCodeableConcept": {"text": "calcium mockate"},
                "dosage": {"route": {"text": "IV"}},
                "request": {"reference": "MedicationRequest/a"},
            },
        ],
    )

    assert once == thrice


def test_a_renewed_order_takes_the_place_of_the_former(ask: Any) -> None:
    new = mixture(("exemplapenem", "500 mg", None), ("fictional saline", "100 mL", None)) | {
        "priorPrescription": {"reference": "MedicationRequest/old"}
    }
    cards = ask([new], [active("samplicin", "old")])

    assert not any("samplicin" in summary for summary in summaries(cards))


def test_text_from_the_ehr_cannot_break_out_of_the_card(ask: Any) -> None:
    [card] = ask([order("<script>alert(1)</script> [x](javascript:alert(1)) *bold* | cell")])

    assert "<script>" not in card["detail"] and "[x](" not in card["detail"] and "*bold*" not in card["detail"]


def test_the_hook_of_another_service_is_refused(client: FlaskClient) -> None:
    response = client.post(SERVICE, json=call([order("samplicin")]) | {"hook": "patient-view"})

    assert 400 == response.status_code


def test_a_code_is_enough(ask: Any) -> None:
    [card] = ask([order(coded("90000005"))], [active(coded("90000018"))])

    assert "must not share a line" in card["summary"]


def test_what_is_said_of_the_line_stands_in_the_card_also_where_it_is_good(ask_real: Any) -> None:
    [card] = ask_real([order("vancomycin 1 g in 200 mL NS")], [active("piperacillin-tazobactam 4.5 g in 100 mL NS")])

    assert "compatible at the Y-site" in card["detail"] or "results differ" in card["detail"]
    assert "One shared line is assumed" in card["detail"]


INTRATHECAL = {"coding": [{"system": "http://snomed.info/sct", "code": "72607000"}]}


def test_a_drug_that_is_fatal_in_the_spinal_canal_is_critical_there(ask_real: Any) -> None:
    [card] = ask_real([order("vincristine", route=INTRATHECAL)])

    assert "critical" == card["indicator"]
    assert "vincristine" in card["summary"].casefold() and "intrathecal" in card["summary"]


def test_the_spinal_canal_named_beside_the_vein_is_critical_too(ask_real: Any) -> None:
    both = order("vincristine") | {"dosageInstruction": [{"route": {"text": "IV"}}, {"route": INTRATHECAL}]}

    assert "critical" == ask_real([both])[0]["indicator"]


def test_a_drug_for_the_spinal_canal_raises_nothing(ask_real: Any) -> None:
    assert [] == ask_real([order("methotrexate", route=INTRATHECAL)])


def test_an_oral_drug_raises_no_card_of_the_line(ask_real: Any) -> None:
    cards = ask_real([order("vancomycin", route=ORAL)], [active("piperacillin-tazobactam")])

    assert "line" not in [card["source"]["topic"]["code"] for card in cards]


def test_a_depot_ordered_by_vein_is_a_warning(ask_real: Any) -> None:
    [card] = ask_real([order("Bicillin L-A")])

    assert "warning" == card["indicator"]
    assert "not known here as an infusion" in card["summary"]


def test_a_push_of_the_vial_is_told_as_undiluted(ask_real: Any) -> None:
    cards = ask_real([order("potassium chloride 2 mEq/mL", route={"text": "IV push"})], [active("phenytoin")])

    assert any("2 mEq/mL, undiluted" in card["detail"] for card in cards)
