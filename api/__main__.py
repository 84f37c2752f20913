"""The command line of the service: python -m api keys | audit | release | database."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from api import release, settings
from api.audit import Audit, read_secret
from api.keys import SCOPES, Keys
from api.store import Database, DatabaseDown
from knowledge import KnowledgeError
from knowledge.lint import Level, lint

_console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)


def _database() -> Database:
    return Database(settings.read().database)


def _as_json(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look after the service: who may ask, what was answered, what is served.

    \b
    Examples:
      python -m api keys create "ward 7" --scope check
      python -m api keys revoke abcde23456
      python -m api audit verify
      python -m api release check
    """


# --- keys ---


@main.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(SCOPES),
    help="What the key may do; give it several times for several.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires; never unless told.")
def keys_create(name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a key for NAME and print it, once: it is kept as a hash only."""
    try:
        click.echo(Keys(_database()).create(name, scopes, days))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo("Keep it where only its user can read it. It is not shown again.", err=True)


@keys.command("list")
@_as_json
def keys_list(as_json: bool) -> None:
    """All keys, with their scopes and when each was last used."""
    found = Keys(_database()).listed()
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("id", "name", "scopes", "created", "expires", "revoked", "last used"):
        table.add_column(column, no_wrap=column == "id")
    for key in found:
        table.add_row(*(str(key[column] or "-") for column in ("id", "name", "scopes", "created", "expires", "revoked", "last_used")))
    _console.print(table)


@keys.command("revoke")
@click.argument("identity", metavar="ID")
def keys_revoke(identity: str) -> None:
    """Revoke the key with this ID (or the key itself). It is refused everywhere within five seconds."""
    identity = identity.split("_")[1] if identity.startswith("lw_") and identity.count("_") >= 2 else identity
    if not Keys(_database()).revoke(identity):
        click.echo(f"There is no key {identity} that could be revoked. `python -m api keys list` shows them.", err=True)
        sys.exit(2)
    click.echo(f"{identity} is revoked.")


# --- audit ---


@main.group()
def audit() -> None:
    """Verify, read and shorten the audit trail."""


def _audit() -> Audit:
    chosen = settings.read()
    return Audit(Database(chosen.database), "on", read_secret(chosen.audit_secret))


@audit.command("verify")
@click.option("--expect", metavar="SEQ:HASH", help="An end of the chain that was noted earlier (audit head): it must still be in it.")
@_as_json
def audit_verify(expect: str | None, as_json: bool) -> None:
    """Read the whole chain. Exit status 1 when a row was changed, removed, added or cut off."""
    trail = _audit()
    count, wrong = trail.verify()
    if expect is not None and not trail.holds(expect):
        wrong.append(f"the end that was noted, {expect}, is not in the chain: it was written anew")
    if as_json:
        click.echo(json.dumps({"rows": count, "whole": not wrong, "wrong": wrong}))
    else:
        for line in wrong:
            click.echo(line)
        click.echo(f"{count} rows, {len(wrong)} thing(s) wrong." if wrong else f"{count} rows, the chain is whole.")
    sys.exit(1 if wrong else 0)


@audit.command("head")
def audit_head() -> None:
    """Number and hash of the last row. Kept elsewhere, it proves later that nothing before it was rewritten."""
    click.echo("{}:{}".format(*_audit().head()))


@audit.command("show")
@click.option("--last", default=20, type=click.IntRange(1, 100_000), help="How many rows, from the end.")
def audit_show(last: int) -> None:
    """The last rows, as JSON lines."""
    for row in _audit().tail(last):
        click.echo(json.dumps(row))


@audit.command("prune")
@click.option("--days", type=click.IntRange(1, 36_500), help="Keep this many days; LINEWISE_AUDIT_DAYS unless told.")
def audit_prune(days: int | None) -> None:
    """Take off rows that are older than the retention. The chain says so, and stays whole."""
    keep = days or settings.read().audit_days
    if not keep:
        click.echo("Nothing is taken off: LINEWISE_AUDIT_DAYS is 0 (for ever), and --days was not given.")
        return
    trail = _audit()
    wrong = trail.verify()[1]
    if wrong:
        click.echo(
            "The chain is not whole, so nothing is taken off: it would hide what happened. See `python -m api audit verify`.", err=True
        )
        sys.exit(1)
    click.echo(f"{trail.prune(keep)} rows were older than {keep} days and are taken off.")


# --- releases of the knowledge ---


@main.group("release")
def release_group() -> None:
    """Make and check releases of the knowledge."""


@release_group.command("check")
@click.argument("path", required=False, type=click.Path(path_type=Path))
def release_check(path: Path | None) -> None:
    """Whether a release can be served: checksum, load, lint. PATH: LINEWISE_KNOWLEDGE unless given."""
    from knowledge import load

    chosen = settings.read()
    folder = release.folder(path or chosen.knowledge)
    known = load(folder, overlay=chosen.overlay)
    if not known.drugs:
        raise click.ClickException("The release holds no drugs.")
    errors = [finding for finding in lint(folder) if finding.level is Level.ERROR]
    for finding in errors[:20]:
        click.echo(str(finding), err=True)
    if errors:
        click.echo(f"{len(errors)} error(s): this release is not served.", err=True)
        sys.exit(1)
    click.echo(f"{known.version}, {known.digest}: {len(known.drugs)} drugs. It can be served.")


@release_group.command("pack")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("archive", type=click.Path(dir_okay=False, path_type=Path))
def release_pack(folder: Path, archive: Path) -> None:
    """Pack the knowledge files of FOLDER as ARCHIVE (.tar.gz), with its checksum beside it."""
    if not archive.name.endswith((".tar.gz", ".tgz")):
        raise click.UsageError("Give the archive a name that ends in .tar.gz.")
    click.echo(f"{release.pack(folder, archive)}  {archive.name}")


# --- the database ---


@main.group()
def database() -> None:
    """Prepare and copy the database."""


@database.command("migrate")
def database_migrate() -> None:
    """Bring the database to the form that this version needs. The service does so by itself when it first needs it."""
    held = _database()
    held.run(lambda connection: None)
    click.echo(f"{held.url.render_as_string(hide_password=True)} is ready.")


@database.command("backup")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def database_backup(target: Path) -> None:
    """Copy a SQLite database to TARGET while the service runs, and check the copy. For PostgreSQL use pg_dump."""
    held = _database()
    if not held.sqlite:
        raise click.ClickException("This is for SQLite. For PostgreSQL: pg_dump --format=custom (docs/operations.md).")
    source = Path(str(held.url.database))
    if not source.is_file():
        raise click.ClickException(f"There is no database at {source}. Set LINEWISE_DATABASE as the service has it.")
    part = target.with_name(f"{target.name}.part")  # so that an older copy stays until this one is whole
    try:
        if target.exists() and target.samefile(source):
            raise click.ClickException(f"{target} is the database itself. Name another file.")
        part.unlink(missing_ok=True)
        part.touch(0o600)
        _copy(source, part)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise click.ClickException(f"{source} could not be copied to {target}: {error}") from error
    click.echo(f"{target} holds a copy.")


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as told, closing(sqlite3.connect(target)) as copy:
        told.backup(copy)
        found = copy.execute("PRAGMA quick_check").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def run(command: Callable[..., Any] = main) -> None:
    """Run it, and tell mistakes in a line."""
    try:
        command()
    except (settings.SettingsError, KnowledgeError) as error:
        sys.exit(str(error))
    except DatabaseDown as error:
        sys.exit(f"The database does not answer ({error}).")


if __name__ == "__main__":
    run()
