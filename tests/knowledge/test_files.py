"""files.py: YAML gives text, and nothing but text, with the lines on which it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge import files
from knowledge.errors import KnowledgeError

LOADERS = [loader for loader in (getattr(yaml, "CBaseLoader", None), yaml.BaseLoader) if loader is not None]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each parser in turn: the fast one, and the one that every wheel has."""
    monkeypatch.setattr(files, "Loader", request.param)


@pytest.mark.parametrize("text", ["1:1", "NO", "yes", "00641", "1e3", "0x1F", "2026-01-15", "~", "null", "1_000", ".inf", "=", "1:25 v/v"])
def test_every_scalar_is_text(text: str) -> None:
    assert {"value": text} == files.parse("x.yaml", f"value: {text}\n".encode())


def test_lists_and_mappings_are_kept_in_order() -> None:
    data = files.parse("x.yaml", b"b: [1, 2]\na:\n  - {x: 1, y: 2}\n")

    assert ["b", "a"] == list(data)
    assert {"b": ["1", "2"], "a": [{"x": "1", "y": "2"}]} == data


def test_a_mapping_knows_its_line_and_those_of_its_keys() -> None:
    data = files.parse("x.yaml", b"# a comment\nname: x\nrows:\n  - {a: 1,\n     b: 2}\n")

    assert 2 == data.line
    assert {"name": 2, "rows": 3} == data.lines
    assert 4 == data["rows"][0].line
    assert {"a": 4, "b": 5} == data["rows"][0].lines


REFUSED = {
    "duplicate key": (b"a: 1\nb: 2\na: 3\n", 3, "duplicate-key"),
    "duplicate key, spelled otherwise": (b"'a': 1\na: 2\n", 2, "duplicate-key"),
    "duplicate key in a row": (b"rows:\n  - {a: 1, a: 2}\n", 2, "duplicate-key"),
    "anchor": (b"a: 1\nb: &x 2\n", 2, "anchor"),
    "alias": (b"a: *x\n", 1, "anchor"),
    "anchor that holds itself": (b"a: &x [*x]\n", 1, "anchor"),
    "tag": (b"a: !!int 5\n", 1, "tag"),
    "tag that builds an object": (b"a: !!python/object/apply:os.getcwd []\n", 1, "tag"),
    "key that is a list": (b"? [a]\n: 1\n", 1, "bad-key"),
    "two documents": (b"a: 1\n---\nb: 2\n", 2, "not-yaml"),
    "cut in a list": (b"a: 1\nb: [1, 2\n", None, "not-yaml"),
    "cut in a mapping": (b"a: {b: 1\n", None, "not-yaml"),
    "cut in quotes": (b"a: 'text\n", None, "not-yaml"),
    "control character": (b"a: \x07\n", None, "not-yaml"),
    "nul": (b"a: \x00\n", None, "not-yaml"),
    "not UTF-8": (b"a: 1\nb: \xe9\n", 2, "not-utf-8"),
    "UTF-16": ("a: 1\n".encode("utf-16"), 1, "not-utf-8"),
    "brackets without end": (b"[" * 100_000, 1, "too-deep"),
    "hyphens without end": (b"- " * 100_000, 1, "too-deep"),
    "braces without end": (b"{a: " * 100_000, 1, "too-deep"),
    "empty": (b"", 0, "empty-file"),
    "comments only": (b"# nothing\n", 0, "empty-file"),
    "a document of nothing": (b"---\n", None, "empty-file"),
}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_more_than_text_is_refused(name: str) -> None:
    content, line, code = REFUSED[name]

    with pytest.raises(KnowledgeError) as raised:
        files.parse("studies/x.yaml", content)

    (problem,) = raised.value.problems
    assert ("studies/x.yaml", code) == (problem.file, problem.code)
    assert line is None or line == problem.line
    assert problem.mend


@given(st.binary(max_size=300) | st.text(alphabet="ab:-[]{},&*!#'\"\n ?|>%@`~<=\t\\", max_size=120).map(str.encode))
def test_any_bytes_are_values_or_a_named_problem(content: bytes) -> None:
    try:
        files.parse("x.yaml", content)
    except KnowledgeError as error:
        assert error.problems


def test_digest_sees_names_and_bytes(tmp_path: Path) -> None:
    one = files.digest({"a": b"1", "b": b"2"})

    assert one == files.digest({"b": b"2", "a": b"1"})
    assert one != files.digest({"a": b"1", "b": b"3"})
    assert one != files.digest({"a": b"1", "c": b"2"})
    assert files.digest({"a": b"12", "b": b""}) != files.digest({"a": b"1", "b": b"2"})


def test_only_knowledge_files_are_read(tmp_path: Path) -> None:
    for name in ("drugs/a.yaml", "drugs/notes.txt", "templates/drug.yaml", "release.yaml", "other.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a: 1\n")

    assert ["drugs/a.yaml", "release.yaml"] == sorted(files.read_all(tmp_path))
