"""NDJSON as it comes: one answer a line, one bad line never breaks the rest, and the end says that it is the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
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


BAD = (
    b'{"id":"bad","drugs":["mockprazole","samplamycin"]}',
    b'{"id":"bad","drugs":[{"drug":"mockprazole","conc":"1 mg/mL"}]}',
    b'{"id":"bad","drugs":["mockprazole"],"patient":{"age_days":3}}',
)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("level", ["verdict", "findings", "full"])
@pytest.mark.usefixtures("failing")
def test_a_failure_inside_is_an_error_row(
    world: Knowledge, tmp_path: Path, level: str, bad: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told and logged by its line, and never by what was asked; the other rows have their answers."""
    good = b'{"id":"good","drugs":["samplamycin","fictazolam"]}'
    other = b'{"id":"other","drugs":[{"drug":"samplicin","conc":"1 mg/mL"}]}'
    given = [good, bad, other, good]
    *found, end = [orjson.loads(row) for row in b"".join(answers(given, Streamer(world), level)).splitlines()]
    errors = [row for row in found if "error" in row]

    assert [("bad", 2, "internal")] == [(row["id"], row["line"], row["error"]["reason"]) for row in errors]
    assert "line 2" in errors[0]["error"]["errors"][0]["reason"]
    assert [1, 3, 4] == sorted({row["line"] for row in found if "error" not in row})
    assert (4, 1, 3) == (end["end"]["sets"], end["end"]["errors"], sum(end["end"]["verdicts"].values()))
    assert "line 2" in caplog.text and "ZeroDivisionError" in caplog.text
    assert "mockprazole" not in caplog.text + str(errors) and "Jane" not in caplog.text + str(errors)
    (tmp_path / "in.ndjson").write_bytes(b"\n".join(given) + b"\n")
    done = screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson", level=level)
    assert done.summary["balances"]
    assert found == read(tmp_path / "out.ndjson")


@pytest.mark.usefixtures("failing")
def test_a_failure_inside_refuses_its_row_of_a_table(world: Knowledge, tmp_path: Path) -> None:
    drugs = [["samplamycin", "fictazolam"], ["mockprazole", "samplamycin"], ["samplicin"]]
    pq.write_table(pa.table({"id": ["a", "b", "c"], "drugs": drugs}), tmp_path / "in.parquet")
    done = screen(world, tmp_path / "in.parquet", tmp_path / "out.ndjson")

    assert [("a", False), ("b", True), ("c", False)] == [(row["id"], "error" in row) for row in read(tmp_path / "out.ndjson")]
    assert done.summary["balances"]


def test_a_failure_beside_the_rows_cuts_the_stream(
    world: Knowledge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its last line says so, instead of a stream that breaks off."""

    def fail(self: Streamer, level: str, chunk: object) -> None:
        raise KeyError("Jane Doe")

    monkeypatch.setattr(Streamer, "answer", fail)
    (last,) = [orjson.loads(row) for row in b"".join(answers([b'{"id":1,"drugs":["samplamycin"]}'], Streamer(world))).splitlines()]

    assert ("internal", 0) == (last["cut"]["reason"], last["so_far"]["written"])
    assert "KeyError" in caplog.text and "Jane" not in caplog.text + str(last)


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
