"""Names to ids. An exact name, alias or code resolves; a near miss only suggests; an ambiguous one is refused.

"Exact" ignores case, accents, spaces and punctuation: "Pip/Tazo" is "pip-tazo", "0.9 % NaCl" is "0.9% nacl".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from rapidfuzz import fuzz, process

from checker.model import NotUnderstood
from knowledge import Knowledge
from knowledge.model import Drug
from knowledge.normalise import normalise
from knowledge.terms import PREMIX, UNDILUTED

SYSTEMS = {
    "rxnorm": "rxnorm",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "urn:oid:2.16.840.1.113883.6.88": "rxnorm",
    "unii": "unii",
    "http://fdasis.nlm.nih.gov": "unii",
    "urn:oid:2.16.840.1.113883.4.9": "unii",
    "snomed": "snomed",
    "http://snomed.info/sct": "snomed",
    "urn:oid:2.16.840.1.113883.6.96": "snomed",
    "wikidata": "wikidata",
    "local": "local",
    "linewise": "linewise",
}
SUGGESTIONS = 5
CLOSE_ENOUGH = 78.0  # RapidFuzz ratio; below it, a suggestion misleads more than it helps


@dataclass(frozen=True, slots=True)
class Match:
    """A name that led to one drug, and by what it did."""

    drug: str
    matched_by: str  # name | usan | brand | salt | biosimilar | abbreviation | synonym | code ...


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of a type-ahead list."""

    drug: str
    name: str  # as matched
    matched_by: str
    score: float


