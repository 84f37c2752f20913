"""Interactions, therapeutic duplication and order of administration for two medicines of one order."""

from __future__ import annotations

from collections.abc import Sequence

from checker import wording
from checker.model import LEVEL_RANK, Finding, Infusion, InteractionHit, Kind, Level, Medication
from knowledge.link import Knowledge, Stated
from knowledge.model import Cited, When
from knowledge.terms import Route, Severity

Given = Infusion | Medication

LEVELS = {Severity.CONTRAINDICATED: Level.STOP, Severity.MAJOR: Level.CAUTION, Severity.MODERATE: Level.CAUTION, Severity.MINOR: Level.NOTE}
_SEVERITIES = list(Severity)
SEQUENCE = "sequence"


def hits(knowledge: Knowledge, a: Given, b: Given, age_days: int | None) -> tuple[InteractionHit, ...]:
    """Every interaction statement that holds, or may hold, for these two; worst first."""
    pair = (a.drug, b.drug) if a.drug <= b.drug else (b.drug, a.drug)
    stated = knowledge.interactions.get(pair)
    if not stated:
        return ()
    routes = {a.drug: a.route, b.drug: b.route}
    found = []
    for item in stated:
        if not _route_stands(item, routes):
            continue
        holds = _holds(item, routes, age_days)
        if holds is not False:
            found.append(InteractionHit(stated=item, holds=holds))
    return tuple(
        sorted(found, key=lambda hit: (hit.holds is None, _SEVERITIES.index(hit.stated.statement.severity), hit.stated.statement.id))
    )


def _route_stands(item: Stated, routes: dict[str, str]) -> bool:
    """Whether the interaction speaks of the routes by which these two are given.

    oral-only speaks of the object's absorption: silent when the object is infused. Without roles it is silent
    only when both are infused.
    """
    iv = [drug for drug, route in routes.items() if route == "iv"]
    match item.statement.route:
        case Route.ORAL_ONLY:
            return routes[item.object] != "iv" if item.object else len(iv) < len(routes)
        case Route.NON_IV:
            return len(iv) < len(routes)
        case Route.IV:
            return bool(iv)
    return True


def _holds(item: Stated, routes: dict[str, str], age_days: int | None) -> bool | None:
    """Whether the statement's condition is met: True, False, or None when the order does not decide it."""
    statement = item.statement
    if not statement.condition:
        return True
    if statement.when is None:
        return True if statement.first and SEQUENCE in statement.manage else None
    return _decide(statement.when, routes, age_days)


def _decide(when: When, routes: dict[str, str], age_days: int | None) -> bool | None:
    for drug, wanted in when.routes:
        if drug in routes and (routes[drug] == "iv") != (wanted == "iv"):
            return False
    if when.min_age_days is None and when.max_age_days is None:
        return True
    if age_days is None:
        return None
    return (when.min_age_days or 0) <= age_days <= (when.max_age_days if when.max_age_days is not None else age_days)


def findings(knowledge: Knowledge, a: Given, b: Given, found: Sequence[InteractionHit]) -> list[Finding]:
    """What the interactions of one pair say to a person.

    The highest unconditional severity leads and all sources stand with it. Conditional statements share one
    finding of their own, which is a caution at most and never silent.
    """
    result = []
    ordered = [hit for hit in found if _is_sequence(hit)]
    certain = [hit for hit in found if hit.holds and not _is_sequence(hit)]
    conditional = [hit for hit in found if hit.holds is None]
    if certain:
        result.append(_finding(knowledge, a, b, certain, LEVELS[certain[0].stated.statement.severity]))
    if conditional:
        level = max(LEVELS[conditional[0].stated.statement.severity], Level.CAUTION, key=LEVEL_RANK.__getitem__)
        result.append(_finding(knowledge, a, b, conditional, level))
    result += [_sequence(knowledge, a, b, hit) for hit in ordered]
    return result


def _is_sequence(hit: InteractionHit) -> bool:
    return bool(hit.stated.statement.first) and SEQUENCE in hit.stated.statement.manage


