"""POST /v1/batch: NDJSON in and out, one bad line never breaks the rest, and limits are told in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from api import create_app
from api.batch import MEDIA_TYPE
from checker import Checker, Names, Renderer, order
from knowledge import Knowledge
from tests.api import assert_problem
from tests.batch.conftest import rows

CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
GOOD = b'{"id":"good","drugs":["samplamycin","fictazolam"]}\n'


def lines(data: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in data.splitlines()]


def send(client: FlaskClient, body: bytes, query: str = "") -> list[dict[str, Any]]:
    response = client.post(f"/v1/batch{query}", data=body, content_type=MEDIA_TYPE)

    assert (200, MEDIA_TYPE) == (response.status_code, response.mimetype)
    return lines(response.data)


@pytest.mark.parametrize("level", ["verdict", "full"])
def test_each_line_has_the_answer_of_a_check(
    client: FlaskClient, world: Knowledge, world_names: Names, world_checker: Checker, level: str
) -> None:
    given = rows(world, 300)
    *found, end = send(client, b"\n".join(orjson.dumps(row) for row in given), f"?level={level}")
    reports = [world_checker.check(order({"drugs": row["drugs"]}, world_names)) for row in given]

    assert [row["id"] for row in given] == [row["id"] for row in found]
    assert [report.verdict for report in reports] == [row["verdict"] for row in found]
    if level == "full":
        assert [Renderer(world).plain(report) for report in reports] == [row["report"] for row in found]
    assert 300 == end["end"]["written"]


def test_one_bad_line_never_breaks_the_rest(client: FlaskClient) -> None:
    *found, end = send(client, GOOD + b"{\n\n" + b"\xff\n" + GOOD + b'{"id":1,"drugs":["samplamycin"],"colour":"red"}\n' + GOOD)

    assert [1, 2, 4, 5, 6, 7] == [row["line"] for row in found]
    assert [False, True, True, False, True, False] == ["error" in row for row in found]
    assert (6, 1, 3) == (end["end"]["sets"], end["end"]["blank"], end["end"]["errors"])


@pytest.mark.parametrize("audit", ["off", "on"])
@pytest.mark.usefixtures("failing")
def test_a_failure_inside_breaks_neither_the_stream_nor_the_log(
    world: Knowledge, capsys: pytest.CaptureFixture[str], audit: str, tmp_path: Any
) -> None:
    database = f"sqlite:///{tmp_path / 'a.db'}"
    client = create_app({"log": "nothing", "audit": audit, "database": database}, knowledge=world).test_client()
    *found, end = send(client, GOOD + b'{"id":"Jane","drugs":["mockprazole"]}\n' + GOOD)
    (logged,) = [orjson.loads(line) for line in capsys.readouterr().err.splitlines() if "engine-failed" in line]

    assert ["error" in row for row in found] == [False, True, False]
    assert (3, 1) == (end["end"]["sets"], end["end"]["errors"])
    assert logged["what"].startswith("line 2: ZeroDivisionError")
    assert "Jane" not in str(logged) and "mockprazole" not in str(logged)


def test_it_answers_as_it_reads(world: Knowledge) -> None:
    """The first answers are there before the last line was sent."""
    client = create_app({"log": "nothing"}, knowledge=world).test_client()
    asked: list[int] = []

    class Slow:
        def __init__(self) -> None:
            self.parts: Iterator[bytes] = (GOOD * 2_000 for _ in range(50))

        def read(self, size: int = -1) -> bytes:
            asked.append(size)
            return next(self.parts, b"")

    response = client.post("/v1/batch", content_type=MEDIA_TYPE, environ_overrides=CHUNKED | {"wsgi.input": Slow()}, buffered=False)
    first = next(iter(response.response))

    assert b'"line":1' in first
    assert len(asked) < 20
    response.close()


def test_limits(world: Knowledge) -> None:
    client = create_app({"log": "nothing", "batch_rows": 3, "batch_bytes": 4096, "most_bytes": 1024}, knowledge=world).test_client()
    *_, late, end = send(client, GOOD * 9)
    long = send(client, b'{"id":1,"drugs":["' + b"x" * 2_000 + b'"]}\n' + GOOD)

    assert ("too-many-rows", 4) == (late["error"]["reason"], end["end"]["sets"])
    assert ["too-long", None] == [row.get("error", {}).get("reason") for row in long[:2]]
    assert_problem(client.post("/v1/batch", data=GOOD * 200, content_type=MEDIA_TYPE), 413)


def test_a_body_whose_length_is_not_told_is_cut_at_the_limit(world: Knowledge) -> None:
    client = create_app({"log": "nothing", "batch_bytes": 100_000}, knowledge=world).test_client()

    class Endless:
        def read(self, size: int = -1) -> bytes:
            return GOOD * 1_000

    response = client.post("/v1/batch", content_type=MEDIA_TYPE, environ_overrides=CHUNKED | {"wsgi.input": Endless()})
    *found, last = lines(response.data)

    assert "too-large" == last["cut"]["reason"]
    assert all("verdict" in row for row in found)


@pytest.mark.parametrize(
    ("query", "kind", "status"), [("", "application/json", 415), ("?level=all", MEDIA_TYPE, 422), ("?depth=1", MEDIA_TYPE, 422)]
)
def test_what_is_refused_before_a_line_is_read(client: FlaskClient, query: str, kind: str, status: int) -> None:
    assert_problem(client.post(f"/v1/batch{query}", data=GOOD, content_type=kind), status)


def test_every_answer_is_in_the_audit_trail(world: Knowledge, tmp_path: Any) -> None:
    app = create_app({"log": "nothing", "audit": "on", "database": f"sqlite:///{tmp_path / 'a.db'}"}, knowledge=world)
    audit = app.extensions["linewise-audit"]
    kept: list[Any] = []
    audit.write = kept.extend
    found = lines(app.test_client().post("/v1/batch", data=GOOD + b"{\n" + GOOD, content_type=MEDIA_TYPE).data)

    assert 4 == len(found)
    assert ["batch", "batch"] == [entry.kind for entry in kept]
    assert {("fictazolam", "samplamycin")} == {tuple(sorted(entry.drugs)) for entry in kept}


def test_no_answer_without_its_row_in_a_mandatory_trail(world: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.audit import Unwritten

    app = create_app({"log": "nothing", "audit": "mandatory"}, knowledge=world)

    def refuse(entries: Any) -> None:
        raise Unwritten

    app.extensions["linewise-audit"].write = refuse
    found = lines(app.test_client().post("/v1/batch", data=GOOD * 3, content_type=MEDIA_TYPE).data)

    assert ["cut"] == [next(iter(row)) for row in found]
