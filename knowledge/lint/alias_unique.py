"""One name leads to one drug."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.model import Ambiguous
from knowledge.normalise import normalise

code = "alias-unique"
level = Level.ERROR
scope = Scope.RECORDS
description = (
    "A name, alias, vehicle code or tall-man form belongs to one drug, unless ambiguous.yaml refuses it; a refused name is nobody's alias."
)


def check(subject: Subject) -> Iterator[Found]:
    """Names that two drugs share, names that are refused, and tokens that are refused in two ways."""
    refused: dict[str, Ambiguous] = {}
    for token in subject.records.ambiguous:
        key = normalise(token.token)
        place = subject.place(f"ambiguous:{token.token}")
        alike = [
            other for other in subject.records.ambiguous if normalise(other.token) == key and set(other.candidates) != set(token.candidates)
        ]
        if alike:
            reason = f'"{token.token}" and "{alike[0].token}" are one name to a reader, with different candidates'
            yield Found(*place, token.token, reason, "give both the same candidates, or keep one")
        if not key:
            yield Found(*place, token.token, f'"{token.token}" holds no letter or digit', "delete it, or write the name as people type it")
        refused[key] = token
    owners: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for drug in subject.records.drugs:
        for at, name in drug.names():
            owners[normalise(name)].setdefault(drug.id, (at, name))
    reached = {next(iter(drugs)) for key, drugs in owners.items() if len(drugs) == 1 and key not in refused}
    for key, drugs in owners.items():
        for drug_id, (at, name) in drugs.items():
            # a common name may be refused where another one leads to the drug
            if at != "name" or key not in refused or drug_id not in reached:
                yield from _one(subject, key, drugs, refused, drug_id, at, name)


def _one(
    subject: Subject, key: str, drugs: dict[str, tuple[str, str]], refused: dict[str, Ambiguous], drug_id: str, at: str, name: str
) -> Iterator[Found]:
    place = subject.place(drug_id, at)
    about = f"{drug_id}: {name}"
    if not key:
        yield Found(*place, at, f'"{name}" holds no letter or digit, so nobody can ask for it', "correct the name or delete it")
    elif key in refused and len(drugs) == 1:
        if at == "name" and drug_id not in refused[key].candidates:
            return  # a common name that sources use: whoever asks for it is sent to the products
        reason = f'"{name}" is refused as ambiguous (token "{refused[key].token}" of ambiguous.yaml), so it leads nowhere'
        yield Found(*place, at, reason, "delete the name here, or the token there", about)
    elif key not in refused and len(drugs) > 1:
        others = " and ".join(sorted(set(drugs) - {drug_id}))
        mend = "keep it where it belongs, or refuse it in ambiguous.yaml with both as candidates"
        yield Found(*place, at, f'"{name}" also names {others}', mend, about)
