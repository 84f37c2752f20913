"""The screen against its referee: `Checker.check`."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from checker import Checker
from checker.matrix import Matrix
from checker.model import UNSTATED, Conditions, Infusion, Medication, NotUnderstood, Order, Status
from checker.screen import VERDICTS, Screen, count_pairs, decidable, unpacked
from knowledge import Knowledge
from knowledge.terms import Mode
from knowledge.units import Concentration

CONCENTRATIONS = tuple(
    map(Concentration.parse, ("0.5 mg/mL", "1 mg/mL", "5 mg/mL", "20 mg/mL", "0.1 mEq/mL", "2-10 mg/mL", "100 units/mL"))
)
LINES = (None, None, "white", "White ", "blue")
NOON = datetime(2026, 1, 5, 12)


def an_order(chance: random.Random, drugs: list[str], fluids: list[str]) -> Order:
    """An order of any kind that the engine takes, plain ones most."""
    plain = chance.random() < 0.7
    infusions, medications = [], []
    for number, drug in enumerate(chance.sample(drugs, chance.randint(0, min(9, len(drugs))))):
        if chance.random() < 0.15:
            medications.append(
                Medication(
                    drug=drug,
                    at=f"medications/{number}",
                    asked=drug,
                    route="oral" if plain else chance.choice(("oral", "sc", "im", "intrathecal", "other")),
                )
            )
            continue
        item = Infusion(drug=drug, at=f"drugs/{number}", asked=drug, line=chance.choice(LINES))
        if not plain and chance.random() < 0.6:
            conc = chance.choice((*CONCENTRATIONS, None))
            vehicle = chance.choice((None, "premix", *fluids))
            item = replace(item, conditions=Conditions(conc=conc, vehicle=vehicle) if conc or vehicle else UNSTATED)
            if chance.random() < 0.3:
                item = replace(item, start=NOON + timedelta(hours=chance.randint(0, 3)), hours=chance.choice((None, 0.5, 1.0, 4.0)))
            if chance.random() < 0.2:
                item = replace(item, rate_ml_per_h=chance.choice((20.0, 500.0)), route=chance.choice(("iv", "im", "intrathecal")))
        infusions.append(item)
        if chance.random() < 0.03:
            infusions.append(replace(item, at=f"drugs/{number}x", line="brown"))
    unknown = tuple(
        NotUnderstood(at=f"drugs/9{place}", asked="zzzmab", reason="unresolved-name") for place in range(chance.choice((0, 0, 0, 1, 2)))
    )
    age = None if plain else chance.choice((None, 3, 12_000))
    return Order(
        infusions=tuple(infusions),
        medications=tuple(medications),
        mode=chance.choice((Mode.Y_SITE, Mode.Y_SITE, *Mode)),
        age_days=age,
        not_understood=unknown,
    )


def assert_equal(knowledge: Knowledge, checker: Checker, orders: list[Order]) -> None:
    screen = Screen(knowledge, cache=False)
    found = screen.orders(orders)
    met: dict[int, int] = {}
    for place, order in enumerate(orders):
        report = checker.check(order)
        statuses = [pair.line.status if pair.line else None for pair in report.pairs]
        count_pairs(report, screen.matrix().index, met)

        assert report.verdict == VERDICTS[found.verdicts[place]], order
        assert [Counter(statuses)[status] for status in Status] == found.counts[place].tolist(), order
        assert statuses == screen.statuses(order), order
    assert met == dict(zip(found.pairs.keys.tolist(), found.pairs.counts.tolist(), strict=True))


def orders_of(knowledge: Knowledge, drugs: list[str], count: int, seed: int) -> list[Order]:
    chance = random.Random(seed)
    fluids = sorted(set(knowledge.vehicles.values()) & set(drugs)) or sorted(set(knowledge.vehicles.values()))[:4]
    return [an_order(chance, drugs, fluids) for _ in range(count)]


def test_screen_equals_check_on_the_made_up_world(world: Knowledge, world_checker: Checker) -> None:
    assert_equal(world, world_checker, orders_of(world, sorted(world.drugs), 14_000, 1))


def test_screen_equals_check_on_real_knowledge(real: Knowledge, real_checker: Checker) -> None:
    """On the drugs of which most is known, with fluids and nutrition among them."""
    rows = Counter(drug for pair in real.evidence for drug in pair)
    studied = sorted(drug for drug, _ in rows.most_common(90) if drug in real.drugs)
    assert_equal(real, real_checker, orders_of(real, studied, 8_000, 2))


def test_screen_equals_check_on_any_real_drugs(real: Knowledge, real_checker: Checker) -> None:
    assert_equal(real, real_checker, orders_of(real, sorted(real.drugs), 400, 3))


def test_generator_makes_orders_for_both_speeds(world: Knowledge) -> None:
    orders = orders_of(world, sorted(world.drugs), 2_000, 1)
    plain = [order for order in orders if decidable(order)]

    assert 1_000 < len(plain) < 1_900
    assert any(order.medications for order in plain)
    assert any(item.line for order in plain for item in order.infusions)
    assert any(order.not_understood for order in plain)
    assert any(item.conditions.conc for order in orders for item in order.infusions)
    assert any(item.start for order in orders for item in order.infusions)
    assert {*Mode} == {order.mode for order in plain}


def test_an_order_of_nothing_understood_is_unknown(world: Knowledge) -> None:
    order = Order(infusions=(), not_understood=(NotUnderstood(at="drugs/0", asked="zzz", reason="unresolved-name"),))

    assert [2] == Screen(world, cache=False).orders([order]).verdicts.tolist()


def test_no_orders(world: Knowledge) -> None:
    found = Screen(world, cache=False).orders([])

    assert 0 == len(found.verdicts)
    assert 0 == len(found.pairs.keys)


def test_largest_orders_fit_the_counters(real: Knowledge, real_checker: Checker) -> None:
    """60 drugs make 1,770 pairs."""
    drugs = sorted(drug.id for drug in real.drugs.values() if drug.infused)[:60]
    order = Order(infusions=tuple(Infusion(drug=drug, at=f"drugs/{place}", asked=drug) for place, drug in enumerate(drugs)))
    assert_equal(real, real_checker, [order])


# --- the matrix ---


def test_a_kept_matrix_is_used_again(world: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.matrix.KEEP_FROM", 1)
    first = Matrix(world)
    states = np.arange(len(first.ids))
    codes = first.part(states)
    first.keep()
    again = Matrix(world)

    assert (codes == again.part(states)).all()
    assert 0 == again.asked


def test_a_damaged_matrix_is_not_trusted(world: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.matrix.KEEP_FROM", 1)
    first = Matrix(world, Mode.SYRINGE)
    states = np.arange(5)
    codes = first.part(states)
    first.keep()
    content = bytearray(first._path().read_bytes())
    content[-3] ^= 1
    first._path().write_bytes(content)
    again = Matrix(world, Mode.SYRINGE)

    assert (codes == again.part(states)).all()
    assert again.asked > 0


def test_one_matrix_learns_from_another(world: Knowledge) -> None:
    one, two = Matrix(world, cache=False), Matrix(world, cache=False)
    states = np.arange(12)
    codes = one.part(states)
    two.learn(one.told())

    assert (codes == two.part(states)).all()
    assert 0 == len(one.told())


def test_keys_of_pairs_can_be_read() -> None:
    assert (Status.NO_DATA, 3, 5, 9) == unpacked(2 << 40 | 3 << 48 | 5 << 20 | 9)
    assert (None, 1, 0, 1) == unpacked(4 << 40 | 1 << 48 | 1)
