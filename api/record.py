"""What is kept of an answer before it is given: its counts, and its row in the audit trail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

from flask import current_app, g, has_request_context

from api import counts
from api.access import holder
from api.audit import Audit, Entry, Unwritten
from api.problems import Failure
from checker.model import Report


def answered(door: str, report: Report, question: bytes | None = None) -> None:
    """Count and keep one answer. door: check | batch | plan | cds | fhir | page; question: its bytes, unless read_json read them.

    Raises Failure (503) when it cannot be kept and LINEWISE_AUDIT=mandatory.
    """
    answered_many(door, [(report, question)])


def answered_many(door: str, reports: Sequence[tuple[Report, bytes | None]]) -> None:
    """Count and keep several answers, in one transaction."""
    for report, _ in reports:
        counts.verdict(door, report.verdict).inc()
        for item in report.not_understood:
            counts.unresolved(item.reason).inc()
    audit = cast(Audit, current_app.extensions["linewise-audit"])
    if audit.mode == "off":
        return
    key = holder() if has_request_context() else ""
    entries = [
        Entry(
            kind=door,
            key=key,
            question=hashlib.sha256(question if question is not None else g.get("asked", b"")).hexdigest(),
            drugs=_drugs(report),
            verdict=report.verdict,
            knowledge=report.digest,
            detail={"not_understood": len(report.not_understood)} if report.not_understood else {},
        )
        for report, question in reports
    ]
    try:
        audit.write(entries)
    except Unwritten as error:
        raise Failure(
            "audit-unavailable",
            "The answer cannot be given: it cannot be kept in the audit trail, which is mandatory here.",
            headers={"Retry-After": "5"},
        ) from error


def _drugs(report: Report) -> tuple[str, ...]:
    infused, other = (item.drug for item in report.infusions), (item.drug for item in report.medications)
    return tuple(drug for drug in dict.fromkeys([*infused, *other]) if drug)