class Names:
    """All names of one knowledge base, ready to be asked."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.index: dict[str, dict[str, str]] = {}  # key -> drug -> matched by
        self.shown: dict[str, str] = {}  # key -> the name as written
        for drug in knowledge.drugs.values():
            for name, matched_by in _names(drug):
                key = normalise(name)
                if key:
                    self.index.setdefault(key, {}).setdefault(drug.id, matched_by)
                    self.shown.setdefault(key, name)
        self.refused = {normalise(token.token): token for token in knowledge.records.ambiguous}
        self.fluids = {normalise(code): fluid for code, fluid in knowledge.vehicles.items()}
        self.keys = list(self.index)

    def resolve(self, text: str, at: str) -> Match | NotUnderstood:
        """The one drug that `text` names, or why it names none."""
        key = normalise(text)
        token = self.refused.get(key)
        if token is not None and (text not in token.candidates or text == key):  # a candidate, given back as its id, is no longer ambiguous
            candidates = token.candidates + tuple(f"{name} (not in the base)" for name in token.others)
            return NotUnderstood(at=at, asked=text, reason="ambiguous-name", candidates=candidates, why=token.why)
        found = self.index.get(key)
        if found is None:
            return NotUnderstood(at=at, asked=text, reason="unresolved-name", candidates=self.suggest(text))
        if len(found) > 1:
            if text in found:
                return Match(text, found[text])
            return NotUnderstood(
                at=at, asked=text, reason="ambiguous-name", candidates=tuple(sorted(found)), why="one name of several drugs"
            )
        return Match(*next(iter(found.items())))

    def resolve_code(self, system: str, code: str, at: str) -> Match | NotUnderstood:
        """The one drug that a code names. A code that several formulations share is refused."""
        asked = f"{system} {code}"
        known = SYSTEMS.get(system.casefold().rstrip("/"))
        if known is None:
            return NotUnderstood(at=at, asked=asked, reason="unknown-code-system", candidates=("rxnorm", "unii", "snomed", "wikidata"))
        found = (
            self.knowledge.codes.get((known, code.strip()), ())
            if known != "linewise"
            else (code.strip(),) * (code.strip() in self.knowledge.drugs)
        )
        if not found:
            return NotUnderstood(at=at, asked=asked, reason="unresolved-code")
        if len(found) > 1:
            return NotUnderstood(
                at=at,
                asked=asked,
                reason="ambiguous-code",
                candidates=found,
                why="several formulations share this code; name the one that is meant",
            )
        return Match(found[0], "code")

    def resolve_vehicle(self, text: str, at: str) -> str | NotUnderstood:
        """The fluid id of a vehicle, or "premix" or "undiluted"."""
        key = normalise(text)
        if key in (PREMIX, UNDILUTED):
            return key
        if key in self.fluids and key not in self.refused:
            return self.fluids[key]
        found = self.resolve(text, at)
        if isinstance(found, NotUnderstood):
            return NotUnderstood(
                at=at, asked=text, reason=found.reason.replace("name", "vehicle"), candidates=found.candidates, why=found.why
            )
        if found.drug not in self.knowledge.vehicles:
            return NotUnderstood(
                at=at,
                asked=text,
                reason="not-a-vehicle",
                candidates=("NS", "D5W", "LR", "SWFI", PREMIX, UNDILUTED),
                why=f"{found.drug} is a drug, not a fluid",
            )
        return found.drug

    def resolve_formulation(self, drug: str, text: str, at: str) -> str | NotUnderstood:
        """A formulation as the evidence on `drug` calls it. One that no evidence tells would set all of it aside, so it is not taken."""
        known = self.formulations.get(drug, ())
        found = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
        if found in known:
            return found
        why = f"no evidence on {self.knowledge.drugs[drug].name} tells {'this formulation' if known else 'formulations'} apart; all of it counts"
        return NotUnderstood(at=at, asked=text, reason="unknown-formulation", candidates=known, why=why)

    @cached_property
    def formulations(self) -> dict[str, tuple[str, ...]]:
        """Drugs for which the evidence, an overlay's too, tells formulations apart, and which."""
        found: dict[str, set[str]] = defaultdict(set)
        for by_mode in self.knowledge.evidence.values():
            for item in chain.from_iterable(by_mode.values()):
                for side in (item.row.a, item.row.b):
                    if side.formulation:
                        found[side.drug].add(side.formulation)
        return {drug: tuple(sorted(forms)) for drug, forms in found.items()}

    def suggest(self, text: str) -> tuple[str, ...]:
        """Ids whose names look like `text`, nearest first. Never used as an answer."""
        key = normalise(text)
        if len(key) < 3:
            return ()
        near = process.extract(key, self.keys, scorer=fuzz.ratio, limit=4 * SUGGESTIONS, score_cutoff=CLOSE_ENOUGH)
        ids = dict.fromkeys(drug for name, _, _ in near for drug in self.index[name])
        return tuple(ids)[:SUGGESTIONS]

    def search(self, text: str, limit: int = 12) -> list[Hit]:
        """Type-ahead: drugs whose names, brands, abbreviations or codes fit `text`, best first."""
        key = normalise(text)
        if not key:
            return []
        best: dict[str, Hit] = {}
        for score, name in self._fitting(key):
            for drug, matched_by in self.index[name].items():
                rank = score + (5 if matched_by == "name" else 0) + (2 if self.knowledge.drugs[drug].infused else 0)
                if drug not in best or best[drug].score < rank:
                    best[drug] = Hit(drug, self.shown[name], matched_by, rank)
        for (_, code), drugs in self.knowledge.codes.items():
            if code.casefold() == key:
                best |= {drug: Hit(drug, code, "code", 200.0) for drug in drugs}
        return sorted(best.values(), key=lambda hit: (-hit.score, len(hit.drug), hit.drug))[:limit]

    def _fitting(self, key: str) -> Iterator[tuple[float, str]]:
        """Keys that are, begin with, contain or look like `key`, with a score to 120."""
        some = False
        for name in self.keys:
            if name == key:
                some = True
                yield 120.0, name
            elif name.startswith(key):
                some = True
                yield 100.0 - min(len(name) - len(key), 30) / 10, name
            elif len(key) > 2 and key in name:
                some = True
                yield 70.0 - min(len(name) - len(key), 30) / 10, name
        if not some:
            for name, score, _ in process.extract(key, self.keys, scorer=fuzz.ratio, limit=20, score_cutoff=CLOSE_ENOUGH - 10):
                yield score / 2, name


def _names(drug: Drug) -> Iterator[tuple[str, str]]:
    """Every name of a drug with the word for how it matches; the plain name first."""
    yield drug.name, "name"
    yield drug.id, "name"
    if drug.usan:
        yield drug.usan, "usan"
    if drug.vehicle_code:
        yield drug.vehicle_code, "abbreviation"
    for alias in drug.aliases:
        yield alias.name, alias.kind
    for tall_man in drug.tall_man:
        yield tall_man.text, "name"
