"""patient-view: what the running infusions ask of their lines, in one card that never interrupts. Nothing is paired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.cds import summaries
from api.cds.cards import Cards
from api.fhir.orders import Given
from checker import product_words, wording
from knowledge import Knowledge

Json = dict[str, Any]


def overview(cards: Cards, knowledge: Knowledge, orders: Sequence[Given], seed: str) -> list[Json]:
    """One card, or none when no running infusion asks anything of its line."""
    drugs = dict.fromkeys(part.drug for given in orders if given.infused for part in given.bag.parts)
    asked = {drug: rules for drug in drugs if (rules := [rule for rule in knowledge.drugs[drug].rules if rule.rule == "dedicated-line"])}
    if not asked:
        return []
    names = [wording.name(knowledge, drug) for drug in asked]
    lines = "\n".join(f"- {product_words.demand(knowledge, rules)}" for rules in asked.values())
    sources = cards.details.sources(wording.cites(rule.cited for rules in asked.values() for rule in rules))
    detail = "\n\n".join(
        (
            "What these running infusions ask of their line:",
            lines,
            "Pairs are checked when an order is picked, signed or verified.",
            sources,
        )
    )
    return [
        cards.single("overview", "line", summaries.listed("Asks for a line of its own or limits what shares it: ", names), detail, seed)
    ]
