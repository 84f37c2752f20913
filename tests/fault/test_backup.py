"""Backup and restore, by the commands of docs/operations.md as they stand there, with a service that runs and writes meanwhile."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from api import audit
from api.audit import Audit, Entry
from api.keys import Keys
from api.store import Database
from tests.fault.conftest import ROOT, Postgres, Serve, Served
from tests.load.driver import QUESTION, Load

PLACE = "/var/lib/linewise/linewise.db"  # as the manual writes it
FEEDBACK = b'{"feedback": [{"card": "x", "outcome": "overridden"}]}'


def commands(heading: str) -> list[str]:
    """The blocks of commands below a heading of the manual."""
    text = (ROOT / "docs" / "operations.md").read_text()
    section = re.split(r"(?m)^#{2,3} ", text.split(f"\n### {heading}\n", 1)[1])[0]
    return re.findall(r"(?ms)^```\n(.*?)^```", section)


def shell(block: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a block as an operator would, in a folder for the backups."""
    programs = ":".join([str(Path(sys.executable).parent), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:])])
    given = {name: value for name, value in os.environ.items() if not name.startswith(("LINEWISE_", "PG"))}
    given |= {"PATH": f"{programs}:{given['PATH']}", "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(["bash", "-eu", "-c", block], cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=120)


def done(block: str, folder: Path, **environment: str) -> str:
    found = shell(block, folder, **environment)
    assert 0 == found.returncode, found.stdout + found.stderr
    return found.stdout


def post(served: Served, path: str, body: bytes | None, key: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json", "X-API-Key": key})
    status = connection.getresponse().status
    connection.close()
    return status


def lived_through(serve: Serve, url: str, restored: str, folder: Path, secret: Path, backup: str, restore: str, check: str) -> None:
    """Backup under load, loss, restore at `restored`, check, and on."""
    settings = {"LINEWISE_AUDIT_SECRET": str(secret)}
    here, there = settings | {"LINEWISE_DATABASE": url}, settings | {"LINEWISE_DATABASE": restored}
    with closing(Database(url)) as database:
        keys = Keys(database)
        key, revoked, feedback = (
            keys.create(name, [scope]) for name, scope in (("ward", "check"), ("gone", "check"), ("desk", "feedback"))
        )
        keys.revoke(revoked.split("_")[1])
    served = serve(**here, LINEWISE_AUDIT="mandatory")
    assert 200 == post(served, "/cds-services/iv-compatibility/feedback", FEEDBACK)
    with Load(served.port, threads=2, per_second=60) as load:
        time.sleep(1.5)
        done(backup, folder, **here)
        assert "the chain is whole" in done("python -m api audit verify", folder, **here), "while it is written to"
        time.sleep(1.5)
    later = done("python -m api audit head", folder, **here).strip()
    served.process.terminate()
    served.process.wait(timeout=30)
    assert 0 == load.told.first_failed

    done(restore, folder, **there)
    told = done(check, folder, **there)

    assert "the chain is whole" in told and "ward" in told and "desk" in told
    behind = shell(f"python -m api audit verify --expect {later}", folder, **there)
    assert 1 == behind.returncode and "is not in the chain" in behind.stdout, "what came after the backup is gone, and that is told"
    kept = int(re.findall(r"(\d+) rows", told)[0])
    assert 0 < kept < int(later.split(":")[0])
    again = serve(**there, LINEWISE_AUDIT="mandatory", LINEWISE_KEYS="always")
    assert [200, 401, 401, 403] == [post(again, "/v1/check", QUESTION, given) for given in (key, revoked, "", feedback)]
    assert '"overridden":1' in again.get("/v1/feedback/summary", {"X-API-Key": feedback})
    assert f"{kept + 1} rows, the chain is whole" in done("python -m api audit verify", folder, **there)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(b"s" * 40)
    return path


def test_sqlite_comes_back_in_a_fresh_place(serve: Serve, tmp_path: Path, secret: Path) -> None:
    backup, restore = commands("SQLite")
    [check] = commands("After a restore")
    fresh = tmp_path / "fresh" / "linewise.db"

    lived_through(
        serve,
        f"sqlite:///{tmp_path}/linewise.db",
        f"sqlite:///{fresh}",
        tmp_path,
        secret,
        backup,
        restore.replace(PLACE, str(fresh)),
        check,
    )

    assert PLACE in restore and 0o600 == (tmp_path / "linewise-backup.db").stat().st_mode & 0o777


@pytest.mark.parametrize("place", ["empty", "damaged"])
def test_postgresql_comes_back(serve: Serve, postgres: Postgres, tmp_path: Path, secret: Path, place: str) -> None:
    backup, restore = commands("PostgreSQL")
    [check] = commands("After a restore")
    fresh = postgres.url
    if place == "empty":
        postgres.run("createdb", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "linewise", "fresh")
        fresh = f"{postgres.url.rpartition('/')[0]}/fresh"

    lived_through(serve, postgres.url, fresh, tmp_path, secret, backup, restore, check)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/linewise.db" if request.param == "SQLite" else str(request.getfixturevalue("postgres").url)


def test_the_trail_is_verified_as_it_was_when_that_began(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes meanwhile does not wait, and is not taken for one who added rows behind the end."""
    with closing(Database(url)) as one, closing(Database(url)) as two:
        _verified_meanwhile(Audit(one, "mandatory"), Audit(two, "mandatory"), monkeypatch)


def _verified_meanwhile(writing: Audit, verifying: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    writing.write([Entry(kind="check")])
    rows = audit._rows

    def and_one_more(connection: Connection) -> Iterator[object]:
        writing.write([Entry(kind="check")])
        yield from rows(connection)

    monkeypatch.setattr(audit, "_rows", and_one_more)

    assert (1, []) == verifying.verify()
    monkeypatch.undo()
    assert (2, []) == verifying.verify()
