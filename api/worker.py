"""gunicorn's threaded worker, with patience for slow clients: a thread is given to a request only when it is all there.

A client that sends its request byte by byte costs a socket and some memory, never a thread, and is closed after
ARRIVE_SECONDS. Only what is larger than BUFFERED, or streamed to /v1/batch, is read by its thread; such a client must
keep sending, as every client must keep reading (STALL_SECONDS), and nothing holds a thread longer than LONGEST_SECONDS.
"""

from __future__ import annotations

import contextlib
import errno
import re
import selectors
import socket
import struct
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

ARRIVE_SECONDS = 20.0
STALL_SECONDS = 15
LONGEST_SECONDS = 120.0  # streams have their own limit, LINEWISE_BATCH_SECONDS
BUFFERED = 320 * 1024
_STALL = struct.pack("ll", STALL_SECONDS, 0)
_LARGEST_HEAD = 32 * 1024  # larger ones are refused by gunicorn's own limits
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_STREAM = b"POST /v1/batch"


def missing(seen: bytes | bytearray) -> int:
    """How many more bytes a request needs at least before a thread should read it; 0 when it is there."""
    end = seen.find(b"\r\n\r\n")
    if end < 0:
        return 0 if len(seen) >= _LARGEST_HEAD else 1
    head = bytes(seen[: end + 2])
    if head.startswith((b"GET ", _STREAM)) or len(seen) >= BUFFERED:
        return 0
    length = _LENGTH.search(head)
    if length is not None:
        return max(0, min(int(length[1]), BUFFERED) + end + 4 - len(seen))
    return 1 if _CHUNKED.search(head) and not seen.endswith(b"\r\n0\r\n\r\n") else 0


class Patient(TConn):  # type: ignore[misc]  # gunicorn ships no types
    """A connection, and what has come of its next request."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.seen = bytearray()
        self.invited = False  # told that it may send the body it asked about
        self.data_ready = True  # what gunicorn would wait for in a thread is waited for in the loop


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """See above."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.busy: dict[Patient, float] = {}  # connections that have a thread, and when they must give it back

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and its request at once if it is there already."""
        if self.cfg.is_ssl:
            super().accept(listener)
            return
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK, errno.EMFILE, errno.ENFILE):
                raise
            return
        self.nr_conns += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _STALL)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _STALL)
        self._gather(Patient(self.cfg, client, address, listener.getsockname()), time.monotonic() + ARRIVE_SECONDS)

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """A connection that was kept alive sends its next request."""
        if not isinstance(conn, Patient):
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._gather(conn, time.monotonic() + ARRIVE_SECONDS)

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """A connection that waits sends more."""
        if not isinstance(conn, Patient):
            super().on_pending_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self._gather(conn, conn.timeout)

    def murder_pending(self) -> None:
        """Close the connections whose request did not arrive in time, and end those that hold a thread too long."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
            self.pending_conns.remove(conn)
            self._forget(conn)
        for conn in [conn for conn, until in self.busy.items() if until <= now]:
            self.busy[conn] = now + LONGEST_SECONDS
            with contextlib.suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)  # its thread sees the end, and gives itself back

    def finish_request(self, conn: Any, fs: Any) -> None:
        """A thread is done with a request; the next one may have come with it."""
        self.busy.pop(conn, None)
        if (
            isinstance(conn, Patient)
            and conn.parser is not None
            and not conn.is_http2
            and not fs.cancelled()
            and fs.exception() is None
            and fs.result() is True
        ):
            left = conn.parser.unreader.take_buffered()
            if left:
                conn.seen += left
                self._gather(conn, time.monotonic() + ARRIVE_SECONDS)
                return
        super().finish_request(conn, fs)

    def _gather(self, conn: Patient, until: float) -> None:
        """Read what is there. Give the connection a thread, or a place among those that wait."""
        more = missing(conn.seen) if conn.seen else 1
        while more:
            try:
                conn.sock.setblocking(False)
                came = conn.sock.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                came = b""
            if not came:
                self._forget(conn)
                return
            conn.seen += came
            more = missing(conn.seen)
        if more:
            self._invite(conn)
            conn.timeout = until
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
            return
        conn.init()
        conn.parser.unreader.unread(bytes(conn.seen))
        self.busy[conn] = float("inf") if conn.seen.startswith(_STREAM) else time.monotonic() + LONGEST_SECONDS
        conn.seen, conn.invited = bytearray(), False
        self.enqueue_req(conn)

    def _invite(self, conn: Patient) -> None:
        """Answer Expect: 100-continue, so that the body comes."""
        if not conn.invited and b"\r\n\r\n" in conn.seen and _EXPECT.search(conn.seen):
            conn.invited = True
            with contextlib.suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _forget(self, conn: Patient) -> None:
        with contextlib.suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
