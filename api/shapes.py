"""Records of the knowledge base as JSON: what the pages of a drug, a pair and a source are made of.

Rows, sources and derivations have the shape that a report gives them, so the renderer of reports makes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from checker import Renderer, cite_line, product_words, wording
from knowledge import Knowledge
from knowledge.link import Stated
from knowledge.model import Acidity, Cited, ClassMembership, Component, Content, Drug, Interaction, Row, Rule, Source
from knowledge.terms import Mode, Severity

Json = dict[str, Any]


class Shapes:
    """Shapes the records of one knowledge base."""

    def __init__(self, knowledge: Knowledge, renderer: Renderer) -> None:
        self.knowledge = knowledge
        self.row: Callable[[Row], Json] = renderer.row  # one tested condition, as the evidence of a report shows it
        self.cited: Callable[[Cited], Json] = renderer.cited

    # --- single records ---

    def brief(self, drug: Drug) -> Json:
        """A drug in a list."""
        return {
            "id": drug.id,
            "name": drug.name,
            "tall_man": drug.tall_man[0].text if drug.tall_man else None,
            "kind": drug.kind,
            "infused": drug.infused,
        }

    def rule(self, rule: Rule) -> Json:
        """One product rule, with its sentence."""
        return _filled(
            {
                "drug": rule.drug,
                "rule": rule.rule,
                "value": rule.values,
                "unit": rule.unit,
                "effect": rule.effect,
                "text": product_words.demand(self.knowledge, [rule]),
                "note": rule.note,
            }
        ) | {"source": self.cited(rule.cited)}

    def statement(self, statement: Interaction) -> Json:
        """One interaction as its source states it, of drugs, classes or groups."""
        return _filled(
            {
                "id": statement.id,
                "between": (statement.a, statement.b),
                "names": [wording.name(self.knowledge, end) for end in (statement.a, statement.b)],
                "object": statement.object,
                "precipitant": statement.precipitant,
                "severity": statement.severity,
                "said": statement.said,
                "mechanism": statement.mechanism,
                "effect": statement.effect,
                "management": [{"code": code, "text": wording.word(self.knowledge, "manage", code)} for code in statement.manage],
                "route": statement.route,
                "condition": statement.condition,
                "first": statement.first,
                "note": statement.note,
            }
        ) | {"sources": [self.cited(statement.cited)]}

    def stated(self, stated: Stated) -> Json:
        """One interaction as it speaks of two drugs, with the classes and components it came through."""
        told = self.statement(stated.statement)
        if stated.object:  # the drugs themselves, where the statement speaks of their classes
            told |= {"object": stated.object, "precipitant": stated.precipitant}
        return told | {
            "via": [
                {"kind": via.kind, "through": via.through, "member": via.member, "text": wording.via_text(self.knowledge, via)}
                for via in stated.via
            ]
        }

    def content(self, content: Content) -> Json:
        """One component of a fluid, or of a drug's own vehicle."""
        told = _filled({"component": content.component, "amount": content.amount, "unit": content.unit, "role": content.role})
        return told | {"trace": content.trace, "source": self.cited(content.cited)}

    def acidity(self, acidity: Acidity) -> Json:
        """pH and acid-base character as one source states them."""
        return (
            {"low": acidity.low, "high": acidity.high}
            | _filled(
                {
                    "of": acidity.of,
                    "character": acidity.character,
                    "salt": acidity.salt,
                    "pka": acidity.pka,
                    "osmolarity_mosm_per_l": acidity.osmolarity,
                }
            )
            | {"source": self.cited(acidity.cited)}
        )

    def membership(self, membership: ClassMembership) -> Json:
        """That a drug belongs to a class."""
        cls = self.knowledge.classes[membership.cls]
        return {
            "id": cls.id,
            "name": cls.name,
            "systemic": membership.systemic,
            "source": self.cited(Cited(source=membership.source or cls.source, at=cls.name)),
        }

    def component(self, component: Component) -> Json:
        """One part of a fixed combination."""
        return _filled({"name": component.name, "drug": component.drug, "rxnorm": component.rxnorm, "unii": component.unii})

    def source(self, source: Source) -> Json:
        """A citation."""
        return (
            {"id": source.id, "kind": source.kind, "cite": cite_line(source)}
            | _filled(
                {
                    "title": source.title,
                    "author": source.author,
                    "year": source.year,
                    "publisher": source.publisher,
                    "pmid": source.pmid,
                    "pmcid": source.pmcid,
                    "doi": source.doi,
                    "locator": source.locator,
                    "licence": source.licence,
                }
            )
            | {"withdrawn": source.withdrawn or None}
        )

    # --- pages ---

    def drug(self, drug: Drug) -> Json:
        """All that is said of one drug, fluid or nutrition alone, and with whom more is known."""
        return self.brief(drug) | {
            "tall_man_entries": [{"text": item.text, "confused_with": item.confused_with, "source": item.source} for item in drug.tall_man],
            "usan": drug.usan or None,
            "group": drug.group,
            "vehicle_code": drug.vehicle_code or None,
            "ingredient": drug.ingredient or None,
            "parent": drug.parent or None,
            "codes": drug.codes,
            "codes_seen_in": drug.codes_seen_in or None,
            "aliases": [{"name": alias.name, "kind": alias.kind, "source": alias.source} for alias in drug.aliases],
            "components": [self.component(item) for item in drug.components],
            "classes": [self.membership(item) for item in drug.classes],
            "composition": [self.content(item) for item in drug.composition],
            "ph": [self.acidity(item) for item in drug.acidity],
            "rules": [self.rule(item) for item in drug.rules],
            "known": self.known(drug.id),
        }

    def known(self, drug: str) -> Json:
        """With whom a drug was tested, and how many interactions are stated: counts, with the way to the rest."""
        partners, worst = [], Counter[str]()
        for other in sorted(self.knowledge.graph.adj[drug]):
            pair = (drug, other) if drug <= other else (other, drug)
            evidence = self.knowledge.evidence.get(pair)
            if evidence:
                modes = {mode: results_of(item.row for item in evidence[mode]) for mode in Mode if evidence.get(mode)}
                partners.append(
                    {"drug": other, "name": wording.name(self.knowledge, other), "modes": modes, "pair": f"/v1/pairs/{pair[0]}/{pair[1]}"}
                )
            stated = self.knowledge.interactions.get(pair)
            if stated:
                worst[min((item.statement.severity for item in stated), key=list(Severity).index)] += 1
        return {
            "partners": partners,
            "interactions": {"partners": worst.total(), "by_worst_severity": {level: worst[level] for level in Severity}},
        }


def results_of(rows: Iterable[Row]) -> Json:
    """How many rows, and how many of each result."""
    counts = Counter(str(row.result) for row in rows)
    return {"rows": counts.total(), "results": dict(sorted(counts.items()))}


def _filled(told: Json) -> Json:
    """Without the fields for which the source gives nothing."""
    return {name: value for name, value in told.items() if value not in ("", None)}
