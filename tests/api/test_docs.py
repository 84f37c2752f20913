"""The documentation page loads nothing from another host."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from api.docs import ASSETS

ELSEWHERE = re.compile(r"(?:https?:)?//[^/\s'\")]", re.IGNORECASE)


class _References(HTMLParser):
    """Everything that a page loads or leads to, and whether it holds script or style of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [value for name, value in attrs if name in ("src", "href", "action", "srcset", "data") and value]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def test_the_page_loads_only_what_is_served_here(client: FlaskClient) -> None:
    page = client.get("/docs")
    references = _References()
    references.feed(page.text)

    assert "text/html" == page.mimetype
    assert [] == references.inline, "the policy allows no script of the page's own"
    for reference in references.found:
        assert reference.startswith("/") and not reference.startswith("//")
        assert 200 == client.get(reference).status_code, reference


@pytest.mark.parametrize("name", ASSETS)
def test_every_asset_is_served_with_its_type(client: FlaskClient, name: str) -> None:
    response = client.get(f"/docs/assets/{name}")

    assert (200, ASSETS[name][1]) == (response.status_code, response.mimetype)
    assert len(response.data) > 10


def test_styles_refer_to_no_other_host(client: FlaskClient) -> None:
    for name in ("swagger-ui.css", "docs.css"):
        css = client.get(f"/docs/assets/{name}").text
        loaded = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", css)

        assert all((url or imported).startswith("data:") for url, imported in loaded)


def test_our_script_refers_to_no_other_host_and_asks_no_validator(client: FlaskClient) -> None:
    script = client.get("/docs/assets/docs.js").text
    code = re.sub(r"^//.*$", "", script, flags=re.MULTILINE)

    assert not ELSEWHERE.search(code)
    assert "validatorUrl: null" in code, "Swagger UI would ask another host otherwise"


def test_the_policy_stops_what_the_library_might_try(client: FlaskClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy and "connect-src" not in policy, "default-src governs connections and scripts"
    assert not ELSEWHERE.search(policy) and "*" not in policy


def test_the_document_refers_to_no_other_host(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()

    assert "servers" not in document
    assert not ELSEWHERE.search(client.get("/docs").text)
