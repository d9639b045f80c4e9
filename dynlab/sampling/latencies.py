"""How long calls take: those that were answered, and those on their way, longer than their age."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RECENT = 1000  # answered calls that an estimate goes by
_GRID = 400  # lengths of a curve
_BEYOND = 4.0  # times the longest known: as far as a curve goes
_TAIL = 4.0  # exponent of the power law by which a curve goes on where calls in flight are longest
_UNKNOWN = 0.3  # chance of the longest calls above which nothing is said: they might be any length
_PRIOR = 2.0  # calls of mean length that a question's own calls are counted beside


@dataclass(frozen=True)
class Latencies:
    """The chance S(t) that a call takes longer than t seconds.

    Args:
        seconds: [G] t, ascending from 0.
        longer: [G] S(t), from 1 down.
        num: Calls that ended, which it is from.
    """

    seconds: Floats
    longer: Floats
    num: int

    @cached_property
    def mean(self) -> float:
        """∫ S(t) dt, in seconds."""
        return self._integral(self.longer)

    def longest(self, num: int) -> float:
        """The expected longest of so many calls begun together: ∫ 1 − (1 − S)ⁿ dt."""
        return self._integral(1 - (1 - self.longer) ** num)

    def longest_rest(self, num: float) -> float:
        """The expected time until the last of so many calls ends, which began at any time before.

        What is left of such a call is longer than t with chance (1/m) ∫ₜ S (renewal theory).
        """
        widths = np.diff(self.seconds)
        steps = np.concatenate([[0.0], (self.longer[1:] + self.longer[:-1]) / 2 * widths])
        ended = np.minimum(np.cumsum(steps) / max(steps.sum(), 1e-12), 1.0)
        return self._integral(1 - ended**num)

    def longest_left(self, ages: Iterable[float]) -> float:
        """The expected time until the last of the calls ends that have been on their way so long.

        ∫ 1 − Π (1 − S(age + t)/S(age)) dt.
        """
        old = np.asarray(list(ages), float)[:, None]
        if not old.size:
            return 0.0
        left = self._at(old + self.seconds) / np.maximum(self._at(old), 1e-12)
        return self._integral(1 - np.prod(1 - np.minimum(left, 1.0), axis=0))

    def _at(self, seconds: Floats) -> Floats:
        return np.asarray(np.interp(seconds, self.seconds, self.longer))

    def _integral(self, values: Floats) -> float:
        return float(np.trapezoid(values, self.seconds))


def latencies_of(ended: Sequence[float], ages: Sequence[float] = ()) -> Latencies | None:
    """The latencies of calls that ended, and of calls that are on their way (Kaplan & Meier 1958).

    A call that is on its way tells as much as it knows: that it takes longer than its age. Left
    out, the quick answers that come first would be taken for all of them.

    Returns:
        None: too few calls have ended to say how long the others are.
    """
    if not len(ended):
        return None
    seconds = np.concatenate([np.asarray(ended, float), np.asarray(ages, float)])
    over = np.arange(len(seconds)) < len(ended)
    order = np.lexsort([~over, seconds])  # of equal times, what ended comes first
    seconds, over = seconds[order], over[order]
    at_risk = len(seconds) - np.arange(len(seconds))
    longer = np.cumprod(1 - over / at_risk)
    if longer[-1] > _UNKNOWN:
        return None
    longest = max(float(seconds[-1]), 1e-6)
    inner = longest * np.geomspace(1e-3, 1.0, _GRID)
    place = np.searchsorted(seconds, inner * (1 + 1e-12), side="right") - 1
    known = np.where(place < 0, 1.0, longer[np.maximum(place, 0)])
    beyond = longest * np.geomspace(1.0, _BEYOND, _GRID // 8)[1:]
    tail = longer[-1] * (longest / beyond) ** _TAIL
    return Latencies(
        np.concatenate([[0.0], inner, beyond]), np.concatenate([[1.0], known, tail]), len(ended)
    )


class CallClock:
    """What is known of the calls of a run: how long they took, for how long others have been going.

    Args:
        clock: Gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._ended: deque[float] = deque(maxlen=_RECENT)
        self._begun: dict[int, float] = {}
        self._of_question: dict[str, tuple[float, int]] = {}  # seconds, calls
        self._number = 0
        self._at = clock()
        self._busy = self._gone = 0.0  # mean calls in flight is their ratio, older ones fading

    def learn(self, seconds: Iterable[float]) -> None:
        """Takes calls of the same run into account that ended earlier."""
        self._ended.extend(seconds)

    def begin(self) -> int:
        """A call begins; what it returns is handed to `end`."""
        self._passed()
        self._number += 1
        self._begun[self._number] = self.clock()
        return self._number

    def end(self, call: int, question_id: str = "", *, answered: bool = True) -> None:
        """A call ends; one without an answer tells nothing of how long answers take."""
        self._passed()
        seconds = self.clock() - self._begun.pop(call)
        if answered:
            self._ended.append(seconds)
            total, num = self._of_question.get(question_id, (0.0, 0))
            self._of_question[question_id] = (total + seconds, num + 1)

    @contextmanager
    def timed(self, question_id: str) -> Iterator[None]:
        """A call for the length of the `with` block, unanswered if that raises."""
        call, answered = self.begin(), False
        try:
            yield
            answered = True
        finally:
            self.end(call, question_id, answered=answered)

    @property
    def ages(self) -> list[float]:
        """For how long each call in flight has been going, in seconds."""
        now = self.clock()
        return [now - begun for begun in list(self._begun.values())]

    @property
    def latencies(self) -> Latencies | None:
        """How long calls take, None where too few have ended."""
        return latencies_of(list(self._ended), self.ages)

    @property
    def in_flight(self) -> float:
        """The mean number of calls in flight of late; those of now where nothing is known."""
        self._passed()
        return self._busy / self._gone if self._gone else float(len(self._begun))

    def relative(self, missing: Mapping[str, int]) -> float:
        """How long the missing calls (by question) take, in multiples of a mean call.

        A question's mean counts beside two calls of the mean length of all.
        """
        known = list(self._of_question.items())
        num = sum(calls for _, (_, calls) in known)
        wanted = sum(missing.values())
        if not num or not wanted:
            return 1.0
        mean = sum(seconds for _, (seconds, _) in known) / num
        of_question = {
            id_: (seconds / mean + _PRIOR) / (calls + _PRIOR) for id_, (seconds, calls) in known
        }
        return sum(calls * of_question.get(id_, 1.0) for id_, calls in missing.items()) / wanted

    def _passed(self) -> None:
        """Counts the calls in flight since the last change, those of long ago less and less."""
        now = self.clock()
        gone, self._at = now - self._at, now
        if not self._begun and not self._gone:
            return  # nothing has begun yet
        # long enough to hold several rounds, each as long as its longest call
        memory = max(30.0, 10 * max(list(self._ended)[-32:], default=0.0))
        fading = float(np.exp(-gone / memory))
        self._busy = self._busy * fading + len(self._begun) * gone
        self._gone = self._gone * fading + gone
