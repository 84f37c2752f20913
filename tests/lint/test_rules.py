"""Each rule has a broken sample, and each sample is caught in its file, on its line, with a mend.

A sample says why it is broken, the `code` under which it is caught, the `file` it becomes in a copy of the made-up world
(`content` for a new file, `append` for the end of one that is there, `replace` for a line of it), words of the reason
(`says`), and a mark by which the line is found (`line`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge import files
from knowledge.lint import Level, Scope, lint, rules
from tests.knowledge.folder import WORLD, Folder

BAD = Path(__file__).parent / "bad"
SAMPLES = {path.stem: files.parse(path.name, path.read_bytes()) for path in sorted(BAD.glob("*.yaml"))}


def _put(folder: Folder, sample: dict[str, str]) -> None:
    if "append" in sample:
        folder.append(sample["file"], sample["append"])
    elif "replace" in sample:
        folder.replace(sample["file"], sample["replace"], sample["content"].rstrip("\n"))
    else:
        folder.write(sample["file"], sample["content"])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_broken_sample_is_caught(tmp_path: Path, name: str) -> None:
    sample = SAMPLES[name]
    folder = Folder.copy(tmp_path)
    before = set(lint(folder.root))
    _put(folder, sample)

    found = [finding.problem for finding in lint(folder.root) if finding not in before]
    caught = [
        problem
        for problem in found
        if (problem.file, problem.code) == (sample["file"], sample["code"]) and sample["says"] in problem.reason
    ]

    assert caught, "\n".join(map(str, found)) or "nothing was found"
    assert all(problem.mend for problem in caught)
    if "line" in sample:
        assert folder.line(sample["file"], sample["line"]) in [problem.line for problem in caught]


def test_every_rule_has_a_broken_sample() -> None:
    assert {rule.code for rule in rules()} <= {sample["code"] for sample in SAMPLES.values()}


def test_every_rule_says_what_it_is() -> None:
    for rule in rules():
        assert isinstance(rule.level, Level) and isinstance(rule.scope, Scope)
        assert rule.description.endswith(".")
        assert rule.__name__.rpartition(".")[2] == rule.code.replace("-", "_")  # type: ignore[attr-defined]
        assert (rule.__doc__ or "").endswith(".")


def test_codes_are_unique() -> None:
    codes = [rule.code for rule in rules()]

    assert len(codes) == len(set(codes))


def test_an_excuse_silences_its_finding_and_no_other(folder: Folder) -> None:
    for name in ("mirrorin", "shadowin"):
        folder.write(f"drugs/{name}.yaml", f"name: {name}\nkind: drug\ninfused: yes\ngroup: other\n")
    folder.write("accepted-gaps.yaml", "- {code: infused-drug-has-code, about: mirrorin, why: never marketed}\n")

    found = [finding.problem.file for finding in lint(folder.root) if finding.problem.code in ("infused-drug-has-code", "excuse-stale")]

    assert ["drugs/shadowin.yaml"] == found


def test_an_accepted_contradiction_is_silent(folder: Folder) -> None:
    _put(folder, SAMPLES["contradiction-listed"])
    folder.write(
        "accepted-conflicts.yaml",
        '- {code: contradiction-listed, about: "poe-1999-twice: nonesuch + warfictin, y-site", why: two batches}\n',
    )

    assert [] == [finding for finding in lint(folder.root) if finding.problem.code in ("contradiction-listed", "excuse-stale")]


DIFFERENT = {
    "another strength": ("conc: 1 mg/mL, mode", "mode", "{conc: 1 mg/mL, result: compatible", "{conc: 2 mg/mL, result: incompatible"),
    "another vehicle": ("", "", "{vehicle: NS, result: compatible", "{vehicle: D5W, result: incompatible"),
    "another side of compatibility": ("", "", "{result: compatible", "{basis: chemical, result: incompatible"),
    "a later failure": ("", "", "{result: compatible", "{hours: 24, result: incompatible"),
    "another formulation": ("", "", "{formulation: edta, result: compatible", "{formulation: edta-free, result: incompatible"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_in_a_tested_condition_is_no_contradiction(folder: Folder, name: str) -> None:
    old, new, compatible, incompatible = DIFFERENT[name]
    _put(folder, SAMPLES["contradiction-listed"])
    study = "studies/poe-1999-twice.yaml"
    folder.replace(study, old, new)
    folder.replace(study, "{result: compatible", compatible)
    folder.replace(study, "{result: incompatible", incompatible)

    assert [] == [
        finding for finding in lint(folder.root) if finding.problem.code == "contradiction-listed" or finding.problem.code == "schema"
    ]


def test_an_earlier_failure_is_a_contradiction(folder: Folder) -> None:
    _put(folder, SAMPLES["contradiction-listed"])
    folder.replace("studies/poe-1999-twice.yaml", "{result: incompatible", "{hours: 1, result: incompatible")

    assert ["contradiction-listed"] == [finding.problem.code for finding in lint(folder.root) if finding.level is Level.ERROR]


def test_a_shared_name_that_is_refused_is_no_error(folder: Folder) -> None:
    _put(folder, SAMPLES["alias-unique"])
    folder.append("ambiguous.yaml", "- {token: exemplex, candidates: [exemplapenem, mirrorin], why: two brands, source: made up}")

    assert [] == [finding for finding in lint(folder.root) if finding.level is Level.ERROR]


def test_errors_come_before_warnings() -> None:
    levels = [finding.level for finding in lint(WORLD)]

    assert sorted(levels) == levels


def test_rules_still_speak_of_what_can_be_read_when_a_file_is_broken(folder: Folder) -> None:
    folder.write("drugs/nonesuch.yaml", "")
    _put(folder, SAMPLES["no-machine-path"])
    folder.write("drugs/mirorin.yaml", "name: mirorinn\nkind: drug\ninfused: no\ngroup: other\n")

    assert {"empty-file", "no-machine-path", "file-name"} == {
        finding.problem.code for finding in lint(folder.root) if finding.level is Level.ERROR
    }
