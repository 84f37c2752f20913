"""The words of an answer. Codes become sentences of our own; the words for codes stand in knowledge/vocabulary.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checker.model import Cite, Finding, Infusion, Judgement, Level, NotUnderstood, Reason, RuleHit, Status, Weighed
from checker.model import Kind as FindingKind
from knowledge.link import POLICY_SOURCE, Knowledge, Via
from knowledge.model import Cited, Policy, Row, Rule, Side
from knowledge.terms import PREMIX, UNDILUTED, Mode, Result, Review

_WHERE = {Mode.Y_SITE: "at the Y-site", Mode.ADMIXTURE: "in one container", Mode.SYRINGE: "in one syringe"}
_LEVEL = {Status.INCOMPATIBLE: Level.STOP, Status.VARIABLE: Level.CAUTION, Status.NO_DATA: Level.UNKNOWN, Status.COMPATIBLE: Level.NOTE}


def name(knowledge: Knowledge, node: str) -> str:
    """A node as people call it, with tall-man lettering where the base has it."""
    drug = knowledge.drugs.get(node)
    if drug is not None:
        return drug.tall_man[0].text if drug.tall_man else drug.name
    if node in (PREMIX, UNDILUTED):
        return "ready-made product" if node == PREMIX else "undiluted"
    kind, _, rest = node.partition(":")
    if kind == "group" and rest in knowledge.groups:
        return knowledge.groups[rest].name
    return knowledge.classes[rest].name if kind == "class" and rest in knowledge.classes else node


def cites(cited: Iterable[Cited]) -> tuple[Cite, ...]:
    """Sources for a finding, each place once. It counts as read twice only when everything there was."""
    places: dict[tuple[str, str, str], Review] = {}
    for item in cited:
        place = (item.source, item.at, str(item.read or ""))
        if places.get(place) is not Review.TRANSCRIBED:
            places[place] = item.review
    return tuple(Cite(source=source, at=at, read=read, review=str(review)) for (source, at, read), review in places.items())


def word(knowledge: Knowledge, words: str, code: str) -> str:
    """Our words for a code, or the code itself in plain spelling."""
    return knowledge.words.get(words, {}).get(code) or code.replace("-", " ")


def sentences(knowledge: Knowledge, words: str, codes: Iterable[str]) -> str:
    """Our words for some codes, each once, as sentences."""
    said = dict.fromkeys(word(knowledge, words, code).rstrip(".") for code in codes if code)
    return "".join(f" {text[:1].upper()}{text[1:]}." for text in said)


# --- a pair on one line ---


def conditions(knowledge: Knowledge, side: Side) -> str:
    """One side of a tested pair in a few words: "vancomycin 5 mg/mL in NS"."""
    drug = knowledge.drugs.get(side.drug)
    parts = [name(knowledge, side.drug) if drug or ":" in side.drug else side.drug]
    if side.formulation:
        parts.append(f"({side.formulation})")
    if side.conc is not None:
        parts.append(side.conc.text)
    if side.added:
        parts.append(f"[{side.added}]")
    if side.vehicles:
        joined = " or ".join(vehicle(knowledge, item) for item in side.vehicles)
        parts.append(joined if joined in (PREMIX, UNDILUTED) else f"in {joined}")
    return " ".join(parts)


def vehicle(knowledge: Knowledge, fluid: str) -> str:
    """A vehicle by its short code where it has one."""
    drug = knowledge.drugs.get(fluid)
    return drug.vehicle_code or drug.name if drug is not None else fluid


def tested(knowledge: Knowledge, row: Row) -> str:
    """A tested condition in a line: both sides, and for how long."""
    text = f"{conditions(knowledge, row.a)} + {conditions(knowledge, row.b)}"
    return f"{text}, {row.hours:g} h" if row.hours is not None else text


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
        cited += permitting(knowledge, judged.pair)
    if judged.policy is not None:
        cited.append(Cited(source=POLICY_SOURCE, at="policies.yaml"))
    both = f"{name(knowledge, judged.pair[0])} + {name(knowledge, judged.pair[1])}"
    return Finding(
        level=level,
        kind=kind,
        code=f"{judged.status}/{judged.reason}",
        drugs=judged.pair,
        text=f"{both}: {_line_text(knowledge, judged, kind, flush)}",
        sources=cites(cited),
    )


def permitting(knowledge: Knowledge, pair: tuple[str, str]) -> list[Cited]:
    """Where a label names one of a pair as a diluent of the other."""
    return [
        rule.cited
        for drug in pair
        for rule in knowledge.drugs[drug].rules
        if rule.rule == "diluent-required" and set(rule.values) & set(pair)
    ]


def _diluent_text(knowledge: Knowledge, judged: Judgement) -> str:
    """What the tests of a drug in its own fluid say."""
    tests = "; ".join(dict.fromkeys(tested(knowledge, item.row) for item in judged.weighed if item.settled))
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
        opening = "must not share a line" if judged.status is Status.INCOMPATIBLE else "should not share a line"
        return f"{opening}. {'; '.join(dict.fromkeys(rule_hit(knowledge, hit) for hit in judged.rules))}."
    if judged.status is Status.INCOMPATIBLE:
        return f"incompatible {where}{_seen(knowledge, judged)}{_through(knowledge, judged)}. Do not let them meet: use separate lumens, or give one after the other with a flush between.{context}"
    if judged.reason is Reason.CONFLICTING and not any(item.settled for item in judged.weighed):
        against = _kin(knowledge, judged) if judged.kin else f"incompatible {_elsewhere(judged)}"
        return f"a label names this fluid as a diluent, but {against}. Keep them apart unless a pharmacist knows more."
    if judged.reason is Reason.CONFLICTING:
        return f"results differ {where}{_seen(knowledge, judged)}{_through(knowledge, judged)}. Keep them apart unless your concentrations and fluids match a compatible test.{context}"
    if judged.reason is Reason.OUTSIDE_TESTED:
        if judged.status is Status.VARIABLE:
            return f"found incompatible {where} under other conditions{_seen(knowledge, judged)}; yours were not tested. Keep them apart.{context}"
        nearest = "; ".join(dict.fromkeys(tested(knowledge, item.row) for item in _nearest(judged)))
        return f"yours were not tested {where}. Nearest tests, compatible: {nearest}. They do not prove yours.{context}"
    if judged.reason is Reason.OTHER_MODE:
        return f"not studied {where}, but incompatible {_elsewhere(judged)}. Keep them apart."
    if judged.reason is Reason.COMPOSITION:
        return f"not studied {where} as such, but {_kin(knowledge, judged)}. Keep them apart unless a pharmacist knows more.{context}"
    if judged.reason is Reason.NOT_STUDIED:
        fluids = f" ({' or '.join(vehicle(knowledge, fluid) for fluid in flush)} by label)" if flush else ""
        return (
            f"no study or label found for this pair {where}. Unknown is not compatible: use separate lumens, or give one after the other with a flush between{fluids}, "
            f"or ask.{_wanted(knowledge, judged)}{context}"
        )
    if judged.reason is Reason.PERMITTED_DILUENT:
        return "the label names this fluid as a diluent of the product."
    if not judged.stated:
        return f"reported compatible {where}, but the sources do not state all the conditions that were asked. Check the source before you rely on it.{context}"
    holds = "; ".join(dict.fromkeys(tested(knowledge, item.row) for item in judged.weighed if item.settled))
    return f"compatible {where} as tested: {holds}.{context}"


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
        word(knowledge, "finding", str(item.row.finding))
        for item in judged.weighed
        if item.settled and item.row.result is not Result.COMPATIBLE and item.row.finding not in ("none", "other")
    )
    return f" ({', '.join(seen)})" if seen else ""


def _through(knowledge: Knowledge, judged: Judgement) -> str:
    """How a statement about a group reached one of the pair."""
    ways = dict.fromkeys(via_text(knowledge, item.via) for item in judged.weighed if item.settled and item.via)
    return f"; derived: {'; '.join(ways)}" if ways else ""


def via_text(knowledge: Knowledge, via: Via) -> str:
    """Why a fact about something else speaks of this drug."""
    member, through = name(knowledge, via.member), name(knowledge, via.through)
    if via.kind == "composition":
        return f"{member} is one of the {through}"
    if via.kind == "carrier":
        return f"{member} contains what {through} carries"
    return f"{member} by {via.kind.replace('-', ' ')} {through}"


def _kin(knowledge: Knowledge, judged: Judgement) -> str:
    """Through which carriers or common names an incompatibility was derived."""
    ways = []
    for item in judged.kin:
        if item.via is not None:
            partner = next(drug for drug in item.row.pair if drug != item.via.through)
            ways.append(
                f"{name(knowledge, partner)} is incompatible with {name(knowledge, item.via.through)}, and {via_text(knowledge, item.via)}"
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
    drug, against = name(knowledge, hit.rule.drug), name(knowledge, hit.against)
    demand_words = word(knowledge, "value", hit.value.removeprefix("group:"))
    if hit.rule.rule == "diluent-contraindicated":
        through = f" ({via_text(knowledge, hit.via)})" if hit.via else ""
        return f"{drug} must not meet {against}{through}"
    if hit.via:
        return f"{drug}: {demand_words}; {via_text(knowledge, hit.via)}"
    return f"{drug}: {demand_words}"


def standard(knowledge: Knowledge, infusion: Infusion) -> Finding:
    """A concentration that the question did not give, taken from the facility's standards."""
    whose = knowledge.overlay.name if knowledge.overlay else "this facility"
    fluid = f" in {vehicle(knowledge, infusion.conditions.vehicle)}" if infusion.conditions.vehicle else ""
    text = f"{name(knowledge, infusion.drug)}: no concentration was asked; the standard of {whose} was assumed: {infusion.conditions.conc}{fluid}."
    return Finding(
        level=Level.NOTE,
        kind=FindingKind.RULE,
        code="standard-concentration",
        drugs=(infusion.drug,),
        text=text,
        sources=cites([Cited(source=POLICY_SOURCE, at="standards.yaml")]),
    )


