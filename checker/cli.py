"""The engine on the command line.

Exit status: 0 clear, 1 not clear (stop, caution or unknown), 2 the question could not be read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import checker
from checker import acidbase, wording
from checker.model import Finding, Level, Report, Status, Verdict
from knowledge import Knowledge, KnowledgeError, load
from knowledge.terms import Mode

CLEAR, NOT_CLEAR, BAD_INPUT = 0, 1, 2
# colour, symbol and word, so that it reads in greyscale and for the colour-blind
_STATUS = {
    Status.INCOMPATIBLE: ("bold white on red", "✗", "incompatible"),
    Status.VARIABLE: ("black on yellow", "!", "caution"),
    Status.NO_DATA: ("dim", "?", "no data"),
    Status.COMPATIBLE: ("green", "✓", "compatible"),
}
_VERDICT = {
    Verdict.STOP: ("bold white on red", "✗ STOP"),
    Verdict.CAUTION: ("bold black on yellow", "! CAUTION"),
    Verdict.UNKNOWN: ("bold black on white", "? UNKNOWN"),
    Verdict.CLEAR: ("bold white on green", "✓ CLEAR"),
}
_LEVEL = {Level.STOP: ("red", "✗"), Level.CAUTION: ("yellow", "!"), Level.UNKNOWN: ("bold", "?"), Level.NOTE: ("cyan", "·")}
_BREAK = re.compile(r";|(?<!\d),|,(?!\d)")
_WORST_SHOWN = 8  # sources shown with a finding; the rest are counted

overlay_option = click.option(
    "--overlay",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="LINEWISE_OVERLAY",
    show_envvar=True,
    help="A facility's overlay on top of the knowledge (docs/overlay.md).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Check infused drugs: may they share a line, do they interact, what does each demand of its line?"""


