"""Headless Chromium against the real service on the loopback. Debian's chromium is used: nothing is downloaded."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from api import create_app
from api.cds.marks import identity
from api.feedback import Outcome
from knowledge import Knowledge

PATIENCE = 15_000  # ms, for a machine that does much else
expect.set_options(timeout=PATIENCE)
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

FEEDBACK = [
    Outcome(service="iv-compatibility", card=identity(b"", key, drugs), outcome=outcome, outcome_at="", reason_display=reason)
    for key, drugs, outcome, reason in (
        ("1", ("piperacillin-tazobactam", "vancomycin"), "overridden", "Given through a separate line or lumen"),
        ("2", ("piperacillin-tazobactam", "vancomycin"), "overridden", "Compatible at our concentrations and fluids, checked"),
        ("3", ("piperacillin-tazobactam", "vancomycin"), "accepted", ""),
        ("4", ("calcium-gluconate", "ceftriaxone"), "accepted", ""),
        ("5", ("furosemide",), "overridden", ""),
        ("6", (), "overridden", "Verified with pharmacy"),
    )
]


class Quiet(WSGIRequestHandler):
    """Logs nothing: the application has its own log."""

    def log_request(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def address(real: Knowledge) -> Iterator[str]:
    """Where the service answers. An EHR has sent it some feedback."""
    app = create_app({"log": "errors"}, knowledge=real)
    app.extensions["linewise-ehr"].store.keep(FEEDBACK)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Debian's chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)  # with a new, empty profile
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A ward computer's window."""
    context = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768})
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; a fault of its script, or anything that its policy refused, fails the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type == "error" and "Failed to load resource" not in message.text else None,
    )
    yield page
    assert [] == faults
