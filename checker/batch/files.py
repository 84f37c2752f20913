"""Input files as chunks: whole rows, a bounded number of bytes, cut at places that depend on nothing but the content.

A chunk is what a worker answers. Where it ends is where the next begins (Place), so that a run can go on where it stopped,
and two runs cut alike. What cannot be read is not skipped: it becomes a chunk with `damage`, and so an error row.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from checker.batch.errors import BatchError
from checker.batch.packing import Stream
from checker.batch.tables import Columns, columns, last_boundary, last_run

CHUNK_BYTES = 1 << 19  # of text; some thousands of sets
CHUNK_ROWS = 1 << 15  # of Parquet
LONGEST_LINE = 1 << 24  # bytes; more is not one order set
_HEADER = 1 << 13  # bytes in which the header of a CSV ends
SHOWN = 200  # bytes of a line too long to read

FORMS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
PACKINGS = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True, slots=True)
class Source:
    """One input file; path None = standard input. label: its name in results, where there are several."""

    path: Path | None
    form: str  # ndjson | csv | parquet
    packing: str  # "" | gzip | zstd
    label: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading stands. offset: bytes of unpacked text, or rows of Parquet. line: of the row that comes next, from 1."""

    file: int = 0
    offset: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole rows of one file. damage: why the payload is not to be read as rows; it is one error row then.

    taken: bytes of the file that have been read up to its end, about.
    """

    source: Source
    payload: bytes | pa.RecordBatch
    line: int  # of the first row
    end: Place
    columns: Columns | None = None  # of CSV and Parquet
    damage: str = ""
    taken: int = 0


def form_of(path: Path) -> tuple[str, str]:
    """Format and packing by the name's suffixes. Raises BatchError."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packing = PACKINGS.get(suffixes[-1], "") if suffixes else ""
    form = FORMS.get((suffixes[:-1] if packing else suffixes)[-1]) if len(suffixes) > bool(packing) else None
    if form is None or (form == "parquet" and packing):
        raise BatchError(
            f'"{path.name}" has no known format', f"end the name with one of {', '.join(FORMS)}, text also with {' or '.join(PACKINGS)}"
        )
    return form, packing


def sources(given: str, form: str | None) -> list[Source]:
    """The files that IN names: a file, a folder of files of one format, or "-". form: of standard input."""
    if given == "-":
        if form == "parquet":
            raise BatchError("Parquet cannot be read from a pipe", "give a file")
        return [Source(None, form or "ndjson", "")]
    path = Path(given)
    if not path.exists():
        raise BatchError(f'"{given}" does not exist', "give a file, a folder of files, or - for standard input")
    if path.is_file():
        return [Source(path, *form_of(path))]
    found = [
        Source(file, *form_of(file), file.name)
        for file in sorted(path.iterdir())
        if file.is_file() and not file.name.startswith(("_", "."))
    ]
    if not found or len({source.form for source in found}) > 1:
        held = "files of several formats" if found else "no files"
        raise BatchError(
            f'the folder "{given}" holds {held}', "put files of one format into it; names that begin with . or _ are passed over"
        )
    return found


def chunks(files: Sequence[Source], ignore: frozenset[str], start: Place = Place(), share: int = 1) -> Iterator[Chunk]:
    """All rows from `start` on. ignore: columns that are to be passed over. share: make chunks this many times smaller."""
    for number in range(start.file, len(files)):
        place = start if number == start.file else Place(number)
        yield from read(files[number], ignore, place, None, share)


