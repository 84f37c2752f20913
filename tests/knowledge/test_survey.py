"""survey.py and page.py: counts that add up, gaps that are gaps, a page that leaves nothing out."""

from __future__ import annotations

import json

import pytest

from knowledge import Knowledge, load
from knowledge.page import Unknown, find, page
from knowledge.survey import gaps, stats
from knowledge.terms import Kind, Mode
from tests.knowledge.folder import Folder


def test_parts_add_up_to_the_whole(world: Knowledge) -> None:
    counts = stats(world)
    withdrawn = {source.id for source in world.sources.values() if source.withdrawn}
    rows = [row for row in world.records.rows if row.cited.source not in withdrawn]

    assert len(world.drugs) == counts["drugs"]["all"] == sum(count for name, count in counts["drugs"].items() if name != "all")
    assert (
        len(rows)
        == counts["evidence rows"]["all"]
        == sum(sum(row.values()) for row in counts["evidence rows"]["by mode and result"].values())
    )
    assert len(rows) == sum(counts["evidence rows"]["by reading"].values())
    assert counts["rules"]["all"] == sum(counts["rules"]["by effect"].values())
    assert counts["interactions"]["statements"] == sum(counts["interactions"]["by severity"].values())
    assert len(world.records.sources) == counts["sources"]["all"] == sum(counts["sources"]["by kind"].values())
    assert len(world.records.sources) == sum(sum(row.values()) for row in counts["sources"]["by kind and fullest reading"].values())


def test_a_withdrawn_source_is_not_counted(folder: Folder) -> None:
    before = stats(load(folder.root, cache=False))
    folder.replace("studies/roe-2015-exemplapenem.yaml", "kind: journal", "kind: journal, withdrawn: retracted")
    after = stats(load(folder.root, cache=False))

    assert before["evidence rows"]["all"] - 4 == after["evidence rows"]["all"]
    assert before["sources"]["withdrawn"] + 1 == after["sources"]["withdrawn"]


def test_second_read_share(folder: Folder) -> None:
    folder.replace("studies/roe-2015-exemplapenem.yaml", "read: {what: full-text}", "read: {what: full-text, review: second-read}")

    share = stats(load(folder.root, cache=False))["second-read"]["evidence rows"]

    assert 4 == share["read twice"]
    assert round(4 / share["of"], 3) == share["share"]


@pytest.mark.parametrize(
    ("path", "section", "name"),
    [
        ("drugs/fictional-saline.yaml", "composition", "composition"),
        ("drugs/exemplapenem.yaml", "ph", "pH"),
        ("drugs/exemplapenem.yaml", "rules", "rules"),
    ],
)
def test_a_single_item_of_a_drug_can_be_read_twice(folder: Folder, path: str, section: str, name: str) -> None:
    def read_twice() -> int:
        return int(stats(load(folder.root, cache=False))["second-read"][name]["read twice"])

    before = read_twice()
    text = (folder.root / path).read_text()
    head, items = text.split(f"{section}:\n", 1)
    item, *rest = items.split("\n")
    folder.write(path, f"{head}{section}:\n" + "\n".join([item.removesuffix("}") + ", review: second-read}", *rest]))

    assert before + 1 == read_twice()


def test_gaps_are_infused_drugs_that_lack_something(world: Knowledge) -> None:
    found = gaps(world)

    for names in found.values():
        assert all(world.drugs[name].kind is Kind.DRUG and world.drugs[name].infused for name in names)
    assert "nonesuch" in found["no evidence"]
    assert "nonesuch" in found["no rules"]
    assert "exemplapenem" not in found["no pH"]
    assert [] == found["no code"]


