"""What clinicians did with cards, and which tokens were used: the little that is kept, behind one small interface. Append-only."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from api.store import FEEDBACK, TOKENS, Database, DatabaseDown

_SWEEP = 300  # seconds between two removals of expired tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one card. outcome: accepted | overridden. Nothing in it tells of a patient, but a comment may."""

    service: str
    card: str
    outcome: str
    outcome_at: str
    suggestions: tuple[str, ...] = ()
    reason_system: str = ""
    reason_code: str = ""
    reason_display: str = ""
    comment: str = ""
    issuer: str = ""


class Store:
    """Keeps outcomes and used tokens. Safe to use from several threads and processes."""

    lasting = True

    def __init__(self, database: Database) -> None:
        self._database = database
        self._swept = 0.0
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], int] = {}  # tokens that came while the database was down

    def keep(self, outcomes: Sequence[Outcome]) -> int:
        """Keep some outcomes; returns how many."""
        received = datetime.now(UTC).replace(tzinfo=None)
        values = [
            {
                "received": received,
                "service": item.service,
                "card": item.card,
                "outcome": item.outcome,
                "outcome_at": item.outcome_at,
                "suggestions": " ".join(item.suggestions),
                "reason_system": item.reason_system,
                "reason_code": item.reason_code,
                "reason_display": item.reason_display,
                "comment": item.comment,
                "issuer": item.issuer,
            }
            for item in outcomes
        ]
        if values:
            self._database.run(lambda connection: connection.execute(insert(FEEDBACK), values))
        return len(values)

    def kept(self) -> list[dict[str, Any]]:
        """All that was kept, oldest first."""
        query = select(FEEDBACK).order_by(FEEDBACK.c.id)
        return self._database.run(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def first_seen(self, issuer: str, jti: str, expires: int) -> bool:
        """Whether a token comes for the first time; it is remembered until it expires.

        While the database is down each worker remembers for itself: the EHR gets its answer, and a replay to another worker could pass.
        """
        with self._lock:
            if self._seen.get((issuer, jti), 0) > time.time():
                return False
        try:
            self._sweep()
            self._database.run(lambda connection: connection.execute(insert(TOKENS), {"issuer": issuer, "jti": jti, "expires": expires}))
        except IntegrityError:
            return False
        except DatabaseDown:
            with self._lock:
                self._seen = (
                    {key: until for key, until in self._seen.items() if until > time.time()} if len(self._seen) > 10_000 else self._seen
                )
                self._seen[issuer, jti] = expires
        return True

    def _sweep(self) -> None:
        now = time.time()
        with self._lock:
            if now - self._swept < _SWEEP:
                return
            self._swept = now
        self._database.run(lambda connection: connection.execute(delete(TOKENS).where(TOKENS.c.expires < int(now))))

    # --- what is overridden most ---

    def counted(self) -> list[tuple[str, str, str, str, str, str, int]]:
        """How often each card met each outcome and reason: service, card, outcome, reason's system, code and display, count. No comments."""
        columns = (
            FEEDBACK.c.service,
            FEEDBACK.c.card,
            FEEDBACK.c.outcome,
            FEEDBACK.c.reason_system,
            FEEDBACK.c.reason_code,
            FEEDBACK.c.reason_display,
        )
        query = select(*columns, func.count()).group_by(*columns)
        return self._database.run(lambda connection: [tuple(row) for row in connection.execute(query)])
