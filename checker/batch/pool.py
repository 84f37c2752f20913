"""The workers of one machine: processes that answer chunks in order, and are replaced when one dies.

Each process has a pipe of its own, whose other end one thread here holds. A process that dies ends its pipe, even half way through an answer, and so is noticed at once.
The executors of the standard library share one pipe among their processes, and wait for ever for the rest of an answer whose writer was killed.
A chunk that was under way in a process that died is given out again; a chunk is a pure function of its rows, so nothing is lost or doubled.
"""

from __future__ import annotations

import gc
import multiprocessing
import queue
import signal
import traceback
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any

from checker.batch.errors import BatchError, WrongKnowledge
from checker.batch.files import Chunk
from checker.batch.work import Answer, Task, Worker, stamp
from checker.screen import Screen
from knowledge import Knowledge, load
from knowledge.terms import Mode

MOST_DEATHS = 3  # of workers on one chunk, before the batch gives up
SELDOM = (1_000_000, 20, 100)  # of gc.set_threshold
AHEAD = 3  # chunks given out for each worker


def inline(worker: Worker, chunks: Iterator[tuple[int, Chunk]]) -> Iterator[tuple[Chunk, Answer]]:
    """Answer in this process."""
    for file, chunk in chunks:
        yield chunk, worker.answer(chunk, file)


class Pool:
    """Worker processes over one knowledge base. root, overlay: from where they load it; expected: its stamp, which must be theirs."""

    def __init__(self, workers: int, task: Task, root: Path | None, overlay: Path | None, expected: str) -> None:
        self.workers = workers
        self.deaths = 0
        self._closing = False
        self._lock = Lock()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["checker.batch.pool"])
        self._processes = [_Process(context, (task, root, overlay, expected)) for _ in range(workers)]
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(workers, "batch")

    def answers(self, chunks: Iterator[tuple[int, Chunk]], screen: Screen) -> Iterator[tuple[Chunk, Answer]]:
        """Answers in the order of the chunks; as many are under way as keeps the workers busy. screen learns what theirs asked.

        Raises BatchError when one chunk kills every worker it is given to.
        """
        waiting: deque[tuple[Chunk, Future[Answer]]] = deque()
        ended = False
        while True:
            while not ended and len(waiting) < self.workers * AHEAD:
                item = next(chunks, None)
                if item is None:
                    ended = True
                else:
                    waiting.append((item[1], self._threads.submit(self._answer, *item)))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            answer = future.result()
            for mode, told in answer.learned:
                screen.matrix(Mode(mode)).learn(told)
            yield chunk, answer

    def close(self) -> None:
        """Let the processes go, whatever they are at."""
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for process in self._processes:
                process.kill()

    def _answer(self, file: int, chunk: Chunk) -> Answer:
        """One chunk, given out again as often as workers die over it."""
        process = self._idle.get()
        try:
            for _ in range(MOST_DEATHS + 1):
                try:
                    told = process.ask(file, chunk)
                except (EOFError, OSError):
                    self._replace(process)
                    continue
                if isinstance(told, Exception):
                    raise told
                return told
        finally:
            self._idle.put(process)
        raise BatchError(
            f"{MOST_DEATHS + 1} workers died over the rows from line {chunk.line} on",
            "give the machine more memory or fewer --workers, then run again with --resume",
        )

    def _replace(self, process: _Process) -> None:
        with self._lock:
            if self._closing:
                raise CancelledError
            self.deaths += 1
            process.kill()
            process.start()


class _Process:
    """One worker process and our end of its pipe."""

    def __init__(self, context: Any, given: tuple[Any, ...]) -> None:
        self._context, self._given = context, given
        self.start()

    def start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, *self._given), daemon=True)
        self._process.start()
        theirs.close()  # or the pipe would not end with the process

    def ask(self, file: int, chunk: Chunk) -> Answer | Exception:
        """The answer, or what the worker raised. Raises EOFError or OSError when the process dies over it."""
        self._pipe.send((file, chunk))
        return self._pipe.recv()  # type: ignore[no-any-return]

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, task: Task, root: Path | None, overlay: Path | None, expected: str) -> None:
    """The life of a worker process: a chunk in, its answer out, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    try:
        worker: Worker | WrongKnowledge = loaded(task, root, overlay, expected)
    except WrongKnowledge as error:  # told with the first chunk: a process that dies here would only be replaced
        worker = error
    with suppress(EOFError, OSError):  # the parent is gone
        while True:
            file, chunk = pipe.recv()
            pipe.send(worker if isinstance(worker, WrongKnowledge) else _answered(worker, file, chunk))


def _answered(worker: Worker, file: int, chunk: Chunk) -> Answer | Exception:
    """The answer, or what went wrong, with the place where it did."""
    try:
        return worker.answer(chunk, file)
    except Exception as error:
        error.add_note(traceback.format_exc())
        return error


def loaded(task: Task, root: Path | None, overlay: Path | None, expected: str) -> Worker:
    """A worker over the knowledge on this machine. Raises WrongKnowledge when that is not the batch's."""
    knowledge = load(root, overlay=overlay)
    check(knowledge, expected)
    worker = Worker(knowledge, task)
    settle()
    return worker


def settle() -> tuple[int, int, int]:
    """Spare the garbage collector its work: the knowledge stays, and rows come and go without cycles. Returns what was set before."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    return before


def check(knowledge: Knowledge, expected: str) -> None:
    """Refuse other knowledge than the batch was begun with."""
    if stamp(knowledge) != expected:
        raise WrongKnowledge(
            f"a worker holds knowledge {stamp(knowledge)}, the batch was begun with {expected}", "bring all machines to the same knowledge"
        )
