"""Which findings become cards, and how loud: by a table that a facility can change."""

from __future__ import annotations

from pathlib import Path

import pytest

from api import create_app
from api.cds.summaries import LONGEST, cut, listed, pair
from api.cds.tiers import Tiers
from api.settings import SettingsError
from knowledge import Knowledge
from tests.ehr import SERVICE, active, assert_cards, call, order


def ask(world: Knowledge, database: str, path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    client = create_app({"log": "nothing", "database": database, "tiers": path}, knowledge=world).test_client()
    request = call(
        [order("samplicin"), order("xyzzymab", "x")], [active("calcium mockate"), active("nonesuch", "n"), active("lipomock", "l")]
    )
    return [f"{card['indicator']}: {card['summary']}" for card in assert_cards(client.post(SERVICE, json=request).get_json())]


def test_a_facility_may_speak_more_softly(world: Knowledge, database: str, tmp_path: Path) -> None:
    cards = ask(world, database, tmp_path / "tiers.yaml", "rules:\n  - {level: stop, show: info}\n  - {show: none}\n")

    assert not any(card.startswith("critical") for card in cards)
    assert any("calcium mockate" in card for card in cards)


def test_what_was_not_understood_cannot_be_silenced(world: Knowledge, database: str, tmp_path: Path) -> None:
    [card] = ask(world, database, tmp_path / "tiers.yaml", "rules: [{show: none}]\nnot_understood: {new: info, active: info}\n")

    assert "xyzzymab" in card


def test_what_no_rule_names_is_gathered(world: Knowledge, database: str, tmp_path: Path) -> None:
    cards = ask(world, database, tmp_path / "tiers.yaml", "rules: [{level: note, show: none}]\n")

    assert any(card.startswith("info: No data") for card in cards)


def test_gathered_findings_are_not_told_as_missing_data(world: Knowledge, database: str, tmp_path: Path) -> None:
    cards = ask(world, database, tmp_path / "tiers.yaml", "rules: [{level: [stop, caution, unknown], show: gather}, {show: none}]\n")

    [also] = [card for card in cards if card.startswith("info: Also found")]
    assert "calcium mockate" in also
    assert not any("calcium mockate + samplicin" in card for card in cards if card.startswith("info: No data"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rules: []",
        "rules: 7",
        "rules: [{show: loud}]",
        "rules: [{kind: lines, show: info}]",
        "rules: [{level: stop}]",
        "rules: [{show: info, colour: red}]",
        "{",
        "tiers: []",
    ],
)
def test_a_table_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tiers.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError):
        Tiers.read(path)


@pytest.mark.parametrize("length", [5, 40, 80, 200, 1000])
@pytest.mark.parametrize("other", [5, 60, 300])
def test_a_summary_fits_and_names_both(length: int, other: int) -> None:
    said = pair("a" * length, "b" * other, "incompatible at the Y-site; major interaction")

    assert len(said) <= LONGEST
    assert "aaaaa" in said and " + b" in said and said.endswith("incompatible at the Y-site; major interaction")


def test_lists_count_what_does_not_fit() -> None:
    names = [f"drug number {number}" for number in range(40)]

    said = listed("Not checked: ", names)

    assert len(said) <= LONGEST and said.endswith("more")
    assert 40 == said.count("drug number") + int(said.split()[-2])
    assert len(listed("x" * 200, ["y" * 200, "z" * 200])) <= LONGEST
    assert len(cut("word " * 100)) <= LONGEST
