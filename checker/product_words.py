"""What one product's rules say to a person: its demands, its diluents, its limits, the facility's standard for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checker import wording
from checker.model import LEVEL_RANK, Finding, Infusion, Level
from checker.model import Kind as FindingKind
from knowledge.link import POLICY_SOURCE, Knowledge, Via
from knowledge.model import Cited, Rule
from knowledge.terms import PREMIX, UNDILUTED, Effect

_LEVELS = {Effect.HARD: Level.STOP, Effect.CAUTION: Level.CAUTION, Effect.INFO: Level.NOTE}
_LEAST = {"min-concentration": "at least "}
_ALTERNATIVES = frozenset({"diluent-required", "reconstitution-fluid", "flush-before-after"})


def finding(
    knowledge: Knowledge, level: Level, code: str, drug: str, rules: Sequence[Rule], text: str = "", kind: FindingKind = FindingKind.RULE
) -> Finding:
    """What some rules of one product come to, with their sources. text: left out = the demands themselves."""
    rules = sorted(rules, key=lambda rule: list(Effect).index(rule.effect))
    return Finding(
        level=level,
        kind=kind,
        code=code,
        drugs=(drug,),
        text=text or demand(knowledge, rules),
        sources=wording.cites(rule.cited for rule in rules),
    )


def worst(rules: Iterable[Rule]) -> Level:
    """The level of the hardest of some rules."""
    return min((_LEVELS[rule.effect] for rule in rules), key=LEVEL_RANK.__getitem__)


def demand(knowledge: Knowledge, rules: Sequence[Rule]) -> str:
    """A product's demand, from the template of its rule kind; differing sources are shown side by side."""
    drug = wording.name(knowledge, rules[0].drug)
    said = dict.fromkeys(
        _template(knowledge, rule)
        .replace("{value}", _values(knowledge, rule))
        .replace("{unit}", wording.word(knowledge, "unit", rule.unit) if rule.unit else "")
        .replace(" .", ".")
        .strip()
        for rule in rules
    )
    return f"{drug}: {' / '.join(said)}"


def _template(knowledge: Knowledge, rule: Rule) -> str:
    """The words of a rule kind. Those of a list of diluents depend on how closed it is: "only" is said of a hard one alone."""
    whole = knowledge.words.get("rule", {}).get(rule.rule, "{value} {unit}")
    if rule.rule != "diluent-required":
        return whole
    return knowledge.words.get("diluents", {}).get("as-supplied" if set(rule.values) <= {PREMIX, UNDILUTED} else rule.effect, whole)


def _values(knowledge: Knowledge, rule: Rule) -> str:
    said = [
        wording.vehicle(knowledge, value)
        if value in knowledge.drugs
        else wording.name(knowledge, value)
        if ":" in value
        else value
        if value[0] in "0123456789<>"
        else wording.word(knowledge, "value", value)
        for value in rule.values
    ]
    return (" or " if rule.rule in _ALTERNATIVES else ", ").join(said)


def not_iv(knowledge: Knowledge, drug: str, rules: Sequence[Rule], outright: bool, elsewhere: bool) -> str:
    """A product asked as an infusion that is not for the vein. outright: a label forbids it; elsewhere: another label gives it by vein."""
    seen = dict.fromkeys(wording.word(knowledge, "value", value) for rule in rules for value in rule.values if value in ("sc", "im"))
    instead = f" {'That one' if elsewhere else 'It'} is {' or '.join(seen)}." if seen else ""
    if outright:
        strength = "is not to be given into a vein."
    elif elsewhere:
        strength = "has a presentation that is not for the vein, beside one that is."
    else:
        strength = "is given another way than by vein in the labels seen; other presentations may differ."
    return f"{wording.name(knowledge, drug)} {strength}{instead} Check the route and the product."


def undiluted(knowledge: Knowledge, drug: str, rules: Sequence[Rule], either: bool) -> str:
    """A product asked as supplied that has to be diluted. either: another source gives it undiluted."""
    first = "in a minibag, against errors of route" if rules[0].rule == "minibag-required" else "first"
    but = " Another source gives one product of it undiluted." if either else ""
    return f"{wording.name(knowledge, drug)} is asked undiluted; the {wording.authority(knowledge, rules)} has it diluted {first}.{but} Check the strength."


def spinal(knowledge: Knowledge, rules: Sequence[Rule], route: str) -> str:
    """A product that must not reach the spinal canal, asked by that route or by one that is not named."""
    if route == "intrathecal":
        return f"{demand(knowledge, rules)} It is asked by the intrathecal route: do not give it so."
    return f"{demand(knowledge, rules)} The route asked is not named: make sure that it is not the spinal canal."


