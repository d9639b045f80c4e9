"""Thompson sampling: a question's uncertainty in a random draw of its answers' shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np

from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.votes import Votes
from dynlab.recordings.streams import Floats

_BLOCK = 256  # profiles held at once


@register
@dataclass(frozen=True)
class Thompson(Allocator):
    """Thompson sampling: 1 − the largest share in a draw of Dirichlet(counts + 1).

    The shares are drawn anew at every step. The Dirichlet is over the answers seen so far and one
    unseen bucket of count 0. Each vote profile has `num_draws` exact draws (a power of two), which
    its questions walk through from a random place. Profiles share their random numbers where they
    have as many votes at the same rank.
    """

    name: ClassVar[str] = "thompson"
    reads_prices: ClassVar[bool] = False
    profiles: ClassVar[bool] = True
    num_draws: int = field(default=64, metadata={"range": (1, 256, 1)})

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """[U, M] draws for the profiles of `seen`: shares of Gamma(count + 1) variables by rank."""
        base, profiles = int(rng.integers(2**63)), seen.profiles
        ranks = 1 << int(profiles.shape[1]).bit_length()  # rank 0 is the unseen answer
        counts = np.flatnonzero(np.bincount(profiles.ravel(), minlength=1))
        gammas = np.stack(
            [_gammas(base, int(count), ranks, self.num_draws) for count in counts], axis=1
        )
        place = np.zeros(counts[-1] + 1, int)
        place[counts] = np.arange(len(counts))
        # Why in blocks, those of many answers first: a rank then takes in the first rows of a block
        # that fits the processor's cache, where a mask over all profiles would copy them each time.
        distinct = (profiles > 0).sum(axis=1)
        order = np.argsort(-distinct, kind="stable")
        unseen = _gammas(base, 0, ranks, self.num_draws)[0]
        draws = np.empty((len(profiles), self.num_draws), np.float32)
        for start in range(0, len(order), _BLOCK):
            rows = order[start : start + _BLOCK]
            drawn = place[profiles[rows]]
            total = np.tile(unseen, (len(rows), 1))
            largest = total.copy()
            for rank in range(1, distinct[rows[0]] + 1):
                voted = np.searchsorted(-distinct[rows], -rank, side="right")
                share = gammas[rank].take(drawn[:voted, rank - 1], axis=0)
                total[:voted] += share
                np.maximum(largest[:voted], share, out=largest[:voted])
            draws[rows] = 1.0 - largest / total
        return Index(np.zeros(np.shape(seen.pulls)), draws=draws)


@lru_cache(maxsize=2048)
def _gammas(base: int, count: int, ranks: int, num_draws: int) -> Floats:
    """[ranks, M] draws of Gamma(count + 1), the same ones whatever the number of ranks."""
    return np.random.default_rng([base, count]).standard_gamma(
        count + 1.0, (ranks, num_draws), np.float32
    )
