"""Clinical cases as data, and how they are read: one YAML file a section, one folder a chapter.

world/ asks the made-up knowledge of tests/world; clinical/ asks the knowledge that ships, each case with its source in `why`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge import files

HERE = Path(__file__).parent
EXPECTED = {"verdict", "pairs", "findings", "absent", "not_understood"}


@dataclass(frozen=True)
class Case:
    """One sentence, one question (the body of POST /v1/check), and what the answer must hold."""

    at: str
    case: str
    why: str
    ask: dict[str, Any]
    expect: dict[str, Any]


def read(tree: str) -> list[Case]:
    """All cases below tests/cases/<tree>, in file order. A file of another shape is an error."""
    cases = []
    for path in sorted((HERE / tree).rglob("*.yaml")):
        content = path.read_bytes()
        files.parse(path.name, content)  # refuses duplicate keys
        section = yaml.safe_load(content)
        assert set(section) == {"title", "cases"}, path
        for item in section["cases"]:
            assert set(item) == {"case", "why", "ask", "expect"}, f"{path}: {item.get('case')}"
            assert "verdict" in item["expect"] and set(item["expect"]) <= EXPECTED, f"{path}: {item['case']}"
            cases.append(Case(at=f"{path.relative_to(HERE / tree).with_suffix('')}: {item['case']}", **item))
    return cases


def differences(answer: dict[str, Any], expect: dict[str, Any]) -> list[str]:
    """What the answer lacks, or has too much, beside what a case expects. Findings match by the fields that are given."""
    found = []
    if answer["verdict"] != expect["verdict"]:
        found.append(f"verdict: expected {expect['verdict']}, got {answer['verdict']}")
    for wanted in expect.get("pairs", []):
        found += _pair(answer, wanted)
    for wanted in expect.get("findings", []):
        if not any(_fits(finding, wanted) for finding in answer["findings"]):
            found.append(f"no finding {wanted}")
    for unwanted in expect.get("absent", []):
        found += [f"unwanted finding {finding['code']}: {finding['text']}" for finding in answer["findings"] if _fits(finding, unwanted)]
    if "not_understood" in expect:
        wanted_items = [{"asked": item} if isinstance(item, str) else item for item in expect["not_understood"]]
        got = answer["not_understood"]
        if len(got) != len(wanted_items) or not all(_fits(one, two) for one, two in zip(got, wanted_items, strict=True)):
            found.append(f"not_understood: expected {wanted_items}, got {got}")
    return found


def _pair(answer: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """A wanted pair: its status and reason on the line (`status: apart` = they share no line at the same time)."""
    pair = sorted(wanted["pair"])
    got = next((item for item in answer["pairs"] if sorted(item["pair"]) == pair), None)
    if got is None:
        return [f"pair {pair} is not in the answer"]
    if wanted["status"] == "apart":
        return [] if got["line"] is None else [f"pair {pair}: expected apart, got {got['line']['status']}"]
    if got["line"] is None:
        return [f"pair {pair}: expected {wanted['status']}, got apart"]
    wrong = [key for key in ("status", "reason") if key in wanted and wanted[key] != got["line"][key]]
    return [f"pair {pair}: expected {wanted[key]}, got {got['line'][key]}" for key in wrong]


def _fits(got: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Every wanted field is there. `says` and `why`: words that the text holds; lists: all wanted members are in."""
    for key, value in wanted.items():
        if key == "says":
            if value.casefold() not in got["text"].casefold():
                return False
        elif key == "cites":
            if value not in {source["id"] for source in got["sources"]}:
                return False
        elif key == "management":
            if not set(value) <= {item["code"] for item in got.get("management", [])}:
                return False
        elif isinstance(value, list):
            if not set(value) <= set(got.get(key, [])):
                return False
        elif got.get(key) != value:
            return False
    return True
