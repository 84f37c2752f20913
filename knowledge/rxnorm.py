"""Clinical drugs: what an RxNorm name says, which drug of the base it is, and the tables of codes that ship or were built.

RxNorm names carry ingredients, strengths, volume and dose form: "250 ML vancomycin 5 MG/ML Injection". They are read by
shape and resolved by exact names; nothing near is taken. The tables stand in `codes/`, in plain CSV.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from knowledge.link import Knowledge
from knowledge.normalise import LONGEST_NAME, normalise
from knowledge.terms import Kind

HERE = Path(__file__).parent / "codes"
TABLE = "clinical-drugs.csv"
NDC_TABLE = "ndc.csv"
LOCAL_TABLE = "local.csv"
COLUMNS = ("rxcui", "drugs", "concs", "vehicle", "volume_ml", "route", "name", "source")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"


@dataclass(frozen=True, slots=True)
class Component:
    """One ingredient of a clinical drug, with its strength as the name gives it; amount None = no strength."""

    ingredient: str
    amount: float | None = None
    unit: str = ""  # MG, UNT, MEQ ...
    per: str = ""  # ML, ACTUAT ... ; empty = an amount, not a concentration

    @property
    def conc(self) -> str | None:
        """The strength as a concentration, where it is one."""
        if self.amount is None or self.per != "ML" or self.unit not in _CONC_UNITS:
            return None
        return f"{self.amount:g} {_CONC_UNITS[self.unit]}/mL"


@dataclass(frozen=True, slots=True)
class ClinicalName:
    """An RxNorm name, taken apart."""

    components: tuple[Component, ...]
    volume_ml: float | None = None
    form: str = ""
    brand: str = ""

    @property
    def ingredients(self) -> str:
        """The ingredients joined as RxNorm joins them."""
        return " / ".join(component.ingredient for component in self.components)


@dataclass(frozen=True, slots=True)
class Part:
    """One drug of a product, with the concentration that the name states (None: none)."""

    drug: str
    conc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a code or a clinical name is: drugs of the base, the fluid they are in, and the route that the form leaves open.

    parts: empty when it is only a fluid, which then is `vehicle`.
    route: "" when any is possible. volume_ml: of the ready-made container.
    """

    parts: tuple[Part, ...]
    vehicle: str | None = None
    volume_ml: float | None = None
    route: str = ""
    name: str = ""

    @property
    def drugs(self) -> frozenset[str]:
        """All that is in it, the fluid included."""
        return frozenset(part.drug for part in self.parts) | ({self.vehicle} if self.vehicle else set())


_CONC_UNITS = {"MG": "mg", "MCG": "mcg", "G": "g", "UNT": "units", "MEQ": "mEq", "MMOL": "mmol"}
_STRENGTH = (
    r"(?P<amount>\d[\d,]*(?:\.\d+)?(?:E\d+)?) (?P<unit>MG|MCG|G|UNT|MEQ|MMOL|ML|%|\[[^\]]{1,20}\])(?:/(?P<per>ML|ACTUAT|HR|MG|ACT))?"
)
_COMPONENT = re.compile(rf"(?P<ingredient>.+?) {_STRENGTH}(?: (?P<form>[^\[]+?))?(?: \[(?P<brand>.+)\])?", re.IGNORECASE)
_OPENING = re.compile(r"(?:Sensor |\d+ HR )?(?:(?P<volume>\d+(?:\.\d+)?) (?P<unit>ML|ACTUAT) )?(?P<rest>.+)", re.IGNORECASE)
_BRAND = re.compile(r"(?P<rest>.+?) \[(?P<brand>[^\]]+)\]")


