"""The newest request wins: no result is shown after that of a newer request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import copy_context
from threading import Condition, RLock, Thread
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Found = TypeVar("Found")
# called now and then, with whatever; raises Outdated where a newer request waits
CancelCheck = Callable[..., None]


class Outdated(Exception):
    """A newer request waits: the work is given up."""


class LatestWorker(Generic[Asked, Found]):
    """Answers requests in a thread of its own, always the newest one; the rest are skipped.

    The thread lives only while there is something to do. `show` and `fail` are called one at a
    time, from that thread, and never for a request after a newer one was asked.

    Args:
        answers: Request and check → results, from the first coarse one to the last. It calls
            `check` now and then, which ends it where a newer request waits.
        show: Told every result.
        fail: Told what `answers` or `show` raised.
    """

    def __init__(
        self,
        answers: Callable[[Asked, CancelCheck], Iterator[Found]],
        show: Callable[[Found], object],
        fail: Callable[[Exception], object],
    ) -> None:
        self._answers, self._show, self._fail = answers, show, fail
        self._idle = Condition(RLock())
        self._request: Asked | None = None
        self._generation = 0  # of the newest request
        self._busy = False

    def ask(self, request: Asked) -> None:
        """Takes a request in place of all before it."""
        with self._idle:
            self._request, self._generation = request, self._generation + 1
            if not self._busy:
                self._busy = True
                Thread(target=copy_context().run, args=(self._work,), daemon=True).start()

    def drop(self) -> None:
        """Forgets what was asked; nothing more of it is shown."""
        with self._idle:
            self._request, self._generation = None, self._generation + 1

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until everything asked was shown, failed or dropped; False: it took longer."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, timeout_s)

    def _work(self) -> None:
        while True:
            with self._idle:
                if self._request is None:
                    self._busy = False
                    self._idle.notify_all()
                    return
                request, mine, self._request = self._request, self._generation, None

            def check(*_: object, mine: int = mine) -> None:
                if mine != self._generation:
                    raise Outdated

            try:
                for found in self._answers(request, check):
                    self._told(mine, self._show, found)
            except Outdated:
                continue
            except Exception as error:  # whatever it is, the reader has to see it
                self._told(mine, self._fail, error)

    def _told(self, mine: int, tell: Callable[..., object], what: object) -> None:
        with self._idle:
            if mine == self._generation:
                tell(what)