def _finding(knowledge: Knowledge, a: Given, b: Given, found: Sequence[InteractionHit], level: Level) -> Finding:
    lead = found[0].stated.statement
    management = tuple(dict.fromkeys(code for hit in found for code in hit.stated.statement.manage))
    return Finding(
        level=level,
        kind=Kind.INTERACTION,
        code=lead.mechanism,
        drugs=tuple(sorted((a.drug, b.drug))),
        severity=str(lead.severity),
        management=management,
        text=_text(knowledge, a, b, found),
        sources=wording.cites(hit.stated.statement.cited for hit in found),
    )


def _text(knowledge: Knowledge, a: Given, b: Given, found: Sequence[InteractionHit]) -> str:
    lead = found[0].stated
    first, second = (lead.precipitant, lead.object) if lead.object else sorted((a.drug, b.drug))
    names = f"{wording.name(knowledge, first)} {'on' if lead.object else '+'} {wording.name(knowledge, second)}"
    statements = [hit.stated.statement for hit in found]
    text = (
        f"{names}: {lead.statement.severity} interaction."
        if found[0].holds
        else f"{names}: interaction under a condition that the question does not decide."
    )
    text += wording.sentences(knowledge, "mechanism", (item.mechanism for item in statements))
    text += wording.sentences(knowledge, "effect", (item.effect for item in statements))
    if found[0].holds is None:
        text += f" Level: {'; '.join(dict.fromkeys(f'{item.severity} if {item.condition}' for item in statements))}."
    text += wording.sentences(knowledge, "manage", (code for item in statements for code in item.manage))
    through = dict.fromkeys(wording.via_text(knowledge, via) for via in lead.via if via.kind != "class")
    return f"{text} Derived: {'; '.join(through)}." if through else text


def _sequence(knowledge: Knowledge, a: Given, b: Given, hit: InteractionHit) -> Finding:
    """Order of administration: a note when the order keeps it or the source counts it as minor, else a caution."""
    statement = hit.stated.statement
    one, two = (a, b) if _stands_for(hit.stated, a.drug, statement.first) else (b, a)
    starts = getattr(one, "start", None), getattr(two, "start", None)
    kept = starts[0] is not None and starts[1] is not None and starts[0] < starts[1]
    text = f"Give {wording.name(knowledge, one.drug)} before {wording.name(knowledge, two.drug)}."
    text += wording.sentences(knowledge, "mechanism", [statement.mechanism]) + wording.sentences(knowledge, "effect", [statement.effect])
    if kept:
        text += " The order asked keeps this."
    return Finding(
        level=Level.NOTE if kept or statement.severity is Severity.MINOR else Level.CAUTION,
        kind=Kind.SEQUENCE,
        code="order-of-administration",
        drugs=tuple(sorted((a.drug, b.drug))),
        severity=str(statement.severity),
        management=statement.manage,
        text=text,
        sources=wording.cites([statement.cited]),
    )


def _stands_for(stated: Stated, drug: str, named: str) -> bool:
    """Whether `drug` is the one that a statement names, itself or as its formulation or combination."""
    return drug == named or any(via.member == drug and via.through == named for via in stated.via)


def duplication(knowledge: Knowledge, a: Given, b: Given) -> Finding | None:
    """One therapy twice: the same active ingredient, or two members of a class that is one therapy."""
    one, two = knowledge.drugs[a.drug], knowledge.drugs[b.drug]
    pair = tuple(sorted((a.drug, b.drug)))
    names = " + ".join(wording.name(knowledge, drug) for drug in pair)
    parts_one = {component.name for component in one.components} | {one.name, one.ingredient or one.name}
    parts_two = {component.name for component in two.components} | {two.name, two.ingredient or two.name}
    shared = sorted(parts_one & parts_two)
    if shared and one.kind == two.kind == "drug":
        return Finding(
            level=Level.CAUTION,
            kind=Kind.DUPLICATION,
            code="same-ingredient",
            drugs=pair,
            text=f"{names}: {', '.join(shared)} is ordered twice.",
        )
    of_two = {membership.cls: membership for membership in two.classes}
    for membership in one.classes:
        cls = knowledge.classes[membership.cls]
        if cls.duplication and membership.cls in of_two:
            cited = [Cited(source=source or cls.source, at=cls.name) for source in (membership.source, of_two[membership.cls].source)]
            return Finding(
                level=Level.CAUTION,
                kind=Kind.DUPLICATION,
                code=f"same-class/{cls.id}",
                drugs=pair,
                text=f"{names}: both are {cls.name}. Check that both are meant.",
                sources=wording.cites(cited),
            )
    return None
