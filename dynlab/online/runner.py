"""The runner: draws what a run asks for; picks and arrivals are on disk before they count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dynlab._util.errors import BudgetError, DynlabError
from dynlab._util.values import Sample
from dynlab.online.run_state import RunState, fill, retraced
from dynlab.sampling.sampler import Sampler
from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import Key

PICKS, ARRIVALS = (
    "picks",
    "arrivals",
)  # kinds of notes in the store: [question number, sample index] each
QUESTIONS = "questions"  # the notes that hold the questions' order
_LIMITS = {"calls": "max_calls", "tokens": "max_total_tokens", "usd": "max_usd"}  # as recorded


class OnlineRunner:
    """Draws what a run's state asks for; what is on disk already is told again, without a call.

    A pick is noted before its call is reserved, and an arrival before the next pick: the writes of
    a store do not overtake one another. So a run that was killed goes on as if it had not been.

    Args:
        state: What decides.
        sampler: What draws.
        store: Where notes are kept.
        watched: Called with each sample that is told.
    """

    def __init__(
        self,
        state: RunState,
        sampler: Sampler,
        store: Store,
        watched: Callable[[Sample], object] = lambda sample: None,
    ):
        self.state, self.sampler, self.store, self.watched = state, sampler, store, watched
        self.ended = ""  # by 'budget', 'settled' or 'cap: …'; '' while it goes on
        self._number = {id_: number for number, id_ in enumerate(state.setup.question_ids)}
        self._noted: list[list[int]] = store.notes(PICKS)
        self._arrived: asyncio.Queue[tuple[Key, Sample | DynlabError]] = asyncio.Queue()
        self._underway: set[asyncio.Task[None]] = set()
        self._num_underway = 0  # samples drawn for that were not taken from the queue
        self._num_picks = 0
        self._failure: DynlabError | None = None

    async def run(self) -> None:
        """Goes on until the budget is spent, all is settled, a cap is met, or the sampler is
        stopped.

        Raises:
            DynlabError: the run cannot go on; what has arrived is on disk.
        """
        async with self.sampler:
            if not self.store.notes(QUESTIONS):
                self.store.note(QUESTIONS, *self.state.setup.question_ids)
            if not self.state.setup.rounds:
                self._resume()
            while True:
                self._begin()
                if not self._num_underway:
                    break
                self._end(*await self._arrived.get())
        if self._failure is not None:
            raise self._failure
        if self.ended and self.state.setup.rounds:
            self._tell_the_rest()
        if not self.ended and not self.sampler.stop:
            self.ended = "budget" if len(self.state.asked) >= self.state.setup.limit else "settled"

    def _resume(self) -> None:
        """Without rounds, goes through the arrivals on disk in their order; what was in flight then
        is drawn.
        """
        ids, strategy = self.state.setup.question_ids, self.state.setup.strategy
        arrivals = [
            (ids[number], strategy, 0, index) for number, index in self.store.notes(ARRIVALS)
        ]
        if not arrivals:
            return
        self.state = retraced(
            self.state.setup, self.sampler.plan.parents, self._told_again, arrivals
        )
        for key in self.state.asked:
            self._note(key)
        told = set(self.state.told)
        for key in self.state.asked:
            if key not in told:
                self._draw(key)

    def _tell_the_rest(self) -> None:
        """Where a cap ended the rounds, tells what else is on disk: an earlier run may have drawn
        it while it tried a sample again that this one may not try.
        """
        state = self.state
        while len(state.told) < len(self.sampler.arrived) and (key := state.ask()) is not None:
            self._note(key)
            if key in self.sampler.arrived:
                state.tell(self._told_again(key))

    def _told_again(self, key: Key) -> Sample:
        sample = self.store.sample(key)
        self.watched(sample)
        return sample

    def _begin(self) -> None:
        """Draws what may be drawn now, a bounded number at a time."""
        state = self.state
        most = max(2 * self.sampler.num_in_flight, state.setup.policy.batch)
        while not (self.ended or self._failure or self.sampler.stop):
            if not state.setup.rounds:
                keys = fill(state)
            else:
                key = state.ask() if self._num_underway < most else None
                keys = [] if key is None else [key]
            if not keys:
                return
            for key in keys:
                self._note(key)
                self._draw(key)

    def _note(self, key: Key) -> None:
        """Notes a pick, or compares it with what was noted before the run was interrupted."""
        place, pick = self._num_picks, [self._number[key[0]], key[3]]
        self._num_picks += 1
        if place >= len(self._noted):
            self.store.note(PICKS, pick)
        elif self._noted[place] != pick:
            raise DynlabError(
                f"{self.store.path}: pick {place} was question {self._noted[place][0]} and would"
                f" now be {pick[0]}; was it made by another version of dynlab? Give another --out"
            )

    def _draw(self, key: Key) -> None:
        async def one() -> None:
            try:
                outcome: Sample | DynlabError = await self.sampler.one(key)
            except DynlabError as error:
                outcome = error
            self._arrived.put_nowait((key, outcome))

        task = asyncio.create_task(one())
        self._num_underway += 1
        self._underway.add(task)
        task.add_done_callback(self._underway.discard)

    def _end(self, key: Key, outcome: Sample | DynlabError) -> None:
        self._num_underway -= 1
        if isinstance(outcome, BudgetError):
            self.ended = self.ended or f"cap: {_LIMITS.get(outcome.limit, '')}"
        elif isinstance(outcome, DynlabError):
            self._failure = self._failure or outcome
        else:
            if not self.state.setup.rounds:
                self.store.note(ARRIVALS, [self._number[key[0]], key[3]])
            self.state.tell(outcome)
            self.watched(outcome)
