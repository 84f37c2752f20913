"""The pictures of docs/img, taken from the service as it is: `python -m tests.browser.pictures`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from api import create_app
from api.pages.plan import EXAMPLE
from tests.browser.conftest import CHROMIUM, FLAGS, Quiet

FOLDER = Path(__file__).parents[2] / "docs" / "img"
SET = "d1=vancomycin&c1=5+mg/mL&v1=NS&d2=piperacillin-tazobactam&c2=40+mg/mL&v2=NS&d3=norepinephrine&d4=lactated-ringers&d5=amiodarone&v5=D5W&d6=furosemide"
SHEET = "&".join(
    f"d{number}={drug}"
    for number, drug in enumerate(
        ("norepinephrine", "vasopressin", "furosemide", "pantoprazole", "midazolam", "fentanyl", "vancomycin", "piperacillin-tazobactam"),
        start=1,
    )
)
PICTURES: tuple[tuple[str, str, Literal["light", "dark"], tuple[int, int]], ...] = (  # name, address, scheme, size
    ("workbench-check", f"/?{SET}", "light", (1440, 1000)),
    ("workbench-neighbourhood", "/explore/around/vancomycin", "dark", (1280, 1080)),
    ("workbench-plan", f"/plan?{EXAMPLE}", "light", (1440, 1000)),
    ("workbench-sheet", f"/print?{SHEET}", "light", (800, 1060)),
)


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = make_server("127.0.0.1", 0, create_app({"log": "errors"}), threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, address, scheme, (width, height) in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(f"http://127.0.0.1:{server.port}{address}")
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
