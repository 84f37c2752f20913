"""What a pair on one line says to a person: the finding of a judged pair, of a flush, of three and more together."""

from __future__ import annotations

from collections.abc import Sequence

from checker import wording
from checker.line import diluent_word
from checker.model import Finding, Judgement, Level, Reason, RuleHit, Status, Weighed
from checker.model import Kind as FindingKind
from knowledge.link import POLICY_SOURCE, Knowledge
from knowledge.model import Cited, Policy, Row, Rule
from knowledge.terms import Effect, Mode, Result

_WHERE = {Mode.Y_SITE: "at the Y-site", Mode.ADMIXTURE: "in one container", Mode.SYRINGE: "in one syringe"}
_MEET = {Mode.Y_SITE: "share a line", Mode.ADMIXTURE: "be mixed in one container", Mode.SYRINGE: "be mixed in one syringe"}
_LEVEL = {Status.INCOMPATIBLE: Level.STOP, Status.VARIABLE: Level.CAUTION, Status.NO_DATA: Level.UNKNOWN, Status.COMPATIBLE: Level.NOTE}


def line_finding(knowledge: Knowledge, judged: Judgement, kind: FindingKind = FindingKind.LINE, flush: Sequence[str] = ()) -> Finding:
    """What a judged pair says to a person. flush: fluids that a label names for a flush, told where the pair is unanswered."""
    level = _LEVEL[judged.status]
    if judged.status is Status.COMPATIBLE and not judged.stated:
        level = Level.CAUTION
    if kind is FindingKind.LINE and (judged.reason is Reason.COMPOSITION or (judged.rules and all(hit.via for hit in judged.rules))):
        kind = FindingKind.COMPOSITION
    cited = [item.row.cited for item in (*judged.weighed, *judged.kin) if item.settled or item in judged.kin]
    cited += [hit.rule.cited for hit in judged.rules] + [source for hit in judged.rules if hit.via for source in hit.via.cited]
    cited += [
        source for item in (*judged.weighed, *judged.kin) if item.via and (item.settled or item in judged.kin) for source in item.via.cited
    ]
    contradicted = judged.reason is Reason.CONFLICTING and not any(item.settled for item in judged.weighed)  # a permitted diluent
    if judged.reason is Reason.OTHER_MODE or judged.status is Status.COMPATIBLE or contradicted:
        cited += [row.cited for row in judged.context if row.result is Result.INCOMPATIBLE]
    if judged.status is Status.NO_DATA:  # the nearest tests and what other modes add are claims too
        cited += [item.row.cited for item in _nearest(judged)]
        cited += [row.cited for row in judged.context if row.result is Result.COMPATIBLE]
    if judged.reason is Reason.PERMITTED_DILUENT or contradicted:
        cited += [rule.cited for rule in permitting(knowledge, judged.pair)]
    if contradicted:
        cited += [rule.cited for rule in _leaving_out(knowledge, judged.pair)]
    if judged.policy is not None:
        cited.append(Cited(source=POLICY_SOURCE, at="policies.yaml"))
    both = f"{wording.name(knowledge, judged.pair[0])} + {wording.name(knowledge, judged.pair[1])}"
    return Finding(
        level=level,
        kind=kind,
        code=f"{judged.status}/{judged.reason}",
        drugs=judged.pair,
        text=f"{both}: {_line_text(knowledge, judged, kind, flush)}",
        sources=wording.cites(cited),
    )


def permitting(knowledge: Knowledge, pair: tuple[str, str]) -> list[Rule]:
    """The rules that name one of a pair as a diluent of the other."""
    return [rule for naming, _ in _diluent_words(knowledge, pair) for rule in naming]


def _leaving_out(knowledge: Knowledge, pair: tuple[str, str]) -> list[Rule]:
    """The closed lists that leave out a fluid of the pair that another names."""
    return [rule for naming, leaving_out in _diluent_words(knowledge, pair) if naming for rule in leaving_out]


def _diluent_words(knowledge: Knowledge, pair: tuple[str, str]) -> list[tuple[list[Rule], list[Rule]]]:
    return [diluent_word(knowledge.drugs[drug].rules, fluid) for drug, fluid in (pair, pair[::-1])]


def _diluent_text(knowledge: Knowledge, judged: Judgement) -> str:
    """What the tests of a drug in its own fluid say."""
    tests = "; ".join(dict.fromkeys(wording.tested(knowledge, item.row) for item in judged.weighed if item.settled))
    if judged.status is Status.COMPATIBLE:
        return f"stable in it as tested: {tests}."
    if judged.status is Status.INCOMPATIBLE:
        return f"do not prepare it so{_seen(knowledge, judged)}: {tests}."
    return f"tests in this fluid differ or failed under other conditions{_seen(knowledge, judged)}: {tests}. Compare concentration and hours with yours."


