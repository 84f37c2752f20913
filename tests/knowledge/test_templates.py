"""templates/: both templates load as they are and with every optional field in use, and leave no field out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from marshmallow import Schema, fields

from knowledge import files, schema
from knowledge.load import HERE, examine
from tests.knowledge.folder import Folder

STUDY, DRUG = (HERE / "templates" / name for name in ("study.yaml", "drug.yaml"))


def in_full(path: Path) -> str:
    """A template with every optional field in use. An optional row begins with "#", whatever follows is indented as it stands."""
    return re.sub(r"^#(?: (?=\S)| (?=  ))?(?!#)", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture
def world(folder: Folder) -> Folder:
    """The made-up world without the drug and study of the templates, and with all that they speak of."""
    folder.delete("studies/roe-2015-exemplapenem.yaml")
    folder.append("drugs/nonesuch.yaml", "ingredient: none")
    folder.write("drugs/fixobactam.yaml", "name: fixobactam\nkind: drug\ninfused: no\ngroup: other\n")
    folder.write("drugs/exemplapenems.yaml", "name: exemplapenems\nkind: drug\ninfused: no\ngroup: other\n")
    return folder


def _problems(folder: Folder) -> list[str]:
    return [str(problem) for problem in examine(files.read_all(folder.root)).problems]


@pytest.mark.parametrize("full", [False, True], ids=["as it is", "in full"])
def test_the_study_template_loads(world: Folder, full: bool) -> None:
    world.write("studies/roe-2015-exemplapenem.yaml", in_full(STUDY) if full else STUDY.read_text(encoding="utf-8"))

    assert [] == _problems(world)


@pytest.mark.parametrize("full", [False, True], ids=["as it is", "in full"])
def test_the_drug_template_loads(world: Folder, full: bool) -> None:
    text = in_full(DRUG) if full else DRUG.read_text(encoding="utf-8")
    world.write("drugs/exemplapenem.yaml", text.replace("vehicle_code: EX", "") if full else text)

    assert [] == _problems(world)


def _fields(of: type[Schema]) -> set[str]:
    return {field.data_key or name for name, field in of().fields.items()}


def _seen(data: object) -> set[str]:
    if isinstance(data, dict):
        return set(data) | {key for value in data.values() for key in _seen(value)}
    return {key for item in data for key in _seen(item)} if isinstance(data, list) else set()


def test_the_study_template_shows_every_field() -> None:
    data = files.parse("study.yaml", in_full(STUDY).encode())

    assert _fields(schema.StudySchema) <= set(data)
    assert _fields(schema.SourceSchema) <= set(data["source"])
    assert _fields(schema.ReadSchema) <= set(data["read"])
    assert _fields(schema.RowSchema) - {"id", "source"} <= _seen(data["common"]) | _seen(data["rows"])


def test_the_drug_template_shows_every_field() -> None:
    data = files.parse("drug.yaml", in_full(DRUG).encode())

    assert _fields(schema.DrugSchema) - {"id"} <= set(data)
    for name, field in schema.DrugSchema().fields.items():
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            assert _fields(type(field.inner.schema)) <= _seen(data[name]), name
