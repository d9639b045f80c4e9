"""Recursive self-aggregation: population after population, each made of the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dynlab.strategies.attempts import Attempts, Who, check_counts


@dataclass(frozen=True, kw_only=True)
class Recursive(Attempts):
    """Recursive self-aggregation (RSA, arXiv 2509.26626): loops over a population of samples.

    Each of T loops rebuilds every member of the population.     Samples are the members of the
    populations, one after the other: `width` (N) each, `rounds` (T) of them. A member of a later
    population is made of `num_shown` (K) members of the one before, drawn without replacement, and
    the last population votes. The paper asks the model to combine solutions; here the wording is
    that of every chain.

    >>> [Recursive(width=2, rounds=2, num_shown=1).parents(i) for i in range(4)]
    [(), (), (0, 1), (0, 1)]
    """

    name: ClassVar[str] = "rsa"
    width: int = 16
    rounds: int = 10
    who: Who = "random"
    num_shown: int | None = None  # 4 where some are shown, 'last' or 'random'

    def __post_init__(self) -> None:
        if self.num_shown is None and self.who in ("last", "random"):
            object.__setattr__(self, "num_shown", 4)
        super().__post_init__()
        check_counts(width=self.width, rounds=self.rounds)

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """The whole population before the sample's own; () in the first one."""
        start = sample_index // self.width * self.width
        return self._before(range(max(0, start - self.width), start))

    def votes(self, sample_index: int) -> bool:
        """Whether the sample belongs to the last population (or one that is drawn after it)."""
        return sample_index >= self.width * (self.rounds - 1)