def _line_text(knowledge: Knowledge, judged: Judgement, kind: FindingKind, flush: Sequence[str]) -> str:
    where = _WHERE[judged.mode]
    context = _context(judged)
    if kind is FindingKind.DILUENT and judged.policy is None and any(item.settled for item in judged.weighed):
        return _diluent_text(knowledge, judged)
    if judged.policy is not None and judged.published is not None:
        return _policy(knowledge, judged, judged.policy, judged.published)
    if judged.reason is Reason.EXCLUDED_BY_RULE:
        must = "must not" if judged.status is Status.INCOMPATIBLE else "should not"
        return f"{must} {_MEET[judged.mode]}. {'; '.join(dict.fromkeys(rule_hit(knowledge, hit) for hit in judged.rules))}."
    if judged.status is Status.INCOMPATIBLE:
        return f"incompatible {where}{_seen(knowledge, judged)}{_through(knowledge, judged)}. Do not let them meet: use separate lumens, or give one after the other with a flush between.{context}"
    if judged.reason is Reason.CONFLICTING and not any(item.settled for item in judged.weighed):
        who = wording.authority(knowledge, permitting(knowledge, judged.pair))
        elsewhere = _elsewhere(judged)
        if not judged.kin and not elsewhere:
            return f"a {who} names this fluid as a diluent, and the list of another leaves it out. Check the label of the product at hand."
        against = _kin(knowledge, judged) if judged.kin else f"incompatible {elsewhere}"
        return f"a {who} names this fluid as a diluent, but {against}. Keep them apart unless a pharmacist knows more."
    if judged.reason is Reason.CONFLICTING:
        return f"results differ {where}{_seen(knowledge, judged)}{_through(knowledge, judged)}. Keep them apart unless your concentrations and fluids match a compatible test.{context}"
    if judged.reason is Reason.OUTSIDE_TESTED:
        if judged.status is Status.VARIABLE:
            return f"found incompatible {where} under other conditions{_seen(knowledge, judged)}; yours were not tested. Keep them apart.{context}"
        nearest = "; ".join(dict.fromkeys(wording.tested(knowledge, item.row) for item in _nearest(judged)))
        return f"yours were not tested {where}. Nearest tests, compatible: {nearest}. They do not prove yours.{context}"
    studied = f"not tested {where} under these conditions" if judged.weighed else f"not studied {where}"
    as_such = "" if judged.weighed else " as such"
    if judged.reason is Reason.OTHER_MODE:
        return f"{studied}, but incompatible {_elsewhere(judged)}. Keep them apart."
    if judged.reason is Reason.COMPOSITION:
        return f"{studied}{as_such}, but {_kin(knowledge, judged)}. Keep them apart unless a pharmacist knows more.{context}"
    if judged.reason is Reason.NOT_STUDIED:
        fluids = f" ({' or '.join(wording.vehicle(knowledge, fluid) for fluid in flush)} by label)" if flush else ""
        return (
            f"no study or label found for this pair {where}. Unknown is not compatible: use separate lumens, or give one after the other with a flush between{fluids}, "
            f"or ask.{_wanted(knowledge, judged)}{context}"
        )
    if judged.reason is Reason.PERMITTED_DILUENT:
        return f"the {wording.authority(knowledge, permitting(knowledge, judged.pair))} names this fluid as a diluent of the product."
    if forms := _formulations(judged):
        return f"reported compatible {where} as {forms} only; the question does not name the formulation, and others may fail. Name it, or check the product.{context}"
    if not judged.stated:
        return f"reported compatible {where}, but the sources do not state all the conditions that were asked. Check the source before you rely on it.{context}"
    holds = "; ".join(dict.fromkeys(_held(knowledge, item.row) for item in judged.weighed if item.settled))
    return f"compatible {where} as tested: {holds}.{context}"


def _formulations(judged: Judgement) -> str:
    """The formulations to which a compatible answer is bound because the question names none."""
    if judged.stated or any(item.settled and not (item.row.a.formulation or item.row.b.formulation) for item in judged.weighed):
        return ""
    return " or ".join(
        dict.fromkeys(form for item in judged.weighed if item.settled for form in (item.row.a.formulation, item.row.b.formulation) if form)
    )


def _held(knowledge: Knowledge, row: Row) -> str:
    """A test on which a compatible answer rests, with what its record remarks: it may bind the answer further."""
    return wording.tested(knowledge, row) + (f" ({row.note})" if row.note else "")


def _wanted(knowledge: Knowledge, judged: Judgement) -> str:
    """A study that could not be read in full and may hold the pair."""
    study = next((item for item in knowledge.records.wanted if set(judged.pair) <= set(item.drugs)), None)
    return f" A study that may answer it, not read in full: {study.cite.rstrip('.')}." if study is not None else ""


def _policy(knowledge: Knowledge, judged: Judgement, policy: Policy, published: Status) -> str:
    """A facility's decision, beside what the published evidence says."""
    whose = knowledge.overlay.name if knowledge.overlay else "this facility"
    signed = f", approved by {policy.approver}" if policy.approver else ""
    dated = f", {policy.date}" if policy.date else ""
    return f"{policy.status} {_WHERE[judged.mode]} by local policy of {whose} ({policy.reason}{signed}{dated}). The published evidence says: {published}."


