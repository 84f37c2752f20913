"""link.py: what follows from composition, classes, components and common names, and by which way."""

from __future__ import annotations

from knowledge import Knowledge
from knowledge.terms import Mode, Result


def _stated(world: Knowledge, a: str, b: str, mechanism: str) -> list[tuple[str, ...]]:
    """The ways by which statements of a mechanism reach a pair."""
    pair = (a, b) if a <= b else (b, a)
    return [
        tuple(f"{via.kind}:{via.through}" for via in item.via)
        for item in world.interactions.get(pair, ())
        if item.statement.mechanism == mechanism
    ]


# --- composition and groups ---


def test_a_salt_brings_its_ions(world: Knowledge) -> None:
    assert {"sodium", "chloride"} <= set(world.carried["fictional-saline"])


def test_a_fluid_belongs_to_the_groups_of_what_it_contains(world: Knowledge) -> None:
    via = world.group_members["calcium-containing"]["fictional-ringer"]

    assert ("composition", "group:calcium-containing") == (via.kind, via.through)
    assert ["label-fluids"] == [cited.source for cited in via.cited]


def test_what_is_absent_or_a_trace_does_not_count(world: Knowledge) -> None:
    members = world.group_members["calcium-containing"]

    assert "nutrimock-with-calcium" in members
    assert "nutrimock-plain" not in members
    assert "tracecalcin" not in members
    assert (True, False) == (world.carried["tracecalcin"]["calcium"].present, world.carried["tracecalcin"]["calcium"].in_earnest)


def test_all_of_asks_for_every_component(world: Knowledge) -> None:
    assert "fictional-saline" in world.group_members["saline-containing"]
    assert "fictional-dextrose" not in world.group_members["saline-containing"]


def test_a_least_content_is_compared_in_grams(world: Knowledge) -> None:
    strong = world.group_members["dextrose-30-or-more"]

    assert "fictional-strong-dextrose" in strong
    assert "fictional-dextrose" not in strong
    assert {"fictional-dextrose", "fictional-strong-dextrose", "nutrimock-with-calcium"} <= set(world.group_members["dextrose-containing"])


def test_incompatible_with_a_group_is_incompatible_with_each_member(world: Knowledge) -> None:
    (evidence,) = world.rows("exemplapenem", "mock-phosphate", Mode.Y_SITE)

    assert Result.INCOMPATIBLE is evidence.row.result
    assert evidence.via is not None
    assert "group:phosphate-containing" == evidence.via.through


# --- kin: a caution, never proof ---


def test_a_carrier_is_kin_to_whatever_contains_the_same(world: Knowledge) -> None:
    kin = {(via.kind, via.through) for via in world.kin["fictional-ringer"]}

    assert ("carrier", "calcium-mockate") in kin
    assert "calcium-mockate" not in {via.through for via in world.kin.get("calcium-mockate", ())}


def test_a_product_and_its_common_name_are_kin_both_ways(world: Knowledge) -> None:
    assert ("common-name", "nutrimock") in {(via.kind, via.through) for via in world.kin["nutrimock-plain"]}
    assert ("common-name", "nutrimock-plain") in {(via.kind, via.through) for via in world.kin["nutrimock"]}


# --- interactions ---


def test_a_class_statement_reaches_its_members_and_says_by_which_class(world: Knowledge) -> None:
    assert [("class:class:samplicins",)] == _stated(world, "samplamycin", "exemplapenem", "additive-nephrotoxicity")


def test_a_class_with_itself_means_two_different_members(world: Knowledge) -> None:
    assert _stated(world, "samplicin", "samplamycin", "additive-nephrotoxicity")
    assert all(a != b for a, b in world.interactions)


def test_a_statement_without_roles_reaches_a_pair_once(world: Knowledge) -> None:
    assert 1 == len(_stated(world, "samplicin", "samplamycin", "additive-nephrotoxicity"))


def test_a_combination_is_reached_through_its_component(world: Knowledge) -> None:
    assert [("class:class:samplicins", "component:exemplapenem")] == _stated(
        world, "exemplapenem-fixobactam", "samplicin", "additive-nephrotoxicity"
    )


def test_a_combination_is_never_paired_with_its_own_component(world: Knowledge) -> None:
    assert ("exemplapenem", "exemplapenem-fixobactam") not in world.interactions


def test_a_formulation_is_reached_through_its_ingredient_and_never_paired_with_it(world: Knowledge) -> None:
    assert [("ingredient:placebotaxel",)] == _stated(world, "mockplatin", "placebotaxel-albumin", "order-matters")
    assert ("placebotaxel", "placebotaxel-albumin") not in world.interactions


def test_roles_survive_the_sorting_of_a_pair(world: Knowledge) -> None:
    (item,) = (item for item in world.interactions["mockprazole", "phonyvir"] if item.statement.mechanism == "reduced-absorption")

    assert ("phonyvir", "mockprazole") == (item.object, item.precipitant)


# --- the graph says what the indices say ---


def test_each_tested_condition_is_an_edge(world: Knowledge) -> None:
    edges = {(*sorted(ends), edge["row"]) for *ends, edge in world.graph.edges(data=True) if edge["kind"] == "compatibility"}
    indexed = {(*pair, item.row.id) for pair, modes in world.evidence.items() for items in modes.values() for item in items}

    assert indexed == edges


def test_each_interaction_is_an_edge(world: Knowledge) -> None:
    edges = sorted((*sorted(ends), edge["statement"]) for *ends, edge in world.graph.edges(data=True) if edge["kind"] == "interaction")

    assert edges == sorted((*pair, item.statement.id) for pair, items in world.interactions.items() for item in items)


def test_every_node_is_a_drug_class_group_or_component(world: Knowledge) -> None:
    assert {"drug", "fluid", "nutrition", "class", "group", "component"} == {kind for _, kind in world.graph.nodes(data="kind")}


def test_codes_lead_to_all_who_bear_them(world: Knowledge) -> None:
    assert ("placebotaxel", "placebotaxel-albumin") == world.codes["rxnorm", "90000010"]
