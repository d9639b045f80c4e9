"""How many calls are in flight at once: more while it goes well, half when told to slow down."""

from __future__ import annotations


class ConcurrencyLimit:
    """Additive increase, multiplicative decrease of the calls in flight (Chiu & Jain 1989, TCP).

    It starts at the concurrency asked for and never goes above it. A full round of answers raises
    the limit by one; being told to slow down halves it, once for all the calls that were on their
    way together.

    >>> concurrency = ConcurrencyLimit(8)
    >>> concurrency.end(concurrency.begin(), slower=True)
    >>> concurrency.limit
    4
    """

    def __init__(self, most: int):
        self.most = most
        self.in_flight = 0
        self._limit = float(most)
        self._round = 0  # raised by every halving: calls begun before it do not halve again

    @property
    def limit(self) -> int:
        """Calls that may be in flight now."""
        return int(self._limit)

    @property
    def full(self) -> bool:
        """Whether the next call has to wait."""
        return self.in_flight >= self.limit

    def begin(self) -> int:
        """Counts a call as begun; what it returns is handed to `end`."""
        self.in_flight += 1
        return self._round

    def end(self, begun: int, slower: bool = False) -> None:
        """Counts a call as ended; `slower`: the server asked for fewer."""
        self.in_flight -= 1
        if not slower:
            self._limit = min(self.most, self._limit + 1 / self._limit)
        elif begun == self._round:
            self._limit = max(1.0, self._limit / 2)
            self._round += 1
