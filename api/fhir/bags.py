"""What runs from one container: the drugs with their concentrations, and the fluid they are in.

A concentration is taken only where the order makes it plain. A strength per 1 mL within a mixture may be that of the vial
that goes into the bag, so it counts only when something else says the same; two that differ are both left out, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from api.fhir.concepts import Concepts, Meaning
from api.fhir.freetext import Said
from api.fhir.peek import Json, either, items, obj, text
from api.fhir.quantities import strength, volume_ml
from api.fhir.references import Sent
from checker.model import NotUnderstood
from knowledge.rxnorm import Part, Product
from knowledge.terms import Kind
from knowledge.units import Concentration, ConcentrationError

READY_ML = 50.0  # a product of at least this volume is a bag that runs as it is; below, it is a vial
DEEPEST = 3  # Medications within Medications
MOST_INGREDIENTS = 30


@dataclass(slots=True)
class Bag:
    """One container. parts empty: only the fluid `vehicle` runs. problems: what could not be understood in it.

    strength: that of the vial, which is not that of what runs unless it is given undiluted.
    """

    asked: str
    parts: list[Part] = field(default_factory=list)
    vehicle: str | None = None
    volume_ml: float | None = None
    strength: str | None = None
    undiluted: bool = False
    route: str = ""
    problems: list[NotUnderstood] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Strength:
    """What an ingredient says of its strength."""

    amount: str | None
    per_ml: float | None
    own_ml: float | None


@dataclass(frozen=True, slots=True)
class Bags:
    """Reads the medication of an order, wherever the version of FHIR puts it."""

    concepts: Concepts

    def of(self, order: Json, sent: Sent) -> Bag:
        """The container that an order, an administration or a statement speaks of."""
        given = obj(order.get("medication"))  # R5: a CodeableReference
        concept = (
            either(order, "medicationCodeableConcept") or given.get("concept") or (given if "coding" in given or "text" in given else None)
        )
        reference = obj(
            either(order, "medicationReference") or given.get("reference") or (given if isinstance(given.get("reference"), str) else None)
        )
        label = text(reference.get("display"))
        if concept:
            return self._plain(self.concepts.read(concept), label)
        resource = sent.follow(reference, order) if reference else None
        if resource is not None:
            return self._resource(resource, label, sent, (order,), DEEPEST)
        if label:
            return self._plain(self.concepts.read({"text": label}), "")
        asked = text(reference.get("reference")) or "an order without a medication"
        reason = "unresolved-reference" if reference else "no-medication"
        why = "the Medication was not sent along" if reference else "the order names no medication yet"
        return Bag(asked, problems=[NotUnderstood(at="", asked=asked, reason=reason, why=why)])

    # --- one concept, or one Medication ---

    def _plain(self, meaning: Meaning, label: str) -> Bag:
        bag = Bag(label or meaning.asked, said=list(meaning.said))
        if label:
            bag.said.append(self.concepts.words.read(label))
        if meaning.product is None:
            bag.problems = [meaning.problem] if meaning.problem else []
        else:
            _pour(bag, meaning.product)
        return bag

    def _resource(self, medication: Json, label: str, sent: Sent, outer: tuple[Json, ...], deep: int) -> Bag:
        """A Medication: by its own code, and by its ingredients, which must not contradict each other."""
        own = self.concepts.read(medication.get("code")) if medication.get("code") else None
        listed = [
            item
            for item in items(medication.get("ingredient"))
            if item.get("isActive") is not False or len(items(medication.get("ingredient"))) > 1
        ][:MOST_INGREDIENTS]
        if not listed:
            if own is None:
                return (
                    self._plain(self.concepts.read({"text": label}), "")
                    if label
                    else Bag(
                        "a Medication without code",
                        problems=[
                            NotUnderstood(
                                at="", asked="a Medication without code", reason="no-medication", why="it has neither code nor ingredients"
                            )
                        ],
                    )
                )
            return self._plain(own, label)
        bag = Bag(label or (own.asked if own else ""))
        strengths: dict[str, _Strength] = {}
        fluids: list[tuple[str, float | None]] = []
        for item in listed:
            self._ingredient(item, bag, strengths, fluids, medication, sent, outer, deep)
        if own is not None:
            bag.said += own.said
            _hold_together(bag, own, [fluid for fluid, _ in fluids])
        if label:
            bag.said.append(self.concepts.words.read(label))
        bag.asked = bag.asked or ", ".join([part.drug for part in bag.parts] + [fluid for fluid, _ in fluids]) or "a mixture"
        self._settle(
            bag, strengths, fluids, volume_ml(medication.get("totalVolume")) or volume_ml(obj(medication.get("amount")).get("numerator"))
        )
        return bag

    def _ingredient(
        self,
        item: Json,
        bag: Bag,
        strengths: dict[str, _Strength],
        fluids: list[tuple[str, float | None]],
        holder: Json,
        sent: Sent,
        outer: tuple[Json, ...],
        deep: int,
    ) -> None:
        given = obj(item.get("item"))
        concept = either(item, "itemCodeableConcept") or given.get("concept")
        reference = obj(either(item, "itemReference") or given.get("reference"))
        of_drug, per_ml, own_ml = strength(item)
        if concept:
            meaning = self.concepts.read(concept)
            product, problems = meaning.product, [meaning.problem] if meaning.problem else []
        else:
            resource = sent.follow(reference, holder, *outer) if reference and deep > 0 else None
            label = text(reference.get("display"))
            if resource is None:
                meaning = self.concepts.read({"text": label or text(reference.get("reference")) or "an ingredient without a name"})
                product, problems = meaning.product, [meaning.problem] if meaning.problem else []
            else:
                inner = self._resource(resource, label, sent, (holder, *outer), deep - 1)
                product, problems = Product(parts=tuple(inner.parts), vehicle=inner.vehicle, volume_ml=inner.volume_ml), inner.problems
        bag.problems += problems
        if product is None:
            return
        for part in product.parts:
            bag.parts.append(Part(part.drug))
            same_as_vial = part.conc is not None and of_drug is not None and per_ml is not None and _same(part.conc, _conc(of_drug, per_ml))
            strengths[part.drug] = _Strength(None if same_as_vial else of_drug, per_ml, own_ml)
        if product.vehicle:
            fluids.append((product.vehicle, own_ml or (product.volume_ml if not product.parts else None)))

    def _settle(
        self, bag: Bag, strengths: dict[str, _Strength], fluids: Sequence[tuple[str, float | None]], total_ml: float | None
    ) -> None:
        """The fluid of the mixture, and the concentrations that its ingredients make plain."""
        names = list(dict.fromkeys(fluid for fluid, _ in fluids))
        if len(names) == 1:
            bag.vehicle = names[0]
            bag.volume_ml = total_ml or fluids[0][1]
        elif len(names) > 1:
            bag.parts += [Part(name) for name in names]
            bag.notes.append("several fluids in one container: each was checked with the others")
        bag.volume_ml = bag.volume_ml or total_ml
        told = [_conc(known.amount, known.per_ml) for known in strengths.values()]
        bag.strength = told[0] if len(told) == 1 and told[0] else None
        if not bag.parts and bag.vehicle:
            return
        for at, part in enumerate(bag.parts):
            known = strengths.get(part.drug)
            if known and known.amount and not self._combined(part.drug):
                plain = [_conc(known.amount, known.per_ml)] if known.per_ml and known.per_ml >= READY_ML else []
                plain += [_conc(known.amount, bag.volume_ml)] if known.per_ml is None and bag.volume_ml else []
                bag.parts[at] = replace(part, conc=plain[0] if plain else None)

    def _combined(self, drug: str) -> bool:
        return bool(self.concepts.names.knowledge.drugs[drug].components)

    # --- what the dosage adds ---

    def complete(self, bag: Bag, dose: str | None, texts: Iterable[str]) -> None:
        """Fluid and concentration from the dose and from what people wrote, where the codes leave them open."""
        bag.said += [self.concepts.words.read(item) for item in texts]
        bag.notes += [
            f'the comma in "{unread}" is, or may be, a decimal comma: no concentration was taken from it'
            for unread in dict.fromkeys(item.unread for item in bag.said if item.unread)
        ]
        if not any(item.vehicle or item.amount for item in bag.said) and not dose and not any(part.conc for part in bag.parts):
            return  # nothing more is said than which drug
        written = list(dict.fromkeys(item.vehicle for item in bag.said if item.vehicle))
        if bag.parts and bag.vehicle is None and len(written) == 1 and self._is_fluid(written[0]):
            bag.vehicle = written[0]
            bag.notes.append("the fluid was read from free text")
        elif bag.vehicle is not None and any(fluid != bag.vehicle for fluid in written):
            bag.notes.append("the free text names another fluid than the coded one; the coded one was taken")
        elif len(written) > 1:
            bag.notes.append("the free text names several fluids; none was taken")
        self._concentrations(bag, dose)

    def _concentrations(self, bag: Bag, dose: str | None) -> None:
        if len(bag.parts) != 1 or self._combined(bag.parts[0].drug):
            return
        part = bag.parts[0]
        volumes = [bag.volume_ml] if bag.volume_ml else list(dict.fromkeys(item.volume_ml for item in bag.said if item.volume_ml))
        found = [part.conc] if part.conc else []
        found += [_conc(item.amount, item.volume_ml) for item in bag.said if item.amount and item.volume_ml]
        if dose and len(volumes) == 1 and not found and bag.vehicle is not None:
            found.append(_conc(dose, volumes[0]))
        distinct = [first for at, first in enumerate(found) if not any(_same(first, other) for other in found[:at])]
        if len(distinct) > 1:
            bag.notes.append(f"the order gives more than one concentration ({', '.join(distinct)}): none was taken")
        bag.parts[0] = replace(part, conc=distinct[0] if len(distinct) == 1 and _readable(distinct[0]) else None)

    def undiluted(self, bag: Bag, push: bool, stated: bool) -> None:
        """A drug that goes into the vein as it is in its vial: the order says so, or names a strength, a push, and no fluid."""
        if len(bag.parts) != 1 or bag.vehicle is not None or (bag.volume_ml or 0) >= READY_ML:
            return
        part = bag.parts[0]
        named = [*filter(None, (part.conc, bag.strength, *(item.strength for item in bag.said)))]
        one = named[0] if named and all(_same(named[0], other) for other in named) and _readable(named[0]) else None
        if stated or (push and one):
            bag.undiluted = True
            bag.parts[0] = replace(part, conc=part.conc or one)
            bag.notes.append("taken as undiluted: the order says so, or names a strength and a push and no fluid")

    def _is_fluid(self, name: str) -> bool:
        drug = self.concepts.names.knowledge.drugs.get(name)
        return drug is not None and drug.kind is not Kind.DRUG


def _pour(bag: Bag, product: Product) -> None:
    """Fill a bag from a product. A vial's strength is not that of what runs; a ready-made bag's is."""
    ready = product.volume_ml is not None and product.volume_ml >= READY_ML
    bag.parts = [part if ready or product.vehicle else Part(part.drug) for part in product.parts]
    bag.vehicle, bag.route = product.vehicle, product.route
    bag.strength = product.parts[0].conc if len(product.parts) == 1 else None
    bag.volume_ml = product.volume_ml if ready else None


def _hold_together(bag: Bag, own: Meaning, fluids: Sequence[str]) -> None:
    """The code of a Medication beside its ingredients: it may say less, or nothing, but not something else."""
    if own.product is None:
        if not bag.parts and not fluids and own.problem is not None and not bag.problems:
            bag.problems.append(own.problem)
        return
    bag.route = bag.route or own.product.route
    named, found = {part.drug for part in own.product.parts}, {part.drug for part in bag.parts}
    if not found and not fluids:
        bag.problems = []
        _pour(bag, own.product)
    elif named and not named & found and not bag.problems:
        why = f"the code of the Medication is {', '.join(sorted(named))}, but its ingredients are {', '.join(sorted(found)) or 'other'}"
        bag.problems.append(
            NotUnderstood(at="", asked=own.asked, reason="code-and-name-disagree", candidates=tuple(sorted(named | found)), why=why)
        )
        bag.parts = []


def _conc(of_drug: str | None, ml: float | None) -> str:
    return f"{of_drug}/{ml:g} mL" if of_drug and ml and ml > 0 else ""


def _readable(conc: str) -> bool:
    try:
        Concentration.parse(conc)
    except (ConcentrationError, ValueError):
        return False
    return True


def _same(one: str, other: str) -> bool:
    """Whether two concentrations are one, but for rounding."""
    if one == other:
        return True
    try:
        a, b = Concentration.parse(one), Concentration.parse(other)
    except (ConcentrationError, ValueError):
        return False
    return a.family is b.family and abs(a.low - b.low) <= 0.01 * max(a.low, b.low)