def not_known_as_infusion(knowledge: Knowledge, drug: str) -> Finding:
    """A drug asked by vein that stands in the base only for its interactions."""
    return Finding(
        level=Level.CAUTION,
        kind=FindingKind.RULE,
        code="not-known-as-infusion",
        drugs=(drug,),
        text=f"{wording.name(knowledge, drug)} is not known here as an infusion: check the product and the route. It was not checked for its preparation.",
    )


def diluents(knowledge: Knowledge, drug: str, rules: Sequence[Rule]) -> str:
    """What the labels, or who else speaks, permit as diluent."""
    lists = dict.fromkeys(", ".join(wording.vehicle(knowledge, value) for value in rule.values) for rule in rules)
    return f"{wording.name(knowledge, drug)}: diluents by {wording.authority(knowledge, rules)}: {' / '.join(lists)}."


def diluent_forbidden(knowledge: Knowledge, drug: str, fluid: str, rules: Sequence[Rule], via: Via | None) -> str:
    must = "must" if worst(rules) is Level.STOP else "should"
    through = f" ({wording.via_text(knowledge, via)})" if via else ""
    return f"{wording.name(knowledge, drug)} {must} not be prepared in {wording.name(knowledge, fluid)}{through}."


def diluent_not_known(knowledge: Knowledge, drug: str, fluid: str, named: Sequence[Rule] = ()) -> Finding:
    """Neither a label nor a test says whether the product may be prepared in this fluid. named: lists of examples that do not hold it."""
    text = f"{wording.name(knowledge, drug)} in {wording.name(knowledge, fluid)}: no label or test that was read covers this. Check the product's label."
    if named:
        text += f" As examples a {wording.authority(knowledge, named)} names: {', '.join(dict.fromkeys(wording.vehicle(knowledge, value) for rule in named for value in rule.values))}."
    return Finding(
        level=Level.NOTE,
        kind=FindingKind.DILUENT,
        code="diluent-not-known",
        drugs=(drug,),
        text=text,
        sources=wording.cites(rule.cited for rule in named),
    )


def diluent_permitted(knowledge: Knowledge, drug: str, fluid: str, rules: Sequence[Rule]) -> str:
    return f"{wording.name(knowledge, drug)}: {wording.name(knowledge, fluid)} is a diluent that the {wording.authority(knowledge, rules)} permits."


def diluent_not_listed(knowledge: Knowledge, drug: str, fluid: str, rules: Sequence[Rule], elsewhere: bool) -> str:
    who = wording.authority(knowledge, rules)
    opening = "is permitted by one source and not listed by another" if elsewhere else f"is not among the diluents that the {who} permits"
    return f"{wording.name(knowledge, fluid)} {opening}. {diluents(knowledge, drug, rules)}"


def limit(knowledge: Knowledge, drug: str, code: str, asked: str, rules: Sequence[Rule]) -> str:
    """A limit that was passed."""
    what = {
        "max-concentration": "is above the highest concentration",
        "min-concentration": "is below the lowest concentration",
        "min-infusion-time": "is shorter than the least infusion time",
        "max-rate": "is above the highest rate",
    }[code]
    return f"{wording.name(knowledge, drug)}: {asked} {what} of the {wording.authority(knowledge, rules)} ({_limits(rules)})."


def not_compared(knowledge: Knowledge, drug: str, asked: str, rules: Sequence[Rule], mend: str) -> str:
    """A limit in other units than what was asked."""
    who = wording.authority(knowledge, rules)
    return f"{wording.name(knowledge, drug)}: a limit of the {who} ({_limits(rules)}) could not be compared with {asked}. {mend}"


def _limits(rules: Sequence[Rule]) -> str:
    return " / ".join(dict.fromkeys(f"{_LEAST.get(rule.rule, '')}{rule.values[0]} {rule.unit}".strip() for rule in rules))


def standard(knowledge: Knowledge, infusion: Infusion) -> Finding:
    """A concentration that the question did not give, taken from the facility's standards."""
    whose = knowledge.overlay.name if knowledge.overlay else "this facility"
    fluid = f" in {wording.vehicle(knowledge, infusion.conditions.vehicle)}" if infusion.conditions.vehicle else ""
    text = f"{wording.name(knowledge, infusion.drug)}: no concentration was asked; the standard of {whose} was assumed: {infusion.conditions.conc}{fluid}."
    return Finding(
        level=Level.NOTE,
        kind=FindingKind.RULE,
        code="standard-concentration",
        drugs=(infusion.drug,),
        text=text,
        sources=wording.cites([Cited(source=POLICY_SOURCE, at="standards.yaml")]),
    )
