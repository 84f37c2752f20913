"""No file is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge import files
from knowledge.lint.subject import Found, Level, Scope, Subject

code = "stray-file"
level = Level.ERROR
scope = Scope.FILE
description = "Every file of drugs/, studies/ and interactions/, and every YAML file beside them, is one that the loader reads."


def check(subject: Subject) -> Iterator[Found]:
    """Files that look like knowledge and are not read."""
    looked = [path for folder in files.FOLDERS for path in (subject.root / folder).rglob("*") if path.is_file()]
    looked += [path for path in subject.root.iterdir() if path.suffix.lower() in (".yaml", ".yml")]
    for path in sorted(looked):
        name = path.relative_to(subject.root).as_posix()
        if name not in subject.contents:
            yield Found(
                name,
                0,
                "",
                "the loader does not read this file",
                "end its name in .yaml, move it where files of its kind stand, or delete it",
            )
