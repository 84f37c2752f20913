"""Build the tables of clinical drugs: from lists of names, or from RxNorm Current Prescribable Content.

RxNorm is read from its RRF files (RXNCONSO, RXNREL, RXNSAT) that the user has; nothing is fetched. A clinical drug is
taken when all of its ingredients are drugs of the base: by its name first, by its ingredients' codes where the name fails.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.errors import KnowledgeError, Problem
from knowledge.link import Knowledge
from knowledge.rxnorm import COLUMNS, NDC_TABLE, TABLE, Part, Product, Products, line, ndc11, read_name, route_of, write

# Kinds of names, from the single ingredient up to the pack; a relation always runs from a higher to a lower rank.
RANK = {
    "IN": 0,
    "PIN": 1,
    "MIN": 1,
    "BN": 1,
    "SCDC": 2,
    "SBDC": 3,
    "SCDF": 4,
    "SCDFP": 4,
    "SCDG": 4,
    "SCDGP": 4,
    "SBDF": 5,
    "SBDFP": 5,
    "SBDG": 5,
    "SCD": 6,
    "SBD": 7,
    "GPCK": 8,
    "BPCK": 8,
}
TAKEN = frozenset(RANK) - {"GPCK", "BPCK", "SCDC", "SBDC"}
DOWN = frozenset(
    {
        "has_ingredient",
        "ingredient_of",
        "has_ingredients",
        "ingredients_of",
        "has_precise_ingredient",
        "precise_ingredient_of",
        "consists_of",
        "constitutes",
        "tradename_of",
        "has_tradename",
        "form_of",
        "has_form",
        "has_part",
        "part_of",
        "isa",
        "inverse_isa",
        "quantified_form_of",
        "has_quantified_form",
    }
)
NDC_COLUMNS = ("ndc", "rxcui", "drug", "vehicle", "name", "source")


@dataclass(frozen=True, slots=True)
class Built:
    """What a build found. unread: clinical drugs of which some ingredient is not in the base."""

    products: int
    ndcs: int
    unread: int


def build_list(knowledge: Knowledge, lists: Iterable[Path], target: Path) -> Built:
    """Build the shipped table from CSV lists with the columns rxcui, name, source."""
    products, unread = Products(knowledge), 0
    found: dict[str, dict[str, str]] = {}
    for path in lists:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                product = products.read(row["name"])
                if product is None:
                    unread += 1
                else:
                    found.setdefault(row["rxcui"], line(row["rxcui"], product, row["source"]))
    remark = "Made by `python -m knowledge rxnorm-table LISTS`: RxNorm codes and names (public domain), mapped to the drugs of the base. Do not edit."
    count = write(target, remark, COLUMNS, (found[rxcui] for rxcui in sorted(found, key=int)))
    return Built(count, 0, unread)


def build_rrf(knowledge: Knowledge, folder: Path, target: Path) -> Built:
    """Build the complete tables from a folder with RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF.

    Raises KnowledgeError when a file is missing or has another shape.
    """
    names = _names(folder)
    below = _below(folder, names)
    products = Products(knowledge)
    by_code = {code: drugs for (system, code), drugs in knowledge.codes.items() if system == "rxnorm"}
    found: dict[str, Product] = {}
    unread = 0
    for rxcui in sorted(names, key=int):
        kinds = names[rxcui]
        kind = max(kinds, key=RANK.__getitem__)
        if kind not in TAKEN:
            continue
        product = products.read(kinds[kind]) or _by_ingredients(rxcui, kinds[kind], below, names, by_code)
        if product is None:
            unread += 1
        else:
            found[rxcui] = product
    target.mkdir(parents=True, exist_ok=True)
    release = f"RxNorm, {folder.name}"
    remark = "Made by `python -m knowledge rxnorm-build` from RxNorm Current Prescribable Content (public domain). Do not edit."
    count = write(target / TABLE, remark, COLUMNS, (line(rxcui, found[rxcui], release) for rxcui in found))
    ndcs = write(target / NDC_TABLE, remark, NDC_COLUMNS, _ndcs(folder, found, release))
    return Built(count, ndcs, unread)


def _names(folder: Path) -> dict[str, dict[str, str]]:
    """RXCUI -> kind of name -> name, of what RxNorm itself says and has not suppressed."""
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for fields in _rrf(folder / "RXNCONSO.RRF", 18):
        if fields[11] == "RXNORM" and fields[12] in RANK and fields[16] in ("N", ""):
            names[fields[0]].setdefault(fields[12], fields[14])
    return dict(names)


def _below(folder: Path, names: dict[str, dict[str, str]]) -> dict[str, set[str]]:
    """Concept -> the concepts it is made of. The direction of a row is taken from the ranks of its ends."""
    rank = {rxcui: max(RANK[kind] for kind in kinds) for rxcui, kinds in names.items()}
    below: dict[str, set[str]] = defaultdict(set)
    for fields in _rrf(folder / "RXNREL.RRF", 16):
        one, other = fields[0], fields[4]
        if fields[7] in DOWN and one in rank and other in rank and rank[one] != rank[other]:
            upper, lower = (one, other) if rank[one] > rank[other] else (other, one)
            below[upper].add(lower)
    return below


def _by_ingredients(
    rxcui: str, name: str, below: dict[str, set[str]], names: dict[str, dict[str, str]], by_code: dict[str, tuple[str, ...]]
) -> Product | None:
    """The product by the codes of what it is made of: a combination's own code first, then each ingredient."""
    read = read_name(name)
    for kind in ("MIN", "IN"):
        reached = sorted(code for code in _reached(rxcui, below) if kind in names[code])
        drugs = [by_code.get(code, ()) for code in reached]
        if reached and all(len(found) == 1 for found in drugs):
            parts = tuple(Part(found[0]) for found in drugs)
            if read and len(parts) == len(read.components) == 1:
                parts = (replace(parts[0], conc=read.components[0].conc),)
            return Product(parts=parts, volume_ml=read.volume_ml if read else None, route=route_of(read.form) if read else "", name=name)
    return None