def flush(knowledge: Knowledge, level: Level, judged: Judgement, fluids: Sequence[str], rules: Sequence[Rule]) -> Finding:
    """Two that follow each other on one line and must not meet in it."""
    names = f"{name(knowledge, judged.pair[0])} + {name(knowledge, judged.pair[1])}"
    why = {Status.INCOMPATIBLE: "incompatible", Status.VARIABLE: "not safely compatible", Status.NO_DATA: "not studied together"}[
        judged.status
    ]
    fluid = (
        f"with {' or '.join(vehicle(knowledge, item) for item in fluids)}"
        if fluids
        else "with a fluid that both labels permit (no label read names one)"
    )
    sources = tuple(dict.fromkeys((*cites(rule.cited for rule in rules), *line_finding(knowledge, judged).sources)))
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


def not_understood(item: NotUnderstood) -> Finding:
    """Something asked that could not be read: shown, and never clear."""
    if item.reason.startswith("ambiguous"):
        text = f'"{item.asked}" is ambiguous' + (f" ({item.why})" if item.why else "") + f". Name one of: {', '.join(item.candidates)}."
    elif item.candidates:
        text = (
            f'"{item.asked}" was not understood'
            + (f": {item.why}" if item.why else "")
            + f". Did you mean: {', '.join(item.candidates)}? It was not checked."
        )
    else:
        text = f'"{item.asked}" was not understood' + (f": {item.why}" if item.why else "") + ". It was not checked."
    return Finding(level=Level.UNKNOWN, kind=FindingKind.NAME, code=item.reason, drugs=(), text=text)