@lru_cache(maxsize=16384)
def read_name(text: str) -> ClinicalName | None:
    """Take an RxNorm name apart. None when it does not have that shape, or is a pack."""
    text = " ".join(text.split())
    if not text or len(text) > 6 * LONGEST_NAME or text.startswith("{"):
        return None
    opening = _OPENING.fullmatch(text)
    if opening is None:
        return None
    volume = float(opening["volume"]) if opening["volume"] and opening["unit"].upper() == "ML" else None
    components: list[Component] = []
    form = brand = ""
    for part in opening["rest"].split(" / "):
        shape = _COMPONENT.fullmatch(part)
        if shape is None:
            rest, marked = (found["rest"], found["brand"]) if (found := _BRAND.fullmatch(part)) else (part, "")
            name, ending = _without_form(rest)
            components.append(Component(name))
            form, brand = ending or form, marked or brand
            continue
        amount, unit = float(shape["amount"].replace(",", "")), shape["unit"].upper()
        if unit == "%":
            amount, unit, per = amount * 10, "MG", "ML"
        else:
            per = (shape["per"] or "").upper()
        components.append(Component(shape["ingredient"], amount, unit, per))
        form, brand = shape["form"] or form, shape["brand"] or brand
    return ClinicalName(tuple(components), volume, form, brand)


def _without_form(text: str) -> tuple[str, str]:
    """A name without its dose form, and the form; the longest known form wins."""
    lower = text.casefold()
    for form in _forms_by_length():
        if lower.endswith(f" {form}"):
            return text[: -len(form) - 1].strip(), text[-len(form) :]
    return text, ""


@lru_cache(maxsize=1)
def forms() -> dict[str, str]:
    """Dose form, in lower case -> the route that it leaves open ("" = any)."""
    return {row["form"].casefold(): row["route"] for row in rows(HERE / "forms.csv")}


@lru_cache(maxsize=1)
def _forms_by_length() -> tuple[str, ...]:
    return tuple(sorted(forms(), key=lambda form: (-len(form), form)))


def route_of(form: str) -> str:
    """The route that a dose form leaves open; "" when any, or when the form is unknown."""
    lower = form.casefold().strip()
    if lower in forms():
        return forms()[lower]
    return next(
        (route for known, route in ((known, forms()[known]) for known in _forms_by_length()) if route and lower.endswith(known)), ""
    )


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV table; lines that begin with # are remarks. A folder without the table has no rows."""
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(line for line in lines if not line.startswith("#")):
                yield {key: (value or "").strip() for key, value in row.items() if key}


# --- from names to drugs of the base ---


