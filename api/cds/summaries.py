"""The one line of a card: both drugs and the verdict, in at most 139 characters."""

from __future__ import annotations

from collections.abc import Sequence

from api.fhir.topics import ALONE, DRUG, Topic
from checker import wording
from checker.model import Finding, Kind, Level
from knowledge import Knowledge

LONGEST = 139
_PLACES = {"y-site": "at the Y-site", "admixture": "in one container", "syringe": "in one syringe"}
_SHORTEST_NAME = 18


def summary(knowledge: Knowledge, topic: Topic, shown: Sequence[Finding]) -> str:
    """The summary of a topic. shown: its findings that are loud enough to be told, worst first."""
    if topic.kind == DRUG:
        return cut(shown[0].text)
    names = [wording.name(knowledge, drug) for drug in topic.drugs]
    if topic.kind == ALONE and len(names) > 2:
        return listed(f"{cut(names[0], 60)} needs a line of its own: not with ", names[1:])
    worst: dict[Kind, Finding] = {}
    for finding in shown:
        worst.setdefault(finding.kind, finding)
    return pair(names[0], names[1], "; ".join(dict.fromkeys(verdict(finding, topic) for finding in worst.values())))


def pair(one: str, two: str, said: str) -> str:
    """Two names and a verdict. Long names are cut before the verdict is, the longer one first."""
    said = cut(said, LONGEST - 2 * _SHORTEST_NAME - 5)
    room = LONGEST - len(said) - 5
    if len(one) + len(two) > room:
        half = room // 2
        if len(one) <= half:
            two = cut(two, room - len(one))
        elif len(two) <= half:
            one = cut(one, room - len(two))
        else:
            one, two = cut(one, half), cut(two, half)
    return f"{one} + {two}: {said}"


def listed(opening: str, names: Sequence[str]) -> str:
    """An opening and as many names as fit; the rest is counted."""
    opening = cut(opening, LONGEST - 40) if len(opening) > LONGEST - 40 else opening
    told = ""
    for number, name in enumerate(names):
        left = len(names) - number - 1
        ending = f" and {left} more" if left else ""
        longer = f"{told}, {name}" if told else cut(name, LONGEST - len(opening) - len(ending))
        if len(opening) + len(longer) + len(ending) > LONGEST:
            return f"{opening}{told} and {len(names) - number} more"
        told = longer
    return f"{opening}{told}"


def cut(text: str, longest: int = LONGEST) -> str:
    """A text that fits; at the end of a sentence, then of a word, where it can."""
    if len(text) <= longest:
        return text
    head = text[:longest]
    stop = head.rfind(". ")
    if stop > longest // 2:
        return head[: stop + 1]
    head = head[: longest - 1]
    space = head.rfind(" ")
    return f"{head[:space] if space > longest // 2 else head}…"


def verdict(finding: Finding, topic: Topic) -> str:
    """What a finding says of a pair, in a few words."""
    if finding.kind is Kind.INTERACTION:
        conditional = finding.severity == "contraindicated" and finding.level is not Level.STOP
        return f"{finding.severity} interaction{' under conditions' if conditional else ''}"
    if finding.kind is Kind.SEQUENCE:
        return "the order of giving matters"
    if finding.kind is Kind.DUPLICATION:
        return "ordered twice" if finding.code == "same-ingredient" else "two of one class"
    if finding.code == "flush-between":
        return "flush between"
    status, _, reason = finding.code.partition("/")
    line = next((found.line for found in topic.pairs if found.line is not None), None)
    where = _PLACES[line.mode] if line is not None else "on one line"
    if reason == "excluded-by-rule":
        together = {"in one container": "be mixed", "in one syringe": "be mixed"}.get(where, "share a line")
        return f"must not {together}" if status == "incompatible" else f"should not {together}"
    if reason == "local-policy":
        return f"{status} by local policy"
    return {
        "incompatible": f"incompatible {where}",
        "variable": f"results differ {where}, keep apart" if reason == "conflicting" else f"caution {where}, keep apart",
        "no-data": f"not tested together {where}",
        "compatible": f"compatible {where}, conditions not all stated",
    }.get(status, "caution, keep apart")
