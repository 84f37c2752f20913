"""Every row is answered once, in every form, and as POST /v1/check would answer it."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from checker import AskError, Checker, Names, order
from checker.batch import BatchError
from checker.batch.lookup import BatchNames, read_order
from checker.batch.rows import COUNTS
from checker.model import Order
from knowledge import Knowledge
from tests.batch.conftest import ndjson, read, rows, screen
from tests.conftest import WORLD

ANSWER = ("verdict", "understood", "not_understood", *COUNTS)


def answers(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["id"], *(row.get(key) for key in ANSWER)) for row in found]


@pytest.fixture(scope="module")
def given(world: Knowledge) -> list[dict[str, Any]]:
    return rows(world, 1_500)


@pytest.fixture(scope="module")
def expected(given: list[dict[str, Any]], world_names: Names, world_checker: Checker) -> list[tuple[Any, ...]]:
    """The answers of the engine, one by one."""
    told = []
    for row in given:
        asked = order({"drugs": row["drugs"]}, world_names)
        report = world_checker.check(asked)
        statuses = [str(pair.line.status).replace("-", "_") for pair in report.pairs if pair.line]
        told.append(
            (row["id"], report.verdict, len(asked.infusions), len(asked.not_understood), *(statuses.count(status) for status in COUNTS))
        )
    return told


def test_ndjson(world: Knowledge, tmp_path: Path, given: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    done = screen(world, ndjson(tmp_path / "in.ndjson", given), tmp_path / "out.ndjson")
    found = read(tmp_path / "out.ndjson")

    assert expected == answers(found)
    assert list(range(1, len(given) + 1)) == [row["line"] for row in found]
    assert {f"{world.version} {world.digest[:12]}"} == {row["knowledge"] for row in found}
    assert done.summary["balances"]


def test_plain_chunks_and_mixed_chunks_agree(
    world: Knowledge, tmp_path: Path, given: list[dict[str, Any]], expected: list[tuple[Any, ...]]
) -> None:
    plain = [place for place, row in enumerate(given) if all(isinstance(drug, str) for drug in row["drugs"])]
    screen(world, ndjson(tmp_path / "in.ndjson", [given[place] for place in plain]), tmp_path / "out.ndjson")

    assert [expected[place] for place in plain] == answers(read(tmp_path / "out.ndjson"))


def write_long(path: Path, given: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("order_set_id", "drug", "Concentration", "line"))
        for row in given:
            for item in row["drugs"]:
                told = item if isinstance(item, dict) else {"drug": item}
                writer.writerow((row["id"], told["drug"], told.get("conc", ""), told.get("line", "")))
    return path


def spoken(item: Any) -> str:
    return item if isinstance(item, str) else f"{item['drug']}@{item.get('conc', '')}@{item.get('line', '')}".rstrip("@")


def test_csv_long(world: Knowledge, tmp_path: Path, given: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    done = screen(world, write_long(tmp_path / "in.csv", given), tmp_path / "out.ndjson")

    assert expected == answers(read(tmp_path / "out.ndjson"))
    assert sum(len(row["drugs"]) for row in given) == done.summary["rows"]
    assert len(given) == done.summary["sets"]
    assert done.summary["balances"]


def test_csv_wide(world: Knowledge, tmp_path: Path, given: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    with (tmp_path / "in.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(("id", *(f"drug_{place}" for place in range(1, 8))))
        writer.writerows((row["id"], *[spoken(item) for item in row["drugs"]], *[""] * (7 - len(row["drugs"]))) for row in given)
    screen(world, tmp_path / "in.csv", tmp_path / "out.ndjson")

    assert expected == answers(read(tmp_path / "out.ndjson"))


def test_parquet_wide_and_long(world: Knowledge, tmp_path: Path, given: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    plain = [place for place, row in enumerate(given) if all(isinstance(drug, str) for drug in row["drugs"])]
    wide = {key: [given[place][key] for place in plain] for key in ("id", "drugs")}
    pq.write_table(pa.table(wide), tmp_path / "wide.parquet", row_group_size=100)
    told = [(row["id"], item if isinstance(item, dict) else {"drug": item}) for row in given for item in row["drugs"]]
    long = {"order_set_id": [identity for identity, _ in told]}
    long |= {name: [item.get(key) for _, item in told] for name, key in (("drug", "drug"), ("concentration", "conc"), ("line", "line"))}
    pq.write_table(pa.table(long), tmp_path / "long.parquet", row_group_size=77)
    screen(world, tmp_path / "wide.parquet", tmp_path / "wide.ndjson")
    screen(world, tmp_path / "long.parquet", tmp_path / "long.ndjson")

    assert [expected[place] for place in plain] == answers(read(tmp_path / "wide.ndjson"))
    assert expected == answers(read(tmp_path / "long.ndjson"))


def test_parquet_with_conditions_and_codes(world: Knowledge, tmp_path: Path) -> None:
    coded = {code: drugs[0] for (system, code), drugs in world.codes.items() if system == "rxnorm" and len(drugs) == 1}
    code, drug = next(iter(coded.items()))
    structs = [[{"drug": drug, "conc": "5 mg/mL"}, {"drug": "nobody", "conc": None}], [], None]
    pq.write_table(pa.table({"id": [1, 2, 3], "drugs": structs}), tmp_path / "structs.parquet")
    pq.write_table(pa.table({"id": ["a", "b"], "codes": [[code], [code, "0"]]}), tmp_path / "codes.parquet")
    screen(world, tmp_path / "structs.parquet", tmp_path / "structs.ndjson")
    screen(world, tmp_path / "codes.parquet", tmp_path / "codes.ndjson")
    one, two, three = read(tmp_path / "structs.ndjson")

    assert (1, 1) == (one["understood"], one["not_understood"])
    assert "not-a-question" == two["error"]["reason"] == three["error"]["reason"]
    assert [(1, 0), (1, 1)] == [(row["understood"], row["not_understood"]) for row in read(tmp_path / "codes.ndjson")]


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson.gz", "csv.zst"])
@pytest.mark.parametrize("level", ["verdict", "findings", "full"])
def test_every_output_says_the_same(world: Knowledge, tmp_path: Path, suffix: str, level: str) -> None:
    given = ndjson(tmp_path / "in.ndjson", [*rows(world, 60), {"id": None, "drugs": []}])
    screen(world, given, tmp_path / "plain.ndjson", level=level)
    done = screen(world, given, tmp_path / f"out.{suffix}", level=level)
    plain = read(tmp_path / "plain.ndjson")
    out = tmp_path / f"out.{suffix}"
    if suffix == "parquet":
        found = pq.read_table(out).to_pylist()
    else:
        data = unpacked(out)
        found = list(csv.DictReader(data.decode().splitlines())) if "csv" in suffix else [orjson.loads(line) for line in data.splitlines()]

    assert len(plain) == len(found) == done.summary["written"]
    assert [str(row["line"]) for row in plain] == [str(row["line"]) for row in found]
    assert [row.get("verdict") or "" for row in plain] == [row.get("verdict") or "" for row in found]
    assert [bool(row.get("error")) for row in plain] == [bool(row.get("error")) for row in found]
    if level == "findings" and suffix != "ndjson.gz":
        assert [row["finding"]["text"] if row.get("finding") else "" for row in plain] == [row["text"] or "" for row in found]
    if level == "full" and suffix != "ndjson.gz":
        assert [row.get("report") for row in plain] == [orjson.loads(row["report"]) if row["report"] else None for row in found]


def test_findings_and_full_are_the_engine_s_own(
    world: Knowledge, tmp_path: Path, world_names: Names, world_checker: Checker, world_renderer: Any
) -> None:
    given = rows(world, 80, seed=5)
    screen(world, ndjson(tmp_path / "in.ndjson", given), tmp_path / "full.ndjson", level="full")
    screen(world, tmp_path / "in.ndjson", tmp_path / "findings.ndjson", level="findings")
    reports = [world_renderer.plain(world_checker.check(order({"drugs": row["drugs"]}, world_names))) for row in given]
    findings = [(row["id"], finding) for row, report in zip(given, reports, strict=True) for finding in report["findings"] or [None]]

    assert reports == [row["report"] for row in read(tmp_path / "full.ndjson")]
    assert findings == [(row["id"], row["finding"]) for row in read(tmp_path / "findings.ndjson")]


BAD = [
    (b'{"id": 1', "not-json", None),
    (b"\xff\xfe", "not-json", None),
    (b"[]", "not-a-question", None),
    (b'"text"', "not-a-question", None),
    (b'{"id": 2}', "not-a-question", 2),
    (b'{"id": 3, "drugs": []}', "not-a-question", 3),
    (b'{"id": 4, "drugs": "samplamycin"}', "not-a-question", 4),
    (b'{"id": 5, "drugs": ["samplamycin", 7]}', "not-a-question", 5),
    (b'{"id": 6, "drugs": ["samplamycin", "samplamycin"]}', "not-a-question", 6),
    (b'{"id": 7, "drugs": [" "]}', "not-a-question", 7),
    (b'{"id": 8, "drugs": [{"drug": "samplamycin", "conc": "5 mg"}]}', "not-a-question", 8),
    (b'{"id": 9, "drugs": ["samplamycin"], "colour": "red"}', "not-a-question", 9),
    (b'{"id": {"a": 1}, "drugs": ["samplamycin"]}', "not-a-question", None),
    (b'{"id": true, "drugs": ["samplamycin"]}', "not-a-question", None),
    (b'{"id": "10", "drugs": ["' + b"x" * 300 + b'"]}', "not-a-question", "10"),
    (b'{"id": 11, "drugs": [' + b",".join(b'"%d"' % n for n in range(61)) + b"]}", "not-a-question", 11),
    (b'{"id": 12, "drugs": [null]}', "not-a-question", 12),
]


@pytest.mark.parametrize("level", ["verdict", "findings", "full"])
def test_bad_rows_become_error_rows(world: Knowledge, tmp_path: Path, level: str) -> None:
    good = b'{"id": "good", "drugs": ["samplamycin"]}'
    (tmp_path / "in.ndjson").write_bytes(b"\n".join([good, b"", *(line for line, _, _ in BAD), b"  ", good]))
    done = screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson", level=level)
    found = [row for row in read(tmp_path / "out.ndjson") if "error" in row]

    assert [(place, identity, reason) for place, (_, reason, identity) in enumerate(BAD, start=3)] == [
        (row["line"], row["id"], row["error"]["reason"]) for row in found
    ]
    assert all(error["reason"] and error["mend"] for row in found for error in row["error"]["errors"])
    assert (len(BAD), 2) == (done.summary["errors"]["sets"], done.summary["blank"])
    assert done.summary["balances"]


def test_merged_lines_are_not_taken_for_one_row(world: Knowledge, tmp_path: Path) -> None:
    """Lines that are no JSON alone must not become it beside one another."""
    lines = [
        b'{"id":1,"drugs":["samplamycin}',
        b'{fictazolam"]}',
        b'{"id":2,"drugs":["samplamycin"]},{"id":3,"drugs":["samplamycin"]}',
        b'{"id":4,"drugs":[{"drug":"samplamycin"}',
        b'{"drug":"fictazolam"}]}',
    ]
    (tmp_path / "in.ndjson").write_bytes(b"\n".join(lines))
    screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson")

    assert [(place, "not-json") for place in range(1, 6)] == [
        (row["line"], row["error"]["reason"]) for row in read(tmp_path / "out.ndjson")
    ]


def test_ids_are_given_back_as_they_came(world: Knowledge, tmp_path: Path) -> None:
    ids = ["a", 'quo"te', 'seam","seam', "back\\", '\\","', "ü€", "", 7, None, -1]
    given = [{"id": identity, "drugs": ["samplamycin"]} for identity in ids]
    for name, some in (("texts", given[:7]), ("mixed", given)):
        screen(world, ndjson(tmp_path / f"{name}.ndjson", some), tmp_path / f"{name}.out.ndjson")

        assert [row["id"] for row in some] == [row["id"] for row in read(tmp_path / f"{name}.out.ndjson")]


def test_windows_line_ends(world: Knowledge, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(b'{"id":1,"drugs":["samplamycin"]}\r\n{"id":2,"drugs":["fictazolam"]}\r\n')
    done = screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson")

    assert [1, 2] == [row["id"] for row in read(tmp_path / "out.ndjson")]
    assert 0 == done.summary["errors"]["sets"]


def test_reading_without_the_schema_is_reading_with_it(world: Knowledge, world_names: Names) -> None:
    """The short way to an Order gives the same Order, or the same refusal."""
    names = BatchNames(world, suggesting=True)
    items: list[Any] = [
        {"drug": "samplamycin", "conc": "x"},
        {"drug": "samplamycin", "vehicle": "zz"},
        {"drug": ""},
        {"conc": "1 mg/mL"},
        {"drug": "samplamycin", "line": ""},
        3,
        None,
        {"drug": None},
        {"drug": "samplamycin", "start": "1"},
    ]
    odd = [{"drugs": [item]} for item in items]
    for question in [*({"drugs": row["drugs"]} for row in rows(world, 400, seed=9)), *odd]:
        found = read_order(question, names)
        try:
            expected: Order | None = order(question, world_names)
        except AskError as error:
            assert not isinstance(found, Order)
            assert error.problems[:10] == found.problems
        else:
            assert expected == found


# --- several files, columns, names ---


def test_a_folder_names_its_files(world: Knowledge, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    given = rows(world, 30)
    ndjson(folder / "b.ndjson", given[10:])
    ndjson(folder / "a.ndjson", given[:10])
    (folder / "_SUCCESS").touch()
    done = screen(world, folder, tmp_path / "out.ndjson")

    assert [("a.ndjson", line) for line in range(1, 11)] + [("b.ndjson", line) for line in range(1, 21)] == [
        (row["file"], row["line"]) for row in read(tmp_path / "out.ndjson")
    ]
    assert ["a.ndjson", "b.ndjson"] == done.summary["input"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("id,drugs,ward", "unknown columns ward"),
        ("id,conc", "no column names the drugs"),
        ("id,drug,drugs", "columns of both forms"),
        ("drug,conc", "needs the column order_set_id"),
        ("id,order_set_id,drug", "several columns for id"),
    ],
)
def test_columns_that_are_not_understood_stop_the_batch(world: Knowledge, tmp_path: Path, header: str, words: str) -> None:
    (tmp_path / "in.csv").write_text(f"{header}\n1,2,3\n")
    with pytest.raises(BatchError, match=words) as stopped:
        screen(world, tmp_path / "in.csv", tmp_path / "out.ndjson")

    assert stopped.value.mend
    assert not (tmp_path / "out.ndjson").exists()


def test_columns_may_be_passed_over(world: Knowledge, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,drugs,ward\n1,samplamycin; fictazolam,ICU\n")
    ndjson(tmp_path / "in.ndjson", [{"id": "1", "drugs": ["samplamycin", "fictazolam"], "ward": "ICU"}])
    for name in ("in.csv", "in.ndjson"):
        screen(world, tmp_path / name, tmp_path / "out.ndjson", ignore=frozenset({"ward"}))

        assert [2] == [row["understood"] for row in read(tmp_path / "out.ndjson")]


def test_names_not_understood_are_counted_with_suggestions(world: Knowledge, tmp_path: Path) -> None:
    given = [{"id": number, "drugs": ["samplamycyn", "fictazolam"]} for number in range(3)] + [{"id": 9, "drugs": ["wholly unheard of"]}]
    done = screen(world, ndjson(tmp_path / "in.ndjson", given), tmp_path / "out.ndjson")
    first, second = done.summary["not_understood"]

    assert ("samplamycyn", 3, "unresolved-name") == (first["asked"], first["times"], first["reason"])
    assert "samplamycin" in first["candidates"]
    assert ("wholly unheard of", 1, []) == (second["asked"], second["times"], second["candidates"])
    assert all(row["verdict"] != "clear" for row in read(tmp_path / "out.ndjson"))


def test_levels_count_the_same_pairs(world: Knowledge, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 300))
    keys = (
        "verdicts",
        "errors",
        "incompatible_pairs",
        "variable_pairs",
        "interactions",
        "most_worth_finding",
        "not_understood",
        "worst_sets",
        "sets",
    )
    told = [screen(world, given, tmp_path / f"{level}.ndjson", level=level).summary for level in ("verdict", "findings", "full")]

    assert {key: told[0][key] for key in keys} == {key: told[1][key] for key in keys} == {key: told[2][key] for key in keys}


def test_formats_that_are_not_known(world: Knowledge, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 2))
    for path, out in ((tmp_path / "none.ndjson", "out.ndjson"), (given, "out.xlsx"), (given, "out.parquet.gz"), (given, "in.ndjson")):
        with pytest.raises(BatchError):
            screen(world, path, tmp_path / out)
    assert WORLD.is_dir()
