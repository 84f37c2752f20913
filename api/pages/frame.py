"""What every page stands in: the blueprint, the head and foot, pages for errors, and the few assets.

Nothing is loaded from another host, there is no script or style within a page, and no cookie is set.
"""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, g, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from api.problems import KINDS, Failure, http_error
from api.service import service
from api.store import DatabaseDown

bp = Blueprint("pages", __name__)
_STATIC = Path(str(files("api"))) / "static"
ASSETS = {"workbench.css": "text/css", "workbench.js": "text/javascript", "workbench.svg": "image/svg+xml"}
MACHINES = ("/v1/", "/fhir", "/cds-services", "/metrics")  # addresses of which errors stay problem documents
SMALL = 1400  # bytes that one packet carries anyhow
NAVIGATION = (("/", "Check"), ("/plan", "Plan"), ("/drugs", "Drugs"), ("/explore", "Explore"), ("/feedback", "Feedback"))


def install(app: Flask) -> None:
    """Add the pages to `app`."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.undefined = StrictUndefined
    app.register_blueprint(bp)


def page(template: str, **values: Any) -> str:
    """A page, with what its frame needs."""
    here = service()
    base = here.knowledge
    return render_template(
        template,
        knowledge={
            "version": base.version,
            "date": base.date,
            "digest": base.digest[:12],
            "overlay": base.overlay.name if base.overlay else "",
        },
        navigation=NAVIGATION,
        path=request.path,
        asset=asset_address,
        **values,
    )


def asset_address(name: str) -> str:
    """The address of an asset; it changes with the content, so that browsers may keep it."""
    return f"/assets/{name}?v={_asset(name)[1]}"


@bp.get("/assets/<name>")
def asset(name: str) -> Response:
    """A style sheet, script or picture of the pages."""
    if name not in ASSETS:
        raise Failure("not-found", "The pages have no such asset.")
    content, tag = _asset(name)
    response = Response(content, mimetype=ASSETS[name])
    response.set_etag(tag)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if request.args.get("v") == tag else "public, max-age=300"
    return response.make_conditional(request)  # type: ignore[return-value]  # it returns the response itself


@cache
def _asset(name: str) -> tuple[bytes, str]:
    content = (_STATIC / name).read_bytes()
    return content, sha256(content).hexdigest()[:12]


@bp.after_request
def _compress(response: Response) -> Response:
    """Pages shrink to a fifth; slow ward networks notice."""
    shrinks = (response.mimetype or "").startswith(("text/", "image/svg")) and response.status_code in (200, 422)
    if shrinks and request.accept_encodings.quality("gzip") > 0:
        body = response.get_data()
        if len(body) > SMALL:
            response.set_data(gzip.compress(body, 4, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
    return response


@bp.errorhandler(Failure)
def _failure(failure: Failure) -> Response:
    told = KINDS[failure.kind]
    response = _error(told.status, told.title, failure.detail, [*failure.errors], tuple(failure.more.get("candidates", ())))
    response.headers.update(failure.more.get("headers") or {})
    return response


@bp.errorhandler(DatabaseDown)
def _database_down(_: DatabaseDown) -> Response:
    told = KINDS["database-down"]
    response = _error(told.status, told.title, told.meaning)
    response.headers["Retry-After"] = "5"
    return response


@bp.errorhandler(HTTPException)
def _refused(error: HTTPException) -> Response:
    return _error(error.code or 500, error.name, error.description or "")


@bp.errorhandler(Exception)
def _crash(error: Exception) -> Response:
    g.crash = error  # logged with the request, without the message: it may quote the question
    return _error(500, KINDS["internal"].title, KINDS["internal"].meaning)


@bp.app_errorhandler(404)
def _lost(error: HTTPException) -> Response:
    """An address that does not exist: a page for people, a problem document for machines."""
    if request.path.startswith(MACHINES) or request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
        return http_error(error)
    return _error(404, "There is no such page", "The address may be old or mistyped.")


def _error(status: int, title: str, detail: str, errors: list[Any] | None = None, candidates: tuple[str, ...] = ()) -> Response:
    base = service().knowledge
    known = [name for name in candidates if name in base.drugs]
    body = page(
        "error.html", status=status, title=title, detail=detail, errors=errors or [], candidates=known, request_id=g.get("request_id", "")
    )
    return Response(body, status, mimetype="text/html")