# --- one product ---


def demand(knowledge: Knowledge, rules: Sequence[Rule]) -> str:
    """A product's demand, from the template of its rule kind; differing sources are shown side by side."""
    drug = name(knowledge, rules[0].drug)
    template = knowledge.words.get("rule", {}).get(rules[0].rule, "{value} {unit}")
    said = dict.fromkeys(
        template.replace("{value}", _values(knowledge, rule))
        .replace("{unit}", word(knowledge, "unit", rule.unit) if rule.unit else "")
        .replace(" .", ".")
        .strip()
        for rule in rules
    )
    return f"{drug}: {' / '.join(said)}"


_ALTERNATIVES = frozenset({"diluent-required", "reconstitution-fluid", "flush-before-after"})


def _values(knowledge: Knowledge, rule: Rule) -> str:
    said = [
        vehicle(knowledge, value) if value in knowledge.drugs else value if value[0] in "0123456789<>" else word(knowledge, "value", value)
        for value in rule.values
    ]
    return (" or " if rule.rule in _ALTERNATIVES else ", ").join(said)


def not_iv(knowledge: Knowledge, drug: str, hard: bool, rules: Sequence[Rule]) -> str:
    """A product asked as an infusion that is not for the vein."""
    seen = dict.fromkeys(word(knowledge, "value", value) for rule in rules for value in rule.values if value in ("sc", "im"))
    instead = f" It is {' or '.join(seen)}." if seen else ""
    strength = (
        "is not to be given into a vein."
        if hard
        else "is given another way than by vein in the labels seen; other presentations may differ."
    )
    return f"{name(knowledge, drug)} {strength}{instead} Check the route and the product."


