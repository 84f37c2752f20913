"""python -m knowledge: exit statuses, words and JSON of each command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from knowledge.__main__ import main
from tests.knowledge.folder import WORLD, Folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWISE_CACHE", str(tmp_path / "cache"))


def run(*arguments: str, root: Path = WORLD) -> Result:
    return CliRunner().invoke(main, [*arguments, "--root", str(root)])


@pytest.mark.parametrize(
    "command", [[], ["lint"], ["stats"], ["show"], ["conflicts"], ["gaps"]], ids=lambda command: " ".join(command) or "knowledge"
)
def test_help_shows_an_example(command: list[str]) -> None:
    told = CliRunner().invoke(main, [*command, "--help"])

    assert 0 == told.exit_code
    assert "python -m knowledge" in told.output


@pytest.mark.parametrize(
    "command", [["lint"], ["stats"], ["show", "exemplapenem"], ["conflicts"], ["gaps"]], ids=lambda command: command[0]
)
def test_json_is_json_and_words_are_words(command: list[str]) -> None:
    as_json, as_words = run(*command, "--json"), run(*command)

    assert (0, 0) == (as_json.exit_code, as_words.exit_code), as_json.output + as_words.output
    assert json.loads(as_json.output) is not None
    assert as_words.output.strip()


def test_lint_fails_on_an_error_and_tells_file_line_code_reason_and_mend(folder: Folder) -> None:
    folder.replace("studies/roe-2015-exemplapenem.yaml", "with_vehicle: D5W", "with_vehicle: NSS")
    line = folder.line("studies/roe-2015-exemplapenem.yaml", "NSS")

    told = run("lint", "--errors-only", root=folder.root)

    assert 1 == told.exit_code
    place, reason, mend, count = told.output.splitlines()
    assert place.endswith(f"studies/roe-2015-exemplapenem.yaml:{line}  vehicle-unknown")
    assert '"NSS" is not a known vehicle (' in reason
    assert "mend: " in mend
    assert count.startswith("1 error(s)")


def test_lint_passes_with_warnings_only(folder: Folder) -> None:
    folder.drop("drugs/nonesuch.yaml", "codes:")

    told = run("lint", root=folder.root)

    assert 0 == told.exit_code
    assert "infused-drug-has-code" in told.output
    assert "infused-drug-has-code" not in run("lint", "--errors-only", root=folder.root).output


def test_lint_lists_its_rules() -> None:
    told = json.loads(run("lint", "--rules", "--json").output)

    assert {"alias-unique", "contradiction-listed", "source-unused"} <= {rule["code"] for rule in told}


@pytest.mark.parametrize("command", [["stats"], ["show", "exemplapenem"], ["conflicts"], ["gaps"]], ids=lambda command: command[0])
def test_broken_knowledge_is_told_and_fails(folder: Folder, command: list[str]) -> None:
    folder.write("drugs/exemplapenem.yaml", "")

    told = run(*command, root=folder.root)

    assert 1 == told.exit_code
    assert "empty-file" in told.stderr


def test_an_unknown_name_is_told_with_candidates() -> None:
    told = run("show", "exemplapenen")

    assert 2 == told.exit_code
    assert "Did you mean: exemplapenem" in told.stderr
    assert "" == told.stdout


def test_a_folder_that_is_not_there_is_told() -> None:
    assert 2 == run("stats", root=Path("nowhere")).exit_code


def test_gaps_read_the_grid_of_their_folder(folder: Folder) -> None:
    folder.write("grid.yaml", "name: made up\ndrugs: [exemplapenem, nonesuch]\n")

    assert ["exemplapenem + nonesuch"] == json.loads(run("gaps", "--json", root=folder.root).output)["common pairs without Y-site evidence"]
