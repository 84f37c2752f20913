"""A licensed chart becomes an overlay; nothing in it is dropped without a word."""

import pytest

from checker import Checker, Names, chart, order
from checker.model import Status
from knowledge import load
from tests.conftest import WORLD

LONG = "Drug A,Drug B,Result,conc_a\nsamplicin,mockplatin,C,2 mg/mL\nmockplatin,samplicin,compatible,\nsamplicin,warfictin,I,\nsamplicin,zzzmab,C,\nsamplicin,depotaril,maybe,\nsamplicin,samplicin,C,\nsamplicin,phonyvir,,\n"
GRID = ";samplicin;mockplatin;zzzmab\nsamplicin;;V;C\nmockplatin;i;;\nphonyvir;Compatible;not tested;Q\n"


@pytest.fixture
def names(world):
    return Names(world)


def write(tmp_path, text):
    file = tmp_path / "chart.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_list_is_read(tmp_path, names):
    read = chart.read(write(tmp_path, LONG), names)

    assert read.form == "long"
    assert [(row["drug"], row["with"], row["result"]) for row in read.rows] == [
        ("mockplatin", "samplicin", "compatible"),
        ("mockplatin", "samplicin", "compatible"),
        ("samplicin", "warfictin", "incompatible"),
    ]
    assert {row.get("with_conc") for row in read.rows} == {"2 mg/mL", None}, "the concentration goes with its drug when the pair is turned"
    assert set(read.unknown) == {"zzzmab"}
    assert [why for _, why in read.unread] == [
        '"samplicin" + "zzzmab": a name is unknown',
        'the verdict "maybe" is unknown',
        '"samplicin" and "samplicin" are the same drug',
    ]
    assert read.empty == 1


def test_a_grid_is_read(tmp_path, names):
    read = chart.read(write(tmp_path, GRID), names)

    assert read.form == "grid"
    assert {(row["drug"], row["with"], row["result"]) for row in read.rows} == {
        ("mockplatin", "samplicin", "variable"),
        ("mockplatin", "samplicin", "incompatible"),
        ("phonyvir", "samplicin", "compatible"),
    }
    assert set(read.unknown) == {"zzzmab"}
    assert ("line 2, column 4", '"samplicin" + "zzzmab": a name is unknown') in read.unread
    assert ("line 4, column 4", 'the verdict "Q" is unknown') in read.unread


@pytest.mark.parametrize("text", ["", "a,b\n", "one,two\nx,y\n"])
def test_what_is_no_chart_is_refused(tmp_path, names, text):
    with pytest.raises(ValueError, match=r"chart\.csv"):
        chart.read(write(tmp_path, text), names)


def test_the_overlay_speaks_as_the_chart(tmp_path, names):
    read = chart.read(write(tmp_path, LONG), names)
    chart.write(read, tmp_path / "overlay", name="Our chart", licence="licensed to us", imported="2026-01-02")
    base = load(WORLD, overlay=tmp_path / "overlay", cache=False)
    report = Checker(base).check(order({"drugs": ["samplicin", "warfictin"]}, Names(base)))

    assert report.pairs[0].line.status is Status.INCOMPATIBLE
    assert base.sources["chart-our-chart"].kind == "chart"
    assert base.sources["chart-our-chart"].licence == "licensed to us"
    with pytest.raises(FileExistsError):
        chart.write(read, tmp_path / "overlay", name="Our chart", licence="licensed to us", imported="2026-01-02")
