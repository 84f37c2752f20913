"""The service as it is run, a real PostgreSQL and a real Redis, to be harmed. LINEWISE_TEST_SECONDS: how long each harm lasts (short unless told)."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORLD = ROOT / "tests" / "world" / "knowledge"
SECONDS = float(os.environ.get("LINEWISE_TEST_SECONDS", "4"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """A running service."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str, headers: dict[str, str] | None = None) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Connection": "close", **(headers or {})})
            response = connection.getresponse()
            return response.read().decode()
        finally:
            connection.close()

    def workers(self) -> list[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def lines(self, event: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and f'"{event}"' in line]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, until: Callable[[], object], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if until():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not in {seconds} s. The log:\n{self.log.read_text()[-3000:]}")


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    running: list[Served] = []

    def start(**environment: str) -> Served:
        port = free_port()
        given = {name: value for name, value in os.environ.items() if not name.startswith(("LINEWISE_", "PROMETHEUS_", "GUNICORN_"))}
        given |= {
            "LINEWISE_KNOWLEDGE": str(WORLD),
            "LINEWISE_CACHE": str(tmp_path / "cache"),
            "LINEWISE_DATABASE": f"sqlite:///{tmp_path}/linewise.db",
            "LINEWISE_LOG": "errors",
            "LINEWISE_BIND": f"127.0.0.1:{port}",
            "WEB_CONCURRENCY": "2",
            **environment,
        }
        log = tmp_path / f"{port}.log"
        with log.open("wb") as written:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "gunicorn"), "wsgi:app"], cwd=ROOT, env=given, stdout=written, stderr=written
            )
        made = Served(port, process, log)
        running.append(made)
        made.wait(lambda: process.poll() is not None or "ready" in made.get("/readyz"), 60)
        assert process.poll() is None, log.read_text()
        return made

    yield start
    for one in running:
        if one.process.poll() is None:
            one.process.terminate()
            try:
                one.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()


class Postgres:
    """A server of our own, on a port of our own."""

    def __init__(self, folder: Path, programs: Path, port: int) -> None:
        self.folder, self.programs, self.port = folder, programs, port
        self.url = f"postgresql://linewise@127.0.0.1:{port}/linewise"

    def run(self, *words: str) -> None:
        command = [str(self.programs / words[0]), *words[1:]]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=100"
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which("initdb")
    if not programs and found is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    if os.getuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and runuser is not here")
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="linewise-pg-"))  # below pytest's own folder only its owner may look
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    made = Postgres(folder, programs[-1] if programs else Path(str(found)).parent, free_port())
    made.run("initdb", "-D", str(folder / "data"), "-U", "linewise", "-A", "trust", "--no-sync", "-E", "UTF8")
    made.start()
    made.run("createdb", "-h", "127.0.0.1", "-p", str(made.port), "-U", "linewise", "linewise")
    yield made
    with contextlib.suppress(AssertionError):  # a test may have stopped it
        made.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Redis:
    """A server of our own, on a port of our own, that keeps nothing."""

    def __init__(self, folder: Path, program: str, port: int) -> None:
        self.folder, self.program, self.port = folder, program, port
        self.url = f"redis://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [self.program, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                probe.sendall(b"PING\r\n")
                if probe.recv(16).startswith(b"+PONG"):
                    return
            time.sleep(0.05)
        raise AssertionError("redis-server does not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def hang(self) -> None:
        """It takes connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs Redis: apt-get install redis-server")
    made = Redis(tmp_path, program, free_port())
    made.start()
    yield made
    made.stop()
