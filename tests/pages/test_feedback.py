"""The page of feedback: what is overridden most, in words that a pharmacist reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import create_app, feedback_summary
from api.cds.cards import REASON_SYSTEM
from api.cds.marks import identity
from api.feedback import Outcome
from api.keys import Keys
from api.store import Database
from knowledge import Knowledge
from tests.pages.conftest import browser
from tests.pages.test_pages import Reader


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'linewise.db'}"


@pytest.fixture
def app(world: Knowledge, url: str) -> Flask:
    return create_app({"log": "nothing", "database": url}, knowledge=world)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return browser(app)


def keep(app: Flask, *drugs: str, outcome: str = "overridden", times: int = 1, **reason: str) -> None:
    """Feedback on cards about some drugs."""
    given = {f"reason_{name}": value for name, value in reason.items()}
    cards = [identity(f"{number}".encode(), "x", drugs) if drugs else "another service" for number in range(times)]
    app.extensions["linewise-ehr"].store.keep(
        [Outcome(service="s", card=card, outcome=outcome, outcome_at="", comment="Jane Roe", **given) for card in cards]
    )


def rows(text: str) -> list[str]:
    """The text of the rows of the tables, without tags."""
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", text, re.DOTALL)]


def test_what_is_overridden_most_comes_first_with_its_reasons(app: Flask, client: FlaskClient) -> None:
    keep(app, "samplicin", outcome="accepted", times=5)
    keep(app, "samplicin", times=1)
    keep(app, "exemplapenem", "fictazolam", times=3, system=REASON_SYSTEM, code="separate-line")
    keep(app, "exemplapenem", "fictazolam", times=1, outcome="accepted")
    keep(app, times=2, system="urn:ehr", code="17", display="Other")

    text = client.get("/feedback").text
    by_reason, by_pair = rows(text)[:3], rows(text)[3:]

    assert "12 outcomes · 6 overridden (50 %) · 6 accepted" in text
    assert ["Given through a separate line or lumen 3 50 %", "Other 2 33 %", "no reason given 1 17 %"] == by_reason
    assert "EXEMPLApenem + fictazolam 3 1 75 % Given through a separate line or lumen 3" == by_pair[0]
    assert by_pair[1].startswith("no single drug or pair") and by_pair[1].endswith("2 0 100 % Other 2")
    assert "samplicin 1 5 17 % no reason given 1" == by_pair[2]
    assert "Roe" not in text
    for address in Reader(text).leads:
        assert client.get(address).status_code == 200 or address.startswith("#"), address


def test_the_page_counts_what_the_api_counts(app: Flask, client: FlaskClient) -> None:
    keep(app, "exemplapenem", "fictazolam", times=3)
    told = client.get("/v1/feedback/summary").get_json()

    assert (3, 3, 0) == (told["outcomes"], told["overridden"], told["not_shown"])
    assert "3 outcomes · 3 overridden (100 %) · 0 accepted" in client.get("/feedback").text


def test_a_reason_of_ours_is_one_reason_however_the_ehr_words_it(app: Flask, client: FlaskClient) -> None:
    for words in ("", "GIVEN SEPARATELY", "Given through a separate line or lumen"):
        keep(app, "exemplapenem", system=REASON_SYSTEM, code="separate-line", display=words)

    [reason] = client.get("/v1/feedback/summary").get_json()["reasons"]

    assert ("Given through a separate line or lumen", 3) == (reason["display"], reason["count"])


def test_without_feedback_it_says_so(client: FlaskClient) -> None:
    text = client.get("/feedback").text

    assert "No feedback yet" in text and "<table" not in text


def test_only_accepted_cards_have_no_reasons(app: Flask, client: FlaskClient) -> None:
    keep(app, "exemplapenem", outcome="accepted")

    text = client.get("/feedback").text
    assert "1 outcome ·" in text and "By reason" not in text and "EXEMPLApenem 0 1 0 %" in rows(text)


def test_what_is_left_out_is_counted(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_summary, "MOST", 1)
    for drug in ("exemplapenem", "fictazolam", "samplicin"):
        keep(app, drug)

    assert "2 more drugs and pairs" in client.get("/feedback").text


def test_what_an_ehr_sends_is_shown_and_never_run(app: Flask, client: FlaskClient) -> None:
    keep(app, "exemplapenem", system="urn:x", code="1", display="<script>alert(1)</script>")

    text = client.get("/feedback").text
    assert "&lt;script&gt;" in text and 1 == Reader(text).tags.count("script")


def test_it_takes_the_scope_of_the_api(world: Knowledge, url: str) -> None:
    app = create_app({"log": "nothing", "database": url, "keys": "always"}, knowledge=world)
    held = Keys(Database(url))
    check, feedback = (held.create(scope, [scope]) for scope in ("check", "feedback"))

    def ask(key: str | None) -> tuple[int, str]:
        response = browser(app).get("/feedback", headers={"Authorization": f"Bearer {key}"} if key else {})
        return response.status_code, response.text

    assert 401 == ask(None)[0]
    status, text = ask(check)
    assert 403 == status and "does not have the scope feedback" in text and "/sign-in" in text
    assert 200 == ask(feedback)[0]


def test_while_the_database_is_down_it_says_so(world: Knowledge) -> None:
    app = create_app({"log": "nothing", "database": "postgresql://nobody@127.0.0.1:1/none"}, knowledge=world)

    response = browser(app).get("/feedback")

    assert (503, "text/html") == (response.status_code, response.mimetype)
    assert "The database does not answer" in response.text and response.headers["Retry-After"]
