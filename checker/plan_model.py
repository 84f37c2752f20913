"""What is asked of the line planner, and what it answers.

Times are minutes from the start of the plan, on a grid of STEP minutes; a plan covers one day and repeats.
Everything here is frozen. The puzzle without drugs is in `plan_puzzle`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from checker.model import LEVEL_RANK, Cite, Finding, Infusion, Judgement, Medication, Report, Verdict

STEP = 5  # minutes; durations are rounded up to it
DAY = 24 * 60  # minutes


class Policy(StrEnum):
    """What becomes of a pair that is not known to be compatible."""

    STRICT = "strict"  # never together on a lumen
    ASK = "ask"  # together only when it cannot be avoided, and listed for a pharmacist to decide; incompatible never


class PlanStatus(StrEnum):
    """How good a plan is known to be."""

    OPTIMAL = "optimal"  # every goal is proven
    BEST_FOUND = "best-found"  # all are placed; some goal is not proven within the time, and the gap is told
    NO_PLAN = "no-plan"  # proven: not all can be placed; the plan leaves some out
    NOT_DECIDED = "not-decided"  # the time ended before a plan for all was found or excluded; some are left out


class Bond(StrEnum):
    """Why two infusions may or may not meet on a lumen."""

    SAFE = "safe"  # compatible as asked, and so stated by a source
    ASK = "ask"  # variable, no data, or compatible without stated conditions
    NEVER = "never"  # incompatible, or excluded by a label


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Minutes from the start of the plan between which a dose may start, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When an intermittent infusion runs.

    minutes: how long a dose runs. every: minutes from dose to dose; None = one dose in each window.
    windows: where a dose may start; with `every`, where the anchoring dose may; empty = any time.
    """

    minutes: int
    every: int | None = None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One infusion that needs a lumen.

    schedule: None = continuous. now, prefer: lumens by number. must_not_interrupt: no flush and no bolus may pass
    through its lumen. bolus: pushed, so a flush follows.
    """

    infusion: Infusion
    schedule: Schedule | None = None
    now: int | None = None
    prefer: tuple[int, ...] = ()
    must_not_interrupt: bool = False
    bolus: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lumen:
    """One lumen. blocked: why it cannot be used; "" = it can. fluid: the fluid that runs through it, as an infusion."""

    name: str
    at: str
    central: bool
    blocked: str = ""
    fluid: Infusion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """A question to the planner, resolved. day_starts: minutes after midnight. flush: minutes."""

    wishes: tuple[Wish, ...]
    lumens: tuple[Lumen, ...]
    policy: Policy = Policy.ASK
    flush: int = 10
    day_starts: int = 0
    medications: tuple[Medication, ...] = ()
    age_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairBond:
    """What is known of two infusions on one lumen. a < b: numbers of wishes; b None = the fluid of `lumen`.

    in_turn: "free" = may follow at once, "flush" = with a flush between, "never" = not on one lumen in this plan.
    judged: None for one drug in two preparations, which the checker does not judge.
    """

    a: int
    b: int | None
    together: Bond
    in_turn: str
    judged: Judgement | None
    finding: Finding | None
    lumen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Why an infusion cannot use a lumen, whatever else runs there. code: blocked | central-only | fluid."""

    code: str
    text: str
    sources: tuple[Cite, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One run of an intermittent infusion; `end` may pass DAY, when it runs into the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """A flush of one lumen. between: the wishes that it parts. passes: the infusions that run on while it is given."""

    lumen: int
    start: int
    end: int
    code: str  # between | label | bolus
    between: tuple[int, ...]
    passes: tuple[int, ...]
    fluids: tuple[str, ...]
    text: str
    sources: tuple[Cite, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Two that use one lumen. how: together | in-turn. ask: a pharmacist has to decide."""

    bond: PairBond
    lumen: int
    how: str
    ask: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where one infusion goes and when. lumen None = left out. `elsewhere`: for every other lumen, what speaks against it."""

    wish: int
    lumen: int | None
    moved_from: int | None
    doses: tuple[Dose, ...]
    text: str
    elsewhere: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal: what the plan has and the least that is possible, as far as proven."""

    name: str
    value: int
    bound: int

    @property
    def proven(self) -> bool:
        """Whether no plan can do better, given the goals before."""
        return self.value <= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Infusions that cannot all be put on the lumens, though all but any one of them can. smallest: proven that no smaller set exists."""

    wishes: tuple[int, ...]
    smallest: bool
    clique: bool  # no two of them may use one lumen
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Fewest lumens on which all can be put under the policy. extra: central lumens beyond those that are there."""

    lumens: int
    extra: int
    proven: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer. goals: in the order in which they were sought. report: the checker's own word on this plan. alarms: the planner's."""

    question: PlanQuestion
    status: PlanStatus
    placements: tuple[Placement, ...]
    shared: tuple[Shared, ...]
    flushes: tuple[Flush, ...]
    goals: tuple[Goal, ...]
    needed: Needed | None
    core: Core | None
    bars: tuple[tuple[int, int, Bar], ...]  # wish, lumen, why
    lumen_texts: tuple[str, ...]
    summary: tuple[str, ...]
    report: Report
    alarms: tuple[Finding, ...] = ()

    @property
    def told(self) -> Report:
        """All that is said of this plan, worst first: the checker's report with the planner's own findings, and the verdict of both."""
        found = sorted((*self.alarms, *self.report.findings), key=lambda finding: LEVEL_RANK[finding.level])
        verdicts = (self.report.verdict, *(Verdict(finding.level) for finding in self.alarms))
        return replace(self.report, findings=tuple(found), verdict=min(verdicts, key=list(Verdict).index))

    @property
    def left_out(self) -> tuple[int, ...]:
        """Infusions for which the plan has no place."""
        return tuple(placement.wish for placement in self.placements if placement.lumen is None)

    @property
    def to_decide(self) -> tuple[Shared, ...]:
        """Pairs that share only because nothing better is possible, and that a pharmacist has to decide."""
        return tuple(item for item in self.shared if item.ask)
