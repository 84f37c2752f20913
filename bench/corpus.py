"""Order sets with the shape of real ones, the same for the same seed: ward patterns and published regimens, written as people write them.

python -m bench.corpus 100000 orders.ndjson        by suffix NDJSON, CSV (long) or Parquet (RxNorm codes); see --help
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from checker import Names
from checker.names import Match
from knowledge import Knowledge, load
from knowledge.terms import PREMIX, UNDILUTED

HERE = Path(__file__).parent / "corpora"
SEED = 20260105
TYPOS = 3  # different misspellings of one name, so that a large corpus does not hold an endless number of them
_SHARE = 0.25  # of sets that come from a regimen
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How orders are written, as shares of sets or of drugs. conditions: drugs with a tested concentration and vehicle; lines: sets with lumens.

    misspelt: drugs with a typo. medications: sets with medicines by mouth. damaged: lines that cannot be read. repeated: ids given before.
    """

    misspelt: float = 0.01
    conditions: float = 0.0
    lines: float = 0.0
    medications: float = 0.0
    damaged: float = 0.0
    repeated: float = 0.0


PLAIN = Manner()
WARD = Manner(misspelt=0.02, conditions=0.25, lines=0.2, medications=0.3)


class Corpus:
    """Makes order sets over one knowledge base."""

    def __init__(self, knowledge: Knowledge, seed: int = SEED) -> None:
        self.knowledge, self.seed = knowledge, seed
        self.patterns = [item for item in yaml.safe_load((HERE / "patterns.yaml").read_text(encoding="utf-8"))]
        self.regimens = [item for item in yaml.safe_load((HERE / "regimens.yaml").read_text(encoding="utf-8"))]
        names = Names(knowledge)
        self.spellings = {drug: self._spellings(names, drug) for drug in sorted(self._drugs())}
        self.tested = self._tested()

    def sets(self, count: int, manner: Manner = PLAIN) -> Iterator[Row]:
        """`count` order sets: {"id", "drugs", ...} as a line of NDJSON holds them."""
        chance = random.Random(f"{self.seed}/{manner}")
        for number in range(count):
            identity = f"set-{number:07d}" if chance.random() >= manner.repeated else f"set-{chance.randrange(max(1, number)):07d}"
            infused, oral = self._drawn(chance)
            row: Row = {"id": identity, "drugs": [self._item(chance, drug, manner) for drug in infused]}
            if manner.lines and chance.random() < manner.lines:
                row["drugs"] = [
                    {"line": chance.choice(("white", "blue", "brown"))} | (item if isinstance(item, dict) else {"drug": item})
                    for item in row["drugs"]
                ]
            if oral and manner.medications and chance.random() < manner.medications:
                row["medications"] = [self._spelt(chance, drug, manner) for drug in oral if drug not in infused]
            yield row

    def lines(self, count: int, manner: Manner = PLAIN) -> Iterator[bytes]:
        """The sets as NDJSON, some damaged if that is the manner."""
        chance = random.Random(f"{self.seed}/damage")
        for row in self.sets(count, manner):
            text = orjson.dumps(row)
            if chance.random() < manner.damaged:
                text = chance.choice((text[: len(text) // 2], b"\xff" + text, text.replace(b'"drugs"', b'"drug"'), b"[]"))
            yield text + b"\n"

    def coded(self, count: int, least: int = 2, most: int = 15) -> Iterator[tuple[str, list[str]]]:
        """Ids and RxNorm codes of `least` to `most` infused drugs, drawn evenly: the widest load a screen can meet."""
        chance = random.Random(f"{self.seed}/coded")
        codes = self.codes()
        for number in range(count):
            yield f"set-{number:07d}", chance.sample(codes, chance.randint(least, most))

    def codes(self) -> list[str]:
        """An RxNorm code of each infused drug that has one of its own."""
        own = {drugs[0]: code for (system, code), drugs in sorted(self.knowledge.codes.items()) if system == "rxnorm" and len(drugs) == 1}
        return [own[drug.id] for drug in self.knowledge.drugs.values() if drug.infused and drug.id in own]

    # --- parts ---

    def _drugs(self) -> set[str]:
        fields = ("of", "always", "oral", "drugs", "with")
        return {drug for item in (*self.patterns, *self.regimens) for field in fields for drug in item.get(field, ())}

    def _spellings(self, names: Names, drug: str) -> list[str]:
        """The names by which people may ask for a drug and be understood; the plain one most often."""
        record = self.knowledge.drugs[drug]
        known = [record.name, *(alias.name for alias in record.aliases)]
        good = [name for name in known if isinstance(found := names.resolve(name, ""), Match) and found.drug == drug]
        plain = [record.name] * max(2, len(good))
        return plain + good + [name.upper() for name in good[:2]] + [name.replace("-", " ").title() for name in good[:2]]

    def _tested(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for row in self.knowledge.records.rows:
            for side in (row.a, row.b):
                if side.conc and side.vehicles and side.vehicles[0] not in (PREMIX, UNDILUTED):
                    found[side.drug].add((side.conc.text, side.vehicles[0]))
        return {drug: sorted(conditions) for drug, conditions in found.items()}

    def _drawn(self, chance: random.Random) -> tuple[list[str], list[str]]:
        if chance.random() < _SHARE:
            regimen = chance.choice(self.regimens)
            beside = [drug for drug in regimen.get("with", ()) if chance.random() < 0.6]
            return [*regimen["drugs"], *beside], regimen.get("oral", [])
        pattern = chance.choices(self.patterns, [item["weight"] for item in self.patterns])[0]
        least, most = pattern["draws"]
        return [*pattern.get("always", ()), *chance.sample(pattern["of"], chance.randint(least, most))], pattern.get("oral", [])

    def _item(self, chance: random.Random, drug: str, manner: Manner) -> Row | str:
        spelt = self._spelt(chance, drug, manner)
        conditions = self.tested.get(drug)
        if not conditions or not manner.conditions or chance.random() >= manner.conditions:
            return spelt
        conc, vehicle = chance.choice(conditions)
        return {"drug": spelt, "conc": conc, "vehicle": vehicle}

    def _spelt(self, chance: random.Random, drug: str, manner: Manner) -> str:
        name = chance.choice(self.spellings[drug])
        return _misspelt(name, chance.randrange(TYPOS)) if chance.random() < manner.misspelt else name


def _misspelt(name: str, which: int) -> str:
    """One of a few slips: a letter left out, two changed about, one doubled."""
    place = 1 + (len(name) * (which + 1)) // (TYPOS + 2)
    if which == 0:
        return name[:place] + name[place + 1 :]
    if which == 1:
        return name[: place - 1] + name[place - 1 : place + 1][::-1] + name[place + 1 :]
    return name[:place] + name[place - 1 : place] + name[place:]


# --- files ---


def write_parquet(path: Path, corpus: Corpus, count: int) -> None:
    """Coded sets: columns id and codes, a list of texts."""
    schema = pa.schema([("id", pa.string()), ("codes", pa.list_(pa.string()))])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        rows = corpus.coded(count)
        while part := list(islice(rows, 50_000)):
            writer.write_table(pa.table([[identity for identity, _ in part], [codes for _, codes in part]], schema=schema))


def write_csv(path: Path, corpus: Corpus, count: int, manner: Manner) -> None:
    """The long form: one row a drug."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("order_set_id", "drug", "concentration", "vehicle", "line", "medication"))
        for row in corpus.sets(count, manner):
            for item in row["drugs"]:
                told = item if isinstance(item, dict) else {"drug": item}
                writer.writerow((row["id"], told["drug"], told.get("conc", ""), told.get("vehicle", ""), told.get("line", ""), ""))
            for name in row.get("medications", ()):
                writer.writerow((row["id"], name, "", "", "", "yes"))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.corpus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--ward", action="store_true", help="with conditions, lumens, medicines and more misspellings")
    options = parser.parse_args()
    corpus = Corpus(load(), options.seed)
    manner = WARD if options.ward else PLAIN
    if options.path.suffix == ".parquet":
        write_parquet(options.path, corpus, options.count)
    elif options.path.suffix == ".csv":
        write_csv(options.path, corpus, options.count, manner)
    else:
        with options.path.open("wb") as file:
            file.writelines(corpus.lines(options.count, manner))


if __name__ == "__main__":
    main()
