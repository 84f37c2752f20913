"""gunicorn as Linewise runs it (gunicorn.conf.py), on a free port of the loopback, for the time of a measurement."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds to wait for a server to be ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running gunicorn. ready_after: seconds from the start of its process to the first 200 on /readyz."""

    port: int
    pid: int
    ready_after: float


@contextlib.contextmanager
def serving(app: str = "wsgi:app", *, workers: int = 1, cache: Path | str | None = None) -> Iterator[Server]:
    """Run `app` under gunicorn.conf.py with so many workers, and stop it at the end.

    Settings are the defaults, whatever the environment says; its log and database go to files that are then gone.
    """
    port = _free_port()
    environment = {
        name: value for name, value in os.environ.items() if name == "LINEWISE_CACHE" or not name.startswith(("LINEWISE_", "PROMETHEUS_"))
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", f"{HOST}:{port}", "--workers", str(workers), app]
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as state:
        environment |= {"LINEWISE_DATABASE": f"sqlite:///{state}/linewise.sqlite"} | ({"LINEWISE_CACHE": str(cache)} if cache else {})
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield Server(port=port, pid=process.pid, ready_after=_ready(process, port, began, log))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def get(port: int, path: str, timeout: float = 10.0) -> int:
    """The status of a GET."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def family(pid: int) -> list[int]:
    """A process and its children: gunicorn's master and workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]


def _ready(process: subprocess.Popen[bytes], port: int, began: float, log: IO[bytes]) -> float:
    while (waited := time.perf_counter() - began) < PATIENCE:
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"gunicorn ended with status {process.returncode}:\n{log.read()[-2000:].decode(errors='replace')}")
        try:
            if get(port, "/readyz") == 200:
                return time.perf_counter() - began
        except OSError:
            time.sleep(0.005)
    raise RuntimeError(f"gunicorn was not ready after {waited:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
