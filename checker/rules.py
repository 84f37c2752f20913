"""What a product asks of its line: rules between two infusions, and demands of one alone.

Every rule is data (knowledge/drugs/*.yaml); this module only knows what each kind of rule means for an order.
Labels of several markets may disagree: the stricter one is returned, and all are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from checker import limits, line_words, product_words, wording
from checker.line import diluent_lists, diluent_word, given_undiluted, judge
from checker.model import LEVEL_RANK, UNSTATED, Cite, Conditions, Finding, Infusion, Judgement, Level, RuleHit, Status
from checker.model import Kind as FindingKind
from knowledge.link import Knowledge
from knowledge.model import Rule
from knowledge.rule_values import AGAINST_GROUP, ALONE, NO_ADMIXTURE
from knowledge.terms import PREMIX, UNDILUTED, Effect, Kind, Mode, Result

# Demands that a nurse or pharmacist must meet at the line; the rest of a product's rules stand on its page.
DEMANDS = (
    "filter-required",
    "filter-prohibited",
    "light-protection",
    "central-line-required",
    "central-line-preferred",
    "vesicant",
    "irritant",
    "exfoliant",
    "non-pvc-required",
    "dehp-free",
    "device-material",
    "no-bolus",
    "fatal-if-intrathecal",
    "not-intrathecal",
    "dilution-required",
    "minibag-required",
    "premedication",
)
_DILUTED = ("dilution-required", "minibag-required")  # demands that a product given as supplied breaks
SPINAL = ("fatal-if-intrathecal", "not-intrathecal")
_NO = {"no", "vial-storage", "optional"}  # values that state the absence of a demand at the bedside
NEONATE_DAYS = 28


_OF_ALL = frozenset(
    {"dedicated-line", "no-admixture", "diluent-contraindicated"}
)  # what a fluid of a common name may not meet, none of its kind may
_OF_ALL_NUTRITION = _OF_ALL | {"filter-required", "dehp-free"}


def product_rules(knowledge: Knowledge, drug: str) -> tuple[Rule, ...]:
    """The rules of a drug; of a fluid or nutrition also those of its common name (plasma: blood products) of a kind that it has none of itself."""
    record = knowledge.drugs[drug]
    if not record.parent or record.kind is Kind.DRUG:
        return record.rules
    kinds = (_OF_ALL_NUTRITION if record.kind is Kind.NUTRITION else _OF_ALL) - {rule.rule for rule in record.rules}
    return (*record.rules, *(rule for rule in knowledge.drugs[record.parent].rules if rule.rule in kinds))


# --- between two infusions ---


def pair_hits(knowledge: Knowledge, mode: Mode, a: str, b: str, asked_a: Conditions, asked_b: Conditions) -> tuple[RuleHit, ...]:
    """The product rules of either drug that speak against the other on one line (or in one container)."""
    hits: list[RuleHit] = []
    for drug, other, asked in ((a, b, asked_b), (b, a, asked_a)):
        for rule in product_rules(knowledge, drug):
            if rule.rule == "dedicated-line":
                hits += _dedicated(knowledge, rule, other, asked)
            elif rule.rule == "diluent-contraindicated":
                hits += _forbidden_fluid(knowledge, rule, other, asked)
            elif rule.rule == "no-admixture" and mode is not Mode.Y_SITE:
                hits += _no_admixture(knowledge, rule, other, asked)
    return tuple(hits)


def _dedicated(knowledge: Knowledge, rule: Rule, other: str, asked: Conditions) -> Iterator[RuleHit]:
    for value in rule.values:
        group = AGAINST_GROUP.get(value)
        if group:
            yield from _in_group(knowledge, rule, value, group, other, asked)
        elif ":" in value:
            yield from _named(knowledge, rule, value, other, asked)
        elif value in ALONE and knowledge.drugs[other].kind is not Kind.FLUID:
            listed = any(  # a label that lists a drug as compatible exempts it from its own rule
                item.row.result is Result.COMPATIBLE and item.row.cited.source == rule.cited.source
                for item in knowledge.rows(rule.drug, other, Mode.Y_SITE)
            )
            if not listed:
                yield RuleHit(rule=rule, against=other, value=value)


def _forbidden_fluid(knowledge: Knowledge, rule: Rule, other: str, asked: Conditions) -> Iterator[RuleHit]:
    for value in rule.values:
        if value.startswith("group:"):
            yield from _in_group(knowledge, rule, value, value.removeprefix("group:"), other, asked)
        elif value.startswith("any-other-than-"):
            only = _fluid(knowledge, value.removeprefix("any-other-than-"))
            met = other if knowledge.drugs[other].kind is Kind.FLUID else asked.vehicle
            if met in knowledge.drugs and met != only:  # not "premix" or "undiluted"
                yield RuleHit(rule=rule, against=met, value=value)
        elif value in (other, asked.vehicle):
            yield RuleHit(rule=rule, against=value, value=value)


def _in_group(knowledge: Knowledge, rule: Rule, value: str, group: str, other: str, asked: Conditions) -> Iterator[RuleHit]:
    members = knowledge.group_members.get(group, {})
    for name in (other, asked.vehicle):
        if name in members:
            yield RuleHit(rule=rule, against=name, value=value, via=members[name])


def _named(knowledge: Knowledge, rule: Rule, value: str, other: str, asked: Conditions) -> Iterator[RuleHit]:
    """A rule against the members of a class or of a group."""
    kind, _, name = value.partition(":")
    if kind == "group":
        yield from _in_group(knowledge, rule, value, name, other, asked)
    elif other in knowledge.class_members.get(name, ()):
        yield RuleHit(rule=rule, against=other, value=value)


def _no_admixture(knowledge: Knowledge, rule: Rule, other: str, asked: Conditions) -> Iterator[RuleHit]:
    for value in rule.values:
        if ":" in value:
            yield from _named(knowledge, rule, value, other, asked)
        elif value in NO_ADMIXTURE and knowledge.drugs[other].kind is not Kind.FLUID:
            tested = value == "any-drug-without-data" and any(
                item.row.result is Result.COMPATIBLE for item in knowledge.rows(rule.drug, other, Mode.ADMIXTURE)
            )
            if not tested:
                yield RuleHit(rule=rule, against=other, value=value)


def _fluid(knowledge: Knowledge, code: str) -> str:
    return knowledge.vehicles.get(code, code)


# --- one infusion alone ---


def own_findings(knowledge: Knowledge, infusion: Infusion, age_days: int | None) -> list[Finding]:
    """Findings about one infusion by itself: route, diluent, concentration, duration, rate, age, demands."""
    if infusion.route != "iv":
        return elsewhere(knowledge, infusion.drug, infusion.route)
    rules: dict[str, list[Rule]] = defaultdict(list)
    for rule in product_rules(knowledge, infusion.drug):
        rules[rule.rule].append(rule)
    found: list[Finding] = []
    found += list(_route(knowledge, infusion.drug, rules["route"])) or _only_beside(knowledge, infusion.drug, rules["route"])
    found += _diluent(knowledge, infusion, rules["diluent-required"], rules["diluent-contraindicated"])
    found += limits.concentration(knowledge, infusion, rules["max-concentration"] + rules["min-concentration"])
    found += limits.duration(knowledge, infusion, rules["min-infusion-time"])
    found += limits.rate(knowledge, infusion, rules["max-rate"])
    found += _neonate(knowledge, infusion.drug, rules["neonatal-contraindication"], age_days)
    for kind in DEMANDS:
        asked = [rule for rule in rules[kind] if not set(rule.values) <= _NO]
        if asked and kind in _DILUTED and infusion.conditions.vehicle == UNDILUTED:
            found.append(_undiluted(knowledge, infusion.drug, asked, rules["diluent-required"]))
        elif asked:
            found.append(product_words.finding(knowledge, Level.NOTE, kind, infusion.drug, asked))
    return found


def _undiluted(knowledge: Knowledge, drug: str, rules: Sequence[Rule], diluents: Sequence[Rule]) -> Finding:
    """A product asked as supplied, of which a label wants that it be diluted. Where another label gives it undiluted: a caution."""
    either = given_undiluted(diluents)
    level = Level.CAUTION if either else product_words.worst(rules)
    code = "not-diluted" if rules[0].rule == "dilution-required" else rules[0].rule
    return product_words.finding(knowledge, level, code, drug, rules, product_words.undiluted(knowledge, drug, rules, either))


def elsewhere(knowledge: Knowledge, drug: str, route: str) -> list[Finding]:
    """What a product forbids of a route that is not the vein: the spinal canal. "other" may be that route, so it is a caution at least."""
    if route not in ("intrathecal", "other"):
        return []
    found = []
    for kind in SPINAL:
        asked = [rule for rule in knowledge.drugs[drug].rules if rule.rule == kind and not set(rule.values) <= _NO]
        if asked:
            level = product_words.worst(asked)
            if route == "other" and level is Level.STOP:
                level = Level.CAUTION
            found.append(product_words.finding(knowledge, level, kind, drug, asked, product_words.spinal(knowledge, asked, route)))
    return found


def cites(rules: Iterable[Rule]) -> tuple[Cite, ...]:
    """The sources of some rules, each once."""
    return wording.cites(rule.cited for rule in rules)


def _route(knowledge: Knowledge, drug: str, rules: Sequence[Rule]) -> Iterator[Finding]:
    """A product that is not for the vein. A leaflet that says so outright stops, one seen as sc or im only cautions; each less where another label gives it by vein."""
    not_iv = [rule for rule in rules if "not-iv" in rule.values]
    other_only = [rule for rule in rules if set(rule.values) & {"sc", "im"}]
    iv = _by_vein(rules)
    if not not_iv and (iv or not other_only):
        return
    outright = any(rule.effect is Effect.HARD for rule in not_iv)
    level = (Level.CAUTION if iv else Level.STOP) if outright else Level.NOTE if iv else Level.CAUTION
    said = product_words.not_iv(knowledge, drug, not_iv + other_only, outright and not iv, iv)
    yield product_words.finding(knowledge, level, "not-iv", drug, not_iv + other_only, said)


def _only_beside(knowledge: Knowledge, drug: str, rules: Sequence[Rule]) -> list[Finding]:
    """A drug that the base knows only beside infusions (tablets, depots), and that no label or standard of the facility gives by vein."""
    known = knowledge.drugs[drug].infused or drug in knowledge.standards or _by_vein(rules)
    return [] if known else [product_words.not_known_as_infusion(knowledge, drug)]


def _by_vein(rules: Iterable[Rule]) -> bool:
    return any(set(rule.values) & {"iv", "iv-push"} for rule in rules)


def _diluent(knowledge: Knowledge, infusion: Infusion, required: Sequence[Rule], forbidden: Sequence[Rule]) -> Iterator[Finding]:
    """The product and the fluid it runs in: a label's permission or prohibition, and the tests in that fluid."""
    drug, vehicle = infusion.drug, infusion.conditions.vehicle
    if vehicle is None or vehicle in (PREMIX, UNDILUTED):
        if required and vehicle is None:
            yield product_words.finding(
                knowledge,
                Level.NOTE,
                "diluent-required",
                drug,
                required,
                product_words.diluents(knowledge, drug, required),
                FindingKind.DILUENT,
            )
        return
    required = diluent_lists(required)
    against = [rule for rule in forbidden if _forbids(knowledge, rule, vehicle)]
    permitting, leaving_out = diluent_word(required, vehicle)
    judged = diluent_judgement(knowledge, infusion)
    banned = _banned(knowledge, drug, vehicle, against) if against else None
    if banned:
        yield banned
        if banned.level is Level.STOP:
            return
    if judged.status is Status.INCOMPATIBLE:
        yield line_words.line_finding(knowledge, judged, FindingKind.DILUENT)
        return
    if leaving_out:
        hard = not permitting and judged.status is not Status.COMPATIBLE and any(rule.effect is Effect.HARD for rule in leaving_out)
        level = Level.STOP if hard else Level.CAUTION
        harder = banned is None or LEVEL_RANK[level] < LEVEL_RANK[banned.level]
        if harder:  # a weak word of one label hides no strong one of another
            text = product_words.diluent_not_listed(knowledge, drug, vehicle, required, bool(permitting))
            yield product_words.finding(knowledge, level, "diluent-not-listed", drug, required, text, FindingKind.DILUENT)
    elif permitting and banned is None:
        text = product_words.diluent_permitted(knowledge, drug, vehicle, permitting)
        yield product_words.finding(knowledge, Level.NOTE, "diluent-permitted", drug, permitting, text, FindingKind.DILUENT)
    if banned is None:
        yield from _tests(knowledge, infusion, judged, permitting, leaving_out, required)


