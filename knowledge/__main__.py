"""The command line of the knowledge: python -m knowledge lint | stats | show | conflicts | gaps | rxnorm-table | rxnorm-build."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from knowledge import files
from knowledge.conflicts import agreements, conflicts, together
from knowledge.errors import KnowledgeError
from knowledge.link import Knowledge
from knowledge.lint import Level, lint, rules
from knowledge.load import HERE, load
from knowledge.model import Row
from knowledge.page import Unknown, find, page, tested
from knowledge.rxnorm_cli import build_command, table_command
from knowledge.survey import gaps, stats

_RESULT = {"compatible": "green", "variable": "yellow", "incompatible": "red"}
_SEVERITY = {"contraindicated": "bold red", "major": "red", "moderate": "yellow", "minor": "dim"}
_SHOWN = 60  # names of one gap that a terminal shows
_console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 140)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """--root and --json, which every command has."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    root = click.option("--root", type=folder, metavar="DIR", help="Knowledge folder to read instead of the one that ships.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return root(as_json(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look after the knowledge: check it, count it, read it.

    \b
    Examples:
      python -m knowledge lint
      python -m knowledge lint --root tests/world/knowledge
      python -m knowledge show vancomycin
      python -m knowledge gaps --json
    """


main.add_command(table_command)
main.add_command(build_command)


@main.command("lint")
@_options
@click.option("--errors-only", is_flag=True, help="Leave warnings out.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and stop.")
def lint_command(root: Path | None, as_json: bool, errors_only: bool, list_rules: bool) -> None:
    """Everything that is wrong in the files, each with a mend. Exit status 1 when there is an error.

    \b
    Examples:
      python -m knowledge lint
      python -m knowledge lint --errors-only
      python -m knowledge lint --json | jq '.[] | select(.level == "error")'
    """
    if list_rules:
        _list_rules(as_json)
        return
    found = lint(root)
    errors = sum(finding.level is Level.ERROR for finding in found)
    shown = [finding for finding in found if finding.level is Level.ERROR or not errors_only]
    if as_json:
        told = [{"level": str(item.level), **{name: getattr(item.problem, name) for name in item.problem.__slots__}} for item in shown]
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        for finding in shown:
            place, _, rest = str(finding).partition("\n")
            style = "red" if finding.level is Level.ERROR else "yellow"
            _console.print(Text(f"{_shown_root(root)}{place}", style=style), Text(f"\n{rest}"), sep="", soft_wrap=True)
        _console.print(f"{errors} error(s), {len(found) - errors} warning(s)", style="red" if errors else "green")
    sys.exit(1 if errors else 0)


def _list_rules(as_json: bool) -> None:
    if as_json:
        told = [
            {"code": rule.code, "level": str(rule.level), "scope": str(rule.scope), "description": rule.description} for rule in rules()
        ]
        click.echo(json.dumps(told, indent=1))
        return
    table = _table("code", "level", "what it asks")
    for rule in rules():
        table.add_row(rule.code, str(rule.level), rule.description)
    _console.print(table)


@main.command("stats")
@_options
def stats_command(root: Path | None, as_json: bool) -> None:
    """Count drugs, evidence, rules, interactions and sources, and how they were read.

    \b
    Example:
      python -m knowledge stats --json
    """
    counts = stats(_load(root))
    if as_json:
        click.echo(json.dumps(counts, indent=1, ensure_ascii=False))
        return
    _console.print(f"knowledge {counts.pop('version')} of {counts.pop('date')}, {counts.pop('digest')[:12]}\n")
    for title, count in counts.items():
        _console.print(title, style="bold")
        _console.print(Padding(_counted(count), (0, 0, 1, 2)))


def _counted(count: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in count.items():
        if isinstance(value, dict):
            value = "; ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
        table.add_row(name, _plain(value))
    return table


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {inner:,}" for key, inner in value.items()) + ")"
    return f"{value:,}" if isinstance(value, int) else str(value)


@main.command("show")
@click.argument("drug")
@_options
def show_command(drug: str, root: Path | None, as_json: bool) -> None:
    """Everything that is known of one DRUG, fluid or nutrition. Exit status 2 when the name is not known.

    \b
    Examples:
      python -m knowledge show vancomycin
      python -m knowledge show "lactated Ringer's"
    """
    knowledge = _load(root)
    try:
        told = page(knowledge, find(knowledge, drug))
    except Unknown as error:
        meant = f" Did you mean: {', '.join(error.candidates)}?" if error.candidates else ""
        click.echo(f'"{error.asked}" {error.reason}.{meant}', err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    _print_page(told)


def _print_page(told: dict[str, Any]) -> None:
    _console.print(told["name"], style="bold")
    facts = [told["kind"], "infused" if told["infused"] else "not infused", told["group"]]
    facts += [f"{name.replace('_', ' ')} {told[name]}" for name in ("usan", "vehicle_code", "ingredient", "parent") if name in told]
    facts += [f"{system} {', '.join(codes)}" for system, codes in told["codes"].items()]
    _console.print("; ".join(facts) + "\n")
    for title in ("names", "components", "classes", "groups", "composition", "ph", "rules", "evidence", "interactions"):
        items = told[title]
        if not items:
            _console.print(f"{title}: none\n", style="dim")
            continue
        items = [_narrow(item) for item in items]
        columns = [name for name in items[0] if any(item[name] not in ("", None, []) for item in items)]
        table = _table(*columns, title=f"{title} ({len(items)})")
        for item in items:
            table.add_row(*(_cell(name, item[name]) for name in columns))
        _console.print(table)
        _console.print()


def _narrow(item: dict[str, Any]) -> dict[str, Any]:
    """The same statement in fewer columns: a value with its unit, a source with its place and how it was read."""
    item = dict(item)
    if "unit" in item:
        item["value"] = " ".join(filter(None, [", ".join(item["value"]), item.pop("unit")]))
    if "at" in item:
        at, read = item.pop("at"), item.pop("read")
        item["source"] += (f", {at}" if at else "") + (f" ({read})" if read else "")
    return item


def _cell(name: str, value: Any) -> Text:
    text = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return Text(text, style={"result": _RESULT, "severity": _SEVERITY}.get(name, {}).get(text, ""))


@main.command("conflicts")
@_options
def conflicts_command(root: Path | None, as_json: bool) -> None:
    """Pairs on which sources disagree, conditions side by side, and how well kinds of sources agree (Cohen's kappa).

    \b
    Example:
      python -m knowledge conflicts
    """
    knowledge = _load(root)
    found, agreed = conflicts(knowledge), agreements(knowledge)
    if as_json:
        told = {
            "conflicts": [
                {
                    "pair": item.pair,
                    "mode": str(item.mode),
                    "explained_by": item.explained_by,
                    "sources": {source: [_told(knowledge, row) for row in rows] for source, rows in item.by_source.items()},
                }
                for item in found
            ],
            "agreement": [
                {"between": [item.first, item.second], "pairs": item.pairs, "agreed": item.agreed, "kappa": item.kappa} for item in agreed
            ],
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    for item in found:
        table = _table(
            "source",
            "result",
            "tested",
            title=f"{item.pair[0]} + {item.pair[1]}, {item.mode}: {'explained by ' + ' or '.join(item.explained_by) if item.explained_by else 'unexplained'}",
        )
        for source, rows in item.by_source.items():
            kind = knowledge.sources[source].kind
            for row in rows:
                table.add_row(f"{source} ({kind})", _cell("result", str(row.result)), tested(knowledge, row))
            if len(rows) > 1:
                table.add_row("", _cell("result", f"= {together(rows)}"), "")
        _console.print(table)
        _console.print()
    explained = sum(bool(item.explained_by) for item in found)
    _console.print(
        f"{len(found)} pairs on which sources disagree, counted by mode: {explained} explained, {len(found) - explained} unexplained\n",
        style="bold",
    )
    table = _table("between", "pairs of which both speak", "agree", "kappa", title="Agreement between kinds of sources")
    for line in agreed:
        value = "not defined" if line.kappa is None else f"{line.kappa:.2f}"
        table.add_row(f"{line.first} / {line.second}", str(line.pairs), str(line.agreed), value)
    _console.print(table)


def _told(knowledge: Knowledge, row: Row) -> dict[str, str]:
    return {"result": str(row.result), "tested": tested(knowledge, row), "at": row.cited.at}


@main.command("gaps")
@_options
def gaps_command(root: Path | None, as_json: bool) -> None:
    """Infused drugs that lack evidence, rules, interactions, a pH, a code or a diluent from a label.

    \b
    Example:
      python -m knowledge gaps --json
    """
    found = gaps(_load(root), _grid(root or HERE))
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for title, names in found.items():
        _console.print(f"{title}: {len(names)}", style="bold")
        more = f" ... and {len(names) - _SHOWN} more (--json lists all)" if len(names) > _SHOWN else ""
        _console.print(Padding(", ".join(names[:_SHOWN]) + more if names else "none", (0, 0, 1, 2)))


def _grid(root: Path) -> list[str]:
    """The drugs that wards run most, where the folder lists them."""
    path = root / "grid.yaml"
    data = files.parse(path.name, path.read_bytes()) if path.is_file() else None
    return [name for name in data.get("drugs", []) if isinstance(name, str)] if isinstance(data, dict) else []


def _load(root: Path | None) -> Knowledge:
    """The knowledge, or every problem on standard error and exit status 1."""
    try:
        return load(root)
    except KnowledgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _shown_root(root: Path | None) -> str:
    """The folder as a prefix of file names: relative where the reader stands above it."""
    folder = (root or HERE).resolve()
    here = Path.cwd().resolve()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return "" if str(shown) == "." else f"{shown}/"


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


if __name__ == "__main__":
    # The door to the facts also opens the commands that need the engine's answers; nothing else here may look up.
    from checker.growth_cli import COMMANDS

    for command in COMMANDS:
        main.add_command(command)
    main(prog_name="python -m knowledge")
