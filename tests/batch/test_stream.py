"""NDJSON as it comes: one answer a line, one bad line never breaks the rest, and the end says that it is the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from checker.batch import Cut, Limits, Streamer, answers, lines
from knowledge import Knowledge
from tests.batch.conftest import ndjson, read, rows, screen


@pytest.fixture(scope="module")
def streamer(world: Knowledge) -> Streamer:
    return Streamer(world)


def answered(given: list[bytes], by: Streamer, **limits: int) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in b"".join(answers(given, by, limits=Limits(**limits), at_once=7)).splitlines()]


def test_the_answers_of_a_batch(world: Knowledge, streamer: Streamer, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 100))
    screen(world, given, tmp_path / "out.ndjson")
    *found, end = answered(given.read_bytes().splitlines(keepends=True), streamer)

    assert read(tmp_path / "out.ndjson") == found
    assert {"lines": 100, "blank": 0, "sets": 100, "written": 100, "errors": 0} == {
        key: value for key, value in end["end"].items() if key != "verdicts"
    }  # type: ignore[attr-defined]


def test_one_bad_line_never_breaks_the_rest(streamer: Streamer) -> None:
    good = b'{"id":"good","drugs":["samplamycin"]}\n'
    *found, end = answered([good, b"{", b"\n", good, b'{"id":1,"drugs":["' + b"x" * 500 + b'"]}', good], streamer, line_bytes=300)

    assert [1, 2, 4, 5, 6] == [row["line"] for row in found]
    assert [False, True, False, True, False] == ["error" in row for row in found]
    assert "too-long" == found[3]["error"]["reason"]  # type: ignore[index]
    assert (5, 1, 2) == (end["end"]["sets"], end["end"]["blank"], end["end"]["errors"])  # type: ignore[index]


@pytest.mark.parametrize("level", ["verdict", "full"])
@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"id":"a","drugs":["samplamycin","fictazolam"],"drugs":["samplamycin"]}', "drugs"),
        (b'{"id": "a", "drugs": ["samplamycin", "fictazolam"], "dr\\u0075gs": ["samplamycin"]}', "drugs"),
        (b'{"id":"a","drugs":[{"drug":"samplamycin","drug":"fictazolam"}]}', "drug"),
        (b'{"id":"a","id":"b","drugs":["samplamycin"]}', "id"),
    ],
)
def test_a_field_that_stands_twice_makes_an_error_row(streamer: Streamer, level: str, line: bytes, field: str) -> None:
    """Or the first list of drugs would be dropped in silence."""
    good = b'{"id":"ward:1","drugs":["samplamycin"]}'
    *found, end = [orjson.loads(row) for row in b"".join(answers([good, line, good], streamer, level)).splitlines()]

    assert [False, True, False] == ["error" in row for row in found]
    assert ("not-a-question", field) == (found[1]["error"]["reason"], found[1]["error"]["errors"][0]["at"])
    assert ("a" if field != "id" else None) == found[1]["id"]
    assert 1 == end["end"]["errors"]


def test_too_many_rows_end_with_an_error_row(streamer: Streamer) -> None:
    good = b'{"id":"good","drugs":["samplamycin"]}\n'
    *found, late, end = answered([good] * 30, streamer, rows=12)

    assert list(range(1, 13)) == [row["line"] for row in found]
    assert (13, "too-many-rows") == (late["line"], late["error"]["reason"])  # type: ignore[index]
    assert 13 == end["end"]["written"]  # type: ignore[index]


def test_it_reads_no_further_than_it_answers(streamer: Streamer) -> None:
    """A reader that stops asking stops the writer: back-pressure."""
    taken: list[int] = []

    def given() -> Iterator[bytes]:
        for number in range(1_000):
            taken.append(number)
            yield b'{"id":%d,"drugs":["samplamycin"]}\n' % number

    next(answers(given(), streamer, at_once=10))

    assert len(taken) <= 10


def test_nothing_sent(streamer: Streamer) -> None:
    assert [0] == [row["end"]["sets"] for row in answered([], streamer)]  # type: ignore[index]


def test_a_stream_that_is_cut_says_so_and_has_no_end(streamer: Streamer) -> None:
    def given() -> Iterator[bytes]:
        yield from [b'{"id":1,"drugs":["samplamycin"]}'] * 3
        raise Cut("took-too-long", "the time ran out", "send less")

    *_, last = [orjson.loads(line) for line in b"".join(answers(given(), streamer, at_once=2)).splitlines()]

    assert "took-too-long" == last["cut"]["reason"]
    assert 2 == last["so_far"]["written"]


@pytest.mark.parametrize("size", [1, 3, 7, 1_000])
def test_lines_of_a_body(size: int) -> None:
    data = b"one\n\ntwo\n" + b"x" * 50 + b"\nthree"
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    found = list(lines(lambda _: parts.pop(0) if parts else b"", 20))

    assert [b"one", b"", b"two", b"three"] == [line for line in found if len(line) <= 20]
    assert 5 == len(found)
    assert 20 < len(found[3]) <= 20 + size
