"""Results on disk: written to the side, journalled as they grow, and put in place whole.

Beside OUT stand, while a batch runs, OUT.part (finished result rows), OUT.ids (hashes of the ids) and OUT.journal (how far
it came, replaced as a whole every few seconds). `--resume` cuts both files back to what the journal vouches for and goes on.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from checker.batch.errors import BatchError
from checker.batch.files import Place
from checker.batch.packing import pack
from checker.batch.tally import SEEN, Seen, Tally
from checker.batch.work import Answer

JOURNAL_SECONDS = 3.0
ROW_GROUP = 1 << 16  # rows of a Parquet row group, about
REPEATS_SHOWN, PLACES_SHOWN = 20, 10
MOST_REPEATS = 1 << 20  # ids that are kept to refuse the sets that stand in two places
_AT_ONCE = 1 << 17  # hashes looked at in one go, 20 bytes each
_PARTS = 256  # files that a larger number is shared out to
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Repeats:
    """Ids that stand more than once. sets: how many rows or sets they are. lines: (file, line) of each, of the first few ids."""

    ids: int
    sets: int
    lines: tuple[tuple[tuple[int, int], ...], ...]
    hashes: frozenset[int]


class Output:
    """Where result rows go. Nothing is at OUT before `finish`."""

    def __init__(self, path: Path | None, form: str, packing: str, identity: dict[str, Any]) -> None:
        """path None = standard output. identity: what must be the same for a batch to be resumed."""
        self.path, self.form, self.packing, self.identity = path, form, packing, identity
        self.tally = Tally()
        self.place = Place()
        self._journalled = time.monotonic()
        self._file: BinaryIO = sys.stdout.buffer
        self._ids: BinaryIO | None = None

    def open(self, header: bytes, resume: bool) -> bool:
        """Begin, or go on where an earlier run stopped; tells whether it did. Raises BatchError."""
        if self.path is None:
            self._file.write(pack(header, self.packing) if header else b"")
            return False
        told = self._journal() if resume else None
        self._file = self._side("part").open("r+b" if told else "wb")
        self._ids = self._side("ids").open("r+b" if told else "w+b")
        if told is None:
            self._side("journal").unlink(missing_ok=True)
            self._file.write(pack(header, self.packing) if header else b"")
            return False
        for file, length in ((self._file, told["written"]), (self._ids, told["ids"])):
            file.truncate(length)
            file.seek(length)
        self.place, self.tally = Place(**told["place"]), Tally.of_plain(told["tally"])
        return True

    def add(self, answer: Answer, place: Place) -> None:
        """Append the answer to a chunk; the chunks come in order. place: where the next one begins."""
        if self.form == "parquet":
            self._file.write(_LENGTH.pack(len(answer.data)))
        self._file.write(answer.data)
        if self._ids is not None:
            self._ids.write(answer.seen.tobytes())
        self.tally.add(answer.tally)
        self.place = place
        if self.path is None:
            self._file.flush()
        elif time.monotonic() - self._journalled > JOURNAL_SECONDS:
            self.journal()

    def journal(self) -> None:
        """Vouch for what has been written so far."""
        if self.path is None or self._ids is None:
            return
        for file in (self._file, self._ids):
            file.flush()
            os.fsync(file.fileno())
        told = {
            "identity": self.identity,
            "written": self._file.tell(),
            "ids": self._ids.tell(),
            "place": asdict(self.place),
            "tally": self.tally.plain(),
        }
        _replace(self._side("journal"), msgspec.msgpack.encode(told))
        self._journalled = time.monotonic()

    def repeats(self) -> Repeats:
        """The ids that stand more than once, found among their hashes in bounded memory."""
        if self._ids is None:
            return Repeats(0, 0, (), frozenset())
        self._ids.flush()
        return repeats(self._ids)

    def finish(self) -> None:
        """Put the results in place."""
        if self.path is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self.form == "parquet":
            self._to_parquet()
        else:
            os.replace(self._side("part"), self.path)

    def tidy(self) -> None:
        """Remove what only a resumed run would need."""
        if self._ids is not None:
            self._ids.close()
        for name in ("part", "ids", "journal"):
            if self.path is not None:
                self._side(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files and leave everything for a resumed run."""
        for file in (self._file, self._ids):
            if file is not None and file is not sys.stdout.buffer:
                try:
                    file.close()
                except OSError:  # a full disk again: the journal vouches for less
                    continue

    def _side(self, name: str) -> Path:
        assert self.path is not None  # noqa: S101  # standard output has no files beside it
        return self.path.with_name(f"{self.path.name}.{name}")

    def _journal(self) -> dict[str, Any] | None:
        """What an earlier run vouched for; None when there was none. Raises BatchError when it was another batch."""
        if not self._side("journal").exists() or not self._side("part").exists():
            return None
        try:
            told: dict[str, Any] = msgspec.msgpack.decode(self._side("journal").read_bytes())
        except msgspec.DecodeError:
            return None
        before = told["identity"]
        other = sorted(key for key in self.identity.keys() | before.keys() if self.identity.get(key) != before.get(key))
        if other == ["split"]:
            return None  # the first pass found sets in two places and the second was stopped: both are cheap to do again
        if other:
            told_of = ", ".join(f"{key} (then {_short(before.get(key))}, now {_short(self.identity.get(key))})" for key in other)
            raise BatchError(
                f"the interrupted batch cannot be resumed: it differs in {told_of}",
                "run it with what it began with, or without --resume to begin anew",
            )
        return told

    # --- Parquet ---

    def _to_parquet(self) -> None:
        """The parts, each an Arrow stream, as row groups of one Parquet file. The parts stay until it is in place."""
        assert self.path is not None  # noqa: S101
        whole = self._side("whole")
        with self._side("part").open("rb") as part:
            batches = _streams(part)
            first = next(batches, None)
            if first is None:
                raise BatchError("there are no rows to write", "give a file with rows")
            with pq.ParquetWriter(whole, first.schema, compression="zstd") as writer:
                waiting, rows = [first], first.num_rows
                for batch in batches:
                    waiting.append(batch)
                    rows += batch.num_rows
                    if rows >= ROW_GROUP:
                        writer.write_table(pa.Table.from_batches(waiting), row_group_size=rows)
                        waiting, rows = [], 0
                if waiting:
                    writer.write_table(pa.Table.from_batches(waiting), row_group_size=rows or 1)
        os.replace(whole, self.path)


