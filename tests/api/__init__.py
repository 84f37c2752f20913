"""The HTTP door. `assert_problem` is called for every way to fail."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from api.problems import KINDS


def assert_problem(response: TestResponse, status: int, kind: str | None = None) -> dict[str, Any]:
    """The response is a problem document of the one shape, with `status`. Returns it."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    told = KINDS[body["type"].removeprefix("/problems/")]
    assert set(body) - {"errors_left_out", "candidates"} == {"type", "title", "status", "detail", "instance", "errors"}
    assert (body["title"], body["status"]) == (told.title, status)
    assert body["detail"].endswith(".") and body["detail"][0] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ`"
    assert body["instance"] == f"urn:linewise:request:{response.headers['X-Request-Id']}"
    for error in body["errors"]:
        assert set(error) == {"at", "reason", "mend"}
        assert error["reason"] and error["mend"]
    if kind is not None:
        assert body["type"] == f"/problems/{kind}"
    return body
