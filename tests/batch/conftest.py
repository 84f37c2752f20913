"""What the tests of batches share: a cache of their own, and order sets of the made-up world."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from checker.batch import Batch, Done, run
from knowledge import Knowledge
from tests.conftest import WORLD

Row = dict[str, Any]


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of a test is kept where a user would find it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINEWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def rows(knowledge: Knowledge, count: int, seed: int = 1) -> list[Row]:
    """Order sets of every shape that can be written in every format: plain names, conditions, lumens, unknown names."""
    chance = random.Random(seed)
    drugs = sorted(knowledge.drugs)
    made = []
    for number in range(count):
        picked = chance.sample(drugs, chance.randint(1, 7))
        items: list[Any] = [drug if chance.random() < 0.97 else f"{drug}zz" for drug in picked]
        kind = chance.random()
        if kind < 0.15:
            items = [{"drug": item, "conc": f"{chance.choice((1, 5, 20))} mg/mL"} if chance.random() < 0.5 else item for item in items]
        elif kind < 0.3:
            items = [{"drug": item, "line": chance.choice("ab")} for item in items]
        made.append({"id": f"s{number}", "drugs": items})
    return made


def ndjson(path: Path, given: list[Row]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in given))
    return path


def read(path: Path) -> list[Row]:
    """The rows of an NDJSON file of results."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def screen(knowledge: Knowledge, given: Path, out: Path, **more: Any) -> Done:
    """Run a batch over the made-up world in this process, unless told otherwise."""
    told: dict[str, Any] = {"workers": 1, "root": WORLD} | more
    return run(Batch(given=str(given), out=out, **told), knowledge)
