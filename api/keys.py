"""API keys: made, listed, revoked, and recognised.

A key is `lw_<id>_<secret>`. The id finds the row, argon2 compares the secret in constant time, and an id that does not
exist costs as much as one that does. A key that was verified is remembered by its SHA-256 in this process; its row is
read again after REFRESH_SECONDS, so that a revocation holds everywhere within that time. While the database is down, keys
that were verified before go on for GRACE_SECONDS.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import insert, select, update

from api.store import KEY, Database, DatabaseDown

SCOPES = ("check", "batch", "plan", "feedback", "admin")
REFRESH_SECONDS = 5.0
GRACE_SECONDS = 24 * 3600.0
USED_SECONDS = 60.0  # last_used is written at most this often by a process
MOST_REMEMBERED = 10_000
_FORM = re.compile(r"lw_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least for argon2id


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose key it is, and what it may do."""

    id: str
    name: str
    scopes: frozenset[str]


@dataclass(slots=True)
class _Known:
    """A key that was verified here: what it was verified against, and when its row was last read."""

    hash: str
    holder: Holder
    read: float
    used: float = -USED_SECONDS


class Keys:
    """The keys of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: dict[bytes, _Known] = {}
        self._argon = threading.Semaphore(2)  # each verification takes 19 MiB and one core for a moment
        self._nobody = ""

    def create(self, name: str, scopes: Sequence[str], days: int | None = None) -> str:
        """Make a key and return it; it is not kept and cannot be shown again."""
        if not scopes or not set(scopes) <= set(SCOPES):
            raise ValueError(f"a scope is one of: {', '.join(SCOPES)}")
        if not 0 < len(name) <= 100 or not name.isprintable():
            raise ValueError("a name has 1 to 100 printable characters")
        identity = "".join(secrets.choice(_LETTERS) for _ in range(10))
        secret = secrets.token_urlsafe(32)
        moment = datetime.now(UTC)
        row = {
            "id": identity,
            "name": name,
            "hash": _hasher.hash(secret),
            "scopes": " ".join(scope for scope in SCOPES if scope in scopes),
            "created": _text(moment),
            "expires": _text(moment + timedelta(days=days)) if days else None,
            "revoked": None,
            "last_used": None,
        }
        self.database.run(lambda connection: connection.execute(insert(KEY), row))
        return f"lw_{identity}_{secret}"

    def listed(self) -> list[dict[str, Any]]:
        """All keys, without their hashes, oldest first."""
        columns = [column for column in KEY.c if column.name != "hash"]
        return self.database.run(
            lambda connection: [dict(row) for row in connection.execute(select(*columns).order_by(KEY.c.created)).mappings()]
        )

    def revoke(self, identity: str) -> bool:
        """Revoke a key; whether there was such a key that was not revoked yet."""
        query = update(KEY).where(KEY.c.id == identity, KEY.c.revoked.is_(None)).values(revoked=_text(datetime.now(UTC)))
        return bool(self.database.run(lambda connection: connection.execute(query).rowcount))

    def usable(self) -> bool:
        """Whether there is a key that can be used."""
        return any(_in_force(row) for row in self.listed())

    def recognise(self, key: str) -> Holder | None:
        """Whose key this is; None for a wrong, revoked or expired one. Raises DatabaseDown when that cannot be known."""
        form = _FORM.fullmatch(key)
        if form is None:
            return None
        mark = hashlib.sha256(key.encode()).digest()
        known = self._known.get(mark)
        moment = time.monotonic()
        if known is not None and moment - known.read < REFRESH_SECONDS:
            return known.holder
        try:
            row = self._row(form[1])
        except DatabaseDown:
            if known is not None and moment - known.read < GRACE_SECONDS:
                return known.holder
            raise
        same = known is not None and row is not None and row["hash"] == known.hash
        if not same:
            same = self._same(row["hash"] if row is not None else self._nobodys(), form[2]) and row is not None
        if not same or not _in_force(row):
            self._known.pop(mark, None)
            return None
        holder = Holder(id=row["id"], name=row["name"], scopes=frozenset(row["scopes"].split()))
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        fresh = self._known[mark] = _Known(row["hash"], holder, moment, known.used if known is not None else -USED_SECONDS)
        self._use(fresh, moment)
        return holder

    def _row(self, identity: str) -> Any:
        query = select(KEY).where(KEY.c.id == identity)
        return self.database.run(lambda connection: connection.execute(query).mappings().one_or_none())

    def _same(self, kept: str, secret: str) -> bool:
        with self._argon:
            try:
                return _hasher.verify(kept, secret)
            except (VerificationError, InvalidHashError):
                return False

    def _nobodys(self) -> str:
        """A hash that no secret has, so that an id that does not exist takes as long."""
        if not self._nobody:
            self._nobody = _hasher.hash(secrets.token_urlsafe(32))
        return self._nobody

    def _use(self, known: _Known, moment: float) -> None:
        if moment - known.used < USED_SECONDS:
            return
        known.used = moment
        query = update(KEY).where(KEY.c.id == known.holder.id).values(last_used=_text(datetime.now(UTC)))
        try:
            self.database.run(lambda connection: connection.execute(query))
        except DatabaseDown:
            known.used = -USED_SECONDS  # tried again at the next reading


def _in_force(row: Any) -> bool:
    return row["revoked"] is None and (row["expires"] is None or row["expires"] > _text(datetime.now(UTC)))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
