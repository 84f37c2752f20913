"""`python -m checker batch` and `report`: order sets in bulk.

Exit status: 0 every row was answered, 1 some rows are error rows (they stand in the result), 2 the batch could not be done.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from checker.cli import main, overlay_option
from knowledge import Knowledge, KnowledgeError, load

if TYPE_CHECKING:  # Arrow is slow to import, and the other commands do not need it
    from checker.batch import Batch, Done

DONE, WITH_ERRORS, NOT_DONE = 0, 1, 2
LEVELS = ("verdict", "findings", "full")
_FORMS = ("ndjson", "csv", "parquet")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@main.command(
    epilog="""\b
Examples:
  python -m checker batch orders.ndjson -o verdicts.parquet
  python -m checker batch orders.csv.gz -o findings.csv --level findings
  cat orders.ndjson | python -m checker batch - > verdicts.ndjson
  python -m checker batch orders/ -o verdicts.ndjson.zst --dask tcp://scheduler:8786
  python -m checker batch orders.parquet -o verdicts.parquet --resume
"""
)
@click.argument("given", metavar="IN")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the result rows go; left out or - = standard output, as NDJSON.",
)
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="verdict",
    show_default=True,
    help="One row a set, one row a finding, or the whole report.",
)
@click.option("--from", "form_in", type=click.Choice(_FORMS[:2]), help="Format of standard input; files tell by their suffix.")
@click.option("--to", "form_out", type=click.Choice(_FORMS), help="Format of the results, where the suffix of -o does not tell.")
@click.option("--workers", type=click.IntRange(0), default=0, help="Processes; 0 = one a core, and none for a small input.")
@click.option("--system", default="rxnorm", show_default=True, help="Code system of columns named code or codes.")
@click.option(
    "--ignore", multiple=True, metavar="COLUMN", help="A column, or a field of NDJSON, to pass over. Unknown ones are refused otherwise."
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted run of the same batch stopped.")
@click.option("--dask", default="", metavar="ADDRESS|local", help="Run on a Dask cluster: the address of its scheduler, or local.")
@click.option("--summary", type=click.Path(dir_okay=False, path_type=Path), help="Where the summary goes; OUT.summary.json unless told.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary on the terminal.")
@click.option("--knowledge", "root", type=_FOLDER, help="Another knowledge folder.")
@overlay_option
def batch(given: str, out: Path | None, ignore: tuple[str, ...], quiet: bool, **told: Any) -> None:
    """Screen the order sets of IN: a file, a folder of files of one format, or - for standard input.

    Formats by suffix: .ndjson, .csv, .parquet, text also with .gz or .zst. Every row of IN has exactly one answer with its id and line.
    """
    from checker.batch import Batch, BatchError

    asked = Batch(given=given, out=None if out is None or str(out) == "-" else out, ignore=frozenset(ignore), **told)
    try:
        knowledge = load(asked.root, overlay=asked.overlay)
        done = _with_progress(asked, knowledge, quiet)
    except (BatchError, KnowledgeError) as error:
        click.echo(str(error), err=True)
        sys.exit(NOT_DONE)
    except KeyboardInterrupt:
        click.echo("interrupted" + (": go on with --resume" if asked.out else ""), err=True)
        sys.exit(NOT_DONE)
    if not quiet:
        _tell(done, asked)
    sys.exit(WITH_ERRORS if done.summary["errors"]["sets"] else DONE)


def _with_progress(asked: Batch, knowledge: Knowledge, quiet: bool) -> Done:
    """Run with a bar on a terminal, and without one elsewhere."""
    from checker.batch import run
    from checker.batch.files import sources

    if quiet or not sys.stderr.isatty():
        return run(asked, knowledge)
    files = sources(asked.given, asked.form_in)
    total = sum(source.path.stat().st_size for source in files if source.path) or None
    columns = (
        TextColumn("{task.fields[sets]:,} sets"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]:,.0f} sets/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=total, sets=0, rate=0)
        return run(asked, knowledge, lambda read, sets: _move(progress, bar, read, sets))


def _move(progress: Progress, bar: TaskID, read: int, sets: int) -> None:
    elapsed = progress.tasks[bar].elapsed or 0.0
    progress.update(bar, completed=read or None, sets=sets, rate=sets / elapsed if elapsed else 0)


def _tell(done: Done, asked: Batch) -> None:
    from checker.batch import summary_path
    from checker.batch.summary import spoken

    for line in spoken(done.summary):
        click.echo(line, err=True)
    if done.resumed:
        click.echo(f"resumed after {done.resumed:,} sets", err=True)
    if done.deaths:
        click.echo(f"{done.deaths} worker processes died; their rows were answered by others", err=True)
    if asked.out is not None:
        click.echo(f"written: {asked.out}, {asked.summary or summary_path(asked.out)}", err=True)


@main.command()
@click.argument("out", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--html", type=click.Path(dir_okay=False, path_type=Path), help="Where the page goes; OUT.html unless told.")
@click.option("--summary", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The summary, where it is not beside OUT.")
@click.option("--knowledge", "root", type=_FOLDER, help="Another knowledge folder.")
@overlay_option
def report(out: Path, html: Path | None, summary: Path | None, root: Path | None, overlay: Path | None) -> None:
    """Write a page for people about the results in OUT: charts, worst sets, pairs with their sources. It needs nothing from elsewhere."""
    from checker.batch import BatchError, summary_path
    from checker.batch.page import page

    told = summary or (out if out.name.endswith(".summary.json") else summary_path(out))
    if not told.exists():
        click.echo(f"{told.name} is not beside {out.name}\n  mend: give it with --summary, or run the batch again", err=True)
        sys.exit(NOT_DONE)
    try:
        knowledge = load(root, overlay=overlay)
        text = page(orjson.loads(told.read_bytes()), knowledge, out.name)
    except (KnowledgeError, BatchError, ValueError) as error:
        click.echo(f"{told.name}: {error}", err=True)
        sys.exit(NOT_DONE)
    target = html or out.with_name(f"{out.name.removesuffix('.summary.json')}.html")
    target.write_text(text, encoding="utf-8")
    click.echo(f"written: {target}", err=True)