class Products:
    """Finds the drugs of one knowledge base that clinical names speak of. Exact names only; ambiguous ones are refused."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.names: dict[str, set[str]] = {}
        for drug in knowledge.drugs.values():
            for _, name in drug.names():
                self.names.setdefault(normalise(name), set()).add(drug.id)
        refused = {normalise(token.token) for token in knowledge.records.ambiguous}
        for key in refused:
            self.names.pop(key, None)
        for row in rows(HERE / "ingredients.csv"):
            if row["drug"] in knowledge.drugs:
                self.names[normalise(row["ingredient"])] = {row["drug"]}
        self.fluids: dict[frozenset[tuple[str, str]], tuple[str, tuple[str, ...]]] = {}
        for row in rows(HERE / "fluids.csv"):
            extra = tuple(filter(None, row["with"].split(";")))
            if all(drug in knowledge.drugs for drug in (row["fluid"], *extra)):
                for spelling in row["contents"].split("|"):
                    read = read_name(spelling.strip())
                    if read:
                        self.fluids[_contents(read.components)] = (row["fluid"], extra)

    def named(self, ingredient: str) -> str | None:
        """The one drug that an ingredient's name leads to."""
        found = self.names.get(normalise(ingredient), ())
        return next(iter(found)) if len(found) == 1 else None

    def read(self, text: str) -> Product | None:
        """The product that a clinical name describes; None when any of its ingredients is not in the base."""
        name = read_name(text)
        return self.product(name, text) if name else None

    def product(self, name: ClinicalName, text: str) -> Product | None:
        """The product of a name that was taken apart."""
        if len(name.components) > 12:
            return None
        for fluid, rest, extra in self._fluids(name.components):
            parts = [Part(drug) for drug in extra]
            if rest:
                found = self._drugs(rest)
                if found is None:
                    continue
                parts += found
            return Product(parts=tuple(parts), vehicle=fluid, volume_ml=name.volume_ml, route=route_of(name.form), name=text)
        found = self._drugs(name.components)
        if not found:
            return None
        return Product(parts=tuple(found), volume_ml=name.volume_ml, route=route_of(name.form), name=text)

    def _fluids(self, components: tuple[Component, ...]) -> Iterator[tuple[str, tuple[Component, ...], tuple[str, ...]]]:
        """Fluids that all, or some, of the components make up, most components first; with what remains."""
        whole = _contents(components)
        fitting = [(contents, found) for contents, found in self.fluids.items() if contents <= whole]
        for contents, (fluid, extra) in sorted(fitting, key=lambda item: (-len(item[0]), item[1])):
            yield fluid, tuple(component for component in components if not _contents([component]) <= contents), extra

    def _drugs(self, components: tuple[Component, ...]) -> list[Part] | None:
        together = self.named(" / ".join(component.ingredient for component in components))
        if together is not None:
            combined = bool(self.knowledge.drugs[together].components) or len(components) > 1
            return [Part(together, None if combined else components[0].conc)]
        if len(components) == 1:
            return None
        found = []
        for component in components:
            drug = self.named(component.ingredient)
            if drug is None:
                return None
            found.append(Part(drug, component.conc))
        return found


def _contents(components: Iterable[Component]) -> frozenset[tuple[str, str]]:
    """Ingredients with strengths, comparable; an ingredient without one is kept as such."""
    return frozenset(
        (normalise(item.ingredient), f"{item.amount:g} {item.unit}/{item.per}" if item.amount is not None else "") for item in components
    )


# --- the tables ---


@dataclass(kw_only=True)
class Codes:
    """Codes of clinical drugs, as the tables give them, restricted to the drugs of one knowledge base."""

    rxnorm: dict[str, Product] = field(default_factory=dict)
    ndc: dict[str, Product] = field(default_factory=dict)
    local: dict[tuple[str, str], Product] = field(default_factory=dict)
    digest: str = ""
    _by_system: dict[str, dict[str, Product]] = field(default_factory=dict)

    @classmethod
    def load(cls, knowledge: Knowledge, built: Path | None = None) -> Codes:
        """The shipped tables, and over them those of the folder `built` (rxnorm-build, local.csv)."""
        codes = cls()
        total = hashlib.sha256()
        for folder in (HERE, *([built] if built else [])):
            for name in (TABLE, NDC_TABLE, LOCAL_TABLE):
                if (folder / name).is_file():
                    total.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
            codes._read(folder, knowledge)
        codes.digest = total.hexdigest()
        return codes

    def _read(self, folder: Path, knowledge: Knowledge) -> None:
        for row in rows(folder / TABLE):
            product = _product(row, knowledge)
            if product:
                self.rxnorm[row["rxcui"]] = product
        for row in rows(folder / NDC_TABLE):
            found = self.rxnorm.get(row["rxcui"]) if row.get("rxcui") else _single(row, knowledge)
            digits = next(iter(ndc11(row["ndc"])), "")
            if found and digits:
                self.ndc[digits] = found
        for row in rows(folder / LOCAL_TABLE):
            found = _single(row, knowledge)
            if found:
                self.local[row["system"], row["code"]] = found

    def find(self, system: str, code: str) -> Product | None:
        """The product of a code; None when the tables do not hold it, or a 10-digit NDC has several readings."""
        local = self.local.get((system, code))
        if local is not None:
            return local
        if system == RXNORM or system == "urn:oid:2.16.840.1.113883.6.88":
            return self.rxnorm.get(code)
        if system == NDC or system == "urn:oid:2.16.840.1.113883.6.69":
            forms_of_it = ndc11(code)
            return self.ndc.get(next(iter(forms_of_it))) if len(forms_of_it) == 1 else None
        return None

    def maybe(self, system: str, code: str) -> tuple[Product, ...]:
        """What an NDC of ten digits without hyphens may be: evidence only where a name says the same."""
        if system != NDC:
            return ()
        return tuple(self.ndc[form] for form in sorted(ndc11(code)) if form in self.ndc)

    @cached_property
    def size(self) -> dict[str, int]:
        """How many codes of each kind there are."""
        return {"rxnorm": len(self.rxnorm), "ndc": len(self.ndc), "local": len(self.local)}