def diluents(knowledge: Knowledge, drug: str, rules: Sequence[Rule]) -> str:
    """What the labels permit as diluent."""
    lists = dict.fromkeys(", ".join(vehicle(knowledge, value) for value in rule.values) for rule in rules)
    return f"{name(knowledge, drug)}: diluents by label: {' / '.join(lists)}."


def diluent_forbidden(knowledge: Knowledge, drug: str, fluid: str, via: Via | None) -> str:
    through = f" ({via_text(knowledge, via)})" if via else ""
    return f"{name(knowledge, drug)} must not be prepared in {name(knowledge, fluid)}{through}."


def diluent_not_known(knowledge: Knowledge, drug: str, fluid: str, named: Sequence[Rule] = ()) -> Finding:
    """Neither a label nor a test says whether the product may be prepared in this fluid. named: lists of examples that do not hold it."""
    text = f"{name(knowledge, drug)} in {name(knowledge, fluid)}: no label or test that was read covers this. Check the product's label."
    if named:
        text += (
            f" Labels name as examples: {', '.join(dict.fromkeys(vehicle(knowledge, value) for rule in named for value in rule.values))}."
        )
    return Finding(
        level=Level.NOTE,
        kind=FindingKind.DILUENT,
        code="diluent-not-known",
        drugs=(drug,),
        text=text,
        sources=cites(rule.cited for rule in named),
    )


def diluent_permitted(knowledge: Knowledge, drug: str, fluid: str) -> str:
    return f"{name(knowledge, drug)}: {name(knowledge, fluid)} is a diluent that the label permits."


def diluent_not_listed(knowledge: Knowledge, drug: str, fluid: str, rules: Sequence[Rule], elsewhere: bool) -> str:
    opening = "is permitted by one label and not listed by another" if elsewhere else "is not among the diluents that the label permits"
    return f"{name(knowledge, fluid)} {opening}. {diluents(knowledge, drug, rules)}"


def limit(knowledge: Knowledge, drug: str, code: str, asked: str, rules: Sequence[Rule]) -> str:
    """A limit that was passed."""
    limits = " / ".join(dict.fromkeys(f"{rule.values[0]} {rule.unit}".strip() for rule in rules))
    what = {
        "max-concentration": "is above the highest concentration",
        "min-concentration": "is below the lowest concentration",
        "min-infusion-time": "is shorter than the least infusion time",
        "max-rate": "is above the highest rate",
    }[code]
    return f"{name(knowledge, drug)}: {asked} {what} of the label ({limits})."


def weighed_words(item: Weighed) -> str:
    """Why a row covers, excludes or is silent, in a word for the explanation."""
    return {
        "covers": "tested under the conditions asked",
        "silent": "does not state what was asked",
        "excludes": "tested under other conditions",
    }[item.relation]
