"""What every exchange carries: a request id, the knowledge that answered, security headers, and one line in the log.

The log never holds bodies, query values, or what stood in the place of a path parameter: the path is logged as its
template. A crash is logged by its type and its places in the code, without its message, which may quote a body.
"""

from __future__ import annotations

import os
import re
import time
import traceback

from flask import Flask, Response, g, request

from api import counts
from api.logs import lines
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
    logger = lines() if log != "nothing" else None

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
        rule = request.url_rule
        path = rule.rule if rule is not None else "unmatched"
        seconds = time.perf_counter() - g.began
        counts.observe(request.method, path, response.status_code, seconds)
        if logger is not None:
            crash = g.pop("crash", None)
            if crash is not None:
                logger.error("crash", request_id=g.request_id, error=type(crash).__name__, places=_places(crash))
            if log == "requests" or response.status_code >= 500:
                who = {"key": g.holder.id} if "holder" in g else {}
                logger.info(
                    "request",
                    method=request.method,
                    path=path,
                    status=response.status_code,
                    ms=round(seconds * 1000, 2),
                    request_id=g.request_id,
                    **who,
                )
        return response

    app.before_request(begin)
    app.after_request(end)


def knowledge_header(knowledge: Knowledge) -> str:
    """Version and digest of the knowledge, as the header Linewise-Knowledge gives them."""
    return f"{knowledge.version}; sha256={knowledge.digest[:12]}"


def _places(error: BaseException) -> list[str]:
    return [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
