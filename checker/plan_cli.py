"""`python -m checker plan`: which drug on which lumen, and when.

Exit status: 0 a plan with nothing to decide or to stop for, 1 there is something to decide or to stop for, no plan, or none proven best, 2 the question could not be read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import checker
from checker.cli import CLEAR, NOT_CLEAR, load_or_stop, main, overlay_option, refuse, show_overlay

if TYPE_CHECKING:
    from checker.plan_model import Plan

HOURS_SHOWN = 24
_STYLES = {
    "stop": ("bold white on red", "✗"),
    "caution": ("bold black on yellow", "!"),
    "unknown": ("bold black on yellow", "?"),
    "clear": ("bold white on green", "✓"),
}


@main.command(
    epilog="""\b
Examples:
  python -m checker plan question.json
  python -m checker plan norepinephrine midazolam fentanyl "regular insulin" --lumen brown --lumen white --lumen hand:peripheral
  python -m checker plan norepinephrine@16mcg/mL/D5W@brown --keep norepinephrine vancomycin --dose vancomycin=1/12 --lumen brown --lumen white
  python -m checker plan question.json --policy strict --json
"""
)
@click.argument("asked", nargs=-1, required=True)
@click.option("--lumen", "lumens", multiple=True, metavar="NAME[:KIND]", help="A lumen; central unless :peripheral is written.")
@click.option(
    "--dose",
    "doses",
    multiple=True,
    metavar="DRUG=HOURS/EVERY",
    help="An intermittent drug: hours that a dose runs, and hours from dose to dose.",
)
@click.option("--bolus", "pushed", multiple=True, metavar="DRUG=EVERY", help="A drug that is pushed, and hours from dose to dose.")
@click.option("--keep", multiple=True, metavar="DRUG", help="Must not be interrupted: no flush and no bolus through its lumen.")
@click.option(
    "--policy",
    type=click.Choice(["ask", "strict"]),
    help="ask: pairs without proof share only when unavoidable, and are listed (the default); strict: never.",
)
@click.option("--seconds", type=click.FloatRange(0.05, 600), default=5.0, show_default=True, help="Time limit.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, as POST /v1/plan gives it.")
@click.option("--knowledge", "root", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another knowledge folder.")
@overlay_option
def plan(
    asked: tuple[str, ...],
    lumens: tuple[str, ...],
    doses: tuple[str, ...],
    pushed: tuple[str, ...],
    keep: tuple[str, ...],
    policy: str | None,
    seconds: float,
    as_json: bool,
    root: Path | None,
    overlay: Path | None,
) -> None:
    """Put infusions on lumens. ASKED is a file with the body of POST /v1/plan ("-" for standard input), or drugs.

    A drug may carry its conditions and the lumen on which it runs already: norepinephrine@16mcg/mL/D5W@brown.
    """
    from checker.plan import plan as solve  # the solver takes a moment to import, which other commands need not wait for
    from checker.plan_report import render

    knowledge = load_or_stop(root, overlay)
    try:
        question = _question(asked, lumens, doses, pushed, keep)
        if policy is not None:
            question["policy"] = policy
        answer = solve(question, checker.Checker(knowledge), checker.Names(knowledge), seconds)
    except checker.AskError as error:
        refuse(error.problems)
    renderer = checker.Renderer(knowledge)
    if not as_json:
        show_overlay(Console(), knowledge)
    if as_json:
        sys.stdout.buffer.write(render(answer, renderer))
    else:
        show(Console(), answer)
    nothing_left = answer.status == "optimal" and not answer.to_decide and answer.told.verdict != "stop"
    sys.exit(CLEAR if nothing_left else NOT_CLEAR)


def _question(
    asked: tuple[str, ...], lumens: tuple[str, ...], doses: tuple[str, ...], pushed: tuple[str, ...], keep: tuple[str, ...]
) -> dict[str, Any]:
    """The question from a file, or from drugs and options. Raises AskError."""
    if len(asked) == 1 and (asked[0] == "-" or Path(asked[0]).is_file()):
        if lumens or doses or pushed or keep:
            raise checker.AskError([checker.AskProblem("", "a file and options that describe infusions", "write all into the file")])
        with click.open_file(asked[0], "rb") as stream:
            return _read(stream, asked[0])
    infusions = [dict(item) if isinstance(item := checker.spoken(text), dict) else {"drug": item} for text in asked]
    for item in infusions:
        if "line" in item:
            item["now"] = item.pop("line")
    for text in keep:
        _find(infusions, text, "--keep")["must_not_interrupt"] = True
    for text in doses:
        name, _, times = text.partition("=")
        hours, _, every = times.partition("/")
        found = _find(infusions, name, "--dose")
        found["hours"] = _number(hours, "--dose", text)
        if every:
            found["every_hours"] = _number(every, "--dose", text)
    for text in pushed:
        name, _, every = text.partition("=")
        found = _find(infusions, name, "--bolus")
        found["bolus"] = True
        if every:
            found["every_hours"] = _number(every, "--bolus", text)
    named = [text.partition(":") for text in lumens]
    return {"infusions": infusions, "lumens": [{"name": name.strip(), "kind": kind.strip() or "central"} for name, _, kind in named]}


def _read(stream: IO[bytes], name: str) -> dict[str, Any]:
    try:
        text = stream.read()
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise checker.AskError(
            [checker.AskProblem(f"{name}, line {error.lineno}", f"not JSON: {error.msg}", "correct the JSON there")]
        ) from None
    twice = checker.repeated_field(text, found)
    if twice is not None:
        raise checker.AskError([checker.AskProblem(twice, "this field stands twice in one object", "keep one of the two")])
    if not isinstance(found, dict):
        raise checker.AskError([checker.AskProblem("", "the question is not an object", 'write {"infusions": [...], "lumens": [...]}')])
    return found


def _find(infusions: list[dict[str, Any]], name: str, option: str) -> dict[str, Any]:
    """The infusion of that name as it was typed."""
    for item in infusions:
        if item["drug"].casefold() == name.strip().casefold():
            return item
    raise checker.AskError(
        [checker.AskProblem(option, f'"{name}" is not one of the drugs', f"write one of: {', '.join(item['drug'] for item in infusions)}")]
    )


def _number(text: str, option: str, whole: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise checker.AskError(
            [checker.AskProblem(option, f'"{whole}" is not DRUG=HOURS/EVERY', "write vancomycin=1/12 for one hour every twelve hours")]
        ) from None


def show(console: Console, plan: Plan) -> None:
    """Print a plan: the lumens over the day, the verdict in words, then what shares and what is flushed."""
    from checker.plan_words import clock, headline

    style, symbol = _STYLES[plan.told.verdict]
    console.print(timeline(plan))
    console.print(
        Text(f" {symbol} {headline(plan).upper()} ", style=style),
        Text(f" knowledge {plan.report.version} ({plan.report.digest[:12]})", style="dim"),
    )
    for text in plan.summary:
        console.print(Text(text))
    for heading, texts in (
        ("Lumens", plan.lumen_texts),
        ("Infusions", [item.text for item in plan.placements]),
        ("To decide", [item.text for item in plan.to_decide]),
        (
            "Flushes",
            [f"{plan.question.lumens[flush.lumen].name} {clock(plan.question, flush.start)}: {flush.text}" for flush in plan.flushes],
        ),
        ("The checker on this plan", [f"{finding.level}: {finding.text}" for finding in plan.told.findings if finding.level != "note"]),
    ):
        if texts:
            console.print(Text(heading, style="bold"))
        for text in texts:
            console.print(Padding(Text(text), (0, 0, 0, 2)))
    console.print(Text("Decision support with sources (--json shows them). A professional must verify before use.", style="dim italic"))


def timeline(plan: Plan) -> Table:
    """The lumens as rows, the hours as columns; # runs, | is flushed."""
    table = Table(box=None, pad_edge=False)
    table.add_column("lumen")
    table.add_column("infusion")
    first = plan.question.day_starts // 60
    table.add_column("".join(f"{(first + hour) % 24:02d}" for hour in range(HOURS_SHOWN)), no_wrap=True)
    for number, lumen in enumerate(plan.question.lumens):
        here = [item for item in plan.placements if item.lumen == number]
        flushed = _row([(flush.start, flush.end) for flush in plan.flushes if flush.lumen == number], "|")
        rows = [
            (plan.question.wishes[item.wish].infusion.drug, _row([(dose.start, dose.end) for dose in item.doses] or [(0, 24 * 60)], "#"))
            for item in here
        ]
        for place, (name, cells) in enumerate(
            [*rows, *([("flush", flushed)] if "|" in flushed else [])] or [("blocked" if lumen.blocked else "free", "")]
        ):
            table.add_row(Text("" if place else lumen.name, style="bold"), name, cells)
    return table


def _row(spans: list[tuple[int, int]], mark: str) -> str:
    """Half an hour a cell."""
    cells = [" "] * (2 * HOURS_SHOWN)
    for start, end in spans:
        for cell in range(start // 30, max(-(-end // 30), start // 30 + 1)):
            cells[cell % len(cells)] = mark
    return "".join(cells).replace(" ", "·")
