"""What the knowledge holds, and what it lacks: the counts of `stats` and the lists of `gaps`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

from knowledge.link import Knowledge
from knowledge.model import Cited, Drug, Records
from knowledge.terms import Kind, Mode, Result, Review, SourceKind

Counts = dict[str, Any]

_FULLEST = ("full-text", "label", "abstract", "not recorded")  # the fullest reading of a source stands for it


def stats(knowledge: Knowledge) -> Counts:
    """Counts of everything that counts, withdrawn sources left out of evidence, rules and interactions."""
    records = knowledge.records
    gone = {source.id for source in records.sources if source.withdrawn}
    rows = [row for row in records.rows if row.cited.source not in gone]
    statements = [statement for statement in records.interactions if statement.cited.source not in gone]
    drugs = list(knowledge.drugs.values())
    rules = [rule for drug in drugs for rule in drug.rules]
    contents = [content for drug in drugs for content in drug.composition]
    acidities = [acidity for drug in drugs for acidity in drug.acidity]
    y_site = [pair for pair, modes in knowledge.evidence.items() if Mode.Y_SITE in modes]
    named = {row.pair for row in rows if row.mode is Mode.Y_SITE and ":" not in "".join(row.pair)}
    return {
        "version": knowledge.version,
        "date": knowledge.date,
        "digest": knowledge.digest,
        "drugs": {
            "infused drugs": sum(drug.kind is Kind.DRUG and drug.infused for drug in drugs),
            "partners, not infused": sum(drug.kind is Kind.DRUG and not drug.infused for drug in drugs),
            "fluids": sum(drug.kind is Kind.FLUID for drug in drugs),
            "nutrition": sum(drug.kind is Kind.NUTRITION for drug in drugs),
            "all": len(drugs),
        },
        "names": {
            "aliases": sum(len(drug.aliases) for drug in drugs),
            "tall-man": sum(len(drug.tall_man) for drug in drugs),
            "refused as ambiguous": len(records.ambiguous),
            "with RxNorm": sum("rxnorm" in drug.codes for drug in drugs),
            "with UNII": sum("unii" in drug.codes for drug in drugs),
        },
        "pairs with Y-site evidence": {"named by a source": len(named), "with those reached through a group": len(y_site)},
        "evidence rows": {
            "all": len(rows),
            "by mode and result": _table((str(row.mode), str(row.result)) for row in rows),
            "by reading": _count(_read(row.cited) for row in rows),
        },
        "rules": {
            "all": len(rules),
            "drugs with rules": sum(bool(drug.rules) for drug in drugs),
            "by effect": _count(str(rule.effect) for rule in rules),
        },
        "interactions": {
            "statements": len(statements),
            "pairs of drugs": len(knowledge.interactions),
            "by severity": _count(str(item.severity) for item in statements),
            "conditional": sum(bool(item.condition) for item in statements),
            "decided by the order": sum(item.when is not None for item in statements),
        },
        "classes": {"all": len(records.classes), "memberships": sum(len(drug.classes) for drug in drugs)},
        "composition": {"statements": len(contents), "of": sum(bool(drug.composition) for drug in drugs), "groups": len(records.groups)},
        "sources": {
            "all": len(records.sources),
            "withdrawn": len(gone),
            "by kind": _count(str(source.kind) for source in records.sources),
            "by kind and fullest reading": _table(_seen(knowledge)),
        },
        "second-read": {
            name: _share(cited)
            for name, cited in {
                "evidence rows": [row.cited for row in rows],
                "rules": [rule.cited for rule in rules],
                "interactions": [item.cited for item in statements],
                "composition": [item.cited for item in contents],
                "pH": [item.cited for item in acidities],
            }.items()
        },
    }


def gaps(knowledge: Knowledge, grid: Iterable[str] = ()) -> dict[str, list[str]]:
    """Infused drugs that lack something, a list for each; and pairs of `grid` drugs without Y-site evidence."""
    drugs = [drug for drug in knowledge.drugs.values() if drug.kind is Kind.DRUG and drug.infused]
    tested = {name for pair in knowledge.evidence for name in pair}
    meeting = {name for pair in knowledge.interactions for name in pair}
    found = {
        "no evidence": _without(drugs, tested),
        "no rules": [drug.id for drug in drugs if not drug.rules],
        "no interactions": _without(drugs, meeting),
        "no pH": [drug.id for drug in drugs if not _has_ph(drug)],
        "no code": [drug.id for drug in drugs if not drug.codes],
        "no diluent from a label": without_diluent(knowledge.records),
    }
    found["nothing at all"] = sorted(set(found["no evidence"]) & set(found["no rules"]) & set(found["no interactions"]))
    common = sorted(name for name in set(grid) if name in knowledge.drugs)
    if common:
        found["common pairs without Y-site evidence"] = [
            f"{a} + {b}" for a, b in combinations(common, 2) if not knowledge.rows(a, b, Mode.Y_SITE)
        ]
    return found


def without_diluent(records: Records) -> list[str]:
    """Infused drugs of which no label names a diluent, by a rule (`undiluted` and `premix` count) or as compatible with a fluid."""
    labels = {source.id for source in records.sources if source.kind is SourceKind.LABEL}
    fluids = {drug.id for drug in records.drugs if drug.kind is Kind.FLUID}
    diluted = {
        name
        for row in records.rows
        if row.cited.source in labels and row.mode is Mode.ADMIXTURE and row.result is Result.COMPATIBLE and fluids & set(row.pair)
        for name in row.pair
    }
    return [
        drug.id
        for drug in records.drugs
        if drug.kind is Kind.DRUG
        and drug.infused
        and drug.id not in diluted
        and not any(rule.rule == "diluent-required" and rule.cited.source in labels for rule in drug.rules)
    ]


def citations(records: Records) -> Iterator[Cited]:
    """Where each fact stands, one by one."""
    for drug in records.drugs:
        yield from (rule.cited for rule in drug.rules)
        yield from (content.cited for content in drug.composition)
        yield from (acidity.cited for acidity in drug.acidity)
    yield from (row.cited for row in records.rows)
    yield from (statement.cited for statement in records.interactions)


def _has_ph(drug: Drug) -> bool:
    return any(item.low is not None for item in drug.acidity) or any(rule.rule == "ph" for rule in drug.rules)


def _without(drugs: Iterable[Drug], known: set[str]) -> list[str]:
    return [drug.id for drug in drugs if drug.id not in known]


def _read(cited: Cited) -> str:
    return str(cited.read or "not recorded")


def _count(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def _table(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (row, column), count in sorted(Counter(pairs).items()):
        table.setdefault(row, {})[column] = count
    return table


def _share(cited: list[Cited]) -> dict[str, Any]:
    second = sum(item.review is Review.SECOND_READ for item in cited)
    return {"of": len(cited), "read twice": second, "share": round(second / len(cited), 3) if cited else None}


def _seen(knowledge: Knowledge) -> list[tuple[str, str]]:
    """Kind and fullest reading of each source that carries a fact with a recorded reading."""
    read: dict[str, set[str]] = {}
    for cited in citations(knowledge.records):
        read.setdefault(cited.source, set()).add(_read(cited))
    records = knowledge.records
    return [(str(source.kind), min(read.get(source.id, {"not recorded"}), key=_FULLEST.index)) for source in records.sources]
