"""The workers of one machine: processes that answer chunks in order, and are replaced when one dies.

A chunk that was under way in a process that died is given out again; a chunk is a pure function of its rows, so nothing is lost or doubled.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from checker.batch.errors import BatchError, WrongKnowledge
from checker.batch.files import Chunk
from checker.batch.work import Answer, Task, Worker, stamp
from checker.screen import Screen
from knowledge import Knowledge, load
from knowledge.terms import Mode

MOST_DEATHS = 3  # of workers on one chunk, before the batch gives up
SELDOM = (1_000_000, 20, 100)  # of gc.set_threshold
AHEAD = 3  # chunks given out for each worker

_worker: Worker | WrongKnowledge | None = None


def inline(worker: Worker, chunks: Iterator[tuple[int, Chunk]]) -> Iterator[tuple[Chunk, Answer]]:
    """Answer in this process."""
    for file, chunk in chunks:
        yield chunk, worker.answer(chunk, file)


class Pool:
    """Worker processes over one knowledge base. root, overlay: from where they load it; expected: its stamp, which must be theirs."""

    def __init__(self, workers: int, task: Task, root: Path | None, overlay: Path | None, expected: str) -> None:
        self.workers = workers
        self._given = (task, root, overlay, expected)
        self._executor = self._start()
        self.deaths = 0

    def answers(self, chunks: Iterator[tuple[int, Chunk]], screen: Screen) -> Iterator[tuple[Chunk, Answer]]:
        """Answers in the order of the chunks; as many are under way as keeps the workers busy. screen learns what theirs asked."""
        waiting: deque[tuple[int, Chunk, Future[Answer]]] = deque()
        ended = False
        while True:
            while not ended and len(waiting) < self.workers * AHEAD:
                item = next(chunks, None)
                if item is None:
                    ended = True
                else:
                    waiting.append((*item, self._submit(*item, waiting)))
            if not waiting:
                return
            answer = self._first(waiting)
            _, chunk, _ = waiting.popleft()
            for mode, told in answer.learned:
                screen.matrix(Mode(mode)).learn(told)
            yield chunk, answer

    def close(self) -> None:
        """Let the processes go."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["checker.batch.pool"])
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin, initargs=self._given)

    def _submit(self, file: int, chunk: Chunk, waiting: deque[tuple[int, Chunk, Future[Answer]]]) -> Future[Answer]:
        try:
            return self._executor.submit(_answer, file, chunk)
        except BrokenProcessPool:
            self._replace(waiting)
            return self._executor.submit(_answer, file, chunk)

    def _first(self, waiting: deque[tuple[int, Chunk, Future[Answer]]]) -> Answer:
        """The answer to the oldest chunk, given out again as often as workers die over it."""
        for _ in range(MOST_DEATHS + 1):
            try:
                return waiting[0][2].result()
            except BrokenProcessPool:
                self._replace(waiting)
        chunk = waiting[0][1]
        raise BatchError(
            f"{MOST_DEATHS + 1} workers died over the rows from line {chunk.line} on",
            "give the machine more memory or fewer --workers, then run again with --resume",
        )

    def _replace(self, waiting: deque[tuple[int, Chunk, Future[Answer]]]) -> None:
        """New processes for those that died; what they had not answered is given out again."""
        self.deaths += 1
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._start()
        for place, (file, chunk, future) in enumerate(waiting):
            if not (future.done() and not future.cancelled() and future.exception() is None):
                waiting[place] = (file, chunk, self._executor.submit(_answer, file, chunk))


def _begin(task: Task, root: Path | None, overlay: Path | None, expected: str) -> None:
    global _worker  # noqa: PLW0603  # one worker a process, made once
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    try:
        _worker = loaded(task, root, overlay, expected)
    except WrongKnowledge as error:  # told with the first chunk: a process that dies here would only be replaced
        _worker = error


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


def _answer(file: int, chunk: Chunk) -> Answer:
    if isinstance(_worker, WrongKnowledge):
        raise _worker
    assert _worker is not None  # noqa: S101  # made by _begin
    return _worker.answer(chunk, file)
