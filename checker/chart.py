"""Turn a reference chart that a hospital has licensed into an overlay for its own machine.

Reads a CSV in the long form (two drugs and a verdict a line) or as a grid (drugs on both axes), with letters or words.
Nothing is dropped: what cannot be read is listed with its line, and of two verdicts on a pair under the same conditions
the stricter is kept and both are told.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from checker.compare import VERDICTS
from checker.model import NotUnderstood
from checker.names import Names
from knowledge.units import ACCEPTED, Concentration, ConcentrationError

Row = dict[str, str]

# header words under which charts keep their columns
_FIRST = ("drug_a", "drug a", "drug1", "drug 1", "drug", "medication", "medication 1", "a")
_SECOND = ("drug_b", "drug b", "drug2", "drug 2", "with", "partner", "medication 2", "b")
_VERDICT = ("verdict", "result", "compatibility", "compatible", "status", "y-site", "ysite")
_CONC = (("conc_a", "concentration a", "conc 1", "conc"), ("conc_b", "concentration b", "conc 2", "with_conc"))
_STRICTEST = ("incompatible", "variable", "compatible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What was read. rows: overlay rows. unknown: names with suggestions. unread, contradicted: line or cell, and why."""

    rows: tuple[Row, ...]
    unknown: dict[str, tuple[str, ...]]
    unread: tuple[tuple[str, str], ...]
    contradicted: tuple[tuple[str, str], ...]
    empty: int  # cells without a statement
    form: str  # long | grid


def read(file: Path, names: Names) -> Chart:
    """Read a chart. Raises ValueError when the file is neither of the two forms."""
    with file.open(newline="", encoding="utf-8-sig") as stream:
        sample = stream.read(8192)
        stream.seek(0)
        try:
            dialect: Any = csv.Sniffer().sniff(sample, delimiters=",;\t")
        except csv.Error:
            dialect = csv.excel
        table = [[cell.strip() for cell in line] for line in csv.reader(stream, dialect)]
    table = [line for line in table if any(line)]
    if len(table) < 2:
        raise ValueError(f"{file.name} has no rows; give a header line and at least one row")
    head = [cell.casefold() for cell in table[0]]
    columns = [next((head.index(word) for word in words if word in head), None) for words in (_FIRST, _SECOND, _VERDICT)]
    reader = _Reader(names)
    if None not in columns:
        return reader.long(table, [column for column in columns if column is not None], head)
    if len(table[0]) > 2 and sum(1 for line in table[1:] if len(line) == len(table[0])) >= len(table) // 2:
        return reader.grid(table)
    raise ValueError(
        f"{file.name} is neither a list with the columns drug_a, drug_b, verdict nor a grid with the drugs in its first line and first column"
    )


class _Reader:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.rows: dict[tuple[str, ...], tuple[Row, str]] = {}  # drugs and concentrations -> what is kept, and where it stands
        self.contradicted: list[tuple[str, str]] = []
        self.unknown: dict[str, tuple[str, ...]] = {}
        self.unread: list[tuple[str, str]] = []
        self.empty = 0

    def long(self, table: Sequence[Sequence[str]], columns: Sequence[int], head: Sequence[str]) -> Chart:
        concs = [next((head.index(word) for word in words if word in head), None) for words in _CONC]
        for number, line in enumerate(table[1:], start=2):
            if len(line) <= max(columns):
                self.unread.append((f"line {number}", "the line has too few columns"))
                continue
            extra = {
                key: line[column]
                for key, column in zip(("conc", "with_conc"), concs, strict=True)
                if column is not None and column < len(line) and line[column]
            }
            self._add(f"line {number}", line[columns[0]], line[columns[1]], line[columns[2]], extra)
        return self._done("long")

    def grid(self, table: Sequence[Sequence[str]]) -> Chart:
        across = table[0][1:]
        for number, line in enumerate(table[1:], start=2):
            for column, cell in enumerate(line[1:]):
                if column < len(across) and across[column] and line[0] and across[column] != line[0]:
                    self._add(f"line {number}, column {column + 2}", line[0], across[column], cell, {})
        return self._done("grid")

    def _add(self, where: str, one: str, two: str, verdict: str, extra: Row) -> None:
        result = VERDICTS.get(verdict.casefold())
        if result is None:
            self.unread.append((where, f'the verdict "{verdict}" is unknown'))
            return
        drugs = [self._drug(name) for name in (one, two)]
        if result == "no-data":
            self.empty += 1
            return
        if drugs[0] is None or drugs[1] is None:
            self.unread.append((where, f'"{one}" + "{two}": a name is unknown'))
            return
        if drugs[0] == drugs[1]:
            self.unread.append((where, f'"{one}" and "{two}" are the same drug'))
            return
        pair = sorted((drugs[0], drugs[1]))
        row = {"drug": pair[0], "with": pair[1], "result": result} | (extra if pair[0] == drugs[0] else _turned(extra))
        for conc in extra.values():
            try:
                Concentration.parse(conc)
            except ConcentrationError as error:
                self.unread.append((where, f'the concentration "{conc}" cannot be used: {error.reason}; {ACCEPTED}'))
                return
        self._keep(where, row)

    def _keep(self, where: str, row: Row) -> None:
        """Keep a row, unless the chart has said something stricter of the same pair and concentrations."""
        about = (row["drug"], row["with"], row.get("conc", ""), row.get("with_conc", ""))
        kept, there = self.rows.setdefault(about, (row, where))
        if kept["result"] == row["result"]:
            return
        stricter = min(kept, row, key=lambda item: _STRICTEST.index(item["result"]))
        told = f"{row['drug']} + {row['with']}: {row['result']} here, {kept['result']} in {there}; {stricter['result']} is kept"
        self.contradicted.append((where, told))
        self.rows[about] = (stricter, there if stricter is kept else where)

    def _drug(self, name: str) -> str | None:
        found = self.names.resolve(name, "")
        if isinstance(found, NotUnderstood):
            self.unknown.setdefault(name, found.candidates)
            return None
        return found.drug

    def _done(self, form: str) -> Chart:
        rows = tuple(sorted((row for row, _ in self.rows.values()), key=lambda row: (row["drug"], row["with"])))
        return Chart(
            rows=rows,
            unknown=self.unknown,
            unread=tuple(self.unread),
            contradicted=tuple(self.contradicted),
            empty=self.empty,
            form=form,
        )


def _turned(extra: Row) -> Row:
    """Concentrations change sides with their drugs."""
    return {{"conc": "with_conc", "with_conc": "conc"}[key]: value for key, value in extra.items()}


def write(chart: Chart, folder: Path, *, name: str, licence: str, imported: str) -> Path:
    """Put a chart into an overlay folder, making the folder an overlay where it is none. imported: a date.

    Raises FileExistsError when a chart of that name is there already.
    """
    target = folder / "charts" / f"{re.sub(r'[^a-z0-9]+', '-', name.casefold()).strip('-') or 'chart'}.yaml"
    if target.exists():
        raise FileExistsError(f"{target} is there already; remove it or give the chart another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    head = folder / "overlay.yaml"
    if not head.exists():
        head.write_text("name: this facility\n", encoding="utf-8")
    content = {"name": name, "licence": licence, "imported": imported, "rows": list(chart.rows)}
    target.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=10_000), encoding="utf-8")
    return target
