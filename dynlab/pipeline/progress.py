"""How far the notebooks are: a line for each that is done, and a bar with a steady estimate."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from dynlab._util.durations import Countdown, took

# Seconds on two cores of a notebook that never ran here; what counts are their ratios, since the
# forecast learns how fast this machine is.
_SECONDS = {
    "00-quickstart": 12,
    "01-accuracy-vs-cost": 75,
    "02-integrated-sampling": 65,
    "03-dynamic-vs-uniform": 25,
    "04-ablation": 45,
    "05-sensitivity": 180,
    "06-who-gets-the-budget": 25,
    "07-explorer": 20,
    "08-leaderboard": 100,
    "09-price-aware": 65,
    "10-small-reasoner": 60,
    "11-simulation": 20,
    "12-recall": 20,
    "13-reasoning": 28,
}
_OTHER = 20.0  # of a notebook that does not come with dynlab
_QUICK = 0.15  # of that where a run is quick
_BELIEVED = 30.0  # seconds of work at the expected speed that the forecast starts from


def seconds_expected(stem: str, quick: bool) -> float:
    """Seconds that a notebook takes about, where it never ran here."""
    return _SECONDS.get(stem, _OTHER) * (_QUICK if quick else 1.0)


class Forecast:
    """How long jobs will take that run a few at once, from what each was expected to take.

    Args:
        expected: Name of a job → seconds.
        workers: How many run at once.
    """

    def __init__(self, expected: Mapping[str, float], workers: int) -> None:
        self._expected = dict(expected)
        self._workers = workers
        self._begun: dict[str, float] = {}
        self._took: dict[str, float] = {}

    def begin(self, name: str, now: float) -> None:
        """A job begins at `now`, in seconds of any clock."""
        self._begun[name] = now

    def end(self, name: str, now: float) -> float:
        """A job ends; returns the seconds that it took."""
        self._took[name] = now - self._begun[name]
        return self._took[name]

    @property
    def num_done(self) -> int:
        """How many jobs have ended."""
        return len(self._took)

    def pace(self, now: float) -> float:
        """Seconds that an expected second takes, in jobs that have ended or are late; 1 before."""
        known = dict(self._took)
        for name, begun in self._begun.items():
            if name not in self._took and now - begun > self._expected[name]:
                known[name] = now - begun
        expected = sum(self._expected[name] for name in known)
        return (_BELIEVED + sum(known.values())) / (_BELIEVED + expected)

    def remaining(self, now: float) -> float:
        """Seconds until all are done: the longest job's, or all jobs' spread over the workers."""
        left = []
        pace = self.pace(now)
        for name, expected in self._expected.items():
            if name not in self._took:
                whole = pace * expected
                gone = now - self._begun.get(name, now)
                left.append(max(whole - gone, 0.05 * whole))  # what is late may end any moment
        return max(max(left, default=0.0), sum(left) / self._workers)


class Progress:
    """Shows a forecast on stderr while jobs run: lines, and on a terminal a bar.

    Args:
        expected: Name of a job → seconds that it is expected to take.
        workers: How many run at once.
        shown: Whether anything is printed.
        clock: Gives the time in seconds.
    """

    def __init__(
        self,
        expected: Mapping[str, float],
        workers: int,
        shown: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from tqdm.auto import tqdm

        self._forecast = Forecast(expected, workers)
        self._num = len(expected)
        self._shown = shown
        self._clock = clock
        self._start = clock()
        self._countdown = Countdown()
        self._estimate = self._taken_on(self._start)
        self._lock = Lock()
        self._over = Event()
        silent = not (shown and expected and sys.stderr.isatty())
        layout = "notebooks: {percentage:3.0f}%|{bar}| {elapsed} gone{postfix}"
        self._bar = tqdm(total=100, bar_format=layout, disable=silent, file=sys.stderr)
        self._ticker = Thread(target=self._tick, daemon=True)

    def begin(self, name: str) -> None:
        """A job begins."""
        with self._lock:
            self._forecast.begin(name, self._clock())

    def end(self, name: str, *, failed: bool = False) -> None:
        """A job ends."""
        with self._lock:
            seconds = self._forecast.end(name, self._clock())
            line = f"{name}: {'failed after ' * failed}{took(seconds)}"
            if self._forecast.num_done < self._num:
                line += f" ({self._forecast.num_done} of {self._num} done, {self._left()} to go)"
            if self._shown:
                self._bar.write(line, file=sys.stderr)

    def tick(self) -> None:
        """A second has passed: the estimate goes down by it, and a little towards a new one."""
        with self._lock:
            now = self._clock()
            self._estimate = self._taken_on(now)
            gone = now - self._start
            self._bar.n = max(self._bar.n, int(100 * gone / max(gone + self._estimate, 1)))
            done = f"{self._forecast.num_done} of {self._num} notebooks done"
            self._bar.set_postfix_str(f"{self._left()} to go, {done}")

    def _taken_on(self, now: float) -> float:
        """The estimate as it is shown, in seconds."""
        return self._countdown.aim(self._forecast.remaining(now), now) or 0.0

    def _left(self) -> str:
        """The estimate in words, as coarse as it is."""
        if self._estimate < 45:
            return "less than a minute"
        return f"about {max(round(self._estimate / 60), 1)} min"

    def _tick(self) -> None:
        while not self._over.wait(1):
            self.tick()

    def __enter__(self) -> Self:
        if self._shown and self._num:
            notebooks = f"{self._num} notebook{'s' * (self._num != 1)}"
            self._bar.write(f"{notebooks} to run: {self._left()}", file=sys.stderr)
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._ticker.join()
        if error is None:
            self._bar.n = 100
            self._bar.set_postfix_str(f"{self._num} notebooks done")
        self._bar.close()