def _reached(rxcui: str, below: dict[str, set[str]]) -> set[str]:
    seen, waiting = {rxcui}, [rxcui]
    while waiting:
        for lower in below.get(waiting.pop(), ()):
            if lower not in seen:
                seen.add(lower)
                waiting.append(lower)
    return seen


def _ndcs(folder: Path, found: dict[str, Product], release: str) -> Iterator[dict[str, str]]:
    seen: set[str] = set()
    for fields in _rrf(folder / "RXNSAT.RRF", 13):
        if fields[8] == "NDC" and fields[9] == "RXNORM" and fields[0] in found and len(forms := ndc11(fields[10])) == 1:
            digits = next(iter(forms))
            if digits not in seen:
                seen.add(digits)
                yield {"ndc": digits, "rxcui": fields[0], "drug": "", "vehicle": "", "name": "", "source": release}


def _rrf(path: Path, columns: int) -> Iterator[list[str]]:
    """The rows of an RRF file, fields parted by bars. Raises KnowledgeError when the shape is another."""
    if not path.is_file():
        raise _refuse(path, 0, "the file is not there", "give the folder `rrf` of RxNorm Current Prescribable Content, unpacked")
    with path.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            fields = text.rstrip("\n").split("|")
            if len(fields) not in (columns, columns + 1):
                raise _refuse(
                    path, number, f"{len(fields)} fields stand where {columns} are expected", "use the RRF files as NLM gives them"
                )
            yield fields


def _refuse(path: Path, number: int, reason: str, mend: str) -> KnowledgeError:
    return KnowledgeError([Problem(file=path.name, line=number, code="rrf", at="", reason=reason, mend=mend)])
