"""Alert burden: how many cards, and how many that interrupt, 100 orders cause with the tiering in force.

Measured: every order of a corpus is signed once, after those before it have become active. Counted are the cards of these
order-sign calls by indicator; `critical` is what interrupts. Beside it: the same orders signed as one set, and the tiering with
which everything that may be told is told aloud (baseline). Corpora: published order sets (bench/corpora/order_sets.yaml) and
orders with the shape of Synthea's (synthea_like.yaml, fixed seed).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from api import create_app
from bench.sheet import Sheet, begin
from knowledge import Knowledge, load

HERE = Path(__file__).parent / "corpora"
SEED = 20260105
SERVICE = "/cds-services/iv-compatibility"
INDICATORS = ("critical", "warning", "info")
LOUD = "rules:\n  - {level: stop, show: critical}\n  - {level: caution, show: critical}\n  - {level: unknown, show: critical}\n  - {show: none}\n"
IV = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Orders in the order in which they are signed, and those that stand before."""

    name: str
    orders: list[Json]
    before: list[Json]
    age_days: int | None = None


def main() -> int:
    """Run the benchmark."""
    options, sheet = begin("alerts", __doc__, _options)
    knowledge = load()
    corpora = {"published order sets": list(published()), "Synthea-like": list(synthea(50 if options.quick else options.patients))}
    sheet.say(f"tiering: {options.tiers or 'api/cds/tiers.yaml'}; knowledge {knowledge.version}")
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        loud = Path(folder) / "loud.yaml"
        loud.write_text(LOUD, encoding="utf-8")
        for tiering, path in (("in force", options.tiers), ("everything aloud", loud)):
            for name, patients in corpora.items():
                for together in (False, True):
                    counted = count(knowledge, path, patients, together, Path(folder))
                    rows.append(
                        [
                            name,
                            tiering,
                            "as a set" if together else "one by one",
                            counted["orders"],
                            *(100 * counted[show] / counted["orders"] for show in INDICATORS),
                            100 * counted["calls with critical"] / counted["calls"],
                            counted["not understood"],
                        ]
                    )
    sheet.table(
        [
            "corpus",
            "tiering",
            "signed",
            "orders",
            "critical / 100 orders",
            "warning / 100",
            "info / 100",
            "% of calls that interrupt",
            "orders not understood",
        ],
        rows,
    )
    _told(sheet, rows, corpora, knowledge, options.tiers)
    return sheet.finish()


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tiers", type=Path, help="a tiering of your own (default: api/cds/tiers.yaml)")
    parser.add_argument("--patients", type=int, default=500, help="Synthea-like patients (default: %(default)s)")


def _told(sheet: Sheet, rows: list[list[object]], corpora: dict[str, list[Patient]], knowledge: Knowledge, tiers: Path | None) -> None:
    sheet.say(f"{len(corpora['published order sets'])} published order sets; what interrupts in them, signed one by one:")
    with tempfile.TemporaryDirectory() as folder:
        for patient in corpora["published order sets"]:
            for card in (
                card
                for cards in answers(knowledge, tiers, [patient], False, Path(folder))
                for card in cards
                if card["indicator"] == "critical"
            ):
                sheet.say(f"  {patient.name}: {card['summary']}")
    sheet.say()
    for row in rows:
        if row[1] == "in force" and row[2] == "one by one":
            sheet.note(f"{row[0]}: {row[4]:.1f} critical cards per 100 orders")


def count(knowledge: Knowledge, tiers: Path | None, patients: list[Patient], together: bool, folder: Path) -> Counter[str]:
    """How many cards of each indicator some patients' orders cause, and how many orders and calls there were."""
    counted: Counter[str] = Counter(orders=sum(len(patient.orders) for patient in patients))
    for cards in answers(knowledge, tiers, patients, together, folder):
        counted["calls"] += 1
        counted.update(card["indicator"] for card in cards)
        counted["calls with critical"] += any(card["indicator"] == "critical" for card in cards)
        counted["not understood"] += sum(card["source"]["topic"]["code"] == "reading" for card in cards)
    return counted


def answers(knowledge: Knowledge, tiers: Path | None, patients: list[Patient], together: bool, folder: Path) -> Iterator[list[Json]]:
    """The cards of every order-sign call."""
    client = create_app(
        {"log": "nothing", "tiers": tiers, "database": f"sqlite:///{folder / 'bench.db'}"}, knowledge=knowledge
    ).test_client()
    for patient in patients:
        steps = [patient.orders] if together else [[order] for order in patient.orders]
        active = list(patient.before)
        for step in steps:
            response = client.post(SERVICE, json=call(step, active, patient.age_days))
            if response.status_code != 200:
                raise RuntimeError(f"{patient.name}: {response.status_code} {response.text[:300]}")
            yield response.get_json()["cards"]
            active += step


def call(new: list[Json], active: list[Json], age_days: int | None) -> Json:
    """An order-sign request."""
    prefetch: Json = {
        "activeMedications": {"resourceType": "Bundle", "entry": [{"resource": order | {"status": "active"}} for order in active]}
    }
    if age_days is not None:
        prefetch["patient"] = {
            "resourceType": "Patient",
            "id": "1",
            "birthDate": (datetime.now(UTC).date() - timedelta(days=age_days)).isoformat(),
        }
    drafts = {"resourceType": "Bundle", "entry": [{"resource": order | {"status": "draft"}} for order in new]}
    return {
        "hook": "order-sign",
        "hookInstance": "5f4b1a0e-7f55-4d0c-9d51-1f0c6d1c2a11",
        "context": {"userId": "Practitioner/1", "patientId": "1", "draftOrders": drafts},
        "prefetch": prefetch,
    }


def published() -> Iterator[Patient]:
    """The published order sets, each for one patient."""
    for item in yaml.safe_load((HERE / "order_sets.yaml").read_text(encoding="utf-8")):
        orders = [
            _order(f"o{number}", *((given, "iv") if isinstance(given, str) else (given["oral"], "oral")))
            for number, given in enumerate(item["orders"])
        ]
        yield Patient(name=item["id"], orders=orders, before=[], age_days=item.get("age_days"))


def synthea(patients: int) -> Iterator[Patient]:
    """Patients with the shape of Synthea's."""
    data = yaml.safe_load((HERE / "synthea_like.yaml").read_text(encoding="utf-8"))
    chance = random.Random(SEED)
    for number in range(patients):
        chronic = chance.sample(data["chronic"], chance.randint(*data["draws"]))
        [episode] = chance.choices(data["episodes"], [item["weight"] for item in data["episodes"]])
        yield Patient(
            name=f"patient {number}",
            before=[_order(f"c{at}", name, "") for at, name in enumerate(chronic)],
            orders=[_order(f"o{at}", name, "") for at, name in enumerate(episode["orders"])],
        )


def _order(identity: str, name: str, route: str) -> Json:
    dosage = {"iv": [{"route": IV}], "oral": [{"route": {"text": "oral"}}]}.get(route, [])
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "medicationCodeableConcept": {"text": name},
        "dosageInstruction": dosage,
    }


if __name__ == "__main__":
    sys.exit(main())
