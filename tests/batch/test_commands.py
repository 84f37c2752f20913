"""`python -m checker batch` and `report`, as a user runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from bench.corpus import WARD, Corpus, Manner
from checker import batch_cli  # noqa: F401  # adds its commands
from checker.batch.page import page
from checker.cli import main
from knowledge import Knowledge
from tests.batch.conftest import ndjson, rows, screen
from tests.conftest import WORLD


def command(*words: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "checker", *map(str, words)], input=given, capture_output=True, check=False)


def test_a_file(world: Knowledge, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 20))
    done = command("batch", given, "-o", tmp_path / "out.csv", "--knowledge", WORLD)

    assert (0, b"") == (done.returncode, done.stdout)
    assert b"20 rows written: balances" in done.stderr
    assert 21 == len((tmp_path / "out.csv").read_text().splitlines())
    assert (tmp_path / "out.csv.summary.json").exists()


def test_pipes(world: Knowledge, tmp_path: Path) -> None:
    given = ndjson(tmp_path / "in.ndjson", rows(world, 20)).read_bytes()
    done = command("batch", "-", "--quiet", "--knowledge", WORLD, given=given + b"broken\n")
    screen(world, tmp_path / "in.ndjson", tmp_path / "out.ndjson")

    assert (1, b"") == (done.returncode, done.stderr)  # 1: there is an error row
    assert (tmp_path / "out.ndjson").read_bytes() == b"".join(done.stdout.splitlines(keepends=True)[:-1])


def test_csv_through_pipes(world: Knowledge) -> None:
    done = command(
        "batch", "-", "--from", "csv", "--to", "csv", "--knowledge", WORLD, given=b"order_set_id,drug\na,samplamycin\na,fictazolam\n"
    )

    assert b"id,line,verdict" in done.stdout
    assert 2 == len(done.stdout.splitlines())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.ndjson"], "does not exist"),
        (["-", "--to", "parquet"], "Parquet cannot be written to a pipe"),
        (["-", "--resume"], "cannot be resumed"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_mend(words: list[str], told: str) -> None:
    done = CliRunner().invoke(main, ["batch", *words, "--knowledge", str(WORLD)])

    assert 2 == done.exit_code
    assert told in done.stderr
    assert "mend:" in done.stderr


class _Page(HTMLParser):
    """Gathers what a page would load, and whether its elements close."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag in ("script", "link", "iframe", "img"):
            self.loads.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_from_elsewhere(world: Knowledge, tmp_path: Path) -> None:
    given = [*rows(world, 200), {"id": "<script>alert(1)</script>", "drugs": ["<b>zzz</b>"]}]
    screen(world, ndjson(tmp_path / "in.ndjson", given), tmp_path / "out.ndjson")
    done = CliRunner().invoke(main, ["report", str(tmp_path / "out.ndjson"), "--knowledge", str(WORLD)])
    text = (tmp_path / "out.ndjson.html").read_text()
    seen = _Page()
    seen.feed(text)

    assert 0 == done.exit_code
    assert ([], []) == (seen.loads, seen.open)
    assert not re.search(r"url\(|@import|https?://", text.split("</style>")[0])
    assert "&lt;b&gt;zzz" in text
    assert "<script" not in text


def test_the_page_shows_sources_only_of_the_same_knowledge(world: Knowledge, real: Knowledge, tmp_path: Path) -> None:
    done = screen(world, ndjson(tmp_path / "in.ndjson", rows(world, 200)), tmp_path / "out.ndjson")

    assert '<ul class="sources"><li>' in page(done.summary, world, "out.ndjson")
    other = page(done.summary, real, "out.ndjson")
    assert "The knowledge on this machine is another one" in other
    assert '<ul class="sources">' not in other


def test_no_summary_no_page(tmp_path: Path) -> None:
    (tmp_path / "out.ndjson").touch()
    done = CliRunner().invoke(main, ["report", str(tmp_path / "out.ndjson"), "--knowledge", str(WORLD)])

    assert 2 == done.exit_code
    assert "mend:" in done.stderr


# --- the generator of order sets ---


def test_a_corpus_is_the_same_for_the_same_seed(real: Knowledge) -> None:
    assert list(Corpus(real).lines(50, WARD)) == list(Corpus(real).lines(50, WARD))
    assert list(Corpus(real, 1).lines(50)) != list(Corpus(real, 2).lines(50))


def test_a_corpus_is_understood_but_for_its_slips(real: Knowledge, tmp_path: Path) -> None:
    corpus = Corpus(real)
    clean, slips = Manner(misspelt=0), Manner(misspelt=0.05, conditions=0.2, lines=0.2, medications=0.3, damaged=0.05, repeated=0.02)
    for name, manner in (("clean", clean), ("slips", slips)):
        (tmp_path / f"{name}.ndjson").write_bytes(b"".join(corpus.lines(2_000, manner)))
    told = {
        name: screen(real, tmp_path / f"{name}.ndjson", tmp_path / f"{name}.out.ndjson", root=None).summary for name in ("clean", "slips")
    }

    assert [] == told["clean"]["not_understood"]
    assert 0 == told["clean"]["errors"]["sets"]
    assert 0.02 < told["slips"]["errors"]["sets"] / 2_000 < 0.08
    assert told["slips"]["not_understood"]
    assert told["slips"]["repeated_ids"]["ids"]
    assert told["slips"]["balances"]


def test_every_regimen_says_where_it_comes_from(real: Knowledge) -> None:
    corpus = Corpus(real)

    assert {"sepsis", "intensive-care", "oncology-day-unit", "parenteral-nutrition", "antiviral"} <= {
        pattern["id"] for pattern in corpus.patterns
    }
    assert all(regimen["source"] and regimen["at"] and regimen["read"] for regimen in corpus.regimens)
    assert set(corpus.spellings) <= set(real.drugs)


def test_summary_is_written_beside_the_results(world: Knowledge, tmp_path: Path) -> None:
    done = screen(world, ndjson(tmp_path / "in.ndjson", rows(world, 50)), tmp_path / "out.ndjson")

    assert done.summary == orjson.loads((tmp_path / "out.ndjson.summary.json").read_bytes())
