"""Workers that die, restart and reload, and clients that are slow."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from api import release
from tests.fault.conftest import SECONDS, WORLD, Serve
from tests.load.driver import QUESTION, Load


def test_a_killed_worker_fails_only_what_it_was_answering(serve: Serve) -> None:
    served = serve()
    kills, every = 0, min(5.0, SECONDS / 3)
    with Load(served.port, threads=6) as load:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(every)
            os.kill(served.workers()[0], signal.SIGKILL)
            kills += 1
        time.sleep(0.5)
    told = load.told
    print(
        f"kill -9 every {every:g} s for {SECONDS:.0f} s, {kills} kills, 6 clients: {told.answered} answered, {told.first_failed} failed in flight, "
        f"{told.retry_failed} after one retry, p99 {told.percentile(0.99) * 1000:.0f} ms; {dict(told.errors)}"
    )

    assert kills >= 2 and told.answered > 50
    assert 0 == told.retry_failed
    assert told.first_failed <= kills * 6, "no more than were in flight"


def test_a_graceful_restart_loses_nothing(serve: Serve) -> None:
    """A new master by SIGUSR2, the old one ended by SIGTERM."""
    served = serve()
    with Load(served.port, threads=4) as load:
        time.sleep(0.5)
        served.signal(signal.SIGUSR2)
        served.wait(
            lambda: (
                "Listening at" in served.log.read_text().split("Handling signal: usr2")[-1]
                and served.log.read_text().count("Booting worker") >= 4
            )
        )
        [new] = [pid for pid in served.workers() if Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        time.sleep(0.5)
        served.signal(signal.SIGTERM)
        served.process.wait(timeout=40)
        time.sleep(1.0)
    try:
        told = load.told
        print(f"restart: {told.answered} answered, {told.first_failed} failed; {dict(told.errors)}")
        assert (0, 0) == (told.first_failed, told.retry_failed) and told.answered > 50
    finally:
        os.kill(new, signal.SIGTERM)
        for _ in range(100):
            if not Path(f"/proc/{new}").exists() or "State:\tZ" in Path(f"/proc/{new}/status").read_text():
                break
            time.sleep(0.1)


def test_new_knowledge_is_served_without_losing_a_request_and_bad_knowledge_is_not(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    shutil.copytree(WORLD, folder)
    archive = tmp_path / "current.tar.gz"
    release.pack(folder, archive)
    served = serve(LINEWISE_KNOWLEDGE=str(archive))
    with Load(served.port, threads=4) as load:
        time.sleep(0.5)
        stated = folder / "release.yaml"
        stated.write_text(stated.read_text().replace("2026.1.1", "2026.1.2"))
        release.pack(folder, archive)
        served.signal(signal.SIGHUP)
        served.wait(lambda: served.lines("reloaded"))
        served.wait(lambda: "2026.1.2" in served.get("/v1/knowledge"))
        for number, harm in enumerate((lambda: archive.write_bytes(archive.read_bytes()[:-9]), lambda: _broken(folder, archive)), 1):
            harm()
            served.signal(signal.SIGHUP)
            served.wait(lambda number=number: len(served.lines("reload-refused")) == number)
        time.sleep(2.0)
    told = load.told
    print(
        f"reload: {told.answered} answered, {told.first_failed} failed; {dict(told.digests)}; refused: {[str(line['reason'])[:90] for line in served.lines('reload-refused')]}"
    )

    assert (0, 0) == (told.first_failed, told.retry_failed)
    assert {"2026.1.1", "2026.1.2"} == {header.split(";")[0] for header in told.digests}
    assert "2026.1.2" in served.get("/v1/knowledge") and served.process.poll() is None


def _broken(folder: Path, archive: Path) -> None:
    path = sorted((folder / "drugs").glob("*.yaml"))[0]
    path.write_text(path.read_text() + "nonsense: yes\n")
    release.pack(folder, archive)


def test_slow_clients_starve_nobody(serve: Serve) -> None:
    """Heads, bodies and chunks that come byte by byte, and readers that do not read; many more than there are threads."""
    served = serve()
    head = b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    beginnings = [
        b"G",
        b"GET /v1/knowledge HTTP/1.1\r\n",
        head,
        head + b"Content-Length: 500\r\n\r\n{",
        head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"",
    ]
    with ExitStack() as stack:
        slow = []
        for number in range(240):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=10))
            sock.sendall(beginnings[number % len(beginnings)])
            slow.append(sock)
        with Load(served.port, threads=2) as load:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                time.sleep(0.5)
                for sock in slow[:50]:
                    with suppress(OSError):
                        sock.send(b"x")
    told = load.told
    print(
        f"240 slow clients: {told.answered} answered, median {told.percentile(0.5) * 1000:.1f} ms, p99 {told.percentile(0.99) * 1000:.1f} ms"
    )

    assert 0 == told.first_failed and told.answered > 50
    assert told.percentile(0.99) < 2.0


def test_requests_come_through_in_every_shape(serve: Serve) -> None:
    """Pipelined, cut anywhere, in chunks, with Expect: the patient worker reads what the plain one reads."""
    served = serve()
    plain = b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(QUESTION),
        QUESTION,
    )
    chunked = (
        b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        % (len(QUESTION), QUESTION)
    )
    get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    shapes = [
        [plain],
        [plain + plain + get],
        [plain[:60], plain[60:]],
        [chunked],
        [chunked[:-3], chunked[-3:]],
        [plain[:-1], plain[-1:] + get[:9], get[9:]],
        [get + plain[:99], plain[99:]],
    ]
    for shape in shapes:
        wanted = b"".join(shape).count(b"HTTP/1.1\r\nHost")
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as sock:
            for part in shape:
                sock.sendall(part)
                time.sleep(0.05)
            came = b""
            while came.count(b"HTTP/1.1 200 OK") < wanted:
                more = sock.recv(65536)
                assert more, (shape, came[:300])
                came += more
    expecting = plain.replace(b"Host: x\r\n", b"Host: x\r\nExpect: 100-continue\r\n")
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as sock:
        sock.sendall(expecting[: -len(QUESTION)])
        assert sock.recv(100).startswith(b"HTTP/1.1 100 Continue")
        sock.sendall(QUESTION)
        came = b""
        while b"HTTP/1.1 200 OK" not in came:
            came += sock.recv(65536)
