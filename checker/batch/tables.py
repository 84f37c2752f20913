"""Order sets in tables: which column means what, and which rows make one set.

Wide form: one row a set, with `drugs` (a list, or text with semicolons between) or drug_1, drug_2 ...; a drug in text may carry its
conditions as on the command line: vancomycin@5mg/mL/NS@white. Long form: one row a drug, the rows of one set one after the other.
A row that cannot be read might belong to a set beside it; such a set is refused, never judged without it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from checker.ask import spoken
from checker.batch.errors import BatchError, Refusal, refused

ROLES = {
    "order_set_id": "id",
    "id": "id",
    "drug": "drug",
    "drugs": "drugs",
    "code": "code",
    "codes": "codes",
    "system": "system",
    "concentration": "conc",
    "conc": "conc",
    "vehicle": "vehicle",
    "formulation": "formulation",
    "line": "line",
    "start": "start",
    "hours": "hours",
    "rate_ml_per_h": "rate_ml_per_h",
    "route": "route",
    "medication": "medication",
    "medications": "medications",
    "mode": "mode",
    "age_days": "age_days",
}
OF_A_DRUG = ("conc", "vehicle", "formulation", "line", "start", "hours", "rate_ml_per_h", "route")
_NUMBERED = re.compile(r"drug_?\d+")
_YES = frozenset({"yes", "true", "1"})

Cell = Any  # text of CSV; what Parquet holds


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table. header: as written. roles: what each means, "" = passed over. long: one row a drug."""

    header: tuple[str, ...]
    roles: tuple[str, ...]
    long: bool
    delimiter: str = ","

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that mean something, as written."""
        return tuple(name for name, role in zip(self.header, self.roles, strict=True) if role)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table. damage: why its cells are not to be trusted."""

    line: int
    identity: str | int | None
    cells: dict[str, Cell]  # role -> what stands there; empty cells are left out
    drugs: tuple[Cell, ...] = ()  # drug_1, drug_2 ...
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One order set as it was asked, or why it cannot be."""

    line: int
    identity: str | int | None
    question: Any
    refusal: Refusal | None = None


def columns(header: bytes | pa.Schema, name: str, ignore: frozenset[str]) -> Columns:
    """Read the header of a table. Raises BatchError for columns that are not known: nothing asked is dropped."""
    delimiter = ","
    if isinstance(header, bytes):
        text = header.decode("utf-8-sig", "replace").strip("\r\n")
        delimiter = max(",;\t", key=text.count)
        written = tuple(cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), []))
    else:
        written = tuple(header.names)
    keys = [cell.casefold().replace(" ", "_") for cell in written]
    roles = tuple(
        "" if cell in ignore else ROLES.get(key, "drug_n" if _NUMBERED.fullmatch(key) else "?")
        for cell, key in zip(written, keys, strict=True)
    )
    unknown = [cell for cell, role in zip(written, roles, strict=True) if role == "?"]
    if unknown:
        passing = " ".join(f"--ignore {cell}" for cell in unknown)
        raise BatchError(
            f"{name}: unknown columns {', '.join(unknown)}",
            f"rename them, or pass them over with {passing}; known: {', '.join(ROLES)}, drug_1, drug_2 ...",
        )
    twice = {role for role in roles if role and role != "drug_n" and roles.count(role) > 1}
    if twice:
        raise BatchError(f"{name}: several columns for {', '.join(sorted(twice))}", "keep one of them, or pass one over with --ignore")
    long = "drug" in roles or "code" in roles
    wide = {"drugs", "codes", "drug_n"} & set(roles)
    if long == bool(wide):
        fault = "columns of both forms" if long else "no column names the drugs"
        raise BatchError(f"{name}: {fault}", "write one row a drug (order_set_id, drug ...) or one row a set (id, drugs)")
    if long and "id" not in roles:
        raise BatchError(f"{name}: one row a drug needs the column order_set_id", "add it, or write one row a set")
    return Columns(written, roles, long, delimiter)


# --- rows ---


def csv_rows(payload: bytes, first: int, header: Columns) -> Iterator[TableRow]:
    """The rows of a piece of CSV. A row is a line: a quoted field does not run over its end."""
    lines = payload.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, raw in enumerate(lines, start=first):
        if raw.strip():
            yield csv_row(raw, number, header)


def csv_row(raw: bytes, line: int, header: Columns) -> TableRow:
    """One line of CSV. Of a damaged one the id is kept, as far as it can be read."""
    try:
        text = raw.decode().rstrip("\r")
    except UnicodeDecodeError:
        return TableRow(line, _salvaged(raw.decode("utf-8", "replace"), header), {}, damage="it is not UTF-8")
    if text.count('"') % 2:
        return TableRow(line, _salvaged(text, header), {}, damage="a quoted field is not closed on its line")
    try:
        cells = next(csv.reader([text], delimiter=header.delimiter, strict=True))
    except csv.Error as error:
        return TableRow(line, _salvaged(text, header), {}, damage=str(error))
    if len(cells) != len(header.roles):
        return TableRow(line, _salvaged(text, header), {}, damage=f"it has {len(cells)} fields, the header has {len(header.roles)}")
    return _row(line, header, [cell.strip() for cell in cells])


def parquet_rows(batch: pa.RecordBatch, first: int, header: Columns) -> Iterator[TableRow]:
    """The rows of a piece of Parquet."""
    roles = [header.roles[header.header.index(name)] for name in batch.schema.names]
    narrow = Columns(tuple(batch.schema.names), tuple(roles), header.long)
    values = [column.to_pylist() for column in batch.columns]
    for number, cells in enumerate(zip(*values, strict=True), start=first):
        yield _row(number, narrow, cells)


def _row(line: int, header: Columns, cells: Sequence[Cell]) -> TableRow:
    told: dict[str, Cell] = {}
    drugs = []
    for role, cell in zip(header.roles, cells, strict=True):
        if role == "drug_n":
            if cell:
                drugs.append(cell)
        elif role and cell is not None and cell != "":
            told[role] = cell
    identity = told.pop("id", None)
    if identity is not None and not isinstance(identity, (str, int)):
        identity = str(identity)
    damage = "it has no order_set_id" if header.long and identity is None else ""
    return TableRow(line, identity, told, tuple(drugs), damage)


def _salvaged(text: str, header: Columns) -> str | None:
    parts = text.split(header.delimiter)
    place = header.roles.index("id") if "id" in header.roles else len(parts)
    return parts[place].strip(' "\r') or None if place < len(parts) else None


# --- sets ---


def wide_sets(rows: Iterator[TableRow], system: str) -> Iterator[Asked]:
    """One question a row."""
    for row in rows:
        if row.damage:
            yield Asked(row.line, row.identity, None, refused("damaged-row", f"the row cannot be read: {row.damage}", "correct the row"))
            continue
        codes = ({"system": system, "code": str(code)} for code in _listed(row.cells.get("codes")))
        question: dict[str, Any] = {"drugs": [*_listed(row.cells.get("drugs")), *(spoken(drug) for drug in row.drugs), *codes]}
        if "medications" in row.cells:
            question["medications"] = _listed(row.cells["medications"])
        yield Asked(row.line, row.identity, question | _of_the_set(row.cells))


def long_sets(rows: Iterator[TableRow], system: str) -> Iterator[Asked]:
    """One question for the rows of one id. The sets beside a damaged row of unsure belonging are refused with it."""
    before: list[TableRow] | None = None
    run: list[TableRow] = []
    for group in _runs(rows):
        if run:
            yield _set(run, system, _stray(before), _stray(group))
        before, run = run, group
    if run:
        yield _set(run, system, _stray(before), None)


def _runs(rows: Iterator[TableRow]) -> Iterator[list[TableRow]]:
    run: list[TableRow] = []
    for row in rows:
        if run and (row.identity != run[-1].identity or row.identity is None):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _stray(run: list[TableRow] | None) -> int | None:
    """The line of a damaged row that stands between two sets, and so might belong to either."""
    return run[0].line if run and all(row.damage for row in run) else None


def _set(run: list[TableRow], system: str, before: int | None, after: int | None) -> Asked:
    first = run[0]
    damaged = next((row for row in run if row.damage), None)
    if damaged is not None:
        return _refused(
            first, "damaged-row", f"line {damaged.line} of this set cannot be read: {damaged.damage}", "correct the line", damaged.line
        )
    beside = before if before is not None else after
    if beside is not None:
        return _refused(
            first, "damaged-row", f"line {beside}, next to this set, cannot be read and might belong to it", "correct that line", beside
        )
    question: dict[str, Any] = {"drugs": []}
    whole: dict[str, Any] = {}
    for row in run:
        cells = row.cells
        for role in ("mode", "age_days"):
            if whole.setdefault(role, cells.get(role)) != cells.get(role):
                return _refused(first, "not-a-question", f"{role} differs within the set", "write the same in every row of a set", row.line)
        named = (
            cells["drug"]
            if "drug" in cells
            else {"system": cells.get("system", system), "code": str(cells["code"])}
            if "code" in cells
            else ""
        )
        item = {"drug": named} | {role: _text(role, cells[role]) for role in OF_A_DRUG if role in cells}
        question.setdefault("medications" if str(cells.get("medication", "")).casefold() in _YES else "drugs", []).append(item)
    return Asked(first.line, first.identity, question | _of_the_set(whole))


def _refused(first: TableRow, reason: str, what: str, mend: str, line: int) -> Asked:
    return Asked(first.line, first.identity, None, refused(reason, what, mend, f"lines/{line}"))


def _of_the_set(cells: dict[str, Cell]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if cells.get("mode") is not None:
        told["mode"] = cells["mode"]
    age = cells.get("age_days")
    if age is not None:
        told["patient"] = {"age_days": int(age) if isinstance(age, str) and age.isdecimal() else age}
    return told


def _listed(cell: Cell) -> list[Any]:
    """A list of drugs: of Parquet as it is (fields that are empty left out), of text by semicolons."""
    if cell is None:
        return []
    if isinstance(cell, str):
        return [spoken(part) for part in cell.split(";") if part.strip()]
    if not isinstance(cell, list):
        return [cell]
    return [
        {key: value for key, value in item.items() if value is not None} if isinstance(item, dict) else "" if item is None else item
        for item in cell
    ]


def _text(role: str, cell: Cell) -> Any:
    """A cell as the question wants it: numbers only where they are numbers."""
    return (
        cell
        if isinstance(cell, str) or role in ("hours", "rate_ml_per_h")
        else cell.isoformat()
        if hasattr(cell, "isoformat")
        else str(cell)
    )


# --- where sets of the long form may be cut ---


def last_boundary(data: bytes, header: Columns) -> int:
    """The last offset in whole lines at which one set has ended and the next begun, both rows readable; 0 = none."""
    end = len(data)
    later: TableRow | None = None
    while end > 0:
        start = data.rfind(b"\n", 0, end - 1) + 1
        raw = data[start:end].rstrip(b"\n")
        if raw.strip():
            row = csv_row(raw, 0, header)
            if later is not None and not row.damage and not later.damage and row.identity != later.identity:
                return end
            later = row
        end = start
    return 0


def last_run(batch: pa.RecordBatch, header: Columns, size: int) -> int:
    """The same for the first `size` rows of a piece of Parquet."""
    ids = batch.column(header.header[header.roles.index("id")]).slice(0, size).to_pylist()
    for place in range(len(ids) - 1, 0, -1):
        if ids[place] != ids[place - 1] and ids[place] is not None and ids[place - 1] is not None:
            return place
    return 0