def _banned(knowledge: Knowledge, drug: str, vehicle: str, against: Sequence[Rule]) -> Finding:
    """What labels say against a product in a fluid, and through what content of the fluid."""
    members = [knowledge.group_members.get(value.removeprefix("group:"), {}) for rule in against for value in rule.values]
    via = next((found[vehicle] for found in members if vehicle in found), None)
    text = product_words.diluent_forbidden(knowledge, drug, vehicle, against, via)
    told = product_words.finding(
        knowledge, product_words.worst(against), "diluent-contraindicated", drug, against, text, FindingKind.DILUENT
    )
    return replace(told, sources=told.sources + wording.cites(via.cited)) if via else told


def _tests(
    knowledge: Knowledge,
    infusion: Infusion,
    judged: Judgement,
    permitting: Sequence[Rule],
    leaving_out: Sequence[Rule],
    required: Sequence[Rule],
) -> Iterator[Finding]:
    """What tests in the fluid add to the labels' word on it, or that there is neither."""
    drug, vehicle = infusion.drug, infusion.conditions.vehicle or ""
    if judged.status is Status.VARIABLE if permitting else judged.status in (Status.VARIABLE, Status.COMPATIBLE):
        told = line_words.line_finding(knowledge, judged, FindingKind.DILUENT)
        # The labels' word stands against tests that disagree (often of long storage), and no strength was asked that a source could be silent on.
        settled = permitting or leaving_out or (judged.status is Status.COMPATIBLE and infusion.conditions.conc is None)
        yield replace(told, level=Level.NOTE) if settled else told
    elif not permitting and not leaving_out:
        yield product_words.diluent_not_known(knowledge, drug, vehicle, required)


