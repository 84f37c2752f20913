"""A facility's overlay: stricter freely, softer only when signed, always visible; a bad one stops the start."""

from pathlib import Path

import pytest

from checker import Checker, Names, Renderer, order
from checker.model import Reason, Status
from knowledge import KnowledgeError, load
from tests.conftest import WORLD

HEAD = {"overlay.yaml": "name: Imaginary Hospital\n"}


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in (HEAD | files).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def ask(overlay: Path, drugs: list, **more):
    base = load(WORLD, overlay=overlay, cache=False)
    return base, Checker(base).check(order({"drugs": drugs, **more}, Names(base)))


def test_a_policy_makes_a_pair_stricter_and_says_whose_it_is(tmp_path):
    policy = "- {pair: [samplamycin, fictazolam], status: incompatible, reason: kept apart here}\n"
    base, report = ask(folder(tmp_path, {"policies.yaml": policy}), ["samplamycin", "fictazolam"])
    line = report.pairs[0].line

    assert line.status is Status.INCOMPATIBLE
    assert line.reason is Reason.LOCAL_POLICY
    assert line.published is Status.COMPATIBLE
    assert report.verdict == "stop"
    assert "Imaginary Hospital" in report.findings[0].text and "published evidence says: compatible" in report.findings[0].text
    told = Renderer(base).plain(report)
    assert told["knowledge"]["overlay"]["name"] == "Imaginary Hospital"
    assert told["pairs"][0]["line"]["policy"]["published"] == "compatible"
    assert told["pairs"][0]["line"]["evidence"], "the published rows stay beside the policy"


def test_a_policy_softens_only_with_an_approver(tmp_path):
    unsigned = "- {pair: [mockprazole, fictazolam], status: compatible, reason: own tests}\n"
    with pytest.raises(KnowledgeError) as caught:
        load(WORLD, overlay=folder(tmp_path, {"policies.yaml": unsigned}), cache=False)
    problem = caught.value.problems[0]

    assert problem.file == "overlay/policies.yaml" and problem.line == 1
    assert "approver" in problem.reason and "approver" in problem.mend


def test_a_signed_policy_softens_and_shows_who_signed(tmp_path):
    signed = (
        '- {pair: [mockprazole, fictazolam], status: compatible, reason: own tests, approver: "B. Pharmacist, chief", date: 2026-02-01}\n'
    )
    _, report = ask(folder(tmp_path, {"policies.yaml": signed}), ["mockprazole", "fictazolam"])

    assert report.pairs[0].line.status is Status.COMPATIBLE
    assert any(
        "B. Pharmacist, chief" in finding.text and "published evidence says: incompatible" in finding.text for finding in report.findings
    )


def test_a_standard_concentration_is_assumed_and_said(tmp_path):
    standards = "- {drug: exemplapenem, conc: 20 mg/mL, vehicle: NS}\n- {drug: fictazolam, conc: 5 mg/mL, vehicle: NS}\n"
    _, report = ask(folder(tmp_path, {"standards.yaml": standards}), ["exemplapenem", "fictazolam"])

    assert report.pairs[0].line.status is Status.INCOMPATIBLE, "at the standards, the incompatible test covers"
    assert sum(finding.code == "standard-concentration" for finding in report.findings) == 2
    _, report = ask(
        tmp_path,
        [{"drug": "exemplapenem", "conc": "20 mg/mL", "vehicle": "NS"}, {"drug": "fictazolam", "conc": "1 mg/mL", "vehicle": "NS"}],
    )
    assert report.pairs[0].line.status is Status.COMPATIBLE, "what was asked wins over the standard"
    assert not any(finding.code == "standard-concentration" for finding in report.findings)


def test_local_names_and_codes_resolve(tmp_path):
    names = "- {drug: samplicin, name: Ward Mix 7}\n- {drug: samplicin, code: '4711'}\n"
    base, report = ask(folder(tmp_path, {"names.yaml": names}), ["ward mix 7"])

    assert report.infusions[0].drug == "samplicin"
    assert Names(base).resolve_code("local", "4711", "drugs/0").drug == "samplicin"


