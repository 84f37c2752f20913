"""Where the little that must persist is kept: the tables, the connection, and what happens while it cannot be reached.

SQLite in a file by default, with nothing to set up; PostgreSQL by LINEWISE_DATABASE for several replicas. A database that
fails is left alone and asked again from a thread of its own, so that no question waits for it twice.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from platformdirs import user_state_path
from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String, Table, Text, create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from api.logs import lines
from api.settings import SettingsError

META = MetaData()
KEY = Table(
    "api_key",
    META,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("hash", String(200), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("created", String(32), nullable=False),
    Column("expires", String(32)),
    Column("revoked", String(32)),
    Column("last_used", String(32)),
)
AUDIT = Table(
    "audit",
    META,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("key", String(16), nullable=False),
    Column("question", String(64), nullable=False),
    Column("drugs", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("knowledge", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
AUDIT_HEAD = Table(  # one row: the end of the chain, and where it begins after what was taken off by retention
    "audit_head",
    META,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("pruned_to", BigInteger, nullable=False),
    Column("pruned_hash", String(64), nullable=False),
)
FEEDBACK = Table(
    "card_feedback",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("received", DateTime, nullable=False),
    Column("service", String(100), nullable=False),
    Column("card", String(200), nullable=False, index=True),
    Column("outcome", String(20), nullable=False),
    Column("outcome_at", String(60), nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("reason_system", String(300), nullable=False),
    Column("reason_code", String(200), nullable=False),
    Column("reason_display", String(300), nullable=False),
    Column("comment", Text, nullable=False),
    Column("issuer", String(300), nullable=False),
)
TOKENS = Table(
    "seen_token",
    META,
    Column("issuer", String(300), primary_key=True),
    Column("jti", String(300), primary_key=True),
    Column("expires", Integer, nullable=False, index=True),
)
CONNECT_SECONDS = 2
STATEMENT_MS = 5000
RETRY_SECONDS = 2.0
_READING = "linewise_reading"
T = TypeVar("T")


class DatabaseDown(Exception):
    """The database cannot be reached, read or written now."""


def default_path() -> str:
    """The file that is used when LINEWISE_DATABASE is not set."""
    return str(user_state_path("linewise", appauthor=False) / "linewise.db")


def read_url(given: str | None) -> URL:
    """The address of the database in force. Raises SettingsError for one that cannot be used."""
    try:
        url = make_url(given) if given else URL.create("sqlite", database=default_path())
    except ArgumentError as error:
        raise SettingsError("LINEWISE_DATABASE is not an SQLAlchemy URL, e.g. sqlite:////var/lib/linewise/linewise.db.") from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingsError(
            "LINEWISE_DATABASE is neither SQLite nor PostgreSQL. Write sqlite:////path/linewise.db or postgresql://user@host/name."
        )
    return url


class Database:
    """One per process. Safe in several threads; a process that was forked off opens connections of its own."""

    def __init__(self, url: str | None) -> None:
        self.url = read_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.on_return: list[Callable[[], None]] = []  # called after the database came back
        self._lock = threading.Lock()
        self._pid = 0
        self._engine: Engine | None = None
        self._migrated = False
        self.down_since: float | None = None  # monotonic

    def run(self, work: Callable[[Connection], T], *, reading: bool = False) -> T:
        """Do `work` in one transaction. Raises DatabaseDown, at once while the database is known to be down.

        reading: it only reads, and sees the database as it was at the beginning; nobody who writes waits for it.
        """
        if self.down_since is not None and self._pid == os.getpid():
            raise DatabaseDown("the database is known to be down")
        try:
            return self._attempt(work, reading)
        except IntegrityError:
            raise  # the database is well; what was asked of it is not
        except (SQLAlchemyError, OSError) as error:
            self._mark_down(error)
            raise DatabaseDown(type(error).__name__) from error

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            if self._engine is not None:
                _give_back(self._engine, self._pid)
                self._engine = None

    def up(self) -> bool:
        """Whether the database answers now."""
        try:
            self.run(lambda connection: connection.execute(text("SELECT 1")).scalar())
        except DatabaseDown:
            return False
        return True

    def engine(self) -> Engine:
        """The engine of this process."""
        with self._lock:
            if self._engine is None or self._pid != os.getpid():
                if self._engine is not None:
                    self._engine.dispose(close=False)  # the connections belong to the process that forked this one
                    self.down_since = None
                self._engine, self._pid = connect(self.url), os.getpid()
                weakref.finalize(self, _give_back, self._engine, self._pid).atexit = False  # a database nobody closed
            return self._engine

    def _attempt(self, work: Callable[[Connection], T], reading: bool = False) -> T:
        engine = self.engine()
        if not self._migrated:
            from api import store_migrate  # Alembic is read only when somebody needs the database

            store_migrate.migrate(engine)
            self._migrated = True
        if reading:
            engine = engine.execution_options(**({_READING: True} if self.sqlite else {"isolation_level": "REPEATABLE READ"}))
        try:
            with engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            if not getattr(error, "connection_invalidated", False):
                raise
        with engine.begin() as connection:  # a connection had been cut while it lay in the pool; the others are gone too
            return work(connection)

    def _mark_down(self, error: Exception) -> None:
        with self._lock:
            if self.down_since is not None:
                return
            self.down_since = time.monotonic()
        lines().error("database-down", error=type(error).__name__, cause=type(error.__cause__).__name__)
        threading.Thread(target=self._wait, name="linewise-database", daemon=True).start()

    def _wait(self) -> None:
        while True:
            time.sleep(RETRY_SECONDS)
            try:
                self._attempt(_writable if self.sqlite else lambda connection: connection.execute(text("SELECT 1")).scalar())
            except (SQLAlchemyError, OSError):
                continue
            since, self.down_since = self.down_since, None
            lines().info("database-up", seconds=round(time.monotonic() - (since or 0), 1))
            for told in self.on_return:
                told()
            return


def _writable(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE IF NOT EXISTS probe (x BLOB)"))
    connection.execute(text("INSERT INTO probe VALUES (zeroblob(65536))"))  # more than a page may still find room in
    connection.execute(text("DROP TABLE probe"))


def connect(url: URL) -> Engine:
    """An engine as this service uses it. Raises SettingsError when its driver is missing."""
    try:
        if url.get_backend_name() != "sqlite":
            options = f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={STATEMENT_MS}"
            arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "options": options, "tcp_user_timeout": STATEMENT_MS}
            return create_engine(url, connect_args=arguments, pool_size=4, max_overflow=12, pool_timeout=CONNECT_SECONDS, pool_recycle=1800)
        if url.database and url.database != ":memory:":
            os.makedirs(os.path.dirname(os.path.abspath(url.database)), mode=0o700, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": STATEMENT_MS / 1000})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise SettingsError(
            "LINEWISE_DATABASE names a driver that is not installed. Write sqlite:////path/linewise.db or postgresql://user@host/name."
        ) from error
    event.listen(engine, "connect", _sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _give_back(engine: Engine, pid: int) -> None:
    engine.dispose(close=pid == os.getpid())  # a fork inherits the engine, but its connections belong to the first process


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if _READING in connection.get_execution_options() else "BEGIN IMMEDIATE")


def _sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by the listener, at once as writers
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a row that was acknowledged outlives a loss of power
    connection.execute("PRAGMA foreign_keys = ON")
