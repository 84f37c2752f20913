"""A licensed chart becomes an overlay; nothing in it is dropped without a word."""

import pytest
from click.testing import CliRunner

from checker import Checker, Names, chart, order
from checker.growth_cli import import_chart
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
        ("mockplatin", "samplicin", "incompatible"),
        ("phonyvir", "samplicin", "compatible"),
    }
    assert read.contradicted == (
        ("line 3, column 2", "mockplatin + samplicin: incompatible here, variable in line 2, column 3; incompatible is kept"),
    )
    assert set(read.unknown) == {"zzzmab"}
    assert ("line 2, column 4", '"samplicin" + "zzzmab": a name is unknown') in read.unread
    assert ("line 4, column 4", 'the verdict "Q" is unknown') in read.unread


def test_of_two_verdicts_on_a_pair_the_stricter_is_kept_and_both_are_told(tmp_path, names):
    text = "drug_a,drug_b,verdict,conc_a\nsamplicin,warfictin,I,\nwarfictin,samplicin,C,\nsamplicin,warfictin,C,2 mg/mL\n"
    read = chart.read(write(tmp_path, text), names)

    assert [(row["result"], row.get("conc")) for row in read.rows] == [("incompatible", None), ("compatible", "2 mg/mL")]
    assert read.contradicted == (("line 3", "samplicin + warfictin: compatible here, incompatible in line 2; incompatible is kept"),)


@pytest.mark.parametrize("conc", ["5", "5 mg", "strong"])
def test_a_concentration_that_the_overlay_would_refuse_is_listed(tmp_path, names, conc):
    """Not written and called ready, to stop the start afterwards."""
    read = chart.read(write(tmp_path, f"drug_a,drug_b,verdict,conc_b\nsamplicin,warfictin,I,{conc}\n"), names)

    assert read.rows == ()
    ((where, why),) = read.unread
    assert where == "line 2" and f'"{conc}"' in why and "concentration" in why


def importing(tmp_path, text, *more, monkeypatch):
    monkeypatch.setattr("checker.growth_cli.load", lambda root, overlay=None: load(WORLD, overlay=overlay, cache=False))
    where = ["--name", "Our chart", "--licence", "licensed to us", "--overlay-dir", str(tmp_path / "overlay")]
    return CliRunner().invoke(import_chart, [str(write(tmp_path, text)), *where, *more])


def test_what_was_not_read_stops_the_import_unless_told_to_go_on(tmp_path, monkeypatch):
    text = "drug_a,drug_b,verdict\nsamplicin,mockplatin,C\nsamplicin,warfictin,NC\nsamplicin,phonyvir,not so good\n"
    stopped = importing(tmp_path, text, monkeypatch=monkeypatch)

    assert stopped.exit_code == 1
    assert 'line 3: the verdict "NC" is unknown' in stopped.output and "--go-on" in stopped.output
    assert "Use it" not in stopped.output and not (tmp_path / "overlay").exists()
    done = importing(tmp_path, text, "--go-on", monkeypatch=monkeypatch)
    assert done.exit_code == 0
    assert "2 not read" in done.output and "Use it" in done.output
    assert load(WORLD, overlay=tmp_path / "overlay", cache=False).overlay is not None


def test_an_overlay_that_does_not_load_is_not_called_ready(tmp_path, monkeypatch):
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "overlay.yaml").write_text("naem: x\n")
    done = importing(tmp_path, "drug_a,drug_b,verdict\nsamplicin,warfictin,C\n", monkeypatch=monkeypatch)

    assert done.exit_code == 2
    assert "naem" in done.output and "Use it" not in done.output


def test_a_name_without_latin_letters_is_no_hidden_file(tmp_path, names):
    read = chart.read(write(tmp_path, LONG), names)

    assert chart.write(read, tmp_path / "overlay", name="配合表", licence="ours", imported="2026-01-02").name == "chart.yaml"


def test_a_contradiction_is_told_by_the_import(tmp_path, monkeypatch):
    done = importing(tmp_path, "drug_a,drug_b,verdict\nsamplicin,warfictin,C\nwarfictin,samplicin,I\n", monkeypatch=monkeypatch)

    assert done.exit_code == 0
    assert "line 3: samplicin + warfictin: incompatible here, compatible in line 2; incompatible is kept" in done.output


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
