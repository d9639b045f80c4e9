"""OnlineRunner: draws what a run's course asks for, and notes its decisions and arrivals on disk
before they count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dynlab._util.errors import BudgetError, DynlabError
from dynlab._util.values import Sample
from dynlab.online.run_state import RunState, fill, retraced
from dynlab.sampling.sampler import Sampler
from dynlab.sampling.store import Key, Store

PICKS, ARRIVALS = (
    "picks",
    "arrivals",
)  # kinds of notes in the store: [question number, sample index] each
QUESTIONS = "questions"  # the notes that hold the questions' order
_CAPS = {
    " calls of at most ": "max_calls",
    " tokens of at most ": "max_total_tokens",
    " USD of at most ": "max_usd",
}


class OnlineRunner:
    """Plays a course on a drawing; whatever is on disk already is gone through again, without a
    call.

    A pick is noted before its call is reserved, and an arrival before the next pick: the writes of
    a store do not overtake one another. So a run that was killed goes on as if it had not been.

    Args:
        course: What decides.
        drawing: What draws.
        store: Where notes are kept.
        watched: Called with each sample that is told.
    """

    def __init__(
        self,
        course: RunState,
        drawing: Sampler,
        store: Store,
        watched: Callable[[Sample], object] = lambda sample: None,
    ):
        self.course, self.drawing, self.store, self.watched = course, drawing, store, watched
        self.ended = ""  # by 'budget', 'settled' or 'cap: …'; '' while it goes on
        self._number = {id_: number for number, id_ in enumerate(course.setup.question_ids)}
        self._noted: list[list[int]] = store.notes(PICKS)
        self._arrived: asyncio.Queue[tuple[Key, Sample | DynlabError]] = asyncio.Queue()
        self._underway: set[asyncio.Task[None]] = set()
        self._num_underway = 0  # samples drawn for that were not taken from the queue
        self._num_picks = 0
        self._failure: DynlabError | None = None

    async def run(self) -> None:
        """Goes on until the budget is spent, all is settled, a cap is met, or the drawing is
        stopped.

        Raises:
            DynlabError: the run cannot go on; what has arrived is on disk.
        """
        async with self.drawing:
            if not self.store.notes(QUESTIONS):
                self.store.note(QUESTIONS, *self.course.setup.question_ids)
            if not self.course.setup.rounds:
                self._resume()
            while True:
                self._begin()
                if not self._num_underway:
                    break
                self._end(*await self._arrived.get())
        if self._failure is not None:
            raise self._failure
        if not self.ended and not self.drawing.stop:
            self.ended = (
                "budget" if len(self.course.asked) >= self.course.setup.limit else "settled"
            )

    def _resume(self) -> None:
        """Without rounds, goes through the arrivals on disk in their order; what was in flight then
        is drawn.
        """
        ids, strategy = self.course.setup.question_ids, self.course.setup.strategy
        arrivals = [
            (ids[number], strategy, 0, index) for number, index in self.store.notes(ARRIVALS)
        ]
        if not arrivals:
            return
        self.course = retraced(
            self.course.setup, self.drawing.plan.parents, self._told_again, arrivals
        )
        for key in self.course.asked:
            self._note(key)
        told = set(self.course.told)
        for key in self.course.asked:
            if key not in told:
                self._draw(key)

    def _told_again(self, key: Key) -> Sample:
        sample = self.store.sample(key)
        self.watched(sample)
        return sample

    def _begin(self) -> None:
        """Draws what may be drawn now, a bounded number at a time."""
        course = self.course
        most = max(2 * self.drawing.num_in_flight, course.setup.policy.batch)
        while not (self.ended or self._failure or self.drawing.stop):
            if not course.setup.rounds:
                keys = fill(course)
            else:
                key = course.ask() if self._num_underway < most else None
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
                outcome: Sample | DynlabError = await self.drawing.one(key)
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
            self.ended = self.ended or "cap: " + next(
                (name for w, name in _CAPS.items() if w in str(outcome)), ""
            )
        elif isinstance(outcome, DynlabError):
            self._failure = self._failure or outcome
        else:
            if not self.course.setup.rounds:
                self.store.note(ARRIVALS, [self._number[key[0]], key[3]])
            self.course.tell(outcome)
            self.watched(outcome)
