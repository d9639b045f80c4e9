"""Continuous batching: one thread steps an engine, and requests join and leave between its steps.

Prompts that begin alike are read once: a request waits while another reads a beginning that it
shares, because those that are read together do not find each other's work in the engine's cache.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dynlab._util.errors import InputError

_HEAD = 256  # characters: beginnings of prompts are compared in pieces of so many
_BREATH_S = 0.003  # after a step that finished one, for those who wait: a step holds Python's lock


@dataclass(eq=False)
class _Job:
    """A request under way: what is asked, where the answer goes, what it is reading."""

    ids: Any  # [1, tokens]
    config: Any
    heads: frozenset[int]
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    cancelled: bool = False
    handle: Any = None

    def resolve(self, result: Any) -> None:
        def put() -> None:
            if self.answer.done():
                return
            if isinstance(result, BaseException):
                self.answer.set_exception(result)
            else:
                self.answer.set_result(result)

        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(put)


class Batcher:
    """Runs requests through an engine: `output = await batcher(prompt, ids, config)`.

    Args:
        engine: Has `add_request(number, ids, config)`, which gives a handle with `get_status`,
            `can_read`, `read_all` and `cancel`, and `step()`, which generates a token of each
            request under way.
    """

    def __init__(self, engine: Any):
        self._engine = engine
        self._inbox: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting: list[_Job] = []
        self._running: list[_Job] = []
        self._read: set[int] = set()  # beginnings in the engine's cache
        self._num_requests = 0
        self._thread = threading.Thread(target=self._work, name="dynlab-batching", daemon=True)
        self._thread.start()

    async def __call__(self, prompt: str, ids: Any, config: Any) -> Any:
        """The engine's output for one request, None where it ended before its first token.

        Where the caller is cancelled, so is the request.

        Raises:
            InputError: the prompt does not fit into the engine's cache.
            RuntimeError: the engine failed, or was closed.
        """
        loop = asyncio.get_running_loop()
        job = _Job(ids, config, frozenset(_heads(prompt)), loop.create_future(), loop)
        self._inbox.put(job)
        try:
            return await job.answer
        finally:
            job.cancelled = not job.answer.done() or job.answer.cancelled()

    def close(self) -> None:
        """Ends what is under way and lets go of the engine."""
        self._inbox.put(None)
        self._thread.join()
        self._engine = None

    def _work(self) -> None:
        while self._take():
            try:
                self._admit()
                if self._running:
                    self._engine.step()
                if self._collect():
                    time.sleep(_BREATH_S)
            except Exception as error:  # of the engine: whoever waits is told
                self._end(RuntimeError(f"the engine failed: {error}"))
        self._end(RuntimeError("the engine was closed"))

    def _take(self) -> bool:
        """Moves what came in to those that wait; sleeps where there is no work; False: the end."""
        with_work = bool(self._running or self._waiting)
        while not (with_work and self._inbox.empty()):
            job = self._inbox.get()
            if job is None:
                return False
            self._waiting.append(job)
            with_work = True
        return True

    def _admit(self) -> None:
        """Hands requests to the engine, but for those whose beginning is being read by another."""
        reading = {head for job in self._running for head in job.heads}
        self._waiting = [job for job in self._waiting if not job.cancelled]
        for job in list(self._waiting):
            job.heads -= self._read
            if job.heads & reading:
                continue
            self._num_requests += 1
            job.handle = self._engine.add_request(self._num_requests, job.ids, job.config)
            self._waiting.remove(job)
            self._running.append(job)
            reading |= job.heads

    def _collect(self) -> bool:
        """Answers what is finished; whether anything was."""
        running = list(self._running)
        for job in running:
            state = job.handle.get_status().name
            if job.heads and (state != "RUNNING" or job.handle.can_read()):
                self._read |= job.heads
                job.heads = frozenset()
            if state == "RUNNING":
                if job.cancelled:
                    job.handle.cancel()  # the next step frees what it holds
                continue
            if state == "IGNORED":
                job.resolve(
                    InputError("the prompt does not fit into the engine's cache: show fewer texts")
                )
            elif not job.cancelled:
                outputs = job.handle.read_all()
                job.resolve(outputs[0] if outputs else None)
            self._running.remove(job)
        return len(self._running) < len(running)

    def _end(self, error: Exception) -> None:
        for job in [*self._running, *self._waiting]:
            if job.handle is not None:
                job.handle.cancel()
            job.resolve(error)
        if self._running and self._engine is not None:
            with suppress(Exception):  # it may have failed before
                self._engine.step()  # frees what they hold
        self._running, self._waiting = [], []


def _heads(prompt: str) -> Iterator[int]:
    """Hashes of a prompt's beginnings, piece by piece.

    >>> len(list(_heads("x" * 600)))
    2
    """
    return (hash(prompt[:end]) for end in range(_HEAD, len(prompt) + 1, _HEAD))
