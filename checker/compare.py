"""Hold the engine's answers against others: an older knowledge, or a table of verdicts that a user has."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from checker.check import Checker
from checker.line_words import permitting
from checker.model import UNSTATED, Judgement, Reason, Status
from checker.names import Match, Names
from checker.rules import product_rules
from knowledge import Knowledge
from knowledge.conflicts import kappa
from knowledge.terms import Mode

Pair = tuple[str, str]

# words that charts and tables use for a verdict
VERDICTS = {
    "c": "compatible",
    "compatible": "compatible",
    "y": "compatible",
    "yes": "compatible",
    "ok": "compatible",
    "i": "incompatible",
    "incompatible": "incompatible",
    "n": "incompatible",
    "no": "incompatible",
    "x": "incompatible",
    "v": "variable",
    "variable": "variable",
    "caution": "variable",
    "conflicting": "variable",
    "c/i": "variable",
    "u": "no-data",
    "-": "no-data",
    "?": "no-data",
    "": "no-data",
    "no-data": "no-data",
    "no data": "no-data",
    "not tested": "no-data",
    "untested": "no-data",
    "nd": "no-data",
}


@dataclass(frozen=True, slots=True)
class Flip:
    """A pair whose answer changed."""

    pair: Pair
    mode: Mode
    before: str
    after: str
    sources: tuple[str, ...]  # of the answer after, or before where there is none after

    @property
    def safer(self) -> bool:
        """Whether the answer became stricter (or is new and not compatible)."""
        order = [str(status) for status in Status]
        return order.index(self.after) < order.index(self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed in clinical meaning from one knowledge to another."""

    flips: tuple[Flip, ...]
    sources_added: tuple[str, ...]
    sources_removed: tuple[str, ...]
    sources_withdrawn: tuple[str, ...]
    drugs_added: tuple[str, ...]
    drugs_removed: tuple[str, ...]
    rules_added: tuple[str, ...]
    rules_removed: tuple[str, ...]
    interactions_added: tuple[str, ...]
    interactions_removed: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether no answer and no fact changed."""
        return not any(getattr(self, name) for name in self.__dataclass_fields__)


_AGAINST_OTHERS = frozenset({"dedicated-line", "diluent-contraindicated", "no-admixture"})


def difference(old: Knowledge, new: Knowledge) -> Difference:
    """Compare two knowledge bases by their answers (without conditions, in every mode) and their facts."""
    before, after = Checker(old), Checker(new)
    flips = []
    for pair in sorted(_speaking(old) | _speaking(new)):
        for mode in Mode:
            was, now = _judge(before, mode, pair), _judge(after, mode, pair)
            if was.status is not now.status:
                settled = _settling(new, now) or _settling(old, was)
                flips.append(Flip(pair, mode, str(was.status), str(now.status), settled))
    rules = [
        {
            f"{rule.drug}: {rule.rule} {', '.join(rule.values)} {rule.unit} ({rule.cited.source})"
            for drug in base.drugs.values()
            for rule in drug.rules
        }
        for base in (old, new)
    ]
    stated = [
        {f"{item.a} + {item.b}: {item.severity}, {item.mechanism} ({item.cited.source})" for item in base.records.interactions}
        for base in (old, new)
    ]
    withdrawn = [{source.id for source in base.sources.values() if source.withdrawn} for base in (old, new)]
    return Difference(
        flips=tuple(flips),
        sources_added=_gone(new.sources, old.sources),
        sources_removed=_gone(old.sources, new.sources),
        sources_withdrawn=_gone(withdrawn[1], withdrawn[0]),
        drugs_added=_gone(new.drugs, old.drugs),
        drugs_removed=_gone(old.drugs, new.drugs),
        rules_added=_gone(rules[1], rules[0]),
        rules_removed=_gone(rules[0], rules[1]),
        interactions_added=_gone(stated[1], stated[0]),
        interactions_removed=_gone(stated[0], stated[1]),
    )


def _gone(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(one) - set(other)))


def _speaking(base: Knowledge) -> set[Pair]:
    """Pairs of which the base says anything: by a row, by a rule of one of them, by a permitted diluent, by what one of them contains."""
    infused = [drug.id for drug in base.drugs.values() if drug.infused]
    pairs = set(base.evidence)
    for drug in base.drugs.values():
        kinds = {rule.rule for rule in product_rules(base, drug.id)}
        if kinds & _AGAINST_OTHERS:
            pairs |= {_pair(drug.id, other) for other in infused if other != drug.id}
        named = {value for rule in drug.rules if rule.rule == "diluent-required" for value in rule.values if value in base.drugs}
        pairs |= {_pair(drug.id, fluid) for fluid in named}
    partners: dict[str, set[str]] = defaultdict(set)
    for one, other in base.evidence:
        partners[one].add(other)
        partners[other].add(one)
    for name, ways in base.kin.items():
        pairs |= {_pair(name, other) for via in ways for other in partners[via.through] if other != name}
    return pairs


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _judge(checker: Checker, mode: Mode, pair: Pair) -> Judgement:
    known = checker.knowledge.drugs
    if pair[0] not in known or pair[1] not in known:
        return Judgement(pair=pair, mode=mode, status=Status.NO_DATA, reason=Reason.NOT_STUDIED)
    return checker.judge(mode, *pair, UNSTATED, UNSTATED)


def _settling(base: Knowledge, judged: Judgement) -> tuple[str, ...]:
    cited = [item.row.cited.source for item in judged.weighed if item.settled] + [hit.rule.cited.source for hit in judged.rules]
    cited += [item.row.cited.source for item in judged.kin] or [row.cited.source for row in judged.context]
    if judged.reason is Reason.PERMITTED_DILUENT:
        cited += [rule.cited.source for rule in permitting(base, judged.pair)]
    return tuple(dict.fromkeys(cited))


# --- a user's own table ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Our Y-site verdicts beside those of a user's table.

    table: (ours, theirs) -> pairs. dangerous: we say compatible, they say not. unread: rows that could not be read, with why.
    """

    table: Counter[tuple[str, str]]
    dangerous: tuple[tuple[Pair, str, tuple[str, ...]], ...]
    unread: tuple[tuple[int, str], ...]
    kappa: float | None
    agreement: float | None
    compared: int


