"""A Plan as JSON: the answer of POST /v1/plan and of `python -m checker plan --json`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from checker import wording
from checker.model import Cite, PairResult
from checker.plan_model import Flush, Goal, Placement, Plan, PlanQuestion, Shared
from checker.plan_words import GOALS, clock
from checker.report import Renderer, cite_line
from knowledge import Knowledge

Json = dict[str, Any]


def render(plan: Plan, renderer: Renderer) -> bytes:
    """The plan as UTF-8 JSON."""
    return orjson.dumps(_plan(plan, renderer), option=orjson.OPT_APPEND_NEWLINE)


def plain(plan: Plan, renderer: Renderer) -> Json:
    """The plan as plain dicts and lists."""
    return orjson.loads(render(plan, renderer))  # type: ignore[no-any-return]


def _plan(plan: Plan, renderer: Renderer) -> Json:
    """Pairs and findings are shaped as in the answer of POST /v1/check."""
    knowledge, question = renderer.knowledge, plan.question
    judged = [
        PairResult(pair=item.bond.judged.pair, at=_ends(question, item), line=item.bond.judged)
        for item in plan.shared
        if item.bond.judged is not None
    ]
    told = renderer.plain(replace(plan.told, pairs=tuple(judged)))
    lines = iter(told["pairs"])
    shared = [_shared(question, item, next(lines)["line"] if item.bond.judged is not None else None) for item in plan.shared]
    needed, core = plan.needed, plan.core
    return {
        "status": plan.status,
        "policy": question.policy,
        "day_starts": clock(question, 0),
        "flush_minutes": question.flush,
        "summary": plan.summary,
        "goals": [_goal(goal) for goal in plan.goals],
        "lumens": [
            {
                "at": lumen.at,
                "name": lumen.name,
                "kind": "central" if lumen.central else "peripheral",
                "blocked": lumen.blocked or None,
                "fluid": lumen.fluid.drug if lumen.fluid else None,
                "infusions": [question.wishes[item.wish].infusion.at for item in plan.placements if item.lumen == number],
                "flushes": [_flush(knowledge, question, flush) for flush in plan.flushes if flush.lumen == number],
                "text": plan.lumen_texts[number],
            }
            for number, lumen in enumerate(question.lumens)
        ],
        "infusions": [_placement(knowledge, question, placement) for placement in plan.placements],
        "shared": shared,
        "to_decide": [item for item in shared if item["ask"]],
        "breaks": [
            {"kind": "left-out", "infusion": question.wishes[item.wish].infusion.at, "text": item.text}
            for item in plan.placements
            if item.lumen is None
        ],
        "lumens_needed": {"lumens": needed.lumens, "more_central": needed.extra, "proven": needed.proven} if needed else None,
        "conflict": {
            "infusions": [question.wishes[wish].infusion.at for wish in core.wishes],
            "smallest": core.smallest,
            "clique": core.clique,
            "text": core.text,
        }
        if core
        else None,
        "barred": [
            {
                "infusion": question.wishes[wish].infusion.at,
                "lumen": question.lumens[lumen].name,
                "code": bar.code,
                "text": bar.text,
                "sources": [_cite(knowledge, cite) for cite in bar.sources],
            }
            for wish, lumen, bar in plan.bars
            if bar.code != "blocked"
        ],
        "verdict": told["verdict"],
        "findings": told["findings"],
        "knowledge": told["knowledge"],
    }


def _ends(question: PlanQuestion, item: Shared) -> tuple[str, str]:
    """Where in the question both of a pair stand, in the order of the judged pair."""
    first = question.wishes[item.bond.a].infusion
    second = question.wishes[item.bond.b].infusion if item.bond.b is not None else question.lumens[item.lumen].fluid
    if second is None:
        raise AssertionError("a pair without a second infusion is one with the lumen's fluid")
    return (first.at, second.at) if first.drug <= second.drug else (second.at, first.at)


def _shared(question: PlanQuestion, item: Shared, line: Json | None) -> Json:
    at = _ends(question, item)
    given = [*(wish.infusion for wish in question.wishes), *(lumen.fluid for lumen in question.lumens if lumen.fluid)]
    drugs = {infusion.at: infusion.drug for infusion in given}
    return {
        "pair": [drugs[end] for end in at],
        "at": at,
        "lumen": question.lumens[item.lumen].name,
        "how": item.how,
        "ask": item.ask,
        "text": item.text,
        "line": line,
    }


def _goal(goal: Goal) -> Json:
    return {
        "goal": goal.name,
        "text": GOALS[goal.name],
        "value": goal.value,
        "bound": goal.bound,
        "gap": goal.value - goal.bound,
        "proven": goal.proven,
    }


def _placement(knowledge: Knowledge, question: PlanQuestion, placement: Placement) -> Json:
    wish = question.wishes[placement.wish]
    told: Json = {
        "at": wish.infusion.at,
        "asked": wish.infusion.asked,
        "drug": wish.infusion.drug,
        "name": wording.name(knowledge, wish.infusion.drug),
        "matched_by": wish.infusion.matched_by,
        "lumen": question.lumens[placement.lumen].name if placement.lumen is not None else None,
        "moved_from": question.lumens[placement.moved_from].name if placement.moved_from is not None else None,
        "continuous": wish.schedule is None,
        "must_not_interrupt": wish.must_not_interrupt,
    }
    told["doses"] = [
        {"start": clock(question, dose.start), "end": clock(question, dose.end), "from_minute": dose.start, "to_minute": dose.end}
        for dose in placement.doses
    ]
    told["elsewhere"] = [{"lumen": question.lumens[lumen].name, "against": against} for lumen, against in placement.elsewhere]
    return told | {"text": placement.text}


def _flush(knowledge: Knowledge, question: PlanQuestion, flush: Flush) -> Json:
    return {
        "start": clock(question, flush.start),
        "end": clock(question, flush.end),
        "from_minute": flush.start,
        "to_minute": flush.end,
        "code": flush.code,
        "between": [question.wishes[wish].infusion.at for wish in flush.between],
        "passes": [question.wishes[wish].infusion.at for wish in flush.passes],
        "fluids": flush.fluids,
        "text": flush.text,
        "sources": [_cite(knowledge, cite) for cite in flush.sources],
    }


def _cite(knowledge: Knowledge, cite: Cite) -> Json:
    return {
        "id": cite.source,
        "cite": cite_line(knowledge.sources[cite.source]),
        "at": cite.at,
        "read": cite.read or None,
        "review": cite.review,
    }
