"""Integrated sampling: independent samples, then a synthetic chain made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dynlab._util.errors import InputError
from dynlab.strategies.attempts import Attempts, Later, Voting, check_choices, check_counts


@dataclass(frozen=True)
class Integrated(Attempts):
    """Integrated parallel–sequential sampling, after DynScaling (Wang et al. 2025, 2506.16043).

    Samples 0 … width − 1 are independent; each later one continues a synthetic chain made of them.
    With `chain` there are rounds, parallel → chain → parallel …: `width` independent samples, then
    `chain` chained ones, and again. How a chain is made is our choice, and every part of it a
    parameter.

    >>> [Integrated(width=2).parents(i) for i in range(4)]
    [(), (), (0, 1), (0, 1)]
    >>> [Integrated(width=2, chain=1, later="chain").parents(i) for i in range(6)]
    [(), (), (0, 1), (), (), (2,)]

    Args:
        width: Independent samples before each chain, 1 to 16.
        chain: Chained samples before the next round; None: the first chain goes on for ever.
        rounds: The number of rounds, of which the last one's chain goes on; None: as many as the
            stream holds.
        later: What the chains after the first are made of: the 'independents' of their own round,
            the last round's 'chain', or 'both'.
        voting: 'all' samples vote, or the 'chained' ones only.
    """

    name: ClassVar[str] = "integrated"
    width: int = 4
    chain: int | None = None
    rounds: int | None = None
    later: Later = "independents"
    voting: Voting = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choices(later=self.later, voting=self.voting)
        check_counts(width=self.width, chain=self.chain, rounds=self.rounds)
        if self.width not in range(1, 17):
            raise InputError(f"width is {self.width!r}: give a whole number from 1 to 16")
        if self.chain is None and (self.rounds or 1) > 1:
            raise InputError(
                f"rounds is {self.rounds} and no chain ends: give chain, the chained samples of a"
                " round"
            )

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """() for the independent samples, else what the round's chain is made of."""
        start, place = self._round(sample_index)
        if place < self.width:
            return ()
        own = range(start, start + self.width)
        last = range(start - (self.chain or 0), start)
        if not start or self.later == "independents":
            return self._before(own)
        return self._before(last if self.later == "chain" else (*last, *own))

    def votes(self, sample_index: int) -> bool:
        """Whether the sample votes: all do, or the chained ones only."""
        return self.voting == "all" or self._round(sample_index)[1] >= self.width

    def _round(self, sample_index: int) -> tuple[int, int]:
        """The index that a sample's round starts at, and its place in the round."""
        length = self.width + self.chain if self.chain else sample_index + 1
        number = sample_index // length
        start = length * (number if self.rounds is None else min(number, self.rounds - 1))
        return start, sample_index - start
