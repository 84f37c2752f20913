"""load.py: the cache is believed only when it is whole and fresh; a withdrawn source takes its facts with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge import Knowledge, KnowledgeError
from knowledge import load as load_package
from knowledge.terms import Mode
from tests.knowledge.folder import Folder

load_module = __import__("knowledge.load", fromlist=["load"])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LINEWISE_CACHE", str(folder))
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that the files were validated."""
    seen: list[int] = []
    validate = load_module.validate

    def counted(contents: dict[str, bytes]) -> object:
        seen.append(len(contents))
        return validate(contents)

    monkeypatch.setattr(load_module, "validate", counted)
    return seen


def load(folder: Folder) -> Knowledge:
    return load_package(folder.root)


def only(cache: Path) -> Path:
    (path,) = cache.glob("*.msgpack")
    return path


def test_a_second_load_is_answered_by_the_cache_and_equal(folder: Folder, cache: Path, reads: list[int]) -> None:
    first, second = load(folder), load(folder)

    assert 1 == len(reads)
    assert first.records == second.records
    assert first.digest == second.digest


def test_any_change_of_a_file_makes_the_cache_stale(folder: Folder, cache: Path, reads: list[int]) -> None:
    before = load(folder)
    folder.replace("studies/roe-2015-exemplapenem.yaml", "hours: 4", "hours: 5")
    after = load(folder)

    assert 2 == len(reads)
    assert before.digest != after.digest
    assert 5 == next(row.hours for row in after.records.rows if row.id == "roe-2015-exemplapenem#1")


def test_a_change_of_the_reading_code_makes_the_cache_stale(
    folder: Folder, cache: Path, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(folder)
    monkeypatch.setattr(load_module, "_FORMAT", "another")
    load(folder)

    assert 2 == len(reads)


def _flip(at: int) -> Callable[[bytes], bytes]:
    def damage(content: bytes) -> bytes:
        place = at % len(content)
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return damage


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut in the seal": lambda content: content[:30],
    "cut after the seal": lambda content: content[:64],
    "cut in the middle": lambda content: content[: len(content) // 2],
    "last byte gone": lambda content: content[:-1],
    "one byte more": lambda content: content + b"\0",
    "bit of the seal": _flip(3),
    "first bit of the payload": _flip(64),
    "bit in the middle": _flip(5000),
    "last bit": _flip(-1),
    "another file": lambda content: b"not a cache at all",
    "payload of nothing": lambda content: content[:64] + b"\x80",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_cache_is_rebuilt(folder: Folder, cache: Path, reads: list[int], name: str) -> None:
    whole = load(folder)
    path = only(cache)
    good = path.read_bytes()
    path.write_bytes(DAMAGE[name](good))

    again = load(folder)

    assert 2 == len(reads)
    assert whole.records == again.records
    assert good == path.read_bytes()


def test_a_cache_of_other_knowledge_under_this_name_is_not_believed(folder: Folder, cache: Path, reads: list[int]) -> None:
    load(folder)
    other = only(cache).read_bytes()
    only(cache).unlink()
    folder.replace("release.yaml", "2026.1.1", "2026.1.2")
    load(folder)
    only(cache).write_bytes(other)

    assert "2026.1.2" == load(folder).version
    assert 3 == len(reads)


def test_a_cache_that_cannot_be_written_is_no_error(
    folder: Folder, tmp_path: Path, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LINEWISE_CACHE", str(tmp_path / "file" / "cache"))

    assert load(folder).records == load(folder).records
    assert 2 == len(reads)


def test_a_cache_that_is_a_folder_is_no_error(folder: Folder, cache: Path) -> None:
    load(folder)
    path = only(cache)
    path.unlink()
    path.mkdir()

    assert load(folder).drugs


def test_old_caches_are_swept(folder: Folder, cache: Path) -> None:
    for number in range(7):
        folder.write("release.yaml", f"{{version: 2026.1.{number}, date: 2026-01-15}}\n")
        load(folder)
        os.utime(max(cache.glob("*.msgpack"), key=lambda path: path.stat().st_mtime_ns), (number, number))

    assert len(list(cache.glob("*.msgpack"))) <= 5
    assert not list(cache.glob("*.part"))


def test_without_cache_nothing_is_written(folder: Folder, cache: Path) -> None:
    load_package(folder.root, cache=False)

    assert not cache.exists()


def test_broken_knowledge_is_never_cached(folder: Folder, cache: Path) -> None:
    folder.replace("drugs/exemplapenem.yaml", "infused: yes", "infused: true")

    with pytest.raises(KnowledgeError):
        load(folder)
    assert not list(cache.glob("*")) if cache.exists() else True


def test_a_withdrawn_study_takes_its_rows_out_and_stays_readable(folder: Folder) -> None:
    before = load_package(folder.root, cache=False)
    folder.replace("studies/roe-2015-exemplapenem.yaml", "kind: journal", "kind: journal, withdrawn: 2026-01-02 retracted")
    after = load_package(folder.root, cache=False)

    rows = [row.id for row in after.records.rows if row.cited.source == "roe-2015-exemplapenem"]
    assert rows
    assert "2026-01-02 retracted" == after.sources["roe-2015-exemplapenem"].withdrawn
    assert {item.row.id for item in before.rows("fictazolam", "exemplapenem", Mode.Y_SITE)} >= set(rows[:2])
    for modes in after.evidence.values():
        assert not {item.row.id for items in modes.values() for item in items} & set(rows)
    assert not [edge for *_, edge in after.graph.edges(data=True) if edge.get("row") in rows]


def test_a_withdrawn_label_takes_rules_composition_classes_and_statements_out(folder: Folder) -> None:
    for source in ("label-exemplex", "label-fluids", "guideline-imaginary"):
        folder.replace("sources.yaml", f"{{id: {source},", f"{{id: {source}, withdrawn: 2026-01-02 superseded,")
    knowledge = load_package(folder.root, cache=False)

    drug = knowledge.drugs["exemplapenem"]
    assert {"label-exemplex-elsewhere"} == {rule.cited.source for rule in drug.rules}
    assert () == drug.acidity
    assert () == drug.classes
    assert "fictional-ringer" not in knowledge.group_members["calcium-containing"]
    assert not [
        item
        for items in knowledge.interactions.values()
        for item in items
        if item.statement.cited.source in ("label-exemplex", "guideline-imaginary")
    ]
    assert next(drug for drug in knowledge.records.drugs if drug.id == "exemplapenem").classes
