"""The database: made by itself, by several at once, and one form for the code and the migrations."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from flask import Flask

from api import create_app, store_migrate
from api.__main__ import main as commands
from api.cds.marks import Marks, identity
from api.settings import SettingsError
from api.store import META, Database, DatabaseDown, read_url
from knowledge import Knowledge


def test_migrations_lead_to_what_the_code_expects(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(store_migrate.__file__).parent / "migrations"))
    assert [store_migrate.REVISION] == ScriptDirectory.from_config(config).get_heads()
    database = Database(url)

    difference = database.run(lambda connection: compare_metadata(MigrationContext.configure(connection), META))

    assert [] == difference


def _open(url: str) -> bool:
    return Database(url).up()


def test_many_processes_may_open_an_empty_database_at_once(url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert [True] * 8 == pool.map(_open, [url] * 8)


def test_a_database_that_is_ahead_is_left_alone(url: str) -> None:
    from sqlalchemy import text

    Database(url).run(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))

    assert Database(url).up()


@pytest.mark.parametrize("given", ["nonsense", "mysql://x/y", "sqlite//x"])
def test_an_address_that_cannot_be_used_is_told(given: str) -> None:
    with pytest.raises(SettingsError, match="LINEWISE_DATABASE"):
        read_url(given)


def test_postgresql_is_spoken_with_psycopg() -> None:
    assert "postgresql+psycopg" == read_url("postgresql://u@h/n").drivername


def test_a_database_that_is_down_is_asked_once_and_then_left_alone(world: Knowledge) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseDown):
        database.run(lambda connection: None)
    assert database.down_since is not None
    with pytest.raises(DatabaseDown, match="known to be down"):
        database.run(lambda connection: None)
    app = create_app({"log": "nothing", "database": "postgresql://nobody@127.0.0.1:1/none"}, knowledge=world)
    assert 200 == app.test_client().post("/v1/check", json={"drugs": ["exemplapenem"]}).status_code
    assert 503 == app.test_client().get("/v1/feedback/summary").status_code


def test_what_is_overridden_most_is_told_by_pair_and_reason(make: Callable[..., Flask], world: Knowledge) -> None:
    client = make().test_client()
    one, two = (
        identity(f"request {number}".encode(), "pair:exemplapenem+fictazolam", ("exemplapenem", "fictazolam")) for number in range(2)
    )
    assert one != two and ("exemplapenem", "fictazolam") == Marks(world).read(one) == Marks(world).read(two)
    why = {"reason": {"system": "urn:x", "code": "separate-line", "display": "Given apart"}, "userComment": "Jane Roe"}
    outcomes = [
        {"card": one, "outcome": "overridden", "overrideReason": why},
        {"card": two, "outcome": "overridden", "overrideReason": why},
        {"card": identity(b"x", "alone:samplicin", ("samplicin",)), "outcome": "accepted"},
        {"card": "not ours", "outcome": "overridden"},
    ]
    service = client.get("/cds-services").get_json()["services"][0]["id"]
    assert 200 == client.post(f"/cds-services/{service}/feedback", json={"feedback": outcomes}).status_code

    told = client.get("/v1/feedback/summary").get_json()

    assert (4, 3) == (told["outcomes"], told["overridden"])
    assert (["exemplapenem", "fictazolam"], 2, 0) == (
        told["about"][0]["drugs"],
        told["about"][0]["overridden"],
        told["about"][0]["accepted"],
    )
    assert ("separate-line", 2) == (told["about"][0]["reasons"][0]["code"], told["reasons"][0]["count"])
    assert "Roe" not in str(told)


def test_no_two_drugs_share_a_mark(real: Knowledge) -> None:
    marks = Marks(real)
    assert all(marks.read(identity(b"", drug, (drug,))) == (drug,) for drug in real.drugs)


def test_a_backup_that_cannot_be_made_says_so_and_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, copy, other = tmp_path / "linewise.db", tmp_path / "copy.db", tmp_path / "not a database"
    backup = lambda target: CliRunner().invoke(commands, ["database", "backup", str(target)])  # noqa: E731
    monkeypatch.setenv("LINEWISE_DATABASE", f"sqlite:///{here}")
    assert "There is no database" in backup(copy).output and not here.exists() and not copy.exists()
    assert Database(f"sqlite:///{here}").up()
    assert 0 == backup(copy).exit_code
    kept = copy.read_bytes()
    assert "itself" in backup(here).output
    assert 1 == backup(tmp_path / "nowhere" / "copy.db").exit_code

    other.write_bytes(b"x" * 9000)
    monkeypatch.setenv("LINEWISE_DATABASE", f"sqlite:///{other}")
    found = backup(copy)

    assert 1 == found.exit_code and "could not be copied" in found.output and kept == copy.read_bytes()
