"""The service as it is run: gunicorn, preloaded, stopped gently, closed to other machines."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORLD = ROOT / "tests" / "world" / "knowledge"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        given = {name: value for name, value in os.environ.items() if not name.startswith("LINEWISE_")}
        given |= {"LINEWISE_KNOWLEDGE": str(WORLD), "LINEWISE_CACHE": str(tmp_path)} | environment
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "wsgi:app", *arguments], cwd=ROOT, env=given, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, method: str, path: str, body: bytes | Iterator[bytes] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_until_ready(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(200):
        assert process.poll() is None, process.communicate()[1]
        try:
            if ask(port, "GET", "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("not ready in ten seconds")


def test_it_starts_answers_and_stops_gently(start: Start) -> None:
    port = free_port()
    process = start(LINEWISE_BIND=f"127.0.0.1:{port}")
    wait_until_ready(port, process)

    status, body = ask(port, "POST", "/v1/check", b'{"drugs": ["exemplapenem", "fictazolam"]}')
    large, _ = ask(port, "POST", "/v1/check", b'{"drugs": ["' + b"x" * 300_000 + b'"]}')
    large_in_chunks, _ = ask(port, "POST", "/v1/check", iter([b'{"drugs": ["', *[b"x" * 1000] * 300, b'"]}']))
    small_in_chunks, _ = ask(port, "POST", "/v1/check", iter([b'{"drugs": ["exempla', b'penem"]}']))

    assert 200 == status and json.loads(body)["pairs"]
    assert (413, 413, 200) == (large, large_in_chunks, small_in_chunks)
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(timeout=15)


@pytest.mark.parametrize("arguments", [(), ("--bind", "0.0.0.0:0")])
def test_it_refuses_to_listen_beyond_this_machine(start: Start, arguments: tuple[str, ...]) -> None:
    environment = {} if arguments else {"LINEWISE_BIND": "0.0.0.0:0"}

    process = start(*arguments, **environment)
    _, said = process.communicate(timeout=30)

    assert 0 != process.returncode
    assert "LINEWISE_ALLOW_OPEN=yes" in said and "Traceback" not in said


def test_a_wrong_setting_stops_the_start_with_one_line(start: Start) -> None:
    _, said = start(LINEWISE_MOST_DRUGS="lots").communicate(timeout=30)

    assert 'LINEWISE_MOST_DRUGS="lots" cannot be used' in said and "Traceback" not in said


def test_broken_knowledge_stops_the_start_and_names_the_place(start: Start, tmp_path: Path) -> None:
    (tmp_path / "drugs").mkdir()
    (tmp_path / "drugs" / "brokenol.yaml").write_text("name: brokenol\nname: twice\n")

    process = start(LINEWISE_KNOWLEDGE=str(tmp_path))
    _, said = process.communicate(timeout=30)

    assert 0 != process.returncode
    assert "brokenol.yaml:2" in said and "Traceback" not in said