def _streams(part: BinaryIO) -> Iterator[pa.RecordBatch]:
    while head := part.read(_LENGTH.size):
        with pa.ipc.open_stream(part.read(_LENGTH.unpack(head)[0])) as stream:
            yield from stream


def repeats(file: BinaryIO) -> Repeats:
    """Ids that stand more than once in a file of SEEN, in bounded memory: what does not fit is shared out to smaller files first."""
    found = _Found()
    _look(file, 0, found)
    return Repeats(found.ids, found.sets, tuple(sorted(found.lines)), frozenset(found.hashes))


class _Found:
    def __init__(self) -> None:
        self.ids = self.sets = 0
        self.lines: list[tuple[tuple[int, int], ...]] = []  # the first REPEATS_SHOWN by place
        self.hashes: set[int] = set()

    def add(self, seen: Seen) -> None:
        """Take in all that is known of some hashes."""
        hashed = np.sort(seen["hash"])
        if not (hashed[1:] == hashed[:-1]).any():
            return
        seen = seen[np.argsort(seen["hash"], kind="stable")]
        hashed = seen["hash"]
        same = np.flatnonzero(hashed[1:] == hashed[:-1])
        starts = same[np.concatenate([[True], hashed[same][1:] != hashed[same][:-1]])]
        self.ids += len(starts)
        self.sets += len(same) + len(starts)
        for start in starts.tolist():
            if len(self.hashes) < MOST_REPEATS:
                self.hashes.add(int(hashed[start]))
            alike = seen[start : start + PLACES_SHOWN]
            alike = alike[alike["hash"] == hashed[start]]
            self.lines.append(tuple(sorted((int(item["file"]), int(item["line"])) for item in alike)))
        self.lines = sorted(self.lines)[:REPEATS_SHOWN]


def _look(file: BinaryIO, depth: int, found: _Found) -> None:
    count = file.seek(0, os.SEEK_END) // SEEN.itemsize
    if count <= _AT_ONCE or depth >= 8:
        file.seek(0)
        found.add(np.frombuffer(file.read(), SEEN))
        return
    with ExitStack() as stack:
        parts = [
            stack.enter_context(tempfile.TemporaryFile(dir=Path(file.name).parent if isinstance(file.name, str) else None))
            for _ in range(_PARTS)
        ]
        file.seek(0)
        while data := file.read(SEEN.itemsize * _AT_ONCE):
            seen = np.frombuffer(data, SEEN)
            which = (seen["hash"] >> np.uint64(56 - 8 * depth)).astype(np.int64) % _PARTS
            seen = seen[np.argsort(which, kind="stable")]
            ends = np.cumsum(np.bincount(which, minlength=_PARTS)).tolist()
            for part, start, end in zip(parts, [0, *ends], ends, strict=False):
                part.write(seen[start:end].tobytes())
        for part in parts:
            _look(part, depth + 1, found)


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or as it was."""
    aside = path.with_name(f"{path.name}.new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def put(path: Path, content: bytes) -> None:
    """Write a small file whole, or not at all."""
    _replace(path, content)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 40 else f"{text[:36]} ..."
