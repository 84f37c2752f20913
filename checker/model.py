"""What is asked (an Order) and what is answered (a Report).

An Order is already resolved: names are ids, concentrations are parsed. `checker.ask` makes one from
what a user typed. Everything here is frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from knowledge.link import Stated, Via
from knowledge.model import Policy, Row, Rule
from knowledge.terms import Mode
from knowledge.units import Concentration


class Status(StrEnum):
    """Of a pair on one line, worst first."""

    INCOMPATIBLE = "incompatible"
    VARIABLE = "variable"
    NO_DATA = "no-data"
    COMPATIBLE = "compatible"


class Verdict(StrEnum):
    """Of a whole report, worst first."""

    STOP = "stop"
    CAUTION = "caution"
    UNKNOWN = "unknown"
    CLEAR = "clear"


class Level(StrEnum):
    """Of one finding, worst first. Notes do not touch the verdict."""

    STOP = "stop"
    CAUTION = "caution"
    UNKNOWN = "unknown"
    NOTE = "note"


LEVEL_RANK = {level: rank for rank, level in enumerate(Level)}  # 0 = worst


class Reason(StrEnum):
    """Why a pair has the status it has. The non-answers are told apart."""

    TESTED = "tested"
    CONFLICTING = "conflicting"
    CONDITIONS_NOT_STATED = "conditions-not-stated"
    OUTSIDE_TESTED = "outside-tested-conditions"
    NOT_STUDIED = "not-studied"
    EXCLUDED_BY_RULE = "excluded-by-rule"
    OTHER_MODE = "incompatible-in-other-mode"
    COMPOSITION = "derived-from-composition"
    PERMITTED_DILUENT = "permitted-diluent"
    LOCAL_POLICY = "local-policy"


class Relation(StrEnum):
    """How a row stands to the conditions that were asked."""

    COVERS = "covers"
    SILENT = "silent"
    EXCLUDES = "excludes"


class Kind(StrEnum):
    """What a finding is about."""

    LINE = "line"
    DILUENT = "diluent"
    RULE = "rule"
    INTERACTION = "interaction"
    SEQUENCE = "sequence"
    DUPLICATION = "duplication"
    COMPOSITION = "composition"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The state in which one drug meets the other; None = not stated."""

    conc: Concentration | None = None
    vehicle: str | None = None  # a fluid id, "premix" or "undiluted"
    formulation: str | None = None


UNSTATED = Conditions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Infusion:
    """One drug, fluid or nutrition that is to run.

    at: where in the question it stands ("drugs/0"). line: the lumen by name; None = not told, so shared with all.
    start without hours runs on without end; no start = the whole time. route: "iv" unless told.
    bag: the container by name; two of one bag are judged as an admixture, whatever the mode of the order.
    """

    drug: str
    at: str
    asked: str
    matched_by: str = "name"
    conditions: Conditions = UNSTATED
    line: str | None = None
    start: datetime | None = None
    hours: float | None = None
    rate_ml_per_h: float | None = None
    route: str = "iv"
    bag: str | None = None
    assumed: bool = False  # the concentration is the facility's standard, not the question's

    @property
    def end(self) -> datetime | None:
        """When it stops; None = open."""
        return self.start + timedelta(hours=self.hours) if self.start and self.hours is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Medication:
    """A medicine that does not run through the line, listed for its interactions."""

    drug: str
    at: str
    asked: str
    matched_by: str = "name"
    route: str = "oral"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstood:
    """Something asked that could not be understood. With one in it, no report is clear."""

    at: str
    asked: str
    reason: str  # unresolved-name | ambiguous-name | unresolved-code | ambiguous-code | unresolved-vehicle ...
    candidates: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A question, resolved.

    focus: the `at` of what is new. Only what is in it, alone and with all others, is judged; None = everything.
    """

    infusions: tuple[Infusion, ...]
    medications: tuple[Medication, ...] = ()
    mode: Mode = Mode.Y_SITE
    age_days: int | None = None
    not_understood: tuple[NotUnderstood, ...] = ()
    focus: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One row beside the question: what it is to it, and whether it settled the status."""

    row: Row
    relation: Relation
    settled: bool = False
    via: Via | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHit:
    """A product rule that speaks of a pair: which rule, against what, through what content."""

    rule: Rule
    against: str
    value: str
    via: Via | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is known of one pair on one line, and what settled it.

    weighed: every row of the asked mode. context: rows of other modes. kin: incompatible rows of carriers and
    common names, a caution. holds_for: the tested conditions under which a compatible answer holds.
    """

    pair: tuple[str, str]
    mode: Mode
    status: Status
    reason: Reason
    weighed: tuple[Weighed, ...] = ()
    context: tuple[Row, ...] = ()
    kin: tuple[Weighed, ...] = ()
    rules: tuple[RuleHit, ...] = ()
    stated: bool = True  # False: compatible, but by rows that do not state all that was asked
    policy: Policy | None = None  # a facility's decision, when it changed the status
    published: Status | None = None  # the status by the evidence, when a policy changed it


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionHit:
    """One interaction statement that holds for a pair. holds: None when the order does not decide its condition."""

    stated: Stated
    holds: bool | None = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResult:
    """All that is said of two infusions, or of an infusion and a medicine. line None = they do not share one."""

    pair: tuple[str, str]
    at: tuple[str, str]
    line: Judgement | None
    interactions: tuple[InteractionHit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cite:
    """A source as a finding names it."""

    source: str
    at: str
    read: str
    review: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a person should read. `code` is stable; `text` is for people."""

    level: Level
    kind: Kind
    code: str
    drugs: tuple[str, ...]
    text: str
    severity: str = ""
    management: tuple[str, ...] = ()
    sources: tuple[Cite, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer to an Order."""

    verdict: Verdict
    mode: Mode
    infusions: tuple[Infusion, ...]
    medications: tuple[Medication, ...]
    not_understood: tuple[NotUnderstood, ...]
    pairs: tuple[PairResult, ...]
    findings: tuple[Finding, ...]
    version: str
    digest: str
