"""Lint: what a schema cannot see. One small module a rule; all findings in one run.

A module of this package is a rule when it has `code`, `level`, `scope`, `description` and `check(subject)`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import cast

from knowledge import files
from knowledge.errors import KnowledgeError, Problem
from knowledge.link import link
from knowledge.lint.excuses import Excuse, excuses
from knowledge.lint.subject import Finding, Found, Level, Rule, Scope, Subject
from knowledge.load import HERE, examine

__all__ = ["Finding", "Level", "Rule", "Scope", "lint", "rules"]

_NOT_RULES = {"subject", "excuses"}


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in _NOT_RULES]
    found = [cast(Rule, importlib.import_module(f"{__name__}.{name}")) for name in names]
    return tuple(sorted(found, key=lambda rule: rule.code))


def lint(root: Path | str | None = None) -> list[Finding]:
    """Everything that is wrong below `root` (default: the files that ship), errors first, then by file and line."""
    folder = Path(root) if root is not None else HERE
    contents = files.read_all(folder)
    reading = examine(contents)
    if reading.records is None:
        raise KnowledgeError(reading.problems)
    accepted, mistakes = excuses(contents)
    problems = [*reading.problems, *mistakes]
    knowledge = None if reading.problems else link(reading.records, files.digest(contents))
    subject = Subject(root=folder, contents=contents, reading=reading, records=reading.records, knowledge=knowledge)
    found = [Finding(Level.ERROR, problem) for problem in dict.fromkeys(problems)]
    used: set[tuple[str, str]] = set()
    for rule in rules():
        if rule.scope is Scope.GRAPH and knowledge is None:
            continue
        for item in rule.check(subject):
            if item.about and (rule.code, item.about) in accepted:
                used.add((rule.code, item.about))
            else:
                found.append(_finding(rule, item))
    if knowledge is not None:
        found += _stale(accepted, used)
    return sorted(set(found))


def _finding(rule: Rule, item: Found) -> Finding:
    return Finding(rule.level, Problem(file=item.file, line=item.line, code=rule.code, at=item.at, reason=item.reason, mend=item.mend))


def _stale(accepted: dict[tuple[str, str], Excuse], used: set[tuple[str, str]]) -> Iterator[Finding]:
    """Excuses must shrink: one that excuses nothing is itself an error."""
    for key, excuse in accepted.items():
        if key not in used:
            reason = f'nothing of "{excuse.about}" needs an excuse from {excuse.code} any more, or ever did'
            yield Finding(
                Level.ERROR, Problem(excuse.file, excuse.line, "excuse-stale", "about", reason, "delete this entry, or correct its name")
            )
