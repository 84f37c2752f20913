"""What every exchange carries: a request id, the knowledge that answered, security headers, and one line in the log.

The log never holds bodies, query values, or what stood in the place of a path parameter: the path is logged as its
template. A crash is logged by its type and its places in the code, without its message, which may quote a body.
"""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request

from knowledge import Knowledge

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"


def install(app: Flask, knowledge: Knowledge, log: str) -> None:
    """Give every exchange of `app` its headers and its log line. log: requests | errors | nothing."""
    standing = {
        "Linewise-Knowledge": knowledge_header(knowledge),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    logger = _logger() if log != "nothing" else None

    def begin() -> None:
        g.began = time.perf_counter()
        given = request.headers.get("X-Request-Id")
        g.request_id = given if given is not None and _SANE_ID.fullmatch(given) else os.urandom(12).hex()

    def end(response: Response) -> Response:
        headers = response.headers
        for name, value in standing.items():
            if name not in headers:
                headers[name] = value
        headers["X-Request-Id"] = g.request_id
        if logger is not None:
            crash = g.pop("crash", None)
            if crash is not None:
                logger.error("crash", request_id=g.request_id, error=type(crash).__name__, places=_places(crash))
            if log == "requests" or response.status_code >= 500:
                rule = request.url_rule
                logger.info(
                    "request", method=request.method, path=rule.rule if rule is not None else "unmatched", status=response.status_code,
                    ms=round((time.perf_counter() - g.began) * 1000, 2), request_id=g.request_id,
                )
        return response

    app.before_request(begin)
    app.after_request(end)


def knowledge_header(knowledge: Knowledge) -> str:
    """Version and digest of the knowledge, as the header Linewise-Knowledge gives them."""
    return f"{knowledge.version}; sha256={knowledge.digest[:12]}"


def _places(error: BaseException) -> list[str]:
    return [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


def _logger() -> Any:
    """A logger that writes JSON lines to stderr. It looks stderr up at each line, so that it survives a redirection."""
    return structlog.wrap_logger(
        _Stderr(),
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer(serializer=_text)],
        wrapper_class=structlog.BoundLogger,
    )


def _text(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


class _Stderr:
    def _write(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    info = error = _write
