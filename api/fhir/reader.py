"""All that reading FHIR needs, over one knowledge base: made once, shared by every door for EHRs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.fhir.bags import Bags
from api.fhir.concepts import Concepts
from api.fhir.freetext import FreeText
from api.fhir.orders import Orders
from api.fhir.routes import Routes
from checker import Names
from knowledge import Knowledge
from knowledge.rxnorm import Codes, Products


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads orders over one knowledge base and its tables of codes."""

    orders: Orders
    codes: Codes

    @classmethod
    def over(cls, knowledge: Knowledge, names: Names, built: Path | None = None) -> Reader:
        """built: a folder of tables that `python -m knowledge rxnorm-build` made, over those that ship."""
        codes = Codes.load(knowledge, built)
        concepts = Concepts(names, codes, Products(knowledge), FreeText(names))
        return cls(Orders(knowledge, Bags(concepts), Routes()), codes)
