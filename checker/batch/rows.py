"""Result rows: what they hold at each level of detail, and how they are written as NDJSON, CSV or Arrow.

A row of verdicts is the same in every format: id, file (where there are several), line, verdict, how many of its names were understood
and not, the pairs on one line by status, the knowledge, and for a row without an answer the error instead of all that.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from checker.batch.errors import Refusal
from checker.matrix import Bytes, Ints
from checker.model import Finding
from checker.screen import VERDICTS

LEVELS = ("verdict", "findings", "full")
COUNTS = ("incompatible", "variable", "no_data", "compatible")
ERRORED = len(VERDICTS)  # in `verdicts`: the row has no answer
REMEMBERED = 100_000  # ends of rows kept at most
_BITS = 11  # of a counter; the largest order has 1,770 pairs
_COLUMNS = {
    "verdict": (
        ("verdict", pa.string()),
        ("understood", pa.int32()),
        ("not_understood", pa.int32()),
        *((name, pa.int32()) for name in COUNTS),
    ),
    "findings": (
        ("verdict", pa.string()),
        ("number", pa.int32()),
        ("of", pa.int32()),
        ("level", pa.string()),
        ("kind", pa.string()),
        ("code", pa.string()),
        ("severity", pa.string()),
        ("drugs", pa.string()),
        ("text", pa.string()),
        ("management", pa.string()),
        ("sources", pa.string()),
    ),
    "full": (("verdict", pa.string()), ("report", pa.string())),
}


@dataclass(frozen=True, slots=True)
class Dress:
    """What all rows of one chunk share. knowledge: version and digest, short. file: where there are several."""

    level: str
    form: str
    knowledge: str
    file: str | None


@dataclass(slots=True)
class Verdicts:
    """Answers at the level of verdicts, a column each; all of length m.

    identities: a list, or an Arrow array. lines: int64[m]. verdicts: uint8[m], ranks of Verdict or ERRORED. understood, missing: int64[m].
    counts: int64[m, 4] by Status. refusals: place -> why there is no answer.
    """

    identities: Any
    lines: Ints
    verdicts: Bytes
    understood: Ints
    missing: Ints
    counts: Ints
    refusals: dict[int, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """One answer at a finer level. rendered: the findings as JSON (level findings), or the report."""

    line: int
    identity: str | int | None
    verdict: str = ""
    findings: tuple[Finding, ...] = ()
    rendered: Any = None
    refusal: Refusal | None = None


def schema(dress: Dress) -> pa.Schema:
    """The columns of a table of results."""
    file = [("file", pa.string())] if dress.file is not None else []
    return pa.schema(
        [("id", pa.string()), *file, ("line", pa.int64()), *_COLUMNS[dress.level], ("error", pa.string()), ("knowledge", pa.string())]
    )


def header(dress: Dress) -> bytes:
    """The first line of a CSV; nothing for other formats."""
    return (",".join(schema(dress).names) + "\n").encode() if dress.form == "csv" else b""


# --- verdicts ---


class _Ends(dict[int, bytes]):
    """How a row of verdicts ends, by what it holds: most rows end alike."""

    def __init__(self, knowledge: str) -> None:
        super().__init__()
        self.knowledge = knowledge

    def __missing__(self, key: int) -> bytes:
        counts = [key >> _BITS * (3 - column) & (1 << _BITS) - 1 for column in range(len(COUNTS))]
        first = key >> _BITS * len(COUNTS)
        told: dict[str, Any] = {"verdict": VERDICTS[first & 7], "understood": first >> 3 & 0xFF, "not_understood": first >> 11}
        end = b"," + orjson.dumps(told | dict(zip(COUNTS, counts, strict=True)) | {"knowledge": self.knowledge})[1:] + b"\n"
        if len(self) >= REMEMBERED:
            self.clear()
        self[key] = end
        return end


class VerdictWriter:
    """Writes rows of verdicts."""

    def __init__(self) -> None:
        self._ends: dict[str, _Ends] = {}

    def write(self, found: Verdicts, dress: Dress) -> bytes:
        """The rows in the format asked, without packing."""
        if dress.form == "parquet":
            return _arrow(_verdict_table(found, dress))
        if dress.form == "csv":
            return _csv(_verdict_table(found, dress))
        return self._ndjson(found, dress)

    def _ndjson(self, found: Verdicts, dress: Dress) -> bytes:
        ends = self._ends.setdefault(dress.knowledge, _Ends(dress.knowledge))
        packed = found.verdicts.astype(np.int64) | found.understood << 3 | found.missing << 11
        for column in range(len(COUNTS)):
            packed = (packed << _BITS) + found.counts[:, column]
        if found.refusals:
            packed[list(found.refusals)] = 0
        closing = list(map(ends.__getitem__, packed.tolist()))
        for place, refusal in found.refusals.items():
            closing[place] = b"," + orjson.dumps({"error": refusal.told(), "knowledge": dress.knowledge})[1:] + b"\n"
        middle = b'%b,"line":' % (b',"file":' + orjson.dumps(dress.file) if dress.file is not None else b"")
        row = b'{"id":%b' + middle.replace(b"%", b"%%") + b"%d%b"
        return b"".join([row % parts for parts in zip(_as_json(found.identities), found.lines.tolist(), closing, strict=True)])


def _as_json(identities: Any) -> list[bytes]:
    """Each id as JSON. Texts are written all together: within one, a quote is never without its backslash, so that nothing looks like the seam."""
    ids = identities if isinstance(identities, list) else identities.to_pylist()
    if not ids:
        return []
    if set(map(type, ids)) == {str}:
        return [b'"%b"' % text for text in orjson.dumps(ids)[2:-2].split(b'","')]
    return list(map(orjson.dumps, ids))


def _verdict_table(found: Verdicts, dress: Dress) -> pa.RecordBatch:
    answered = found.verdicts < ERRORED
    mask = ~answered if found.refusals else None
    errors: list[str | None] = [None] * len(found.lines)
    for place, refusal in found.refusals.items():
        errors[place] = refusal.text()
    words = pa.array([*map(str, VERDICTS)])
    verdicts = words.take(pa.array(found.verdicts, mask=mask))
    numbers = [pa.array(column, pa.int32(), mask=mask) for column in (found.understood, found.missing, *found.counts.T)]
    return _framed(found.identities, pa.array(found.lines), [verdicts, *numbers], pa.array(errors, pa.string()), dress)


def _framed(identities: Any, lines: pa.Array, columns: Sequence[pa.Array], errors: pa.Array, dress: Dress) -> pa.RecordBatch:
    """A table with what every result row has around its own columns."""
    if isinstance(identities, list):
        ids = pa.array([None if item is None else str(item) for item in identities], pa.string())
    else:
        ids = identities.cast(pa.string())
    file = [pa.repeat(pa.scalar(dress.file), len(ids))] if dress.file is not None else []
    return pa.RecordBatch.from_arrays(
        [ids, *file, lines, *columns, errors, pa.repeat(pa.scalar(dress.knowledge), len(ids))], schema=schema(dress)
    )


# --- findings and full ---


def write(told: Sequence[Told], dress: Dress) -> tuple[bytes, int]:
    """Rows at a finer level than verdicts, without packing, and how many."""
    if dress.form == "ndjson":
        rows = [row for item in told for row in _objects(item, dress)]
        return b"".join(rows), len(rows)
    table = _told_table(told, dress)
    return (_arrow(table) if dress.form == "parquet" else _csv(table)), table.num_rows


def _objects(item: Told, dress: Dress) -> list[bytes]:
    head: dict[str, Any] = {"id": item.identity} | ({"file": dress.file} if dress.file is not None else {}) | {"line": item.line}
    tail = {"knowledge": dress.knowledge}
    if item.refusal is not None:
        return [orjson.dumps(head | {"error": item.refusal.told()} | tail) + b"\n"]
    if dress.level == "full":
        return [orjson.dumps(head | {"verdict": item.verdict, "report": orjson.Fragment(item.rendered)} | tail) + b"\n"]
    number = len(item.rendered)
    findings = list(enumerate(item.rendered, start=1)) or [(0, None)]
    return [
        orjson.dumps(head | {"verdict": item.verdict, "number": place, "of": number, "finding": finding} | tail) + b"\n"
        for place, finding in findings
    ]


def _told_table(told: Sequence[Told], dress: Dress) -> pa.RecordBatch:
    rows = [row for item in told for row in _cells(item, dress.level)]
    columns = _COLUMNS[dress.level]
    made = [pa.array([row[2 + place] for row in rows], kind) for place, (_, kind) in enumerate(columns)]
    lines = pa.array([row[1] for row in rows], pa.int64())
    return _framed([row[0] for row in rows], lines, made, pa.array([row[-1] for row in rows], pa.string()), dress)


def _cells(item: Told, level: str) -> list[tuple[Any, ...]]:
    """id, line, the columns of the level, error."""
    if item.refusal is not None:
        return [(item.identity, item.line, *[None] * len(_COLUMNS[level]), item.refusal.text())]
    if level == "full":
        return [(item.identity, item.line, item.verdict, item.rendered.decode(), None)]
    number = len(item.findings)
    found = [
        (item.identity, item.line, item.verdict, place, number, *_finding(finding), None)
        for place, finding in enumerate(item.findings, start=1)
    ]
    return found or [(item.identity, item.line, item.verdict, 0, 0, *[None] * 8, None)]


def _finding(finding: Finding) -> tuple[str | None, ...]:
    sources = dict.fromkeys(cite.source for cite in finding.sources)
    management, severity = "; ".join(finding.management) or None, finding.severity or None
    return (
        str(finding.level),
        str(finding.kind),
        finding.code,
        severity,
        " + ".join(finding.drugs),
        finding.text,
        management,
        "; ".join(sources) or None,
    )


# --- tables as bytes ---


def _arrow(table: pa.RecordBatch) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_batch(table)
    return sink.getvalue()


def _csv(table: pa.RecordBatch) -> bytes:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return sink.getvalue().encode()