@main.command(
    epilog="""\b
Examples:
  python -m checker check vancomycin pip/tazo norepinephrine
  python -m checker check "vancomycin@5mg/mL/NS, pip/tazo@40mg/mL/NS"
  python -m checker check amiodarone@@white heparin@@blue --med warfarin
  python -m checker check ceftriaxone "lactated ringer's" --age-days 12
  python -m checker check vancomycin pip/tazo --conc "vancomycin=5 mg/mL" --json
  python -m checker check vancomycin --hours vancomycin=0.5 --rate vancomycin=200
"""
)
@click.argument("drugs", nargs=-1, required=True)
@click.option("--conc", multiple=True, metavar="DRUG=CONC", help='Concentration of one drug, e.g. "vancomycin=5 mg/mL".')
@click.option("--vehicle", multiple=True, metavar="DRUG=FLUID", help="Fluid that one drug runs in, e.g. vancomycin=NS.")
@click.option("--hours", multiple=True, metavar="DRUG=HOURS", help="How long one drug runs, in hours, e.g. vancomycin=0.5.")
@click.option("--rate", multiple=True, metavar="DRUG=ML/H", help="Rate of one drug in mL/h, e.g. vancomycin=200.")
@click.option("--line", multiple=True, metavar="DRUG=LINE", help="Lumen of one drug; drugs without one are taken to share.")
@click.option("--med", multiple=True, metavar="NAME", help="A medicine that is not infused, for interactions.")
@click.option("--mode", type=click.Choice([str(mode) for mode in Mode]), default="y-site", show_default=True, help="Where the drugs meet.")
@click.option("--age-days", type=click.IntRange(0, 50_000), help="Patient's age in days, for neonatal rules.")
@click.option("--explain", is_flag=True, help="Show for each row whether it covers the question and whether it settled it.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, as POST /v1/check gives it.")
@click.option("--knowledge", "root", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another knowledge folder.")
@overlay_option
def check(
    drugs: tuple[str, ...],
    conc: tuple[str, ...],
    vehicle: tuple[str, ...],
    hours: tuple[str, ...],
    rate: tuple[str, ...],
    line: tuple[str, ...],
    med: tuple[str, ...],
    mode: str,
    age_days: int | None,
    explain: bool,
    as_json: bool,
    root: Path | None,
    overlay: Path | None,
) -> None:
    """Check DRUGS that are to share a line.

    Write a drug alone, or with its conditions: vancomycin@5mg/mL/NS, and after a second @ its line. Commas separate drugs as well.
    """
    knowledge = load_or_stop(root, overlay)
    question: dict[str, Any] = {"mode": mode, "drugs": [checker.spoken(item) for item in _split(drugs)]}
    if med:
        question["medications"] = list(_split(med))
    if age_days is not None:
        question["patient"] = {"age_days": age_days}
    names = checker.Names(knowledge)
    try:
        options = {"conc": conc, "vehicle": vehicle, "hours": hours, "rate": rate, "line": line}
        for option, given in options.items():
            _set(question["drugs"], option, given)
        order = checker.order(question, names)
    except checker.AskError as error:
        refuse(error.problems)
    report = checker.Checker(knowledge).check(order)
    renderer = checker.Renderer(knowledge)
    if as_json:
        sys.stdout.buffer.write(renderer.json(report, explain=explain))
    else:
        show(Console(), knowledge, report, renderer.plain(report, explain=True) if explain else None)
    sys.exit(CLEAR if report.verdict is Verdict.CLEAR else NOT_CLEAR)


@main.command(
    "acid-base",
    epilog="""\b
Examples:
  python -m checker acid-base
  python -m checker acid-base --write docs/reasoning.md
""",
)
@click.option(
    "--write",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write the figures into this page, between its markers, and into knowledge/acid-base.yaml.",
)
def acid_base(page: Path | None) -> None:
    """Choose the pH gap of the caution for untested pairs, and measure its error on our own evidence."""
    found = acidbase.validate(load_or_stop(None))
    text = acidbase.chapter(found)
    click.echo(text)
    if page is not None:
        acidbase.write(found, text, page)


def load_or_stop(root: Path | None, overlay: Path | None = None) -> Knowledge:
    """The knowledge, or its problems on standard error and exit status 2."""
    try:
        return load(root, overlay=overlay)
    except KnowledgeError as error:
        click.echo(str(error), err=True)
        sys.exit(BAD_INPUT)


def _split(given: Sequence[str]) -> Iterator[str]:
    """Arguments and, within them, comma-separated drugs; a comma between digits belongs to a number."""
    for text in given:
        for part in _BREAK.split(text):
            if part.strip():
                yield part.strip()


def _set(drugs: list[dict[str, Any] | str], option: str, given: Sequence[str]) -> None:
    """Put `DRUG=value` options into the question. Raises AskError for a drug that was not asked."""
    field = "rate_ml_per_h" if option == "rate" else option
    for item in given:
        name, equals, value = item.partition("=")
        for number, drug in enumerate(drugs):
            asked = drug if isinstance(drug, str) else drug["drug"]
            if equals and asked.casefold() == name.strip().casefold():
                drugs[number] = {**({"drug": drug} if isinstance(drug, str) else drug), field: value.strip()}
                break
        else:
            raise checker.AskError(
                [checker.AskProblem(f"--{option}", f'"{item}" names no drug of this question', f'write --{option} "{_asked(drugs)}=..."')]
            )


def _asked(drugs: Sequence[dict[str, Any] | str]) -> str:
    return drugs[0] if isinstance(drugs[0], str) else str(drugs[0]["drug"])


def refuse(problems: Sequence[checker.AskProblem]) -> NoReturn:
    """Say what could not be read, and exit with status 2."""
    for problem in problems:
        click.echo(f"{problem.at}: {problem.reason}\n  mend: {problem.mend}", err=True)
    sys.exit(BAD_INPUT)


def show(console: Console, knowledge: Knowledge, report: Report, explained: dict[str, Any] | None = None) -> None:
    """Print a report: the grid of pairs, the verdict, then the findings worst first with their sources."""
    style, words = _VERDICT[report.verdict]
    if len(report.infusions) > 1:
        console.print(grid(knowledge, report))
    console.print(Text(f" {words} ", style=style), Text(f" knowledge {report.version} ({report.digest[:12]})", style="dim"))
    show_overlay(console, knowledge)
    for finding in report.findings:
        _show_finding(console, knowledge, finding)
    if explained:
        _show_explained(console, explained)
    console.print(Text("Decision support with sources. A professional must verify before use.", style="dim italic"))


def show_overlay(console: Console, knowledge: Knowledge) -> None:
    """Say whose overlay had a part in the answer."""
    if knowledge.overlay is not None:
        console.print(Text(f"With local policy of {knowledge.overlay.name} (overlay {knowledge.overlay.digest[:12]}).", style="dim"))


def grid(knowledge: Knowledge, report: Report) -> Table:
    """The pairs as a grid with the drugs on both axes."""
    table = Table(show_lines=False, pad_edge=False, box=None)
    table.add_column("")
    for number, _ in enumerate(report.infusions, start=1):
        table.add_column(str(number), justify="center")
    cells: dict[tuple[str, str], Text] = {}
    for pair in report.pairs:
        if pair.line is None:
            text = Text("-", style="dim")
        else:
            style, symbol, words = _STATUS[pair.line.status]
            if pair.line.status is Status.COMPATIBLE and not pair.line.stated:
                style, symbol, words = _STATUS[Status.VARIABLE]
            text = Text(f"{symbol} {words}" if len(report.infusions) <= 6 else symbol, style=style)
        cells[pair.at] = cells[pair.at[1], pair.at[0]] = text
    for number, row in enumerate(report.infusions, start=1):
        label = f"{number} {wording.name(knowledge, row.drug)}"
        asked = " ".join(
            filter(
                None,
                [
                    row.conditions.conc.text if row.conditions.conc else "",
                    wording.vehicle(knowledge, row.conditions.vehicle) if row.conditions.vehicle else "",
                ],
            )
        )
        table.add_row(
            Text(label, style="bold") + Text(f" {asked}" if asked else ""),
            *[cells.get((row.at, column.at), Text("■", style="dim")) for column in report.infusions],
        )
    return table


def _show_finding(console: Console, knowledge: Knowledge, finding: Finding) -> None:
    style, symbol = _LEVEL[finding.level]
    console.print(Text(f"{symbol} ", style=f"bold {style}") + Text(f"[{finding.kind}] ", style="dim") + Text(finding.text))
    for cite in finding.sources[:_WORST_SHOWN]:
        read = ", ".join(part for part in (cite.at, f"read: {cite.read}" if cite.read else "") if part)
        console.print(Padding(Text(f"{checker.cite_line(knowledge.sources[cite.source])} ({read})", style="dim"), (0, 0, 0, 4)))
    if len(finding.sources) > _WORST_SHOWN:
        console.print(
            Padding(Text(f"and {len(finding.sources) - _WORST_SHOWN} more sources (--json shows all)", style="dim"), (0, 0, 0, 4))
        )


def _show_explained(console: Console, explained: dict[str, Any]) -> None:
    """Row by row: what it is to the question, and whether it settled the pair."""
    for pair in explained["pairs"]:
        rows = pair["line"]["evidence"] if pair["line"] else []
        if not rows:
            continue
        table = Table(
            title=f"{' + '.join(pair['pair'])}: {pair['line']['status']} ({pair['line']['reason']})", title_justify="left", box=None
        )
        for column in ("settled", "relation", "result", "a", "b", "h", "source"):
            table.add_column(column)
        for row in rows:
            sides = [
                " ".join(filter(None, [row[side]["conc"] or "-", row[side].get("formulation", ""), "/".join(row[side]["vehicles"])]))
                for side in ("a", "b")
            ]
            table.add_row(
                "*" if row["settled"] else "",
                row["relation"],
                row["result"],
                *sides,
                f"{row['hours']:g}" if row["hours"] is not None else "",
                f"{row['source']['id']} {row['source']['at']}",
            )
        console.print(table)
