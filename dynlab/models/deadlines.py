"""When to give a call up: a call that waits in a server's line has not begun yet.

A server that answers few calls at a time lets the others wait. So what is bounded is how long
*nothing* is answered: each answer gives all calls under way their time anew. A model of this
machine has all the time it needs, unless a time is given; a call to another machine is given up
after `MOST` times its time, for a single connection may have been lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import isfinite

from dynlab._util.options import TIMEOUT_S
from dynlab.models.llama_cpp import Endpoint

MOST = 3  # times its own time that a call to another machine may take, whatever else is answered


class Deadlines:
    """The deadlines of the calls under way: `async with deadlines.of_call(): await …`.

    What ends in it without an error is an answer, which puts the others' deadlines off.

    Args:
        seconds: How long a call may take after it began, or after another was answered.
        bounded: Whether a call is given up after `MOST` times that in any case.
    """

    def __init__(self, seconds: float, bounded: bool):
        self.seconds, self.bounded = seconds, bounded
        self._under_way: dict[asyncio.Timeout, float] = {}  # with the latest time of each

    @property
    def longest(self) -> float:
        """Seconds that a call may take at most."""
        return MOST * self.seconds if self.bounded else float("inf")

    @asynccontextmanager
    async def of_call(self) -> AsyncIterator[None]:
        """A deadline of `seconds` from now; a TimeoutError where it passes."""
        async with asyncio.timeout(self.seconds if isfinite(self.seconds) else None) as deadline:
            self._under_way[deadline] = asyncio.get_running_loop().time() + self.longest
            try:
                yield
            finally:
                del self._under_way[deadline]
        self.answered()

    @property
    def passed(self) -> str:
        """What is said of a call whose deadline has passed."""
        return (
            f"nothing was answered for {self.seconds:g} s: raise --timeout, or lower --concurrency"
        )

    def answered(self) -> None:
        """A call was answered: the others' time begins anew."""
        now = asyncio.get_running_loop().time()
        for deadline, latest in self._under_way.items():
            if not deadline.expired() and deadline.when() is not None:
                deadline.reschedule(min(now + self.seconds, latest))


def deadlines_for(endpoint: Endpoint, timeout_s: float) -> Deadlines:
    """The deadlines of calls to a model: a server of ours is waited for, however slow it is."""
    ours = endpoint.answer is not None or "server_settings" in endpoint.card
    waited = float("inf") if ours and timeout_s == TIMEOUT_S else timeout_s
    return Deadlines(waited, bounded=not ours)
