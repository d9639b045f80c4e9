"""When to give up: on a question that alone keeps failing, and on a server that answers none."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal

from dynlab.models.provider_errors import ProviderError
from dynlab.sampling.store_rows import Key

NUM_ATTEMPTS = 8
LONGEST_SILENCE_S = 120.0
# so many questions that fail together at the end of a run are at fault, more are the server's
_FEW = 3
# a refusal, or no connection, before anything was answered may come of the settings: so many tries
_TRIES_UNPROVEN = 3
LONGEST_PAUSE_S = 30.0  # between two attempts, unless the provider asks for more

Decision = Literal["again", "sample", "run"]


class RetryPolicy:
    """Tells what follows from an error: try again, give up the sample, or give up the run.

    A failure counts against a sample only where something else was answered since its last one; so
    an outage, in which everything fails, spoils none. It ends the run after `silence_s` seconds
    without any answer, and after a few tries where no connection was ever made. Where no more than
    a few questions are left to fail, and the server says 500 to each attempt, the questions are at
    fault.

    Args:
        num_attempts: Failures of its own after which a sample is given up.
        silence_s: Seconds without an answer after which the run is given up.
        pause_s: Between two attempts at most, unless the provider asks for more.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        num_attempts: int = NUM_ATTEMPTS,
        silence_s: float = LONGEST_SILENCE_S,
        pause_s: float = LONGEST_PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.num_attempts, self.silence_s, self.clock = num_attempts, silence_s, clock
        self.pause_s = pause_s
        self.num_answered = 0  # ever, earlier runs of the recording included
        self._reached = False  # whether the server was there in this run
        self._failing_since: float | None = None  # the first failure since the last answer
        self._heard: dict[Key, int] = {}  # num_answered when a sample began, or failed last
        self._failures: dict[
            Key, tuple[int, int]
        ] = {}  # how often a sample has failed, and of its own
        self._given_up = (
            "",
            -1,
        )  # the question that was given up in silence, and num_answered then

    def begins(self, key: Key) -> None:
        """A sample is asked for."""
        self._heard[key] = self.num_answered

    def answered(self, key: Key) -> None:
        """A sample has arrived."""
        self.num_answered += 1
        self._reached = True
        self._failing_since = None
        self._forget(key)

    def failed(self, key: Key, error: ProviderError) -> Decision:
        """What follows for a sample whose call brought an error."""
        decision = self._decision(key, error)
        if decision == "sample":
            self._forget(key)
        return decision

    def _decision(self, key: Key, error: ProviderError) -> Decision:
        if error.kind == "fatal":
            return "run"
        own = error.kind == "refused" or (
            error.kind == "passing" and self.num_answered > self._heard[key]
        )
        all_failures, own_failures = self._failures.get(key, (0, 0))
        self._failures[key] = all_failures, own_failures = all_failures + 1, own_failures + own
        self._heard[key] = self.num_answered
        self._reached |= not error.unreached
        if not self._reached and all_failures >= _TRIES_UNPROVEN:
            return "run"
        if error.kind == "refused":
            if self.num_answered or error.about_content:
                return "sample"
            return "again" if own_failures < _TRIES_UNPROVEN else "run"
        now = self.clock()
        if self._failing_since is None:
            self._failing_since = now
        silent = now - self._failing_since >= self.silence_s
        if own_failures >= self.num_attempts:
            return "sample"
        if not silent and (error.status != 500 or all_failures < self.num_attempts):
            return "again"
        questions = {troubled[0] for troubled in self._failures}
        question, given_up_at = self._given_up
        unproven = not self.num_answered or (
            self.num_answered == given_up_at and key[0] != question
        )
        if error.status is None or error.kind == "throttled" or unproven or len(questions) > _FEW:
            return "run" if silent else "again"
        if len(questions) == 1:
            self._given_up = (key[0], self.num_answered)
        return "sample"

    def _forget(self, key: Key) -> None:
        self._heard.pop(key, None)
        self._failures.pop(key, None)


def by_batches() -> RetryPolicy:
    """For calls by a provider's batches: silence is their nature, and what failed goes into the
    next batch together.
    """
    return RetryPolicy(silence_s=math.inf, pause_s=0.0)