def _product(row: dict[str, str], knowledge: Knowledge) -> Product | None:
    drugs = [drug for drug in row["drugs"].split(";") if drug]
    concs = row["concs"].split(";")
    vehicle = row["vehicle"] or None
    if any(drug not in knowledge.drugs for drug in (*drugs, *([vehicle] if vehicle else []))) or not (drugs or vehicle):
        return None
    parts = tuple(Part(drug, concs[at] or None if at < len(concs) else None) for at, drug in enumerate(drugs))
    return Product(
        parts=parts, vehicle=vehicle, volume_ml=float(row["volume_ml"]) if row["volume_ml"] else None, route=row["route"], name=row["name"]
    )


def _single(row: dict[str, str], knowledge: Knowledge) -> Product | None:
    """A product of one drug, from a table that names it outright."""
    drug, vehicle = row["drug"], row.get("vehicle") or None
    if drug not in knowledge.drugs or (vehicle and vehicle not in knowledge.drugs):
        return None
    if vehicle is None and knowledge.drugs[drug].kind is Kind.FLUID:
        return Product(parts=(), vehicle=drug, name=row.get("name", ""))
    return Product(parts=(Part(drug, row.get("conc") or None),), vehicle=vehicle, route=row.get("route", ""), name=row.get("name", ""))


def ndc11(code: str) -> frozenset[str]:
    """The eleven-digit forms (5-4-2) that an NDC can have: one with hyphens or eleven digits, three with ten digits."""
    groups = code.strip().split("-")
    if not all(group.isascii() and group.isdigit() for group in groups):
        return frozenset()
    if len(groups) == 3:
        labeler, product, package = groups
        if (len(labeler), len(product), len(package)) in ((5, 4, 2), (4, 4, 2), (5, 3, 2), (5, 4, 1)):
            return frozenset({labeler.zfill(5) + product.zfill(4) + package.zfill(2)})
        return frozenset()
    digits = code.strip()
    if len(groups) != 1 or len(digits) not in (10, 11):
        return frozenset()
    if len(digits) == 11:
        return frozenset({digits})
    return frozenset({f"0{digits}", f"{digits[:5]}0{digits[5:]}", f"{digits[:9]}0{digits[9]}"})


def line(rxcui: str, product: Product, source: str) -> dict[str, str]:
    """A product as a row of the table."""
    concs = [part.conc or "" for part in product.parts]
    return {
        "rxcui": rxcui,
        "drugs": ";".join(part.drug for part in product.parts),
        "concs": ";".join(concs) if any(concs) else "",
        "vehicle": product.vehicle or "",
        "volume_ml": f"{product.volume_ml:g}" if product.volume_ml else "",
        "route": product.route,
        "name": product.name,
        "source": source,
    }


def write(path: Path, remark: str, columns: Iterable[str], found: Iterable[dict[str, str]]) -> int:
    """Write a table with its remark in line one; returns how many rows it has."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as lines:
        lines.write(f"# {remark}\n")
        writer = csv.DictWriter(lines, tuple(columns), lineterminator="\n")
        writer.writeheader()
        for row in found:
            writer.writerow(row)
            count += 1
    return count
