"""What the planner itself has to warn of, beside the checker's word on its plan.

A push that a label forbids, infusions that meet already where they run now, what has no place, and pairs left to decide:
under none of these is a plan clear. Source: docs/planner.md#the-verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checker import product_words, wording
from checker.line import given_undiluted
from checker.model import Finding, Infusion, Kind, Level, Report
from checker.plan_judge import Judged
from checker.plan_model import Bond, PairBond, Placement, PlanStatus, Shared
from checker.plan_words import Words
from knowledge import Knowledge
from knowledge.model import Rule
from knowledge.terms import Effect

AGAINST_A_PUSH = ("no-bolus", "minibag-required")
DILUTION = "dilution-required"  # speaks against a push of which no diluent is told
MEETS_NOW, NO_LUMEN, TO_DECIDE = "meets-now", "no-lumen", "to-decide"
_OF_A_LINE = (Kind.LINE, Kind.COMPOSITION)  # findings that say whether two may meet


def alarms(
    judged: Judged, words: Words, report: Report, status: PlanStatus, placements: Sequence[Placement], shared: Sequence[Shared]
) -> tuple[Finding, ...]:
    """The planner's own findings, each once. report: the checker's; what it says of a pair is not said again."""
    found = [
        *_meeting_now(judged, words),
        *_pushed(judged, words.knowledge),
        *_without_place(judged, status, placements),
        *_to_decide(judged, words, report, shared),
    ]
    return tuple(dict.fromkeys(found))


# --- a push ---


def _pushed(judged: Judged, knowledge: Knowledge) -> Iterator[Finding]:
    for wish, infusion in zip(judged.question.wishes, judged.infusions, strict=True):
        if wish.bolus:
            yield from against_a_push(knowledge, infusion)


def against_a_push(knowledge: Knowledge, infusion: Infusion) -> Iterator[Finding]:
    """What labels and guidelines say against a push of one drug: hard rules stop, softer ones caution.

    Of a push asked as undiluted the checker speaks; one of which no diluent is told is taken as such, and a caution
    where another label gives the drug undiluted.
    """
    untold = infusion.conditions.vehicle is None
    name = wording.name(knowledge, infusion.drug)
    for kind in (*AGAINST_A_PUSH, DILUTION) if untold else AGAINST_A_PUSH:
        against = [rule for rule in _of_kind(knowledge, infusion.drug, kind) if rule.effect is not Effect.INFO and "no" not in rule.values]
        if not against:
            continue
        either = kind == DILUTION and given_undiluted(knowledge.drugs[infusion.drug].rules)
        asked = "asked as a push, with no diluent told" if kind == DILUTION else "asked as a push"
        demand = product_words.demand(knowledge, against).removeprefix(f"{name}: ")
        text = f"{name}: {asked}, against the {wording.authority(knowledge, against)}. {demand}"
        yield product_words.finding(
            knowledge, Level.CAUTION if either else product_words.worst(against), kind, infusion.drug, against, text
        )


def _of_kind(knowledge: Knowledge, drug: str, kind: str) -> list[Rule]:
    return [rule for rule in knowledge.drugs[drug].rules if rule.rule == kind]


# --- the state before the plan ---


def _meeting_now(judged: Judged, words: Words) -> Iterator[Finding]:
    """Infusions that must never meet, and that the question says run through one lumen already."""
    wishes = judged.question.wishes
    for (a, b), bond in judged.bonds.items():
        now = wishes[a].now
        if now is not None and now == wishes[b].now:
            yield from _meets(judged, words, bond, now)
    for (wish, lumen), bond in judged.fluids.items():
        if wishes[wish].now == lumen:
            yield from _meets(judged, words, bond, lumen)


def _meets(judged: Judged, words: Words, bond: PairBond, lumen: int) -> Iterator[Finding]:
    if bond.together is not Bond.NEVER or bond.finding is None:
        return
    both = words.partners(bond)
    why = bond.finding.text.removeprefix(f"{both}: ")
    yield Finding(
        level=Level.STOP,
        kind=Kind.LINE,
        code=MEETS_NOW,
        drugs=_drugs(judged, bond, lumen),
        text=f"{both}: they meet now, for both run on {words.lumen(lumen)}. {why[:1].upper()}{why[1:]}",
        sources=bond.finding.sources,
    )


# --- what the plan leaves open ---


def _without_place(judged: Judged, status: PlanStatus, placements: Sequence[Placement]) -> Iterator[Finding]:
    """A stop where it is proven that not all fit; unknown where the time ended before that was known."""
    level = Level.STOP if status is PlanStatus.NO_PLAN else Level.UNKNOWN
    for placement in placements:
        if placement.lumen is None:
            yield Finding(level=level, kind=Kind.LINE, code=NO_LUMEN, drugs=(judged.infusions[placement.wish].drug,), text=placement.text)


def _to_decide(judged: Judged, words: Words, report: Report, shared: Sequence[Shared]) -> Iterator[Finding]:
    """Pairs to decide of which the checker says nothing: it does not judge a drug against itself."""
    told = {frozenset(finding.drugs) for finding in report.findings if finding.level is not Level.NOTE and finding.kind in _OF_A_LINE}
    for item in shared:
        drugs = _drugs(judged, item.bond, item.lumen)
        if item.ask and frozenset(drugs) not in told:
            text = f"{words.partners(item.bond)}: a pharmacist has to decide whether they may share {words.lumen(item.lumen)}. {item.text}"
            yield Finding(level=Level.UNKNOWN, kind=Kind.LINE, code=TO_DECIDE, drugs=drugs, text=text)


def _drugs(judged: Judged, bond: PairBond, lumen: int) -> tuple[str, ...]:
    """Both of a pair, sorted; one where they are the same."""
    second = judged.infusions[bond.b] if bond.b is not None else judged.question.lumens[lumen].fluid
    return tuple(sorted({judged.infusions[bond.a].drug, *([second.drug] if second else [])}))
