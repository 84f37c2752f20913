"""The file name is the name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject

code = "file-name"
level = Level.ERROR
scope = Scope.RECORDS
description = "A file of drugs/ is named after the drug: lower case, hyphens for spaces, points only within numbers."


def check(subject: Subject) -> Iterator[Found]:
    """Drugs whose file has another name than they have."""
    for drug in subject.records.drugs:
        if drug.id != slug(drug.name):
            mend = "rename the file, and what refers to it, or correct the name"
            yield Found(*subject.place(drug.id, "name"), "name", f'"{drug.name}" belongs in drugs/{slug(drug.name)}.yaml', mend)


def slug(name: str) -> str:
    """The id of a name: "sodium chloride 0.9%" is sodium-chloride-0.9."""
    text = re.sub(r"['’%]", "", name.casefold())
    text = re.sub(r"(?<=\d)\.(?=\d)", "\0", text)
    return re.sub(r"[^a-z0-9\0]+", "-", text).strip("-").replace("\0", ".")
