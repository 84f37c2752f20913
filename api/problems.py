"""Every error in one shape: RFC 9457 problem documents with `errors: [{at, reason, mend}]`.

`problem()` is the only way to make one. A problem's `type` is an address of this service that says what it means.
"""

from __future__ import annotations

import http
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from api import counts
from api.outcome import MEDIA_TYPE as OUTCOME_TYPE
from api.outcome import outcome
from api.store import DatabaseDown
from checker import AskError, AskProblem

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 50  # shown in one document; the rest is counted
LONGEST_TEXT = 300  # characters of what was sent that a message repeats


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem: its name in `type`, status, title and meaning."""

    name: str
    status: int
    title: str
    meaning: str


_KINDS = (
    ProblemKind(
        "malformed-json",
        400,
        "The body is not JSON",
        "The body could not be read as one UTF-8 JSON document, or names a field twice.",
    ),
    ProblemKind("bad-request", 400, "The request cannot be read", "The request breaks the rules of HTTP itself."),
    ProblemKind(
        "bad-question",
        422,
        "The question cannot be answered as it stands",
        "The body is JSON, but a field is unknown, missing, of the wrong type or of no sense.",
    ),
    ProblemKind(
        "bad-query", 422, "The query parameters cannot be used", "A query parameter is unknown, missing, repeated or of the wrong type."
    ),
    ProblemKind("bad-pair", 422, "This is not a pair", "Both names lead to the same drug. A pair has two."),
    ProblemKind(
        "bad-call",
        400,
        "The call of the EHR cannot be read",
        "The body is JSON, but not the request of a CDS Hook or of a FHIR operation that is served here.",
    ),
    ProblemKind(
        "unauthorized",
        401,
        "The caller is not known",
        "EHRs sign their calls with a JWT whose issuer and key stand in the file of clients.",
    ),
    ProblemKind(
        "no-prefetch",
        412,
        "Data that is needed was not sent",
        "The orders that already run are needed to answer; the EHR sends them as prefetch.",
    ),
    ProblemKind(
        "key-required",
        401,
        "A key is required",
        "This service can be reached by other machines, so it asks who they are. The key is missing, wrong, revoked or expired.",
    ),
    ProblemKind("scope-missing", 403, "The key does not allow this", "The key is known, but it was not made for this."),
    ProblemKind("not-found", 404, "There is nothing at this address", "The address is not one of this service."),
    ProblemKind(
        "unknown-drug",
        404,
        "This drug is not known",
        "No drug, fluid or nutrition has this id or name, or several share it. Near names are listed and never chosen for you.",
    ),
    ProblemKind("unknown-source", 404, "This source is not known", "No source has this id."),
    ProblemKind("method-not-allowed", 405, "This method is not possible here", "The header Allow lists those that are."),
    ProblemKind("too-large", 413, "The body is too large", "The body has more bytes than this service accepts."),
    ProblemKind(
        "unsupported-media-type", 415, "The body is of the wrong kind", "Bodies are application/json in UTF-8, without Content-Encoding."
    ),
    ProblemKind(
        "too-many-requests",
        429,
        "Too many requests",
        "This key or address has asked more often than it may. The header Retry-After tells when it may again.",
    ),
    ProblemKind("internal", 500, "Something failed here", "The fault is the service's. The request id finds it in the log."),
    ProblemKind(
        "keys-unavailable", 503, "Keys cannot be verified", "The database that holds the keys is down, and this key was not seen before."
    ),
    ProblemKind("database-down", 503, "The database does not answer", "Feedback and keys need the database. Checks do not, and go on."),
    ProblemKind(
        "audit-unavailable",
        503,
        "The audit trail cannot be written",
        "The audit trail is mandatory here, so nothing is answered that it does not hold.",
    ),
    ProblemKind(
        "took-too-long", 503, "This took too long", "The time that this service gives to one request has run out. Ask for less at once."
    ),
    ProblemKind("not-ready", 503, "Not ready", "The service cannot answer questions now."),
)
KINDS = {kind.name: kind for kind in _KINDS}
OUTCOMES_BELOW = ("/cds-services", "/fhir")  # EHRs expect an OperationOutcome there
_BY_STATUS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}

bp = Blueprint("problems", __name__)


class Failure(Exception):
    """Raised anywhere below a view to answer with a problem."""

    def __init__(self, kind: str, detail: str, errors: Sequence[AskProblem] = (), **more: Any) -> None:
        super().__init__(kind)
        self.kind, self.detail, self.errors, self.more = kind, detail, errors, more


def problem(
    kind: str,
    detail: str,
    errors: Iterable[AskProblem] = (),
    *,
    headers: dict[str, str] | None = None,
    status: int | None = None,
    **more: Any,
) -> Response:
    """The one helper that makes a problem document. more: extension members, e.g. `candidates`."""
    told = KINDS[kind]
    status = status or told.status
    errors = list(errors)
    instance = f"urn:linewise:request:{g.request_id}" if "request_id" in g else None
    shown = [{"at": _short(item.at), "reason": _short(item.reason), "mend": _short(item.mend)} for item in errors[:MOST_ERRORS]]
    if request.path.startswith(OUTCOMES_BELOW):
        told_as = OUTCOME_TYPE if request.path.startswith("/fhir") else "application/json"
        return Response(
            orjson.dumps(outcome(status, detail, shown, instance), option=orjson.OPT_APPEND_NEWLINE), status, headers, mimetype=told_as
        )
    body = {
        "type": f"/problems/{kind}",
        "title": told.title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "errors": shown,
    } | more
    if len(errors) > MOST_ERRORS:
        body["errors_left_out"] = len(errors) - MOST_ERRORS
    return Response(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE), status, headers, mimetype=MEDIA_TYPE)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def install(app: Flask) -> None:
    """Answer every error of `app` with a problem document."""
    app.register_error_handler(Failure, _failure)
    app.register_error_handler(AskError, _ask_error)
    app.register_error_handler(DatabaseDown, _database_down)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, _crash)
    app.register_blueprint(bp)


@bp.get("/problems/<kind>")
def explain(kind: str) -> Response:
    """What a problem type means."""
    told = KINDS.get(kind)
    if told is None:
        raise Failure("not-found", f"The problem types are: {', '.join(KINDS)}.")
    body = {"type": f"/problems/{told.name}", "status": told.status, "title": told.title, "meaning": told.meaning}
    return Response(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE), mimetype="application/json")


def _failure(failure: Failure) -> Response:
    return problem(failure.kind, failure.detail, failure.errors, **failure.more)


def _database_down(_: DatabaseDown) -> Response:
    return problem("database-down", "What was asked needs the database, which does not answer now.", headers={"Retry-After": "5"})


def _ask_error(error: AskError) -> Response:
    return problem("bad-question", f"Mistakes found: {len(error.problems)}. `errors` names each, with its mend.", error.problems)


def http_error(error: HTTPException) -> Response:
    """An error that HTTP itself knows, as a problem document."""
    status = error.code or 500
    kind = _BY_STATUS.get(status) or ("internal" if status >= 500 else "bad-request")
    details = {
        "not-found": "The doors of this service are listed at / and described at /docs.",
        "method-not-allowed": "The header Allow lists the methods of this address.",
        "too-large": f"At most {request.max_content_length} bytes are accepted. Split the question.",
        "internal": KINDS["internal"].meaning,
        "too-many-requests": f"More than {error.description} came from this key or address.",
    }
    if status == 429:
        counts.LIMITED.inc()
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return problem(kind, details.get(kind, http.HTTPStatus(status).phrase), headers=headers, status=status)


def _crash(error: Exception) -> Response:
    g.crash = error  # logged with the request, without the message: it may quote the body
    return problem("internal", KINDS["internal"].meaning)