def _elsewhere(judged: Judgement) -> str:
    """Where, other than asked, the pair was found incompatible."""
    return ", ".join(sorted({_WHERE[row.mode] for row in judged.context if row.result is Result.INCOMPATIBLE}))


def _nearest(judged: Judgement) -> Sequence[Weighed]:
    """The tests that are named when none covers the question."""
    return judged.weighed[:3]


def _seen(knowledge: Knowledge, judged: Judgement) -> str:
    """The forms of failure that the settling rows saw."""
    seen = dict.fromkeys(
        wording.word(knowledge, "finding", str(item.row.finding))
        for item in judged.weighed
        if item.settled and item.row.result is not Result.COMPATIBLE and item.row.finding not in ("none", "other")
    )
    return f" ({', '.join(seen)})" if seen else ""


def _through(knowledge: Knowledge, judged: Judgement) -> str:
    """How a statement about a group reached one of the pair."""
    ways = dict.fromkeys(wording.via_text(knowledge, item.via) for item in judged.weighed if item.settled and item.via)
    return f"; derived: {'; '.join(ways)}" if ways else ""


def _kin(knowledge: Knowledge, judged: Judgement) -> str:
    """Through which carriers or common names an incompatibility was derived."""
    ways = []
    for item in judged.kin:
        if item.via is not None:
            partner = next(drug for drug in item.row.pair if drug != item.via.through)
            ways.append(
                f"{wording.name(knowledge, partner)} is incompatible with {wording.name(knowledge, item.via.through)}, and {wording.via_text(knowledge, item.via)}"
            )
    return "; ".join(dict.fromkeys(ways))


def _context(judged: Judgement) -> str:
    """What other modes add, when it is not already the reason."""
    if judged.status is Status.COMPATIBLE and any(row.result is Result.INCOMPATIBLE for row in judged.context):
        modes = sorted({_WHERE[row.mode] for row in judged.context if row.result is Result.INCOMPATIBLE})
        return f" Incompatible {' and '.join(modes)}: do not mix them there."
    if judged.status is Status.NO_DATA and any(row.result is Result.COMPATIBLE for row in judged.context):
        modes = sorted({_WHERE[row.mode] for row in judged.context if row.result is Result.COMPATIBLE})
        return f" Compatible {' and '.join(modes)}, which proves nothing here."
    return ""


def rule_hit(knowledge: Knowledge, hit: RuleHit) -> str:
    """A product rule against another drug, in words."""
    drug, against = wording.name(knowledge, hit.rule.drug), wording.name(knowledge, hit.against)
    through = f" ({wording.via_text(knowledge, hit.via)})" if hit.via else ""
    if hit.rule.rule == "diluent-contraindicated":
        must = "must" if hit.rule.effect is Effect.HARD else "should"
        return f"{drug} {must} not meet {against}{through}"
    mixed = hit.rule.rule == "no-admixture"
    if ":" in hit.value:  # a class or a group
        not_so = "not to be mixed with" if mixed else "not on one line with"
        return f"{drug}: {not_so} {wording.name(knowledge, hit.value)} ({against} is one of them)"
    demand = wording.word(knowledge, "value", hit.value)
    return f"{drug}: {'not to be mixed with ' if mixed else ''}{demand}{through}"


def flush(knowledge: Knowledge, level: Level, judged: Judgement, fluids: Sequence[str], rules: Sequence[Rule]) -> Finding:
    """Two that follow each other on one line and must not meet in it."""
    names = f"{wording.name(knowledge, judged.pair[0])} + {wording.name(knowledge, judged.pair[1])}"
    why = {Status.INCOMPATIBLE: "incompatible", Status.VARIABLE: "not safely compatible", Status.NO_DATA: "not studied together"}[
        judged.status
    ]
    fluid = (
        f"with {' or '.join(wording.vehicle(knowledge, item) for item in fluids)}"
        if fluids
        else "with a fluid that both labels permit (no label read names one)"
    )
    sources = tuple(dict.fromkeys((*wording.cites(rule.cited for rule in rules), *line_finding(knowledge, judged).sources)))
    return Finding(
        level=level,
        kind=FindingKind.LINE,
        code="flush-between",
        drugs=judged.pair,
        text=f"{names}: one after the other on one line, {why}. Flush between {fluid}.",
        sources=sources,
    )


def mixture(drugs: tuple[str, ...]) -> Finding:
    """Pairwise compatibility is not proof for a mixture of three or more."""
    text = f"{len(drugs)} infusions share a line. Each pair was judged by itself; that two and two are compatible does not prove that all together are."
    return Finding(level=Level.NOTE, kind=FindingKind.LINE, code="mixture-not-proven", drugs=drugs, text=text)
