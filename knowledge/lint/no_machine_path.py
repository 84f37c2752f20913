"""The files speak of drugs, not of somebody's computer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject

code = "no-machine-path"
level = Level.ERROR
scope = Scope.FILE
description = "No path of a computer, local address or package registry stands in a knowledge file."

_FORBIDDEN = re.compile(
    rb"(?<![\w.:/])(?:/(?:home|root|tmp|work|mnt|Users|var|opt)/[\w.-]+|~/\w)|\b[A-Za-z]:\\\\?\w|\bfile://|\blocalhost\b|\b127\.0\.0\.1\b"
    rb"|\b(?:pypi|pythonhosted|npmjs|rubygems)\.[a-z]+\b|/simple/"
)


def check(subject: Subject) -> Iterator[Found]:
    """Lines that name a path, a local address or a registry."""
    for name, content in subject.contents.items():
        for match in _FORBIDDEN.finditer(content):
            line = content[: match.start()].count(b"\n") + 1
            text = match[0].decode("utf-8", "replace")
            yield Found(
                name,
                line,
                "",
                f'"{text}" is a place on a computer or a registry, not a source',
                "name the publication, label or public terminology instead",
            )