def test_an_extra_rule_counts(tmp_path):
    rules = "- {drug: samplicin, rule: dedicated-line, value: separate-line, effect: hard, reason: ward rule}\n"
    base, report = ask(folder(tmp_path, {"rules.yaml": rules}), ["samplicin", "mockplatin"])

    assert report.pairs[0].line.reason is Reason.EXCLUDED_BY_RULE
    assert base.sources["local-policy"].kind == "policy"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"policies.yaml": "- {pair: [nobody, fictazolam], status: incompatible, reason: x}\n"}, "nobody"),
        ({"policies.yaml": "- {pair: [fictazolam], status: incompatible, reason: x}\n"}, "two drugs"),
        ({"policies.yaml": "- {pair: [samplicin, fictazolam], status: fine, reason: x}\n"}, "fine"),
        ({"standards.yaml": "- {drug: fictazolam, conc: 5 mg}\n"}, "no volume"),
        ({"names.yaml": "- {drug: fictazolam}\n"}, "a name or a code"),
        ({"rules.yaml": "- {drug: fictazolam, rule: dance, value: yes, effect: hard, reason: x}\n"}, "dance"),
        ({"polices.yaml": "- {}\n"}, "not a file of an overlay"),
        ({"policies.yaml": "pair: [a, b]\n"}, "not a list"),
        ({"overlay.yaml": "naem: x\n"}, "unknown"),
        ({"charts/x.yaml": "name: Chart\nrows: []\n"}, "licence"),
        ({"rules.yaml": "- {drug: fictazolam, rule: dedicated-line, value: seperate-line, effect: hard, reason: x}\n"}, '"separate-line"'),
        ({"rules.yaml": "- {drug: fictazolam, rule: no-admixture, value: any-drugs, effect: hard, reason: x}\n"}, '"any-drug"'),
        ({"rules.yaml": "- {drug: fictazolam, rule: route, value: not-by-vein, effect: hard, reason: x}\n"}, "not-by-vein"),
        ({"rules.yaml": "- {drug: fictazolam, rule: max-concentration, value: 5, effect: hard, reason: x}\n"}, "max-concentration"),
        ({"rules.yaml": "- {drug: fictazolam, rule: diluent-contraindicated, value: NSS, effect: hard, reason: x}\n"}, "NSS"),
        (
            {"rules.yaml": "- {drug: fictazolam, rule: diluent-contraindicated, value: group:salts, effect: hard, reason: x}\n"},
            "group:salts",
        ),
        ({"standards.yaml": "- {drug: fictazolam, conc: 5 mg/mL, vehicle: NSS}\n"}, "NSS"),
        ({"policies.yml": "- {pair: [samplicin, fictazolam], status: incompatible, reason: x}\n"}, "policies.yaml"),
        ({"Policies.YAML": "- {}\n"}, "policies.yaml"),
        ({"charts/x.yml": "name: Chart\n"}, "charts/x.yaml"),
        ({"charts/x.csv": "drug_a,drug_b,verdict\n"}, "import-chart"),
    ],
)
def test_a_bad_overlay_is_refused_with_its_place(tmp_path, files, words):
    with pytest.raises(KnowledgeError) as caught:
        load(WORLD, overlay=folder(tmp_path, files), cache=False)

    assert words in str(caught.value)
    assert all(problem.file.startswith("overlay/") and problem.mend for problem in caught.value.problems)


SIGNED = "status: compatible, reason: own tests, approver: A. Pharmacist"


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        (
            "policies.yaml",
            ("- {pair: [samplamycin, fictazolam], status: incompatible, reason: x}", "- {pair: [fictazolam, samplamycin], " + SIGNED + "}"),
        ),
        ("standards.yaml", ("- {drug: fictazolam, conc: 5 mg/mL}", "- {drug: fictazolam, conc: 1 mg/mL, vehicle: NS}")),
    ],
)
def test_two_decisions_on_one_thing_are_refused_with_both_places(tmp_path, file, lines):
    """Or the last would win in silence, and could soften the first."""
    with pytest.raises(KnowledgeError) as caught:
        load(WORLD, overlay=folder(tmp_path, {file: "# ours\n" + "\n".join(lines) + "\n"}), cache=False)
    (problem,) = caught.value.problems

    assert (problem.file, problem.line) == (f"overlay/{file}", 3)
    assert "line 2" in problem.reason and "keep one" in problem.mend


def test_one_pair_may_have_a_policy_for_each_mode(tmp_path):
    policies = "".join(
        f"- {{pair: [samplicin, fictazolam], mode: {mode}, status: incompatible, reason: x}}\n" for mode in ("y-site", "syringe")
    )

    assert 2 == len(load(WORLD, overlay=folder(tmp_path, {"policies.yaml": policies}), cache=False).policies)


def test_what_else_stands_in_the_folder_is_left_alone(tmp_path):
    files = {"README.md": "ours", ".gitlab-ci.yml": "x: y", ".git/x.yaml": "x: y", "policies.yaml~": "- {}"}

    assert load(WORLD, overlay=folder(tmp_path, files), cache=False).overlay is not None


def test_a_folder_without_a_head_is_no_overlay(tmp_path):
    with pytest.raises(KnowledgeError, match="overlay.yaml"):
        load(WORLD, overlay=tmp_path, cache=False)


@pytest.mark.parametrize(
    "files",
    [
        {"standards.yaml": "- {drug: warfictin, conc: 1 mg/mL, vehicle: NS}\n"},
        {"rules.yaml": "- {drug: warfictin, rule: route, value: iv, effect: info, reason: our injection is given by vein}\n"},
    ],
    ids=["a standard concentration", "a rule"],
)
def test_a_facility_may_know_a_drug_as_an_infusion(tmp_path, files):
    _, bare = ask(folder(tmp_path / "bare", {}), ["warfictin"])
    _, known = ask(folder(tmp_path / "known", files), ["warfictin"])

    assert "not-known-as-infusion" in [finding.code for finding in bare.findings]
    assert "not-known-as-infusion" not in [finding.code for finding in known.findings]
