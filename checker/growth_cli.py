"""`python -m knowledge coverage | diff | release | compare | import-chart`: the commands on facts that need the engine's answers."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

import click
import orjson
import yaml
from rich.console import Console
from rich.table import Table

from checker import chart as charts
from checker.check import Checker
from checker.compare import Difference, Flip, compare, difference
from checker.coverage import cover, picture
from checker.model import Status
from checker.names import Names
from checker.wording import name as drug_name
from knowledge import Knowledge, KnowledgeError, load

HERE = Path(__file__).parent.parent / "knowledge"
_OVERLAY = click.option("--overlay", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A facility's overlay on top.")
_SHOWN = 40  # lines of one kind in a readable diff
_MANY = 5  # pairs of one drug, changed by one source, from which on they are one line


def _load(root: Path | None = None, overlay: Path | None = None) -> Knowledge:
    try:
        return load(root, overlay=overlay)
    except KnowledgeError as error:
        _stop(str(error))


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(2)


@click.command(epilog="\b\nExamples:\n  python -m knowledge coverage\n  python -m knowledge coverage --picture build/coverage.svg --json")
@click.option("--picture", "image", type=click.Path(dir_okay=False, path_type=Path), help="Write the matrix as an SVG picture.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_OVERLAY
def coverage(image: Path | None, as_json: bool, overlay: Path | None) -> None:
    """Share of the pairs of knowledge/grid.yaml that have a Y-site answer, by how they were answered."""
    base = _load(overlay=overlay)
    checker = Checker(base)
    covered = cover(checker, yaml.safe_load((HERE / "grid.yaml").read_text(encoding="utf-8"))["drugs"])
    if image is not None:
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_text(picture(checker, covered), encoding="utf-8")
    if as_json:
        told = {
            "drugs": len(covered.drugs),
            "cells": len(covered.cells),
            "answered": covered.answered,
            "by_how": covered.by_how,
            "by_status": covered.by_status,
            "version": base.version,
        }
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    console = Console()
    console.print(
        f"{len(covered.drugs)} drugs and fluids, {len(covered.cells)} pairs; {covered.answered:.1%} have an answer of their own (study, label or product rule)"
    )
    for title, counted in (("answered by", covered.by_how), ("status", covered.by_status)):
        table = Table(title, "pairs", "share", box=None)
        for word, count in counted.most_common():
            table.add_row(word, str(count), f"{count / len(covered.cells):.1%}")
        console.print(table)
    if image is not None:
        console.print(f"picture: {image}")


@click.command(
    epilog="\b\nExamples:\n  python -m knowledge diff\n  python -m knowledge diff main\n  python -m knowledge diff v2026.10.1 --json"
)
@click.argument("rev", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(rev: str | None, as_json: bool) -> None:
    """What changed in clinical meaning since REV: answers that flip, sources that came or went, rules, interactions.

    Without REV: since the last release, which is the commit that last changed knowledge/release.yaml.
    """
    rev = rev or _git("log", "-1", "--format=%h", "--", "knowledge/release.yaml").decode().strip() or _stop("git knows no release yet")
    changed = _since(rev)
    click.echo(orjson.dumps(changed, option=orjson.OPT_INDENT_2).decode() if as_json else told(changed, rev))


def _git(*words: str) -> bytes:
    git = subprocess.run(["git", "-C", str(HERE.parent), *words], capture_output=True)  # noqa: S603, S607 - git of the user's path; a revision is an argument, never a shell word
    if git.returncode:
        _stop(
            f"git: {git.stderr.decode(errors='replace').strip()}\nmend: run it in a clone with history, and name a branch, tag or commit that it has"
        )
    return git.stdout


def _since(rev: str) -> Difference:
    with tempfile.TemporaryDirectory() as folder:
        packed = _git("archive", rev, "knowledge")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")  # noqa: S202 - the project's own archive, with the data filter
        return difference(_load(Path(folder) / "knowledge"), _load())


def told(changed: Difference, rev: str) -> str:
    """A difference in words, for a pharmacist and for a release note."""
    if changed.empty:
        return f"No answer and no fact changed since {rev}."
    lines = [f"Since {rev}:"]
    kinds = Counter(f"{flip.before} -> {flip.after} ({flip.mode})" for flip in changed.flips)
    lines += [f"- {count} pairs: {kind}" for kind, count in kinds.most_common()]
    for title, flips in (
        ("New or stricter warnings", [flip for flip in changed.flips if flip.safer]),
        ("Answers that became less strict", [flip for flip in changed.flips if not flip.safer]),
    ):
        if flips:
            lines += ["", f"{title}:"]
            said = _flips(flips)
            lines += said[:_SHOWN]
            lines += [f"- and {len(said) - _SHOWN} more lines (--json has all)"] if len(said) > _SHOWN else []
    for field, title in (
        ("sources_removed", "Sources removed"),
        ("sources_withdrawn", "Sources withdrawn"),
        ("sources_added", "Sources added"),
        ("drugs_added", "Drugs added"),
        ("drugs_removed", "Drugs removed"),
        ("rules_added", "Rules added"),
        ("rules_removed", "Rules removed"),
        ("interactions_added", "Interactions added"),
        ("interactions_removed", "Interactions removed"),
    ):
        found = getattr(changed, field)
        if found:
            lines += ["", f"{title} ({len(found)}):", *[f"- {item}" for item in found[:_SHOWN]]]
            lines += [f"- and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return "\n".join(lines)


def _flips(flips: Sequence[Flip]) -> list[str]:
    """Pairs whose answers changed, a line each, gravest first. What one drug's rule changes for many others is one line."""
    by_pair: dict[tuple[str, str, tuple[str, ...], tuple[str, str]], list[str]] = defaultdict(list)
    for flip in flips:
        by_pair[flip.before, flip.after, flip.sources[:3], flip.pair].append(str(flip.mode))
    shared: Counter[tuple[object, ...]] = Counter()
    for (*change, pair), modes in by_pair.items():
        shared.update((*change, *modes, drug) for drug in pair)
    hubs: Counter[tuple[str, str, tuple[str, ...], str, str]] = Counter()
    for (before, after, sources, pair), modes in by_pair.items():
        hub = max(pair, key=lambda drug: shared[before, after, sources, *modes, drug])  # noqa: B023 - used at once
        many = shared[before, after, sources, *modes, hub] >= _MANY
        hubs[before, after, sources, ", ".join(modes), hub if many else " + ".join(pair)] += 1
    told = [
        (
            _gravity(before, after),
            -count,
            f"- {who}{f' with {count} drugs' if count > 1 else ''} ({modes}): {before} -> {after} [{', '.join(sources)}]",
        )
        for (before, after, sources, modes, who), count in hubs.items()
    ]
    return [line for _, _, line in sorted(told)]


