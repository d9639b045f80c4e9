"""Durations: told in words, and estimates that go down with the clock and never jump."""

from __future__ import annotations

import math

_LEAST_S = 15.0  # over which a new estimate is taken on, at least
_SHARE = 0.04  # of what is left, over which it is taken on where that is longer


def took(seconds: float) -> str:
    """A duration to read: '8 s', '3 min 20 s', '2 h 5 min'.

    >>> took(200.4)
    '3 min 20 s'
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return (
        f"{whole // 60} min {whole % 60} s"
        if whole < 3600
        else f"{minutes // 60} h {minutes % 60} min"
    )


def about(seconds: float) -> str:
    """An estimate to read, as coarse as it is.

    >>> about(4), about(42), about(200), about(9000)
    ('a few seconds', 'about 40 s', 'about 3 min', 'about 2.5 h')
    """
    if seconds < 7.5:
        return "a few seconds"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


class Countdown:
    """An estimate as it is shown: it goes down with the clock and moves slowly to new ones."""

    def __init__(self) -> None:
        self.seconds: float | None = None  # left; None: not known yet
        self._at = 0.0

    def aim(self, seconds: float | None, now: float) -> float | None:
        """Takes a new estimate on, at `now` in seconds of any clock; returns what is shown.

        With τ the time over which an estimate is taken on, the shown one moves by 1 − exp(−Δt/τ) of
        the way that is left to the new one.
        """
        if self.seconds is None or seconds is None:
            self.seconds = seconds if self.seconds is None else self.seconds
        else:
            gone = max(now - self._at, 0.0)
            kept = math.exp(-gone / max(_LEAST_S, _SHARE * min(self.seconds, seconds)))
            self.seconds = kept * max(self.seconds - gone, 0.0) + (1 - kept) * seconds
        self._at = now
        return self.seconds
