"""Random questions over the real knowledge, the same ones for the same seed.

Three kinds, because the cost of a question follows from how much is known of its drugs:
`names`       infused drugs, any, by name alone;
`conditions`  the same, half of the drugs with a concentration and vehicle in which they were tested;
`studied`     only from the drugs with most evidence, with conditions as above: what a busy ward asks, and the dearest.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import Any

from knowledge import Knowledge
from knowledge.terms import PREMIX, UNDILUTED, Kind

SEED = 20260105
KINDS = ("names", "conditions", "studied")
MOST_STUDIED = 60
WITH_CONDITIONS = 0.5

Question = dict[str, Any]


class Asker:
    """Makes questions over one knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.drugs = sorted(drug.id for drug in knowledge.drugs.values() if drug.infused and drug.kind is Kind.DRUG)
        tested: dict[str, set[tuple[str, str]]] = defaultdict(set)
        rows: Counter[str] = Counter()
        for row in knowledge.records.rows:
            for side in (row.a, row.b):
                rows[side.drug] += 1
                if side.conc and side.vehicles and side.vehicles[0] not in (PREMIX, UNDILUTED):
                    tested[side.drug].add((side.conc.text, side.vehicles[0]))
        self.tested = {drug: sorted(conditions) for drug, conditions in tested.items()}
        self.studied = sorted(sorted(self.drugs, key=lambda drug: (-rows[drug], drug))[:MOST_STUDIED])

    def ask(self, kind: str, drugs: int, count: int, seed: int = SEED) -> list[Question]:
        """`count` questions of `drugs` different drugs each."""
        chance = random.Random(f"{seed}/{kind}/{drugs}")
        pool = self.studied if kind == "studied" else self.drugs
        return [{"drugs": [self._item(chance, drug, kind != "names") for drug in chance.sample(pool, drugs)]} for _ in range(count)]

    def _item(self, chance: random.Random, drug: str, stated: bool) -> Question | str:
        conditions = self.tested.get(drug)
        if not stated or not conditions or chance.random() >= WITH_CONDITIONS:
            return drug
        conc, vehicle = chance.choice(conditions)
        return {"drug": drug, "conc": conc, "vehicle": vehicle}
