"""`python -m checker check`, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from checker import plan_cli  # noqa: F401  # adds its command
from checker.cli import main
from tests.conftest import WORLD

COMMANDS = (["check", "samplamycin", "fictazolam"], ["plan", "samplamycin", "fictazolam", "--lumen", "white"])


def run(*arguments: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments), "--knowledge", str(WORLD)], env={"LINEWISE_OVERLAY": "", **(env or {})})


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "overlay.yaml").write_text("name: Imaginary Hospital\n")
    (tmp_path / "policies.yaml").write_text("- {pair: [samplamycin, fictazolam], status: incompatible, reason: kept apart here}\n")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=("check", "plan"))
def test_a_facilitys_overlay_applies_and_is_said(command: list[str], overlay: Path) -> None:
    bare, shown = run(*command), run(*command, "--overlay", overlay)
    told = json.loads(run(*command, "--json", env={"LINEWISE_OVERLAY": str(overlay)}).output)

    assert "Imaginary Hospital" not in bare.output
    assert "local policy of Imaginary Hospital" in " ".join(shown.output.split())
    assert 1 == shown.exit_code
    assert "Imaginary Hospital" in json.dumps(told)


def test_a_policy_of_the_overlay_settles_the_pair(overlay: Path) -> None:
    told = json.loads(run("check", "samplamycin", "fictazolam", "--json", env={"LINEWISE_OVERLAY": str(overlay)}).output)

    assert "stop" == told["verdict"]
    assert "local-policy" == told["pairs"][0]["line"]["reason"]


@pytest.mark.parametrize("command", COMMANDS, ids=("check", "plan"))
def test_an_overlay_that_is_not_there_is_never_passed_over(command: list[str], tmp_path: Path) -> None:
    missing = run(*command, env={"LINEWISE_OVERLAY": str(tmp_path / "none")})
    empty = run(*command, "--overlay", tmp_path)

    assert (2, 2) == (missing.exit_code, empty.exit_code)
    assert "none" in missing.output and "overlay.yaml" in empty.output


def test_a_duration_and_a_rate_are_held_against_their_limits() -> None:
    told = json.loads(run("check", "exemplapenem", "--hours", "exemplapenem=0.25", "--json").output)
    rated = json.loads(run("check", "samplicin", "--rate", "samplicin=200", "--json").output)

    assert "min-infusion-time" in {item["code"] for item in told["findings"]}
    assert "max-rate" in {item["code"] for item in rated["findings"]}


@pytest.mark.parametrize(
    ("words", "at"),
    [
        (("--hours", "exemplapenem=15 min"), "drugs/0/hours"),
        (("--rate", "nobody=5"), "--rate"),
        (("--rate", "exemplapenem=fast"), "rate_ml_per_h"),
    ],
)
def test_a_duration_or_rate_that_cannot_be_read_is_refused(words: tuple[str, ...], at: str) -> None:
    result = run("check", "exemplapenem", *words)

    assert 2 == result.exit_code
    assert at in result.output and "mend:" in result.output


def test_a_comma_within_a_number_parts_no_drugs() -> None:
    told = json.loads(run("check", "samplicin@25,000 units/250 mL/D5W,fictazolam", "--json").output)

    assert ["samplicin", "fictazolam"] == [item["asked"] for item in told["drugs"]]
    assert [] == told["not_understood"]


def test_the_answer_does_not_hang_on_the_hash_seed() -> None:
    """Two processes, as two workers are, put the sources of one answer in one order."""
    told = {
        subprocess.run(
            [sys.executable, "-m", "checker", "check", "famotidine@/LR, conivaptan", "--json"],
            capture_output=True,
            check=False,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in range(6)
    }

    assert 1 == len(told)
    assert b"derived-from-composition" in told.pop()
