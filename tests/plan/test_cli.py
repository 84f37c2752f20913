"""`python -m checker plan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from checker.plan_cli import main
from tests.conftest import WORLD

QUESTION: dict[str, Any] = {
    "infusions": [
        {"drug": "exemplapenem", "hours": 1, "every_hours": 8},
        {"drug": "samplicin", "hours": 1, "every_hours": 8},
        {"drug": "warfictin", "must_not_interrupt": True},
    ],
    "lumens": [{"name": "white", "kind": "central"}, {"name": "blue", "kind": "central"}],
}


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["plan", *arguments, "--knowledge", str(WORLD)], input=text)


def test_a_question_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "question.json"
    path.write_text(json.dumps(QUESTION), encoding="utf-8")

    shown, told = run(str(path)), run(str(path), "--json")

    assert 0 == shown.exit_code == told.exit_code, shown.output
    for words in ("PLANNED, WITH", "white", "##", "Flushes", "A professional must verify"):
        assert words in shown.output
    assert "optimal" == json.loads(told.output)["status"]


def test_a_field_that_stands_twice_is_refused() -> None:
    result = run("-", text='{"infusions": [{"drug": "samplicin"}], "infusions": [{"drug": "warfictin"}], "lumens": [{"name": "white"}]}')

    assert 2 == result.exit_code
    assert "stands twice" in result.output


def test_a_question_on_standard_input() -> None:
    assert 0 == run("-", "--json", text=json.dumps(QUESTION)).exit_code


def test_drugs_and_lumens_on_the_command_line() -> None:
    result = run(
        "exemplapenem@20mg/mL/NS@white",
        "samplicin",
        "fictazolam",
        "--keep",
        "exemplapenem",
        "--dose",
        "samplicin=1/8",
        "--bolus",
        "fictazolam=12",
        "--lumen",
        "white",
        "--lumen",
        "hand:peripheral",
        "--json",
    )

    answer = json.loads(result.output)
    assert ["white", "hand"] == [item["lumen"] for item in answer["infusions"][:2]]
    assert [True, False, False] == [item["must_not_interrupt"] for item in answer["infusions"]]
    assert [0, 3, 2] == [len(item["doses"]) for item in answer["infusions"]]
    assert ["central", "peripheral"] == [item["kind"] for item in answer["lumens"]]


@pytest.mark.parametrize("policy", ["ask", "strict"])
def test_what_is_to_be_decided_is_told_by_the_exit_status(policy: str) -> None:
    result = run("samplamycin", "exemplapenem", "--lumen", "white", "--policy", policy)

    assert 1 == result.exit_code
    assert {"ask": "To decide", "strict": "NO PLAN FOR ALL"}[policy] in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("zzzmab", "--lumen", "white"), 'infusions/0: "zzzmab" is not known'),
        (("fictazolam",), "lumens: there is no lumen"),
        (("fictazolam", "--lumen", "white", "--lumen", "White"), "named twice"),
        (("fictazolam", "--lumen", "white:port"), "central, peripheral"),
        (("fictazolam", "--lumen", "white", "--keep", "samplicin"), "not one of the drugs"),
        (("fictazolam", "--lumen", "white", "--dose", "fictazolam=often"), "DRUG=HOURS/EVERY"),
        (("fictazolam", "--lumen", "white", "--dose", "fictazolam=9/8"), "longer than its interval"),
    ],
)
def test_bad_questions(arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)

    assert 2 == result.exit_code
    assert words in result.output and "mend:" in result.output


@pytest.mark.parametrize(("text", "words"), [("{", "not JSON"), ("[]", "not an object"), ("{}", "required")])
def test_bad_files(text: str, words: str) -> None:
    result = run("-", text=text)

    assert 2 == result.exit_code
    assert words in result.output


def test_a_file_and_options_do_not_go_together(tmp_path: Path) -> None:
    path = tmp_path / "question.json"
    path.write_text(json.dumps(QUESTION), encoding="utf-8")

    assert 2 == run(str(path), "--lumen", "white").exit_code
