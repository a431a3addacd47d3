"""Tasks -> answers in several processes, in order: bytes in, bytes out.

What the bytes are is the caller's matter: ``pipeline.py`` sends texts, ``tables.py`` columns of Arrow.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, TypeVar

from sotag_edge.child_process import start_process
from sotag_edge.errors import SotagEdgeError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from queue import SimpleQueue

Work = Callable[[bytes], bytes]
_T = TypeVar("_T")
_AHEAD = 4  # tasks per process
_ANSWER, _ERROR = b"+", b"!"  # the first byte of what a process sends


class Processes:
    """Processes that answer tasks: a context, at whose end they end, whatever they do."""

    def __init__(self, load: Callable[[], Work], jobs: int) -> None:
        """``load``: called once in each of the ``jobs`` processes; it returns what does the work. Both are pickled where
        processes are not forked.
        """
        self._load, self._jobs = load, jobs
        self._workers: list[_Worker] = []
        self._waiting: deque[_Worker] = deque()  # one for each task that is not answered yet

    def __enter__(self) -> Processes:
        """Raises ``SotagEdgeError`` if the system starts no further process."""
        try:
            for _ in range(self._jobs):
                self._workers.append(_Worker(self._load))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def answers(self, tasks: Iterable[tuple[bytes, _T]]) -> Iterator[tuple[bytes, _T]]:
        """The answer to each task, lazily and in order, with what belongs to the task and stays in this process.

        Few tasks are read ahead. Raises the error of a process, or ``SotagEdgeError`` if one ends early.
        """
        while self._waiting:  # an earlier caller has stopped early
            self._waiting.popleft().receive()
        kept: deque[_T] = deque()
        turns = cycle(self._workers)
        for task, own in tasks:
            worker = next(turns)
            worker.send(task)
            self._waiting.append(worker)
            kept.append(own)
            if len(kept) > _AHEAD * len(self._workers):
                yield self._waiting.popleft().receive(), kept.popleft()
        while kept:
            yield self._waiting.popleft().receive(), kept.popleft()

    def _end(self) -> None:
        for worker in self._workers:
            worker.end()


class _Worker:
    """A process that answers tasks, first in, first out.

    subtle: not a ``ProcessPoolExecutor``. That one needs semaphores, which Android and some containers do not have, and it
    forks while its own thread may hold locks: a SIGTERM at that moment was handled in the middle of them, and one run in
    eight then waited for ever or left workers behind. Here are pipes only, no thread in this process, and no signal is
    handled during a fork.
    """

    def __init__(self, load: Callable[[], Work]) -> None:
        """Raises ``SotagEdgeError`` if the system starts no further process."""
        import multiprocessing

        self._connection, theirs = multiprocessing.Pipe()
        try:
            self._process = start_process(_work, (theirs, self._connection, load))
        finally:
            theirs.close()

    def send(self, task: bytes) -> None:
        """Hand over a task. Raises ``SotagEdgeError`` if the process has ended."""
        try:
            self._connection.send_bytes(task)
        except OSError as error:
            raise self._ended_early() from error

    def receive(self) -> bytes:
        """The answer to the next task. Raises the error of the process, or ``SotagEdgeError`` if it has ended."""
        try:
            message = self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._ended_early() from error
        if message.startswith(_ERROR):
            import pickle

            raise pickle.loads(message.removeprefix(_ERROR))  # noqa: S301  # of our own process
        return message.removeprefix(_ANSWER)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._connection.close()
        self._process.terminate()
        self._process.join(1)
        self._process.kill()  # it was stopped, or has lost its way
        self._process.join()

    def _ended_early(self) -> SotagEdgeError:
        # A signal to the whole process group may reach the worker first: then this process ends by its own.
        time.sleep(0.1)
        return SotagEdgeError("a worker process ended early, perhaps because memory ran out: use fewer jobs")


def _work(connection: Connection, parents: Connection, load: Callable[[], Work]) -> None:
    """The life of a process. It ends when the other end of its connection is closed, also by a SIGKILL."""
    from queue import SimpleQueue
    from threading import Thread

    parents.close()  # a fork copies it, and while a copy is open it is not closed
    # Read by a thread, so that the main process never waits to hand over a task while this one waits to answer.
    tasks: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read_tasks, args=(connection, tasks), daemon=True).start()
    with suppress(OSError):  # nobody reads the answer any more
        try:
            work = load()
            while True:
                connection.send_bytes(_ANSWER + work(tasks.get()))
        except Exception as error:  # it is raised in the main process
            import pickle

            connection.send_bytes(_ERROR + pickle.dumps(error))
            tasks.get()


def _read_tasks(connection: Connection, tasks: SimpleQueue[bytes]) -> None:
    try:
        while True:
            tasks.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)
