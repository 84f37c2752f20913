"""The audit trail holds every answer, and shows when it was touched."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api import audit as trail
from api.audit import Audit, Entry
from api.store import Database
from tests.api import assert_problem

QUESTION = {"drugs": ["exemplapenem", "fictazolam", "Jane Roe"], "patient": {"age_days": 4321}}
ROOT = Path(__file__).parents[2]


def filled(url: str, count: int = 6, secret: bytes = b"") -> Audit:
    made = Audit(Database(url), "on", secret)
    for number in range(count):
        made.write([Entry(kind="check", question=f"{number:064x}", drugs=("exemplapenem",), verdict="clear")])
    return made


def tamper(url: str, *statements: str) -> None:
    """Change the file behind the service's back, as one who can write it could."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        for name in ("audit_no_change", "audit_no_removal"):
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            connection.execute(statement)


def test_an_answer_is_kept_without_what_could_tell_of_a_patient(make: Callable[..., Flask]) -> None:
    app = make(audit="on")
    body = json.dumps(QUESTION).encode()

    response = app.test_client().post("/v1/check", data=body, content_type="application/json")

    [row] = app.extensions["linewise-audit"].tail(5)
    assert 200 == response.status_code
    assert (hashlib.sha256(body).hexdigest(), "exemplapenem fictazolam", response.get_json()["verdict"]) == (
        row["question"],
        row["drugs"],
        row["verdict"],
    )
    assert {"not_understood": 1} == json.loads(row["detail"])
    assert "Roe" not in str(row) and "4321" not in str(row)


def test_what_was_refused_is_not_an_answer(make: Callable[..., Flask]) -> None:
    app = make(audit="mandatory")
    assert 422 == app.test_client().post("/v1/check", json={}).status_code
    assert [] == app.extensions["linewise-audit"].tail(5)


def test_a_whole_chain_is_whole(url: str) -> None:
    assert (6, []) == filled(url).verify()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET verdict = 'stop' WHERE seq = 3", "row 3 was changed"),
        ("UPDATE audit SET drugs = '' WHERE seq = 6", "row 6 was changed"),
        ("DELETE FROM audit WHERE seq = 3", "rows 3 to 3 were removed"),
        ("DELETE FROM audit WHERE seq = 1", "rows 1 to 1 were removed"),
        ("DELETE FROM audit WHERE seq > 4", "rows 5 to 6 were cut off at the end"),
        ("DELETE FROM audit", "rows 1 to 6 were cut off"),
        ("UPDATE audit_head SET seq = 5", "added behind the end"),
        ("UPDATE audit_head SET hash = 'x'", "the end of the chain is not row 6"),
        ("DELETE FROM audit_head", "audit_head is gone"),
        (
            "INSERT INTO audit SELECT 7, at, kind, key, question, drugs, verdict, knowledge, detail, hash FROM audit WHERE seq = 6",
            "row 7 was changed",
        ),
    ],
)
def test_every_touch_is_found(url: str, statement: str, words: str) -> None:
    made = filled(url)
    tamper(url, statement)

    wrong = made.verify()[1]

    assert any(words in line for line in wrong), wrong


def test_the_database_itself_refuses_changes_and_removals(url: str) -> None:
    made = filled(url)
    for statement in ("UPDATE audit SET verdict = 'clear'", "DELETE FROM audit WHERE seq = 2"):
        with pytest.raises(IntegrityError, match="append-only"):
            made.database.run(lambda connection, statement=statement: connection.execute(text(statement)))


def test_with_a_secret_a_chain_cannot_be_written_anew_and_a_noted_end_must_stay(url: str) -> None:
    made = filled(url, secret=b"s" * 32)
    noted = "{}:{}".format(*made.head())

    assert [] == made.verify()[1] and made.holds(noted)
    assert 6 == len(Audit(Database(url), "on", b"other" * 10).verify()[1])
    assert not made.holds("6:" + "0" * 64) and not made.holds("7:x") and not made.holds("x")


