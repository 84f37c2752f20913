"""The commands that make tables of clinical drugs: rxnorm-table and rxnorm-build."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from knowledge.errors import KnowledgeError
from knowledge.load import load
from knowledge.rxnorm import HERE, TABLE
from knowledge.rxnorm_build import build_list, build_rrf

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("rxnorm-table")
@click.argument("lists", nargs=-1, required=True, type=_FILE)
@click.option("--root", type=_FOLDER, metavar="DIR", help="Knowledge folder to read instead of the one that ships.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=HERE / TABLE,
    metavar="FILE",
    help="Where the table goes; the one that ships unless told.",
)
def table_command(lists: tuple[Path, ...], root: Path | None, out: Path) -> None:
    """Make the table that ships from LISTS of RxNorm codes and names (CSV: rxcui, name, source).

    \b
    Example:
      python -m knowledge rxnorm-table iv-drug-rxcui.csv vehicle-rxcui.csv
    """
    try:
        built = build_list(load(root), lists, out)
    except (KnowledgeError, KeyError, UnicodeDecodeError) as error:
        click.echo(f"the lists lack a column: {error}" if isinstance(error, KeyError) else str(error), err=True)
        sys.exit(1)
    click.echo(f"{built.products:,} clinical drugs written to {out.name}; {built.unread:,} left out, for an ingredient is not in the base")


@click.command("rxnorm-build")
@click.argument("rrf_dir", type=_FOLDER)
@click.option("--root", type=_FOLDER, metavar="DIR", help="Knowledge folder to read instead of the one that ships.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for the tables; give it to the service as LINEWISE_CODES.",
)
def build_command(rrf_dir: Path, root: Path | None, out: Path) -> None:
    """Make complete tables from the RRF files of RxNorm Current Prescribable Content that you have (no licence is needed).

    \b
    Example:
      python -m knowledge rxnorm-build RxNorm_full_prescribe/rrf --out codes
      LINEWISE_CODES=codes make serve
    """
    try:
        built = build_rrf(load(root), rrf_dir, out)
    except KnowledgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(
        f"{built.products:,} clinical drugs and {built.ndcs:,} NDCs written; {built.unread:,} clinical drugs left out, for an ingredient is not in the base"
    )