def diluent_judgement(knowledge: Knowledge, infusion: Infusion) -> Judgement:
    """The tests of a drug in its own vehicle, judged as an admixture, under what the product forbids of fluids."""
    drug, fluid = infusion.drug, infusion.conditions.vehicle or ""
    own = Conditions(conc=infusion.conditions.conc, formulation=infusion.conditions.formulation)
    first, second = (own, UNSTATED) if drug <= fluid else (UNSTATED, own)
    forbidden = [
        hit
        for rule in knowledge.drugs[drug].rules
        if rule.rule == "diluent-contraindicated"
        for hit in _forbidden_fluid(knowledge, rule, fluid, UNSTATED)
    ]
    return judge(knowledge, Mode.ADMIXTURE, min(drug, fluid), max(drug, fluid), first, second, forbidden)


def _forbids(knowledge: Knowledge, rule: Rule, vehicle: str) -> bool:
    for value in rule.values:
        if value == vehicle or vehicle in knowledge.group_members.get(value.removeprefix("group:"), {}):
            return True
        if value.startswith("any-other-than-") and vehicle != _fluid(knowledge, value.removeprefix("any-other-than-")):
            return True
    return False


def _neonate(knowledge: Knowledge, drug: str, rules: Sequence[Rule], age_days: int | None) -> Iterator[Finding]:
    if rules and (age_days is None or age_days <= NEONATE_DAYS):
        level = Level.NOTE if age_days is None else Level.STOP if any("yes" in rule.values for rule in rules) else Level.CAUTION
        yield product_words.finding(knowledge, level, "neonatal-contraindication", drug, rules)


# --- one after the other on the same line ---


def flush_fluids(knowledge: Knowledge, a: str, b: str) -> tuple[tuple[str, ...], tuple[Rule, ...]]:
    """Fluids that a label names for flushing one of the two and that the other does not forbid, with those rules."""
    fluids: dict[str, None] = {}
    rules = []
    for drug, other in ((a, b), (b, a)):
        for rule in knowledge.drugs[drug].rules:
            if rule.rule != "flush-before-after":
                continue
            rules.append(rule)
            for value in rule.values:
                forbidden = any(
                    _forbids(knowledge, ban, value) for ban in knowledge.drugs[other].rules if ban.rule == "diluent-contraindicated"
                )
                if value in knowledge.drugs and not forbidden:
                    fluids[value] = None
    return tuple(fluids), tuple(rules)
