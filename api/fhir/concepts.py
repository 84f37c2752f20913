"""Which drugs a CodeableConcept means: every coding, every display and the text are read, and must agree.

A code and a name that disagree are shown, never resolved. What none of them tells is named as not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from api.fhir.freetext import FreeText, Said
from api.fhir.peek import codings, obj, text
from checker import Names
from checker.model import NotUnderstood
from knowledge.rxnorm import Codes, Part, Product, Products
from knowledge.terms import Kind

MOST_CODINGS = 20
REMEMBERED = 20_000
DISAGREE = "code-and-name-disagree"

Spoken = tuple[tuple[tuple[str, str, str], ...], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a concept means. product None: see `problem`. said: what its free text says of a mixture."""

    asked: str
    product: Product | None = None
    problem: NotUnderstood | None = None
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one coding, display or text says. drugs empty: only candidates. firm: a product or a name, not just an ingredient's code."""

    where: str
    drugs: frozenset[str] = frozenset()
    candidates: tuple[str, ...] = ()
    product: Product | None = None
    firm: bool = True


@dataclass(slots=True)
class Concepts:
    """Reads concepts over one knowledge base; what was read once is kept."""

    names: Names
    codes: Codes
    products: Products
    words: FreeText
    _kept: dict[Spoken, Meaning] = field(default_factory=dict)

    def read(self, concept: Any, *more: str) -> Meaning:
        """What a CodeableConcept means. more: further texts that name the same thing."""
        spoken = tuple(list(codings(concept))[:MOST_CODINGS]), text(obj(concept).get("text"))
        if more:
            spoken = spoken[0], " | ".join(dict.fromkeys(filter(None, (spoken[1], *more))))
        kept = self._kept.get(spoken)
        if kept is None:
            kept = self._read(*spoken)
            if len(self._kept) >= REMEMBERED:
                self._kept.clear()
            self._kept[spoken] = kept
        return kept

    def _read(self, coded: Sequence[tuple[str, str, str]], words: str) -> Meaning:
        texts = list(dict.fromkeys(filter(None, [*(display for _, _, display in coded), *words.split(" | ")])))
        asked = next(filter(None, [words.split(" | ")[0], *texts, *(f"{_short(system)} {code}" for system, code, _ in coded if code)]), "")
        claims = [claim for system, code, display in coded for claim in self._coding(system, code, display) if claim]
        claims += [claim for said in texts if (claim := self._text(said))]
        said = tuple(self.words.read(item) for item in texts)
        return self._agree(asked or "a medication without name or code", claims, said)

    # --- what each part claims ---

    def _coding(self, system: str, code: str, display: str) -> list[_Claim | None]:
        if not code:
            return []
        where = f"{_short(system)} {code}"
        product = self.codes.find(system, code)
        if product is not None:
            return [_Claim(where, _drugs(product), product=product)]
        maybe = self.codes.maybe(system, code)
        if maybe:
            said = self._text(display)
            fits = [item for item in maybe if said and _drugs(item) == said.drugs]
            return [_Claim(where, _drugs(fits[0]), product=fits[0])] if len(fits) == 1 else []
        found = self.names.resolve_code(system, code, "")
        if not isinstance(found, NotUnderstood):
            return [_Claim(where, frozenset({found.drug}), product=self._single(found.drug), firm=False)]
        return [_Claim(where, candidates=found.candidates)] if found.reason == "ambiguous-code" else []

    def _text(self, words: str) -> _Claim | None:
        if not words:
            return None
        where = f'"{words}"'
        exact = self.words.exact(words)
        if isinstance(exact, str):
            return _Claim(where, frozenset({exact}), product=self._single(exact))
        product = self.products.read(words)
        if product is not None:
            return _Claim(where, _drugs(product), product=product)
        said = self.words.read(words)
        if said.clash:
            return _Claim(where, candidates=said.drugs)
        if said.drugs:
            return _Claim(where, self._substance(said.drugs), product=self._mixed(said.drugs))
        candidates = exact.candidates if exact is not None else said.candidates
        return _Claim(where, candidates=candidates) if candidates else None

    def _single(self, drug: str) -> Product:
        return self._mixed((drug,))

    def _mixed(self, drugs: tuple[str, ...]) -> Product:
        kinds = self.names.knowledge.drugs
        fluids = [drug for drug in drugs if kinds[drug].kind is Kind.FLUID and drug in self.names.knowledge.vehicles]
        rest = tuple(Part(drug) for drug in drugs if drug not in fluids[:1])
        return Product(parts=rest, vehicle=fluids[0] if fluids else None)

    def _substance(self, drugs: tuple[str, ...]) -> frozenset[str]:
        return _drugs(self._mixed(drugs))

    # --- whether they agree ---

    def _agree(self, asked: str, claims: Sequence[_Claim], said: tuple[Said, ...]) -> Meaning:
        settled = [claim for claim in claims if claim.drugs]
        open_ones = [claim for claim in claims if not claim.drugs]
        if any(item.clash for item in said):
            clash = next(item for item in said if item.clash)
            return Meaning(
                asked=asked,
                said=said,
                problem=self._disagreement(asked, [*clash.drugs, clash.clash], f'the name in brackets, "{clash.clash}", is another drug'),
            )
        if not settled:
            return Meaning(asked=asked, said=said, problem=self._unknown(asked, open_ones))
        best = next((claim for claim in settled if claim.firm), settled[0])
        against = next((claim for claim in settled if not self._fit(best, claim)), None)
        if against is None:
            against = next((claim for claim in open_ones if not self._possible(best, claim)), None)
        if against is not None:
            why = f"{best.where} is {self._names(best.drugs)}, but {against.where} is {self._names(against.drugs or against.candidates)}"
            return Meaning(
                asked=asked, said=said, problem=self._disagreement(asked, sorted(best.drugs | against.drugs | set(against.candidates)), why)
            )
        return Meaning(asked=asked, product=self._fullest(best, settled), said=said)

    def _fit(self, best: _Claim, other: _Claim) -> bool:
        """Whether two claims mean the same. An ingredient's code also fits a product of that ingredient."""
        if best.drugs == other.drugs:
            return True
        if other.firm or len(best.drugs) != 1 or len(other.drugs) != 1:
            return False
        return self._related(next(iter(best.drugs)), next(iter(other.drugs)))

    def _related(self, one: str, other: str) -> bool:
        known = self.names.knowledge.drugs
        a, b = known[one], known[other]
        return bool(a.ingredient and a.ingredient == b.ingredient) or a.parent == other or b.parent == one

    def _possible(self, best: _Claim, other: _Claim) -> bool:
        """Whether an ambiguous name or code may mean what the others say."""
        return len(best.drugs) == 1 and any(
            drug in best.drugs or (drug in self.names.knowledge.drugs and self._related(next(iter(best.drugs)), drug))
            for drug in other.candidates
        )

    def _fullest(self, best: _Claim, settled: Sequence[_Claim]) -> Product | None:
        """The product that tells most: a concentration, a volume, a form."""
        same = [claim.product for claim in settled if claim.drugs == best.drugs and claim.product is not None]
        return max(
            same,
            key=lambda item: (
                any(part.conc for part in item.parts),
                item.volume_ml is not None,
                item.route != "",
                item.vehicle is not None,
            ),
            default=None,
        )

    # --- what could not be understood ---

    def _unknown(self, asked: str, open_ones: Sequence[_Claim]) -> NotUnderstood:
        if open_ones:
            candidates = tuple(dict.fromkeys(name for claim in open_ones for name in claim.candidates))
            return NotUnderstood(at="", asked=asked, reason="ambiguous-name", candidates=candidates, why="a name or code of several drugs")
        return NotUnderstood(
            at="", asked=asked, reason="unresolved-name", candidates=self.names.suggest(asked) or self.names.suggest(self.words.bare(asked))
        )

    def _disagreement(self, asked: str, candidates: Sequence[str], why: str) -> NotUnderstood:
        return NotUnderstood(at="", asked=asked, reason=DISAGREE, candidates=tuple(candidates), why=why)

    def _names(self, drugs: Any) -> str:
        known = self.names.knowledge.drugs
        return " or ".join(known[drug].name if drug in known else drug for drug in sorted(drugs))


def _drugs(product: Product) -> frozenset[str]:
    """What must agree: the drugs; the fluid only where there is nothing else."""
    return frozenset(part.drug for part in product.parts) or frozenset({product.vehicle} if product.vehicle else set())


_SHORT = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://snomed.info/sct": "SNOMED CT",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://fdasis.nlm.nih.gov": "UNII",
    "http://www.whocc.no/atc": "ATC",
}


def _short(system: str) -> str:
    return _SHORT.get(system, "code")