def compare(checker: Checker, names: Names, file: Path) -> Comparison:
    """Read a CSV with the columns drug_a, drug_b, verdict and hold it against the engine.

    Agreement and Cohen's kappa are over the pairs that both sides answer. Raises ValueError when a column is missing.
    """
    table: Counter[tuple[str, str]] = Counter()
    dangerous: list[tuple[Pair, str, tuple[str, ...]]] = []
    unread: list[tuple[int, str]] = []
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        missing = {"drug_a", "drug_b", "verdict"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{file.name} has no column {', '.join(sorted(missing))}; write a header line: drug_a,drug_b,verdict")
        for number, row in enumerate(reader, start=2):
            verdict = VERDICTS.get((row["verdict"] or "").strip().casefold())
            found = [names.resolve(row[column] or "", column) for column in ("drug_a", "drug_b")]
            if verdict is None:
                unread.append((number, f'the verdict "{row["verdict"]}" is unknown'))
                continue
            drugs = [item.drug for item in found if isinstance(item, Match)]
            if len(drugs) < 2 or drugs[0] == drugs[1]:
                unread.append((number, f'"{row["drug_a"]}" + "{row["drug_b"]}" are not two known drugs'))
                continue
            pair = (min(drugs), max(drugs))
            judged = checker.judge(Mode.Y_SITE, *pair, UNSTATED, UNSTATED)
            table[str(judged.status), verdict] += 1
            if judged.status is Status.COMPATIBLE and verdict in ("incompatible", "variable"):
                dangerous.append((pair, verdict, _settling(checker.knowledge, judged)))
    both = {key: count for key, count in table.items() if "no-data" not in key}
    total = sum(both.values())
    return Comparison(
        table=table,
        dangerous=tuple(dangerous),
        unread=tuple(unread),
        kappa=kappa([key for key, count in both.items() for _ in range(count)]),
        compared=total,
        agreement=sum(count for (ours, theirs), count in both.items() if ours == theirs) / total if total else None,
    )