def test_retention_takes_old_rows_off_and_the_chain_stays_whole(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = (datetime.now(UTC) - timedelta(days=40)).isoformat(timespec="milliseconds")
    monkeypatch.setattr(trail, "now", lambda: old)
    filled(url, 4)
    monkeypatch.undo()
    made = filled(url, 3)

    assert 4 == made.prune(30)
    assert (4, []) == made.verify()
    assert "pruned" == made.tail(1)[0]["kind"]
    assert 0 == made.prune(30)


def test_a_clock_that_leaps_ahead_takes_nothing_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = filled(url, 3)

    class Leapt(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2099, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(trail, "datetime", Leapt)
    assert 0 == made.prune(30)


def test_a_clock_that_leaps_back_leaves_the_chain_whole(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(url, 2)
    monkeypatch.setattr(trail, "now", lambda: "2001-01-01T00:00:00.000+00:00")
    made = filled(url, 2)

    assert (4, []) == made.verify()


def test_many_writers_make_one_chain(url: str) -> None:
    """Threads here, processes in tests/fault."""
    made = [Audit(Database(url), "on") for _ in range(3)]

    def write(one: Audit) -> None:
        for _ in range(15):
            one.write([Entry(kind="check")])

    threads = [threading.Thread(target=write, args=(one,)) for one in made for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (90, []) == made[0].verify() and not any(one.degraded for one in made)


def test_a_gap_is_told_in_health_in_the_log_and_in_the_chain(
    make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    app = make(audit="on")
    made, client = app.extensions["linewise-audit"], app.test_client()
    client.post("/v1/check", json=QUESTION)
    monkeypatch.setattr(made.database, "down_since", 1.0)  # as after a failure

    for _ in range(3):
        assert 200 == client.post("/v1/check", json=QUESTION).status_code
    told = client.get("/healthz").get_json()["audit"]
    ready = client.get("/readyz")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    monkeypatch.setattr(made.database, "down_since", None)
    made.declare()

    assert ("degraded", 3) == (told["state"], told["unwritten"]) and 200 == ready.status_code
    assert 3 == sum(line["event"] == "audit-unwritten" for line in lines) and "Roe" not in str(lines)
    gap = made.tail(1)[0]
    assert ("gap", 3) == (gap["kind"], json.loads(gap["detail"])["count"])
    assert [] == made.verify()[1] and "ok" == client.get("/healthz").get_json()["audit"]["state"]


def test_where_it_is_mandatory_nothing_is_answered_without_it(make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    app = make(audit="mandatory")
    client = app.test_client()
    assert 200 == client.post("/v1/check", json=QUESTION).status_code
    monkeypatch.setattr(app.extensions["linewise-audit"].database, "down_since", 1.0)

    refused = client.post("/v1/check", json=QUESTION)

    assert_problem(refused, 503)
    assert "pairs" not in refused.text and "Retry-After" in refused.headers
    assert 503 == client.get("/readyz").status_code and 200 == client.get("/healthz").status_code


def test_the_command_line(url: str, tmp_path: Path) -> None:
    filled(url, 2)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        import os

        given = {name: value for name, value in os.environ.items() if not name.startswith("LINEWISE_")} | {"LINEWISE_DATABASE": url}
        return subprocess.run([sys.executable, "-m", "api", *words], cwd=ROOT, env=given, capture_output=True, text=True, check=False)

    key = run("keys", "create", "ward 7", "--scope", "check").stdout.strip()
    listed = json.loads(run("keys", "list", "--json").stdout)
    assert key.startswith("lw_") and ["ward 7"] == [item["name"] for item in listed] and "hash" not in listed[0]
    assert 0 == run("keys", "revoke", key).returncode and 2 == run("keys", "revoke", key).returncode
    whole = run("audit", "verify")
    assert (0, "2 rows, the chain is whole.") == (whole.returncode, whole.stdout.strip())
    copy = tmp_path / "copy.db"
    assert 0 == run("database", "backup", str(copy)).returncode
    tamper(url, "UPDATE audit SET verdict = 'stop' WHERE seq = 1")
    touched = run("audit", "verify", "--json")
    assert 1 == touched.returncode and not json.loads(touched.stdout)["whole"]
    assert (2, []) == Audit(Database(f"sqlite:///{copy}"), "on").verify(), "the copy was made before and restores the chain"
