"""Findings that are accepted for a stated reason: accepted-gaps.yaml and accepted-conflicts.yaml.

Each is a list of {code, about, why}: the rule's code, what the finding is about, and why it may stand.
"""

from __future__ import annotations

from dataclasses import dataclass

from knowledge import files
from knowledge.errors import KnowledgeError, Problem

FILES = ("accepted-gaps.yaml", "accepted-conflicts.yaml")
_FIELDS = ("code", "about", "why")


@dataclass(frozen=True, slots=True)
class Excuse:
    """One accepted finding, and where it is accepted."""

    file: str
    line: int
    code: str
    about: str


def excuses(contents: dict[str, bytes]) -> tuple[dict[tuple[str, str], Excuse], list[Problem]]:
    """All excuses by (code, about), and what is wrong with their files."""
    found: dict[tuple[str, str], Excuse] = {}
    problems: list[Problem] = []
    for name in FILES:
        if name not in contents:
            continue
        try:
            items = files.parse(name, contents[name])
        except KnowledgeError as error:
            problems += error.problems
            continue
        for number, item in enumerate(items if isinstance(items, list) else [items]):
            line = getattr(item, "line", 1)
            if (
                not isinstance(item, dict)
                or set(item) != set(_FIELDS)
                or not all(isinstance(text, str) and text.strip() for text in item.values())
            ):
                mend = "write - {code: <lint code>, about: <name>, why: <reason>}; put a text that holds a comma in quotes"
                problems.append(Problem(name, line, "schema", str(number), "an excuse has code, about and why, each one text", mend))
                continue
            key = (item["code"], item["about"])
            if key in found:
                problems.append(Problem(name, line, "id-twice", str(number), f'"{key[1]}" is excused twice', "keep one of the two"))
            found[key] = Excuse(name, line, *key)
    return found, problems