def _gravity(before: str, after: str) -> tuple[bool, int, str]:
    """What was an answer and is another comes before what had none; the longest way first."""
    order = [str(status) for status in Status]
    return before == str(Status.NO_DATA), -abs(order.index(after) - order.index(before)), after


@click.command(
    epilog="\b\nExamples:\n  python -m knowledge release --since main\n  python -m knowledge release --version 2026.12.1 --since v2026.11.1 --write"
)
@click.option("--version", "version", help="The new version (year.month.number); the present one when left out.")
@click.option("--since", "rev", help="The revision of the last release, for the changelog of facts.")
@click.option("--write", is_flag=True, help="Write the version and today's date into knowledge/release.yaml.")
def release(version: str | None, rev: str | None, write: bool) -> None:
    """Version, date, digest and counts of a release, and the changelog of its facts."""
    if write:
        if not version:
            _stop("say which version: --version 2026.12.1")
        (HERE / "release.yaml").write_text(f"version: {version}\ndate: {date.today().isoformat()}\n", encoding="utf-8")
    base = _load()
    click.echo(f"knowledge {base.version} of {base.date}, sha256:{base.digest}")
    click.echo(
        f"{len(base.drugs)} drugs, fluids and nutrition; {len(base.records.rows)} rows; {sum(len(drug.rules) for drug in base.drugs.values())} rules; {len(base.records.interactions)} interaction statements; {len(base.sources)} sources"
    )
    if rev:
        click.echo("\n" + told(_since(rev), rev))


