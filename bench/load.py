"""Load on a server of this machine: as fast as it goes (wrk, or asyncio where wrk is missing), or at a fixed rate.

At a fixed rate the times are set beforehand and a latency counts from the time at which its request was due, so a
server that falls behind cannot hide it by being asked less (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.servers import HOST

CONNECTIONS = 16
TIMEOUT = 10.0  # seconds for one request
_LUA = """\
local bodies = {{{bodies}}}
local number = 0
request = function()
  number = number % #bodies + 1
  return wrk.format("POST", nil, {{["Content-Type"] = "application/json"}}, bodies[number])
end
done = function(summary)
  io.write(string.format("REQUESTS %d DURATION %d NOT_2XX %d SOCKET %d\\n", summary.requests, summary.duration,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(slots=True)
class Outcome:
    """What a load saw. seconds: latency of each good request. late: how late the client itself sent each."""

    asked: int = 0
    failed: int = 0
    duration: float = 0.0
    seconds: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Good requests in a second."""
        return (self.asked - self.failed) / self.duration


def client() -> str:
    """The client that saturates: wrk where it is installed."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def saturate(port: int, path: str, bodies: Sequence[bytes], seconds: float) -> Outcome:
    """Ask over CONNECTIONS connections, each as soon as its last answer is in."""
    if client() == "wrk":
        return _wrk(port, path, bodies, seconds)
    return asyncio.run(_closed(port, path, bodies, seconds))


def steady(port: int, path: str, bodies: Sequence[bytes], rate: float, seconds: float) -> Outcome:
    """Ask `rate` times a second, whatever the server does."""
    return asyncio.run(_open(port, path, bodies, rate, seconds))


def feed(port: int, path: str, bodies: Sequence[bytes]) -> Outcome:
    """Ask each body once, a few at a time."""
    return asyncio.run(_closed(port, path, bodies, float("inf"), each_once=True))


def _wrk(port: int, path: str, bodies: Sequence[bytes], seconds: float) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "ask.lua"
        script.write_text(_LUA.format(bodies=", ".join(json.dumps(body.decode("ascii")) for body in bodies)), encoding="ascii")
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            f"{TIMEOUT:.0f}s",
            "-s",
            str(script),
            f"http://{HOST}:{port}{path}",
        ]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30).stdout
    told = re.search(r"REQUESTS (\d+) DURATION (\d+) NOT_2XX (\d+) SOCKET (\d+)", said)
    if told is None:
        raise RuntimeError("wrk did not say how many requests it made")
    requests, microseconds, refused, broken = map(int, told.groups())
    return Outcome(asked=requests + broken, failed=refused + broken, duration=microseconds / 1e6)


async def _closed(port: int, path: str, bodies: Sequence[bytes], seconds: float, *, each_once: bool = False) -> Outcome:
    outcome = Outcome()
    requests = [_request(path, body) for body in bodies]
    waiting = iter(requests) if each_once else itertools.cycle(requests)
    began = time.perf_counter()

    async def one() -> None:
        line = _Line(port)
        while time.perf_counter() - began < seconds and (request := next(waiting, None)) is not None:
            await _count(outcome, line, request, time.perf_counter())
        line.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    outcome.duration = time.perf_counter() - began
    return outcome


async def _open(port: int, path: str, bodies: Sequence[bytes], rate: float, seconds: float) -> Outcome:
    outcome = Outcome()
    requests = [_request(path, body) for body in bodies]
    lines = [_Line(port) for _ in range(4 * CONNECTIONS)]
    running: set[asyncio.Task[None]] = set()
    free: asyncio.LifoQueue[_Line] = asyncio.LifoQueue()
    for line in lines:
        free.put_nowait(line)

    async def one(number: int, due: float) -> None:
        line = await free.get()
        await _count(outcome, line, requests[number % len(requests)], due)
        free.put_nowait(line)

    began = time.perf_counter() + 0.05
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        outcome.late.append(time.perf_counter() - due)
        task = asyncio.create_task(one(number, due))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    outcome.duration = time.perf_counter() - began
    for line in lines:
        line.close()
    return outcome


async def _count(outcome: Outcome, line: _Line, request: bytes, since: float) -> None:
    """Ask once; a request that fails counts as failed, and its latency as endless."""
    outcome.asked += 1
    try:
        async with asyncio.timeout(TIMEOUT):
            status = await line.ask(request)
    except (OSError, EOFError, TimeoutError):
        line.close()
        status = 0
    if status == 200:
        outcome.seconds.append(time.perf_counter() - since)
    else:
        outcome.failed += 1
        outcome.seconds.append(float("inf"))


def _request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


class _Line:
    """One HTTP connection, opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Send one request and read its whole answer; its status."""
        if self.streams is not None and self.streams[0].at_eof():
            self.close()  # the server ended an idle connection meanwhile
        if self.streams is None:
            self.streams = await asyncio.open_connection(HOST, self.port, limit=2**20)
        reader, writer = self.streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"content-length: (\d+)", head)
        await (reader.readexactly(int(length[1])) if length else reader.read())
        if b"connection: close" in head or length is None:
            self.close()
        return int(head[9:12])

    def close(self) -> None:
        """Hang up."""
        if self.streams is not None:
            with contextlib.suppress(OSError):
                self.streams[1].close()
            self.streams = None


def bodies(questions: Sequence[Any]) -> list[bytes]:
    """Questions as JSON bodies."""
    return [json.dumps(question).encode("ascii") for question in questions]


def rate(outcome: Outcome) -> float:
    """Requests a second. Raises RuntimeError when any failed: a rate of refusals is none."""
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} of {outcome.asked} requests failed")
    return outcome.rate


def percentile(seconds: list[float], share: float) -> float:
    """Nearest rank, in ms."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1e3
