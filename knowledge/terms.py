"""The closed words that the files are written in: kinds, modes, results, methods, severities, and how a source was read."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a node that can be infused or taken is."""

    DRUG = "drug"
    FLUID = "fluid"
    NUTRITION = "nutrition"


class Mode(StrEnum):
    """Where two drugs meet: in the line, in one container, in one syringe."""

    Y_SITE = "y-site"
    ADMIXTURE = "admixture"
    SYRINGE = "syringe"


class Result(StrEnum):
    """What one source found under one tested condition."""

    COMPATIBLE = "compatible"
    VARIABLE = "variable"
    INCOMPATIBLE = "incompatible"


class Basis(StrEnum):
    """Which side of compatibility was looked at."""

    PHYSICAL = "physical"
    CHEMICAL = "chemical"
    BOTH = "physical+chemical"


class Finding(StrEnum):
    """The form in which an incompatibility showed itself."""

    NONE = "none"
    PRECIPITATE = "precipitate"
    HAZE = "haze"
    TURBIDITY = "turbidity"
    COLOUR_CHANGE = "colour-change"
    GAS = "gas"
    PARTICLES = "particles"
    PH_SHIFT = "ph-shift"
    POTENCY_LOSS = "potency-loss"
    EMULSION_CRACKING = "emulsion-cracking"
    GEL = "gel"
    OTHER = "other"


class Method(StrEnum):
    """How a test was read."""

    VISUAL = "visual"
    TURBIDITY = "turbidity"
    PARTICLE_COUNT = "particle-count"
    MICROSCOPY = "microscopy"
    PH = "ph"
    HPLC = "hplc"
    OTHER = "other"


class SeenAs(StrEnum):
    """How much of the source was read by whoever entered the fact."""

    FULL_TEXT = "full-text"
    ABSTRACT = "abstract"
    LABEL = "label"


class Review(StrEnum):
    """How often a record was held against its source."""

    TRANSCRIBED = "transcribed"
    SECOND_READ = "second-read"


class Severity(StrEnum):
    """Level of an interaction, worst first."""

    CONTRAINDICATED = "contraindicated"
    MAJOR = "major"
    MODERATE = "moderate"
    MINOR = "minor"


class Route(StrEnum):
    """By which route of the drugs an interaction holds."""

    ANY = "any"
    IV = "iv"
    ORAL_ONLY = "oral-only"
    NON_IV = "non-iv"


class Effect(StrEnum):
    """How hard a product rule is: breach is a hazard, against advice, or only information."""

    HARD = "hard"
    CAUTION = "caution"
    INFO = "info"


class SourceKind(StrEnum):
    """Who speaks."""

    JOURNAL = "journal"
    LABEL = "label"
    GUIDELINE = "guideline"
    REVIEW = "review"
    DATASET = "dataset"
    POLICY = "policy"  # a facility's own decision, from an overlay
    CHART = "chart"  # a reference chart that a facility licensed and imported into its overlay


PREMIX = "premix"
UNDILUTED = "undiluted"
