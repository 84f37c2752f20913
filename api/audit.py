"""The audit trail: who asked, about which drugs, what was answered, by which knowledge. Append-only, and a chain of hashes.

A row holds the SHA-256 of the question's bytes, ids of drugs, and the verdict: no name that was not understood, nothing of
a patient. Each row's hash covers the row and the hash before it, and `audit_head` holds the end, so that a row that was
changed, removed, added or cut off at the end is found by `verify`. Rows of all workers and replicas form one chain: the
head is locked while a row is added. What could not be written is counted, logged, and declared in the chain by a row of
kind `gap` as soon as the database is back.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from api import counts
from api.logs import lines
from api.settings import SettingsError
from api.store import AUDIT, AUDIT_HEAD, Database, DatabaseDown

NOTHING = "0" * 64
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One answer, as it is kept. question: SHA-256 of the bytes asked; drugs: ids that were understood."""

    kind: str  # check | batch | plan | gap | pruned
    key: str = ""
    question: str = ""
    drugs: tuple[str, ...] = ()
    verdict: str = ""
    knowledge: str = ""
    detail: Json = field(default_factory=dict)
    at: str = ""


class Unwritten(Exception):
    """A row could not be kept, and the audit trail is mandatory."""


def now() -> str:
    """The time as rows hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_secret(path: Path | None) -> bytes:
    """The secret that keys the hashes; empty without one. Raises SettingsError for one that is too short to protect anything."""
    if path is None:
        return b""
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise SettingsError(
            f"LINEWISE_AUDIT_SECRET: {path.name} holds {len(secret)} bytes. Write at least 32: `openssl rand -base64 48 > FILE`."
        )
    return secret


class Audit:
    """Writes the chain. mode: off | on | mandatory. secret: keys the hashes, so that who can write rows cannot forge the chain."""

    def __init__(self, database: Database, mode: str = "off", secret: bytes = b"") -> None:
        self.database, self.mode, self.secret = database, mode, secret
        self._lock = threading.Lock()
        self._lost: Json = {}
        database.on_return.append(self.declare)

    @property
    def degraded(self) -> bool:
        """Whether rows are missing that the chain does not tell of yet, or the database is down."""
        return self.mode != "off" and (bool(self._lost) or self.database.down_since is not None)

    def state(self) -> Json:
        """For health: the mode, and what is missing."""
        if self.mode == "off":
            return {"state": "off"}
        with self._lock:
            lost = dict(self._lost)
        told: Json = {"state": "degraded" if self.degraded else "ok", "mandatory": self.mode == "mandatory"}
        return told | ({"unwritten": lost["count"], "since": lost["from"]} if lost else {})

    def write(self, entries: Sequence[Entry]) -> None:
        """Keep some answers before they are given. Raises Unwritten when that fails and the trail is mandatory."""
        if self.mode == "off" or not entries:
            return
        at = now()
        with self._lock:
            lost, self._lost = self._lost, {}
        gap = [Entry(kind="gap", detail=lost, at=at)] if lost else []
        try:
            self.database.run(lambda connection: self._append(connection, [*gap, *entries], at))
        except DatabaseDown as error:
            if self.mode == "mandatory":
                self._put_back(lost)
                raise Unwritten() from error
            self._put_back(lost)
            self._lose(entries, at)

    def declare(self) -> None:
        """Tell in the chain what could not be written, if anything could not."""
        with self._lock:
            lost, self._lost = self._lost, {}
        if not lost:
            return
        try:
            self.database.run(lambda connection: self._append(connection, [Entry(kind="gap", detail=lost)], now()))
        except DatabaseDown:
            self._put_back(lost)
        else:
            lines().info("audit-gap-declared", **lost)

    def _lose(self, entries: Sequence[Entry], at: str) -> None:
        counts.UNWRITTEN.inc(len(entries))
        self._put_back({"count": len(entries), "from": at, "to": at})
        for entry in entries:  # what the chain lacks stands in the log, by hash and verdict
            lines().error("audit-unwritten", kind=entry.kind, key=entry.key, question=entry.question, verdict=entry.verdict)

    def _put_back(self, lost: Json) -> None:
        if not lost:
            return
        with self._lock:
            have = self._lost or lost | {"count": 0}
            self._lost = {
                "count": have["count"] + lost["count"],
                "from": min(have["from"], lost["from"]),
                "to": max(have["to"], lost["to"]),
            }

    def _append(self, connection: Connection, entries: Sequence[Entry], at: str) -> None:
        seq, last = connection.execute(select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash).where(AUDIT_HEAD.c.id == 1).with_for_update()).one()
        rows = []
        for entry in entries:
            seq += 1
            row = {
                "seq": seq,
                "at": entry.at or at,
                "kind": entry.kind,
                "key": entry.key,
                "question": entry.question,
                "drugs": " ".join(entry.drugs),
                "verdict": entry.verdict,
                "knowledge": entry.knowledge,
                "detail": orjson.dumps(entry.detail, option=orjson.OPT_SORT_KEYS).decode() if entry.detail else "",
            }
            last = row["hash"] = self.hash(row, last)
            rows.append(row)
        connection.execute(insert(AUDIT), rows)
        connection.execute(update(AUDIT_HEAD).where(AUDIT_HEAD.c.id == 1).values(seq=seq, hash=last))

    def hash(self, row: Any, before: str) -> str:
        """The hash of a row that follows the row with the hash `before`."""
        said = orjson.dumps(
            [before, *(row[name] for name in ("seq", "at", "kind", "key", "question", "drugs", "verdict", "knowledge", "detail"))]
        )
        return hmac.new(self.secret, said, hashlib.sha256).hexdigest() if self.secret else hashlib.sha256(said).hexdigest()

    # --- looking after it ---

    def verify(self) -> tuple[int, list[str]]:
        """How many rows there are, and everything that is wrong with the chain."""
        return self.database.run(self._verify, reading=True)

    def _verify(self, connection: Connection) -> tuple[int, list[str]]:
        head = connection.execute(select(AUDIT_HEAD).where(AUDIT_HEAD.c.id == 1)).mappings().one_or_none()
        if head is None:
            return 0, ["the row of audit_head is gone: the end of the chain is not known"]
        wrong: list[str] = []
        count, seq, last = 0, int(head["pruned_to"]), str(head["pruned_hash"])
        for row in _rows(connection):
            if row["seq"] != seq + 1:
                wrong.append(
                    f"rows {seq + 1} to {row['seq'] - 1} were removed"
                    if row["seq"] > seq + 1
                    else f"row {row['seq']} stands before the beginning of the chain"
                )
                last = ""  # the row that it followed is not there to compare
            elif self.hash(row, last) != row["hash"]:
                wrong.append(f"row {row['seq']} was changed, or the row before it")
            count, seq, last = count + 1, row["seq"], row["hash"]
        if seq != head["seq"]:
            wrong.append(
                f"rows {seq + 1} to {head['seq']} were cut off at the end"
                if seq < head["seq"]
                else f"rows {head['seq'] + 1} to {seq} were added behind the end"
            )
        elif last != head["hash"]:
            wrong.append(f"the end of the chain is not row {seq}: that row or audit_head was changed")
        return count, wrong

    def prune(self, days: int) -> int:
        """Take off rows older than `days`, and say so in the chain. Returns how many."""
        return self.database.run(lambda connection: self._prune(connection, days))

    def _prune(self, connection: Connection, days: int) -> int:
        head = connection.execute(select(AUDIT_HEAD).where(AUDIT_HEAD.c.id == 1).with_for_update()).mappings().one()
        newest = connection.execute(select(func.max(AUDIT.c.at)).where(AUDIT.c.kind != "pruned")).scalar()
        if newest is None:
            return 0
        today = min(datetime.now(UTC), datetime.fromisoformat(newest) + timedelta(days=2))  # a clock that leapt ahead takes nothing off
        before = (today - timedelta(days=days)).isoformat(timespec="milliseconds")
        kept = connection.execute(select(func.min(AUDIT.c.seq)).where(AUDIT.c.at >= before)).scalar()
        to = int(kept) - 1 if kept is not None else int(head["seq"])
        if to <= head["pruned_to"]:
            return 0
        end = connection.execute(select(AUDIT.c.hash).where(AUDIT.c.seq == to)).scalar_one()
        connection.execute(update(AUDIT_HEAD).where(AUDIT_HEAD.c.id == 1).values(pruned_to=to, pruned_hash=end))
        removed = connection.execute(delete(AUDIT).where(AUDIT.c.seq <= to)).rowcount
        self._append(connection, [Entry(kind="pruned", detail={"to": to, "hash": end, "older_than": before})], now())
        return int(removed)

    def tail(self, count: int) -> list[Json]:
        """The last rows, oldest first."""
        query = select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(count)
        return self.database.run(lambda connection: [dict(row) for row in connection.execute(query).mappings()])[::-1]

    def holds(self, noted: str) -> bool:
        """Whether an end of the chain that was noted as SEQ:HASH is still in it, or lies before what retention took off."""
        seq, _, said = noted.partition(":")
        if not seq.isdigit():
            return False
        if int(seq) == 0:
            return True  # noted before there was a row
        query = select(AUDIT.c.hash).where(AUDIT.c.seq == int(seq))
        found, start = self.database.run(
            lambda connection: (connection.execute(query).scalar(), connection.execute(select(AUDIT_HEAD.c.pruned_to)).scalar())
        )
        return hmac.compare_digest(found, said) if found is not None else bool(start and int(seq) <= start)

    def head(self) -> tuple[int, str]:
        """Number and hash of the last row: kept elsewhere, it proves later that nothing before it was rewritten."""
        query = select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash).where(AUDIT_HEAD.c.id == 1)
        found = self.database.run(lambda connection: connection.execute(query).one())
        return int(found[0]), str(found[1])


def _rows(connection: Connection) -> Iterator[Any]:
    yield from connection.execution_options(yield_per=1000).execute(select(AUDIT).order_by(AUDIT.c.seq)).mappings()
