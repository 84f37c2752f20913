"""What is known: the records that the files hold. The words that they are written in stand in `terms`.

Every record is frozen. Ids of drugs, fluids and nutrition are the file names of
`knowledge/drugs/`; a group id is written `group:calcium-containing`, a class id `class:ppis`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.terms import Basis, Effect, Finding, Kind, Method, Mode, Result, Review, Route, SeenAs, Severity, SourceKind
from knowledge.units import Concentration


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A label, paper, guideline, review or dataset that someone read."""

    id: str
    kind: SourceKind
    title: str = ""
    author: str = ""
    year: str = ""
    publisher: str = ""
    pmid: str = ""
    pmcid: str = ""
    doi: str = ""
    locator: str = ""
    licence: str = ""
    withdrawn: str = ""  # why and when; its facts then no longer count


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """Where a fact stands and how it was read (None: not recorded)."""

    source: str
    at: str = ""
    read: SeenAs | None = None
    review: Review = Review.TRANSCRIBED


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name of a drug: brand, salt, biosimilar, abbreviation ..."""

    name: str
    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TallMan:
    """Mixed-case lettering against a look-alike name."""

    text: str
    confused_with: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of a fixed combination. `drug` is its node where it has one."""

    name: str
    drug: str | None = None
    rxnorm: str = ""
    unii: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One component of a fluid or of a drug's own vehicle, as one source states it.

    amount: as printed, empty when the source gives none. role "absent": the source shows that it is not there.
    trace: present, but too little to count as a source of the component.
    """

    component: str
    role: str
    amount: str = ""
    unit: str = ""
    trace: bool = False
    cited: Cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Acidity:
    """pH and acid-base character of a product, as one source states them."""

    low: float | None
    high: float | None
    of: str
    character: str  # acid | base | neutral | zwitterion | quaternary | ""
    salt: str
    pka: str
    osmolarity: str  # mOsm/L, as printed
    cited: Cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One demand that one source makes of one product."""

    drug: str
    rule: str
    values: tuple[str, ...]
    unit: str
    effect: Effect
    note: str
    cited: Cited


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMembership:
    """That a drug belongs to a class, and who says so."""

    cls: str
    source: str
    systemic: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """A drug, fluid or nutrition: its identity and all that is said of it alone."""

    id: str
    name: str
    kind: Kind
    infused: bool
    group: str
    usan: str = ""
    vehicle_code: str = ""  # fluids: NS, D5W ...
    ingredient: str = ""  # shared by formulations of one active ingredient
    parent: str = ""  # the common name that this product is one of
    codes: dict[str, tuple[str, ...]]
    codes_seen_in: str = ""
    aliases: tuple[Alias, ...] = ()
    tall_man: tuple[TallMan, ...] = ()
    components: tuple[Component, ...] = ()
    classes: tuple[ClassMembership, ...] = ()
    composition: tuple[Content, ...] = ()
    acidity: tuple[Acidity, ...] = ()
    rules: tuple[Rule, ...] = ()

    def names(self) -> Iterator[tuple[str, str]]:
        """Every name under which it is found, each after the field of its file that holds it; the plain name first."""
        yield "name", self.name
        yield "name", self.id
        if self.usan:
            yield "usan", self.usan
        if self.vehicle_code:
            yield "vehicle_code", self.vehicle_code
        for number, alias in enumerate(self.aliases):
            yield f"aliases/{number}", alias.name
        for number, tall_man in enumerate(self.tall_man):
            yield f"tall_man/{number}", tall_man.text


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugClass:
    """A class that interactions speak of. `duplication`: two members are one therapy twice."""

    id: str
    name: str
    source: str
    duplication: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fluids and drugs taken together by what they contain.

    contains: any of these components, above trace (or all of them, with `all_of`).
    at_least_g_per_l: for a nutrient, the least content that counts.
    members: named outright, beside those found by content.
    carriers: drugs whose incompatibility is read as the component's: a caution for every member.
    """

    id: str
    name: str
    contains: tuple[str, ...] = ()
    all_of: bool = False
    at_least_g_per_l: float = 0.0
    members: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """A component that a composition may name, and the ions or nutrients it brings with it."""

    id: str
    kind: str  # ion | salt | nutrient | colloid | sugar | solvent | surfactant | other | property
    yields: tuple[str, ...] = ()
    charge: float | None = None  # of an ion, without its sign; None = not told


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One drug of a tested pair, in the state in which it was tested. None or () = not stated."""

    drug: str
    conc: Concentration | None = None
    vehicles: tuple[str, ...] = ()  # fluid ids, "premix" or "undiluted"; several = any of them
    formulation: str = ""
    added: str = ""  # an amount or ratio that is no concentration, as printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tested condition of one pair. `a.drug <= b.drug`; a drug may be a `group:` id."""

    id: str  # source id, "#", number of the row in its file
    a: Side
    b: Side
    mode: Mode
    result: Result
    basis: Basis
    method: tuple[Method, ...]
    hours: float | None
    finding: Finding
    note: str
    cited: Cited

    @property
    def pair(self) -> tuple[str, str]:
        """The two ids, sorted."""
        return (self.a.drug, self.b.drug)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What must be true of the order for a conditional statement to hold; None = not decided by the order.

    min_age_days, max_age_days: patient's age. routes: route of a named drug ("iv", "non-iv").
    """

    min_age_days: int | None = None
    max_age_days: int | None = None
    routes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One statement that one source makes about two drugs or classes.

    a, b: a drug id, `class:` or `group:` id. object, precipitant: which of them, where the source gives roles.
    condition: the level holds only then, in coded words; `when`: the part that an order can decide.
    first: the drug to give first, where order of administration is the point.
    """

    id: str
    a: str
    b: str
    object: str = ""
    precipitant: str = ""
    severity: Severity
    said: str  # the source's own level
    mechanism: str
    effect: str
    manage: tuple[str, ...]
    route: Route
    condition: str = ""
    when: When | None = None
    first: str = ""
    note: str = ""
    cited: Cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """A token that must be refused, with what it might mean."""

    token: str
    candidates: tuple[str, ...]
    others: tuple[str, ...]  # candidates that the base does not hold, by name
    why: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A study that could not be read in full and whose table would answer pairs of `drugs`."""

    cite: str
    drugs: tuple[str, ...]
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    url: str = ""
    open: bool = False
    pairs_expected: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcidBase:
    """The rule for untested pairs, with its measured error. least_gap: pH units."""

    rule: str
    least_gap: float
    predictive_value: float
    predictive_value_interval: tuple[float, float]
    sensitivity: float
    sensitivity_interval: tuple[float, float]
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A facility's decision on a pair. Less strict than the evidence only with an approver."""

    pair: tuple[str, ...]
    mode: Mode
    status: str  # incompatible | variable | compatible
    reason: str
    approver: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A facility's standard concentration of a drug, assumed where a question gives none."""

    drug: str
    conc: Concentration
    vehicle: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What a facility put on top of the knowledge; names, rules and charts stand in the records themselves."""

    name: str
    digest: str
    policies: tuple[Policy, ...] = ()
    standards: tuple[Standard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Everything the files say, validated, before it is linked into a graph."""

    version: str
    date: str
    drugs: tuple[Drug, ...]
    classes: tuple[DrugClass, ...]
    groups: tuple[Group, ...]
    substances: tuple[Substance, ...]
    sources: tuple[Source, ...]
    rows: tuple[Row, ...]
    interactions: tuple[Interaction, ...]
    ambiguous: tuple[Ambiguous, ...]
    vocabulary: dict[str, dict[str, str]]  # code list -> code -> our own words
    acid_base: AcidBase | None = None
    wanted: tuple[Wanted, ...] = ()
    overlay: Overlay | None = None
