"""Every code has words, and every word has a code."""

from __future__ import annotations

import string
from collections.abc import Iterator, Set

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.model import Records
from knowledge.schema import ALIAS_KINDS, CHARACTERS, ROLES
from knowledge.terms import PREMIX, UNDILUTED, Basis, Effect, Finding, Method, Mode, Result, Review, Route, SeenAs, Severity, SourceKind

code = "vocabulary-complete"
level = Level.WARNING
scope = Scope.GRAPH
description = "Every code that a record uses has words in vocabulary.yaml, every entry there is a code in use, and rule templates know only {value} and {unit}."

CLOSED: dict[str, tuple[str, ...]] = {
    name: tuple(str(word) for word in words)
    for name, words in {
        "severity": Severity,
        "route": Route,
        "finding": Finding,
        "method": Method,
        "result": Result,
        "mode": Mode,
        "basis": Basis,
        "rule-effect": Effect,
        "read": SeenAs,
        "review": Review,
        "source": SourceKind,
        "alias": ALIAS_KINDS,
        "character": CHARACTERS,
        "role": ROLES,
    }.items()
}

_TEMPLATES = ("rule", "diluents")  # sentences with blanks


def check(subject: Subject) -> Iterator[Found]:
    """Codes without words, words without a code, and templates with unknown blanks. A list that is not kept is not asked for."""
    used = _used(subject.records)
    data = subject.reading.parsed["vocabulary.yaml"]
    for name, words in subject.records.vocabulary.items():
        line = data.lines[name]
        codes: Set[str] | None = set(CLOSED[name]) if name in CLOSED else used.get(name)
        if codes is None:
            continue
        for word in sorted(codes - words.keys()):
            yield Found("vocabulary.yaml", line, name, f'the code "{word}" has no words', f"add {word}: to the list {name}")
        for word in words:
            if word not in codes:
                yield Found(
                    "vocabulary.yaml",
                    data[name].lines[word],
                    f"{name}/{word}",
                    f'no record uses the code "{word}"',
                    "delete it, or correct its spelling",
                )
    templates = [(name, *item) for name in _TEMPLATES for item in subject.records.vocabulary.get(name, {}).items()]
    for name, word, text in templates:
        blanks = {blank for _, blank, _, _ in string.Formatter().parse(text) if blank is not None}
        if blanks - {"value", "unit"}:
            reason = f"the template has the unknown blank {{{min(blanks - {'value', 'unit'})}}}"
            yield Found("vocabulary.yaml", data[name].lines[word], f"{name}/{word}", reason, "only {value} and {unit} are filled in")


def _used(records: Records) -> dict[str, Set[str]]:
    """Open lists, with the codes that the records use of them."""
    rules = [rule for drug in records.drugs for rule in drug.rules]
    sides = [side for row in records.rows for side in (row.a, row.b)]
    fluids = {drug.vehicle_code for drug in records.drugs if drug.vehicle_code}
    return {
        "mechanism": {statement.mechanism for statement in records.interactions},
        "effect": {statement.effect for statement in records.interactions if statement.effect},
        "manage": {word for statement in records.interactions for word in statement.manage},
        "rule": {rule.rule for rule in rules},
        "unit": {rule.unit for rule in rules if rule.unit},
        "formulation": {side.formulation for side in sides if side.formulation},
        "vehicle": fluids | {PREMIX, UNDILUTED},
        "group": {drug.group for drug in records.drugs},
    }
