"""Calls are let through in the order they were asked for, each with a slot, within the limits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from dynlab._util.errors import DynlabError
from dynlab.sampling.budget import Ledger, Spending
from dynlab.sampling.concurrency import ConcurrencyLimit


class Turn:
    """A place in the line. It is ready once its worst case is known; `reserve` is called when it is
    let through.
    """

    def __init__(self) -> None:
        self.worst: Spending | None = None
        self.reserve: Callable[[], object] = lambda: None
        self.holds = False  # whether its worst case is set aside
        self.begun = 0  # of its call in flight, for the concurrency
        self.wait()

    def wait(self) -> None:
        """It is to be admitted, for the first time or again."""
        self.admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.admitted.add_done_callback(
            lambda it: it.cancelled() or it.exception()
        )  # who waits is told; nobody need


class RequestQueue:
    """Lets turns through when a slot is free and the worst case fits; nothing overtakes what was
    asked for earlier.

    What an earlier run sent goes through at once: it is on its way, and its worst case is held.
    Where a worst case does not fit beside what is on its way, it waits for that; where nothing is
    on its way any more, the queue closes for good.
    """

    def __init__(self, concurrency: ConcurrencyLimit, ledger: Ledger):
        self.concurrency, self.ledger = concurrency, ledger
        self.closed: DynlabError | None = None
        self._line: deque[Turn] = deque()
        self._again: list[
            Turn
        ] = []  # calls that are sent again go first: they were asked for earlier

    def join(self, turn: Turn) -> None:
        """Takes a place at the end of the line."""
        if self.closed is not None:
            raise self.closed
        self._line.append(turn)

    async def admit(self, turn: Turn) -> None:
        """Returns when the turn's call may begin, or begin again; its worst case is held, and
        `reserve` was called.

        Raises:
            BudgetError: it does not fit, or one before it did not.
        """
        if self.closed is not None and not turn.holds:
            raise self.closed
        if turn.admitted.done():
            turn.wait()
            self._again.append(turn)
        elif turn.holds:  # an earlier run sent it: nothing that is to be sent anew holds it up
            self._line.remove(turn)
            self._let_through(turn)
        self.advance()
        await turn.admitted

    def close(self, error: DynlabError) -> None:
        """Nothing is let through any more that does not hold its worst case already."""
        self.closed = self.closed or error
        for turn in [*self._line, *(turn for turn in self._again if not turn.holds)]:
            if not turn.admitted.done():
                turn.admitted.set_exception(self.closed)
                turn.admitted.exception()  # who waits is told; nobody need
        self._line.clear()
        self._again = [turn for turn in self._again if turn.holds]

    def leave(self, turn: Turn) -> None:
        """Gives up a place in the line."""
        if turn in self._line:
            self._line.remove(turn)
        if turn in self._again:
            self._again.remove(turn)
        self.advance()

    def advance(self) -> None:
        """Lets through all that may go."""
        # A call that is sent again goes first. One that does not fit waits until what is on its way
        # has settled, and all behind it wait as well: so a cheap call never overtakes a dear one,
        # and a limit is used up in the order of the plan, whatever arrives first.
        while not self.concurrency.full:
            turn = next((t for t in self._again if self._fits(t)), None)
            if turn is not None:
                self._again.remove(turn)
            elif self._again:  # waits for money, and so does all that was asked for later
                return self._close_if_idle(self._again[0])
            elif not self._line or self._line[0].worst is None:
                return None
            elif self._fits(self._line[0]):
                turn = self._line.popleft()
            else:
                return self._close_if_idle(self._line[0])
            self._let_through(turn)
        return None

    def _fits(self, turn: Turn) -> bool:
        return turn.holds or (turn.worst is not None and self.ledger.fits(turn.worst))

    def _close_if_idle(self, turn: Turn) -> None:
        if not self.ledger.num_held:
            self.close(self.ledger.refusal(turn.worst or Spending()))

    def _let_through(self, turn: Turn) -> None:
        assert turn.worst is not None
        if not turn.holds:
            self.ledger.hold(turn.worst)
            turn.holds = True
        turn.begun = self.concurrency.begin()
        turn.reserve()
        if not turn.admitted.done():
            turn.admitted.set_result(None)
