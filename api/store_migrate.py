"""Bring a database to the form this version needs. Safe when several workers and replicas start at once.

Migrations only add: a version that is one step behind goes on working on a database that is ahead of it, so that replicas
can be replaced one after the other.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

REVISION = "0001"  # the newest of api/migrations/versions; a test holds them together
_LOCK = 0x11E715E  # one number for all replicas


def revision(connection: Connection) -> str | None:
    """The form the database is in; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found is not None else None


def migrate(engine: Engine) -> None:
    """Bring the database to REVISION, or leave it when it is there or ahead."""
    with engine.connect() as connection:
        now = revision(connection)
        if now is not None and now >= REVISION:
            return
    with engine.connect() as connection, _alone(connection):
        now = revision(connection)  # another worker may have been first
        connection.rollback()
        if now is not None and now >= REVISION:
            return
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, REVISION)
        connection.commit()


@contextlib.contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Wait until no other process migrates this database."""
    if connection.engine.dialect.name == "postgresql":
        connection.execute(text("SET statement_timeout = 60000"))
        connection.execute(text("SET lock_timeout = 60000"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            yield
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.execute(text("RESET statement_timeout"))
            connection.execute(text("RESET lock_timeout"))
            connection.commit()
        return
    database = connection.engine.url.database
    if not database or database == ":memory:":
        yield
        return
    connection.rollback()  # SQLite must not hold its own lock while this one is waited for
    with open(f"{database}.lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
