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
    profiles: ClassVar[bool] = True
    num_draws: int = field(default=64, metadata={"range": (1, 256, 1)})

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """[U, M] draws for the profiles of `seen`: shares of Gamma(count + 1) variables by rank."""
        base, profiles = int(rng.integers(2**63)), seen.profiles
        ranks = 1 << int(profiles.shape[1]).bit_length()  # rank 0 is the unseen answer
        counts, place = np.unique(profiles, return_inverse=True)
        gammas = np.stack([_gammas(base, int(count), ranks, self.num_draws) for count in counts])
        unseen = _gammas(base, 0, ranks, self.num_draws)[0]
        total = np.broadcast_to(unseen, (len(profiles), self.num_draws)).copy()
        largest = total.copy()
        for rank, (voted, row) in enumerate(
            zip(profiles.T > 0, place.reshape(profiles.shape).T, strict=True), start=1
        ):
            drawn = gammas[row[voted], rank]
            total[voted] += drawn
            largest[voted] = np.maximum(largest[voted], drawn)
        return Index(np.zeros(np.shape(seen.pulls)), draws=1.0 - largest / total)


@lru_cache(maxsize=2048)
def _gammas(base: int, count: int, ranks: int, num_draws: int) -> Floats:
    """[ranks, M] draws of Gamma(count + 1), the same ones whatever the number of ranks."""
    return np.random.default_rng([base, count]).standard_gamma(
        count + 1.0, (ranks, num_draws), np.float32
    )