@click.command("compare", epilog="\b\nExample:\n  python -m knowledge compare our-table.csv      (columns drug_a, drug_b, verdict)")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_OVERLAY
def compare_command(file: Path, overlay: Path | None) -> None:
    """Hold our Y-site verdicts against a CSV of yours: agreement, kappa, and every dangerous disagreement.

    Exit status 1 when we call a pair compatible that your table does not.
    """
    base = _load(overlay=overlay)
    try:
        found = compare(Checker(base), Names(base), file)
    except (ValueError, UnicodeDecodeError) as error:
        _stop(str(error))
    console = Console()
    table = Table("ours", "theirs", "pairs", box=None)
    for (ours, theirs), count in sorted(found.table.items()):
        table.add_row(ours, theirs, str(count))
    console.print(table)
    if found.agreement is not None:
        shown = f"{found.kappa:.2f}" if found.kappa is not None else "not defined"
        console.print(f"{found.compared} pairs answered by both: agreement {found.agreement:.1%}, kappa {shown}")
    for number, why in found.unread:
        console.print(f"line {number} was not compared: {why}")
    for pair, verdict, sources in found.dangerous:
        console.print(
            f"[bold red]we say compatible, they say {verdict}[/]: {' + '.join(drug_name(base, drug) for drug in pair)} (ours rest on {', '.join(sources)})"
        )
    sys.exit(1 if found.dangerous else 0)


@click.command(
    "import-chart",
    epilog='\b\nExample:\n  python -m knowledge import-chart chart.csv --name "Pharmacy chart 2026" --licence "licensed to our hospital" --overlay-dir overlay',
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="The chart's name, shown in every answer that rests on it.")
@click.option("--licence", required=True, help="Under which licence this facility may use it.")
@click.option(
    "--overlay-dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("overlay"),
    show_default=True,
    help="The overlay to put it into; it stays on this machine.",
)
@click.option("--go-on", is_flag=True, help="Import what was read, where some rows were not.")
def import_chart(file: Path, name: str, licence: str, folder: Path, go_on: bool) -> None:
    """Turn a licensed compatibility chart (CSV, list or grid) into an overlay that stays on this machine.

    What cannot be read (names, verdicts, concentrations) is listed, never dropped: nothing is written then, and the exit status is 1,
    unless --go-on is given. Start the service with LINEWISE_OVERLAY set to the folder to use it.
    """
    base = _load()
    try:
        found = charts.read(file, Names(base))
    except (ValueError, UnicodeDecodeError) as error:
        _stop(str(error))
    click.echo(f"{len(found.rows)} statements from a {found.form}; {found.empty} cells without a statement; {len(found.unread)} not read")
    for unknown, candidates in sorted(found.unknown.items()):
        click.echo(f'unknown name "{unknown}"' + (f"; did you mean {', '.join(candidates)}?" if candidates else ""))
    for where, why in (*found.unread, *found.contradicted):
        click.echo(f"{where}: {why}")
    if found.unread and not go_on:
        click.echo("Nothing is written: correct these rows, or import the others with --go-on.", err=True)
        sys.exit(1)
    try:
        target = charts.write(found, folder, name=name, licence=licence, imported=date.today().isoformat())
    except FileExistsError as error:
        _stop(str(error))
    _load(overlay=folder)  # nothing is called ready that would stop the start
    click.echo(f"Written: {target}. Use it: LINEWISE_OVERLAY={folder} make serve")


COMMANDS = (coverage, diff, release, compare_command, import_chart)
