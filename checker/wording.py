"""The words of an answer that all its parts share. Codes become sentences of our own; the words for codes stand in knowledge/vocabulary.yaml."""

from __future__ import annotations

from collections.abc import Iterable

from checker.model import Cite, Finding, Level, NotUnderstood, Weighed
from checker.model import Kind as FindingKind
from knowledge.link import Knowledge, Via
from knowledge.model import Cited, Row, Rule, Side
from knowledge.terms import PREMIX, UNDILUTED, Review, SourceKind


def name(knowledge: Knowledge, node: str) -> str:
    """A node as people call it, with tall-man lettering where the base has it."""
    drug = knowledge.drugs.get(node)
    if drug is not None:
        return drug.tall_man[0].text if drug.tall_man else drug.name
    if node in (PREMIX, UNDILUTED):
        return "ready-made product" if node == PREMIX else "undiluted"
    kind, _, rest = node.partition(":")
    if kind == "group" and rest in knowledge.groups:
        return knowledge.groups[rest].name
    return knowledge.classes[rest].name if kind == "class" and rest in knowledge.classes else node


def cites(cited: Iterable[Cited]) -> tuple[Cite, ...]:
    """Sources for a finding, each place once. It counts as read twice only when everything there was."""
    places: dict[tuple[str, str, str], Review] = {}
    for item in cited:
        place = (item.source, item.at, str(item.read or ""))
        if places.get(place) is not Review.TRANSCRIBED:
            places[place] = item.review
    return tuple(Cite(source=source, at=at, read=read, review=str(review)) for (source, at, read), review in places.items())


def authority(knowledge: Knowledge, rules: Iterable[Rule]) -> str:
    """Who speaks through some rules, in a word: "label" where one of them stands in a label, else the kind of the first one's source."""
    kinds = [knowledge.sources[rule.cited.source].kind for rule in rules]
    return "label" if SourceKind.LABEL in kinds or not kinds else word(knowledge, "source", kinds[0])


def word(knowledge: Knowledge, words: str, code: str) -> str:
    """Our words for a code, or the code itself in plain spelling."""
    return knowledge.words.get(words, {}).get(code) or code.replace("-", " ")


def sentences(knowledge: Knowledge, words: str, codes: Iterable[str]) -> str:
    """Our words for some codes, each once, as sentences."""
    said = dict.fromkeys(word(knowledge, words, code).rstrip(".") for code in codes if code)
    return "".join(f" {text[:1].upper()}{text[1:]}." for text in said)


def conditions(knowledge: Knowledge, side: Side) -> str:
    """One side of a tested pair in a few words: "vancomycin 5 mg/mL in NS"."""
    drug = knowledge.drugs.get(side.drug)
    parts = [name(knowledge, side.drug) if drug or ":" in side.drug else side.drug]
    if side.formulation:
        parts.append(f"({side.formulation})")
    if side.conc is not None:
        parts.append(side.conc.text)
    if side.added:
        parts.append(f"[{side.added}]")
    if side.vehicles:
        joined = " or ".join(vehicle(knowledge, item) for item in side.vehicles)
        parts.append(joined if joined in (PREMIX, UNDILUTED) else f"in {joined}")
    return " ".join(parts)


def vehicle(knowledge: Knowledge, fluid: str) -> str:
    """A vehicle by its short code where it has one."""
    drug = knowledge.drugs.get(fluid)
    return drug.vehicle_code or drug.name if drug is not None else fluid


def tested(knowledge: Knowledge, row: Row) -> str:
    """A tested condition in a line: both sides, and for how long."""
    text = f"{conditions(knowledge, row.a)} + {conditions(knowledge, row.b)}"
    return f"{text}, {row.hours:g} h" if row.hours is not None else text


def via_text(knowledge: Knowledge, via: Via) -> str:
    """Why a fact about something else speaks of this drug."""
    member, through = name(knowledge, via.member), name(knowledge, via.through)
    if via.kind == "composition":
        return f"{member} is one of the {through}"
    if via.kind == "carrier":
        return f"{member} contains what {through} carries"
    if via.kind == "vehicle":
        return f"{member} runs in it"
    return f"{member} by {via.kind.replace('-', ' ')} {through}"


def not_understood(item: NotUnderstood) -> Finding:
    """Something asked that could not be read: shown, and never clear."""
    if item.reason.startswith("ambiguous"):
        text = f'"{item.asked}" is ambiguous' + (f" ({item.why})" if item.why else "") + f". Name one of: {', '.join(item.candidates)}."
    elif item.candidates:
        text = (
            f'"{item.asked}" was not understood'
            + (f": {item.why}" if item.why else "")
            + f". Did you mean: {', '.join(item.candidates)}? It was not checked."
        )
    else:
        text = f'"{item.asked}" was not understood' + (f": {item.why}" if item.why else "") + ". It was not checked."
    return Finding(level=Level.UNKNOWN, kind=FindingKind.NAME, code=item.reason, drugs=(), text=text)


def weighed_words(item: Weighed) -> str:
    """Why a row covers, excludes or is silent, in a word for the explanation."""
    return {
        "covers": "tested under the conditions asked",
        "silent": "does not state what was asked",
        "excludes": "tested under other conditions",
    }[item.relation]