def read(source: Source, ignore: frozenset[str], place: Place, stop: int | None, share: int = 1) -> Iterator[Chunk]:
    """The rows of one file from a place on. stop: the offset at which to end (of plain NDJSON and Parquet)."""
    if source.form == "parquet":
        yield from _table(source, ignore, place, stop, CHUNK_ROWS // share)
        return
    raw: BinaryIO = sys.stdin.buffer if source.path is None else source.path.open("rb")
    try:
        yield from _text(source, ignore, place, stop, Stream(raw, source.packing), CHUNK_BYTES // share)
    finally:
        if source.path is not None:
            raw.close()


# --- text ---


def _text(source: Source, ignore: frozenset[str], place: Place, stop: int | None, stream: Stream, least: int) -> Iterator[Chunk]:
    header: Columns | None = None
    carry = b""
    if source.form == "csv":
        first, carry = _first_line(stream)
        if not first:
            return
        header = columns(first, source.label or (source.path.name if source.path else "standard input"), ignore)
        if place.offset == 0:
            place = replace(place, offset=len(first), line=2)
        stream.skip(place.offset - len(first) - len(carry))
        carry = carry[max(0, place.offset - len(first)) :] if place.offset - len(first) < len(carry) else b""
    else:
        stream.skip(place.offset)
    size = least
    while True:
        want = size if stop is None else min(size, stop - place.offset)
        data = carry + stream.read(max(0, want - len(carry)))
        ended = len(data) < size
        cut = len(data) if ended and not stream.damage else data.rfind(b"\n") + 1
        if header is not None and header.long and not ended:
            cut = last_boundary(data[:cut], header)
        if cut == 0 and not ended:
            if size < LONGEST_LINE:
                size, carry = 2 * size, data  # no row ends here: look further
                continue
            if b"\n" in data:
                raise BatchError(
                    f"the rows of one order set after line {place.line} take more than {LONGEST_LINE >> 20} MB",
                    "check the id column: is it the same in all rows?",
                )
            yield (chunk := _too_long(source, place, data, stream))
            place, carry, size = chunk.end, b"", least
            continue
        if cut:
            part = data[:cut]
            end = Place(place.file, place.offset + cut, place.line + part.count(b"\n") + (not part.endswith(b"\n")))
            yield Chunk(source, part, place.line, end, header, taken=stream.taken)
            place = end
        carry, size = data[cut:], least
        if ended:
            break
    if stream.damage:
        yield Chunk(
            source,
            carry,
            place.line,
            replace(place, offset=place.offset + len(carry), line=place.line + 1),
            header,
            f"the file breaks off here: {stream.damage}",
        )


def _first_line(stream: Stream) -> tuple[bytes, bytes]:
    data = stream.read(_HEADER)
    cut = data.find(b"\n") + 1
    return (data[:cut], data[cut:]) if cut else (data, b"")


def _too_long(source: Source, place: Place, data: bytes, stream: Stream) -> Chunk:
    """A line without end, passed over to the next line."""
    length = len(data) + stream.pass_over_line()
    return Chunk(
        source,
        data[:SHOWN],
        place.line,
        Place(place.file, place.offset + length, place.line + 1),
        damage=f"the line has more than {LONGEST_LINE >> 20} MB",
    )


# --- Parquet ---


def _table(source: Source, ignore: frozenset[str], place: Place, stop: int | None, least: int) -> Iterator[Chunk]:
    if source.path is None:  # pragma: no cover  # refused by sources()
        return
    try:
        file = pq.ParquetFile(source.path)
    except (pa.ArrowInvalid, OSError) as error:
        yield Chunk(source, b"", place.line, Place(place.file + 1), damage=f"the file is no Parquet: {error}")
        return
    with file:
        header = columns(file.schema_arrow, source.label or source.path.name, ignore)
        try:
            for batch, cut in _cut(file, place.offset, header, stop, least):
                end = Place(place.file, place.offset + cut, place.line + cut)
                taken = source.path.stat().st_size * end.offset // max(1, file.metadata.num_rows)
                yield Chunk(source, batch, place.line, end, header, taken=taken)
                place = end
        except (pa.ArrowInvalid, OSError) as error:
            yield Chunk(source, b"", place.line, replace(place, line=place.line + 1), header, f"the file breaks off here: {error}")


def _cut(file: pq.ParquetFile, skip: int, header: Columns, stop: int | None, least: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Batches of `least` rows from row `skip` on, whatever the row groups are; sets of the long form are not cut."""
    rows = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    ends = list(accumulate(rows))
    last = sum(rows) if stop is None else stop
    groups = [number for number, end in enumerate(ends) if end > skip and end - rows[number] < last]
    if not groups:
        return
    left = last - skip
    skip -= ends[groups[0]] - rows[groups[0]]
    size, held = least, 0
    waiting: list[pa.RecordBatch] = []
    for batch in file.iter_batches(batch_size=least, row_groups=groups, columns=list(header.read), use_threads=False):
        if skip:
            passed = min(skip, batch.num_rows)
            batch, skip = batch.slice(passed), skip - passed
        batch = batch.slice(0, left)
        left -= batch.num_rows
        if batch.num_rows:
            waiting.append(batch)
            held += batch.num_rows
        while held >= size:
            whole = _joined(waiting)
            cut = last_run(whole, header, size) if header.long else size
            if cut == 0:
                size *= 2
                waiting = [whole]
                continue
            yield whole.slice(0, cut), cut
            waiting, held, size = [whole.slice(cut)], held - cut, least
    if held:
        yield _joined(waiting), held


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
