"""The fast lanes: rows of an id and a list of plain names or codes, which most rows are, as states of the matrix.

What does not fit (conditions, lumens, times, damage) is left to be asked one by one. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from checker.ask import MOST_DRUGS
from checker.batch.errors import refused
from checker.batch.files import Chunk
from checker.batch.lookup import IRREGULAR, MISSING, States
from checker.batch.tables import Asked, parquet_rows, wide_sets
from checker.matrix import Ints
from checker.once import repeated_field

_IDS = ("id", "order_set_id")
_PLAIN = tuple(pa.schema([("id", kind), ("drugs", pa.list_(pa.string()))]) for kind in (pa.string(), pa.int64()))
_COLONS = 2  # in a plain line, unless its texts hold some, or a field stands twice
_NEW_LINE, _OPENING, _CLOSING = b"\n{}"


@dataclass(slots=True)
class Lane:
    """m rows that the matrix may decide as they stand; those in `slow` (places) are asked one by one with `ask`.

    identities: a list, or an Arrow array. lines, sizes, missing: int64[m]. states: int64[sum(sizes)].
    lost: place and Tally key of each name that was not understood.
    """

    identities: Any
    lines: Ints
    sizes: Ints
    states: Ints
    missing: Ints
    slow: list[int]
    ask: Callable[[int], Asked]
    lost: list[tuple[int, str]] = field(default_factory=list)


def slow_lane(asked: list[Asked]) -> Lane:
    """Rows of which none is plain."""
    lines = np.fromiter((item.line for item in asked), np.int64, len(asked))
    none = np.zeros(len(asked), np.int64)
    return Lane(
        [item.identity for item in asked], lines, none, np.zeros(0, np.int64), none.copy(), list(range(len(asked))), asked.__getitem__
    )


def text_lane(payload: bytes, first: int, states: States, ignore: frozenset[str]) -> Lane:
    """NDJSON."""
    if b"\r" in payload:
        payload = payload.replace(b"\r\n", b"\n")
    lane = _all_plain(payload, first, states)
    if lane is not None:
        return lane
    texts = payload.split(b"\n")
    places = [place for place, text in enumerate(texts) if text and not text.isspace()]
    texts = [texts[place] for place in places]
    lines = np.array(places, np.int64) + first
    rows = [_plain(text) for text in texts]
    slow = [place for place, row in enumerate(rows) if row is None]
    spelt = list(chain.from_iterable(row[1] for row in rows if row is not None))
    sizes = np.fromiter((0 if row is None else len(row[1]) for row in rows), np.int64, len(rows))
    ids = [None if row is None else row[0] for row in rows]
    lane = _lane(ids, lines, sizes, _found(spelt, states), spelt.__getitem__, slow, states, partial(_ask_line, texts, lines, ignore))
    for place in lane.slow:
        ids[place] = lane.ask(place).identity
    return lane


def _all_plain(payload: bytes, first: int, states: States) -> Lane | None:
    """The lane of a payload of which every line is plain, read in one go by Arrow; None when one is not.

    Every line begins and ends with a brace, a raw end of line within a text is refused by the parser, and plain rows hold no
    braces of their own: so the rows that are read are the lines, one for one.
    """
    count = _braced(payload)
    if not count or not _utf8(payload):
        return None
    for kind in _PLAIN:
        try:
            table = pj.read_json(
                pa.BufferReader(payload),
                read_options=pj.ReadOptions(use_threads=False, block_size=len(payload) + 1),
                parse_options=pj.ParseOptions(explicit_schema=kind, unexpected_field_behavior="error"),
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
        ids, drugs = table.column("id"), table.column("drugs")
        if table.num_rows != count or ids.null_count:
            return None
        lines = np.arange(first, first + count)
        return _of_lists(ids.combine_chunks(), drugs.combine_chunks(), lines, states, partial(_ask_of, payload, lines))
    return None


def _braced(payload: bytes) -> int:
    """How many lines a payload has, when each begins with an opening and ends with a closing brace; else 0."""
    body = np.frombuffer(payload, np.uint8, len(payload) - payload.endswith(b"\n"))
    ends = np.flatnonzero(body == _NEW_LINE)
    if (
        not len(body)
        or body[0] != _OPENING
        or body[-1] != _CLOSING
        or not ((body[ends - 1] == _CLOSING) & (body[ends + 1] == _OPENING)).all()
    ):
        return 0
    return len(ends) + 1


def _utf8(payload: bytes) -> bool:
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _found(spelt: list[Any], states: States) -> Ints:
    return np.fromiter(map(states.__getitem__, spelt), np.int64, len(spelt))


def _plain(text: bytes) -> tuple[str | int, list[str]] | None:
    """Id and names of a plain line."""
    try:
        row = orjson.loads(text)
        identity, drugs = row["id"], row["drugs"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    plain = len(row) == 2 and type(drugs) is list and type(identity) in (str, int) and all(type(drug) is str for drug in drugs)
    if not plain or (text.count(b":") > _COLONS and repeated_field(text, row) is not None):
        return None
    return identity, drugs


def _ask_of(payload: bytes, lines: Ints, place: int) -> Asked:
    return ask_line(payload.split(b"\n")[place], int(lines[place]))


def _ask_line(texts: list[bytes], lines: Ints, ignore: frozenset[str], place: int) -> Asked:
    return ask_line(texts[place], int(lines[place]), ignore)


def plain_list(chunk: Chunk) -> tuple[str, str] | None:
    """Name and role of the one column of drugs, when a table holds nothing but ids and plain lists."""
    header = chunk.columns
    if header is None or header.long or not isinstance(chunk.payload, pa.RecordBatch):
        return None
    told = [(name, role) for name, role in zip(header.header, header.roles, strict=True) if role and role != "id"]
    if len(told) != 1 or told[0][1] not in ("drugs", "codes"):
        return None
    kind = chunk.payload.schema.field(told[0][0]).type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    inner = kind.value_type
    plain = pa.types.is_string(inner) or pa.types.is_large_string(inner) or (pa.types.is_integer(inner) and told[0][1] == "codes")
    return told[0] if plain else None


def table_lane(chunk: Chunk, name: str, states: States, system: str) -> Lane:
    """Parquet with a column of lists."""
    batch: Any = chunk.payload
    header = chunk.columns
    lists = batch.column(name)
    ids = header.roles.index("id") if header is not None and "id" in header.roles else None
    identities = batch.column(header.header[ids]) if header is not None and ids is not None else [None] * len(lists)
    return _of_lists(identities, lists, np.arange(chunk.line, chunk.line + len(lists)), states, partial(_ask_row, chunk, system))


def _of_lists(identities: Any, lists: Any, lines: Ints, states: States, ask: Callable[[int], Asked]) -> Lane:
    """The lane of an Arrow column of lists: each spelling is looked up once."""
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    encoded = lists.flatten().dictionary_encode()
    spellings = encoded.dictionary.to_pylist()
    known = np.array([*(states[text] for text in spellings), IRREGULAR], np.int64)
    which = pc.fill_null(encoded.indices, len(spellings)).to_numpy(zero_copy_only=False)
    return _lane(identities, lines, sizes, known[which], lambda place: spellings[which[place]], [], states, ask)


def _ask_row(chunk: Chunk, system: str, place: int) -> Asked:
    payload: Any = chunk.payload
    assert chunk.columns is not None  # noqa: S101  # a table has them
    return next(wide_sets(parquet_rows(payload.slice(place, 1), chunk.line + place, chunk.columns), system))


def _lane(
    identities: Any,
    lines: Ints,
    sizes: Ints,
    found: Ints,
    spelling: Callable[[int], Any],
    slow: list[int],
    states: States,
    ask: Callable[[int], Asked],
) -> Lane:
    """Rows whose names have been looked up: those that hold something else than names are slow."""
    irregular = (sizes == 0) | (sizes > MOST_DRUGS)
    irregular[slow] = True
    lost: list[tuple[int, str]] = []
    missing = np.zeros(len(sizes), np.int64)
    if len(found) and (found.min() < 0 or irregular.any()):
        row = np.repeat(np.arange(len(sizes)), sizes)
        irregular[row[found == IRREGULAR]] = True
        unknown = np.flatnonzero((found == MISSING) & ~irregular[row])
        lost = [(place, states.reason(spelling(which))) for place, which in zip(row[unknown].tolist(), unknown.tolist(), strict=True)]
        missing = np.bincount(row[unknown], minlength=len(sizes))
        fine = (found >= 0) & ~irregular[row]
        found, sizes = found[fine], np.bincount(row[fine], minlength=len(sizes))
    return Lane(identities, lines, sizes, found, missing, np.flatnonzero(irregular).tolist(), ask, lost)


def ask_line(text: bytes, line: int, ignore: frozenset[str] = frozenset()) -> Asked:
    """One line of NDJSON as a question: an object with an id and the body of POST /v1/check."""
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Asked(
            line, None, None, refused("not-json", f"the line is not JSON: {error}", 'write {"id": "...", "drugs": [...]} on one line')
        )
    if not isinstance(row, dict):
        return Asked(line, None, None, refused("not-a-question", "the line is not an object", 'write {"id": "...", "drugs": [...]}'))
    try:
        twice = repeated_field(text, row)
    except RecursionError:
        return Asked(line, None, None, refused("not-json", "the line is nested too deep", "a question needs three levels at most"))
    told = [row.pop(key) for key in _IDS if key in row]
    identity = told[0] if told else None
    for key in ignore & row.keys():
        del row[key]
    if len(told) > 1 or isinstance(identity, bool) or not isinstance(identity, (str, int, type(None))):
        return Asked(
            line, None, None, refused("not-a-question", "the id is not one text or number", 'write "id": "..." once, or leave it out', "id")
        )
    if twice is not None:
        mend = "keep one of the two; readers differ on which would count"
        return Asked(
            line,
            None if twice in _IDS else identity,
            None,
            refused("not-a-question", f'the field "{twice}" stands twice in one object', mend, twice),
        )
    return Asked(line, identity, row)
