"""JSON lines on stderr: one writer for requests and for what belongs to no request. Never a body, never a name that was asked."""

from __future__ import annotations

import logging
import sys
from functools import cache
from typing import Any

import orjson
import structlog


@cache
def lines() -> Any:
    """The logger. It looks stderr up at each line, so that it survives a redirection."""
    return structlog.wrap_logger(
        _Stderr(),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_text),
        ],
        wrapper_class=structlog.BoundLogger,
    )


class _Engine(logging.Handler):
    """What the engine logs, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        lines().error("engine-failed", logger=record.name, what=record.getMessage())


@cache
def adopt(name: str) -> None:
    """Write what the engine logs under `name` among our lines."""
    logging.getLogger(name).addHandler(_Engine())


def _text(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


class _Stderr:
    def _write(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    info = error = warning = _write