def test_a_diluent_comes_from_a_label_that_names_it_or_calls_a_fluid_compatible(folder: Folder) -> None:
    def lacking() -> list[str]:
        return gaps(load(folder.root, cache=False))["no diluent from a label"]

    before = lacking()
    folder.write("drugs/mirrorin.yaml", "name: mirrorin\nkind: drug\ninfused: yes\ngroup: other\ncodes: {unii: [MMMMMMMMMM]}\n")
    assert sorted([*before, "mirrorin"]) == sorted(lacking())
    study = (
        "source: {{id: mirrorin-leaflet, kind: {kind}, publisher: Nobody, title: Mirrorin, locator: shelf 1}}\nread: {{what: label}}\n"
        "rows:\n  - {{drug: mirrorin, with: fictional-dextrose, mode: {mode}, basis: physical, result: {result}, finding: {finding}, at: section 4}}\n"
    )
    for kind, mode, result, names in (
        ("label", "admixture", "compatible", True),
        ("label", "admixture", "incompatible", False),
        ("label", "y-site", "compatible", False),
        ("guideline", "admixture", "compatible", False),
    ):
        folder.write(
            "studies/mirrorin-leaflet.yaml",
            study.format(kind=kind, mode=mode, result=result, finding="other" if result == "incompatible" else "none"),
        )
        assert names is ("mirrorin" not in lacking()), (kind, mode, result)
    rule = "rules:\n  - {rule: diluent-required, value: undiluted, effect: info, source: mirrorin-leaflet, at: section 4, read: label}\n"
    folder.append("drugs/mirrorin.yaml", rule)
    assert "mirrorin" in lacking()  # the rule stands, but on a guideline
    folder.write("studies/mirrorin-leaflet.yaml", study.format(kind="label", mode="y-site", result="compatible", finding="none"))
    assert "mirrorin" not in lacking()


def test_gaps_of_common_pairs(world: Knowledge) -> None:
    found = gaps(world, ["exemplapenem", "fictazolam", "nonesuch", "not-in-the-base"])["common pairs without Y-site evidence"]

    assert ["exemplapenem + nonesuch", "fictazolam + nonesuch"] == found


@pytest.mark.parametrize("asked", ["exemplapenem", "EXEMPLAPENEM", "Exemplex", "ex-em-plex", "exemplapenem sodium", "EXEMPLApenem"])
def test_exact_names_resolve(world: Knowledge, asked: str) -> None:
    assert "exemplapenem" == find(world, asked)


def test_refused_and_unknown_names_give_candidates_and_never_an_answer(world: Knowledge) -> None:
    with pytest.raises(Unknown) as refused:
        find(world, "e.x.s")
    with pytest.raises(Unknown) as near:
        find(world, "exemplapenen")
    with pytest.raises(Unknown) as far:
        find(world, "zzz")

    assert ("exemplapenem", "samplicin") == refused.value.candidates
    assert "exemplapenem" in near.value.candidates
    assert () == far.value.candidates


def test_a_page_holds_everything_with_its_source(world: Knowledge) -> None:
    told = page(world, "exemplapenem")
    drug = world.drugs["exemplapenem"]

    assert len(drug.rules) == len(told["rules"])
    assert len(drug.acidity) == len(told["ph"])
    assert sum(len(items) for pair, modes in world.evidence.items() if "exemplapenem" in pair for items in modes.values()) == len(
        told["evidence"]
    )
    assert sum(len(items) for pair, items in world.interactions.items() if "exemplapenem" in pair) == len(told["interactions"])
    assert all(item["source"] for section in ("rules", "ph", "evidence", "interactions", "classes") for item in told[section])
    json.dumps(told)


def test_a_page_tells_its_own_side_first(world: Knowledge) -> None:
    def incompatible(drug: str) -> list[str]:
        return [
            item["tested"]
            for item in page(world, drug)["evidence"]
            if (item["source"], item["result"]) == ("roe-2015-exemplapenem", "incompatible")
        ]

    rows = {drug: incompatible(drug) for drug in ("exemplapenem", "fictazolam")}

    assert {"exemplapenem": ["20 mg/mL in NS / 5 mg/mL in NS, 4 h"], "fictazolam": ["5 mg/mL in NS / 20 mg/mL in NS, 4 h"]} == rows


def test_every_drug_has_a_page(world: Knowledge) -> None:
    for drug_id in world.drugs:
        assert page(world, drug_id)["id"] == drug_id


def test_grid_pairs_use_y_site_evidence_only(world: Knowledge) -> None:
    assert not world.rows("placebotaxel", "samplicin", Mode.Y_SITE)
    assert ["placebotaxel + samplicin"] == gaps(world, ["placebotaxel", "samplicin"])["common pairs without Y-site evidence"]
