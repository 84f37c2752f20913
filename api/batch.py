"""POST /v1/batch: order sets as NDJSON, answered as they come.

Each line is an id and the body of POST /v1/check; each has its answer, and one bad line never breaks the rest. Read as you send: the
service reads no further than it has answered. What ends a stream early is told in its last line, which is then {"cut": ...} and not {"end": ...}.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Lock
from typing import IO, TYPE_CHECKING, cast

from flask import Blueprint, Flask, Response, current_app, request, stream_with_context
from werkzeug.exceptions import RequestEntityTooLarge

from api import counts
from api.audit import Audit
from api.logs import adopt
from api.problems import Failure
from api.record import answered_many
from api.schemas import BatchQuery
from api.service import service
from api.settings import Settings
from api.wire import read_query

if TYPE_CHECKING:  # Arrow is slow to import and large; a service that screens no batches never loads it
    from checker.batch import Streamer, Tally

bp = Blueprint("batch", __name__)
MEDIA_TYPE = "application/x-ndjson"
TYPES = (MEDIA_TYPE, "application/ndjson", "application/jsonl")
_KEY = "linewise-batch"
_making = Lock()


@bp.post("/v1/batch")
def batch() -> Response:
    """Answer a stream of order sets."""
    from checker.batch import Limits, answers

    here = service()
    level = read_query(request, BatchQuery())["level"]
    if request.mimetype not in TYPES or request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Failure("unsupported-media-type", f"Send {MEDIA_TYPE} in UTF-8, one order set a line, without Content-Encoding.")
    limits = Limits(rows=here.settings.batch_rows, line_bytes=here.settings.most_bytes)
    request.max_content_length = here.settings.batch_bytes
    given = _lines(request.stream, limits.line_bytes, here.settings)  # a length that is told and too large is refused here
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]  # the app itself, for the time of the stream
    by = _streamer(app)
    kept = cast(Audit, app.extensions["linewise-audit"]).mode != "off"
    stream = answers(
        given,
        by,
        level,
        limits,
        before=lambda held: _keep(by, level, held) if kept else None,
        after=lambda tally: None if kept else _count(tally),
    )
    return Response(stream_with_context(stream), mimetype=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})


def _lines(body: IO[bytes], longest: int, settings: Settings) -> Iterator[bytes]:
    """The lines of the body as they come. Raises Cut when it is too large, or has taken too long."""
    from checker.batch import Cut, lines

    deadline = time.monotonic() + settings.batch_seconds
    try:
        for line in lines(body.read, longest):
            if time.monotonic() > deadline:
                raise Cut("took-too-long", "the time that this service gives to one batch has run out", "send the rest in another request")
            yield line
    except RequestEntityTooLarge as error:
        raise Cut("too-large", f"the body has more than {settings.batch_bytes} bytes", "send the rest in another request") from error


def _keep(by: Streamer, level: str, held: list[bytes]) -> None:
    """Keep what will be answered in the audit trail, before it is."""
    from checker.batch import Cut

    reports = [(report, text) for text in held if text and (report := by.report(level, text)) is not None]
    try:
        answered_many("batch", reports)
    except Failure as failure:
        raise Cut(failure.kind, failure.detail, "run again when the audit trail can be written") from failure


def _count(tally: Tally) -> None:
    for said, times in tally.verdicts.items():
        counts.verdict("batch", said).inc(times)
    for key, times in tally.names.items():
        counts.unresolved(key.partition("\t")[0]).inc(times)


def _streamer(app: Flask) -> Streamer:
    """The one that all threads of this app share, made with the first batch."""
    from checker.batch import LOGGER, Streamer

    with _making:
        if _KEY not in app.extensions:
            adopt(LOGGER)
            app.extensions[_KEY] = Streamer(app.extensions["linewise"].knowledge)
        return cast(Streamer, app.extensions[_KEY])
