"""/docs and /openapi.json. Every asset is served from here: hospital networks are closed."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import swagger_ui_bundle
from flask import Blueprint, Response, current_app, request

from api.exchange import POLICY
from api.openapi import document
from api.problems import Failure
from api.service import service
from api.wire import answer

bp = Blueprint("docs", __name__)
_OWN = Path(str(files("api"))) / "static"
_SWAGGER = Path(str(swagger_ui_bundle.swagger_ui_path))
ASSETS = {
    "swagger-ui.css": (_SWAGGER, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER, "text/javascript"),
    "favicon-32x32.png": (_SWAGGER, "image/png"),
    "docs.css": (_OWN, "text/css"),
    "docs.js": (_OWN, "text/javascript"),
}
# Swagger UI draws its icons as data: images and sets style attributes; scripts come from here only.
_POLICY = f"{POLICY}; img-src 'self' data:; style-src 'self' 'unsafe-inline'"


@bp.get("/docs")
def page() -> Response:
    """The contract, to read and to try."""
    response = _file(_OWN / "docs.html", "text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@bp.get("/docs/assets/<name>")
def asset(name: str) -> Response:
    """One asset of the page."""
    if name not in ASSETS:
        raise Failure("not-found", "The page /docs has no such asset.")
    folder, mimetype = ASSETS[name]
    response = _file(folder / name, mimetype)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _file(path: Path, mimetype: str) -> Response:
    content, tag = _read(path)
    response = Response(content, mimetype=mimetype)
    response.set_etag(tag)
    return response.make_conditional(request)  # type: ignore[return-value]  # it returns the response itself


@cache
def _read(path: Path) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, sha256(content).hexdigest()[:16]


@bp.get("/openapi.json")
def openapi() -> Response:
    """The contract as an OpenAPI document."""
    kept = current_app.extensions.get("linewise-openapi")
    if kept is None:
        here = service()
        kept = current_app.extensions["linewise-openapi"] = document(
            here.settings.most_drugs, here.settings.most_bytes, here.knowledge.version
        )
    return answer(kept)
