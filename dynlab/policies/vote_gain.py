"""Anytime UCB on what a sample has changed in the votes so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.votes import Votes


@register
@dataclass(frozen=True)
class VoteGain(Allocator):
    """Anytime UCB on vote gain: an upper bound on what the next sample changes in the votes.

    Anytime UCB on the gain in votes: mean reward + √(ln t / n), UCB1's form (Auer 2002) with our
    reward. The reward of a sample is [rise of the top share v1/n]₊ + [fall of the entropy]₊, with
    the entropy −Σ p·ln p of p = counts/n and the missing share as one more answer; before the first
    sample share and entropy are 0.
    """

    name: ClassVar[str] = "vote-gain"
    reads_prices: ClassVar[bool] = False
    profiles: ClassVar[bool] = True

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """Mean reward and 1/√n; samples in flight raise n and have no reward yet."""
        n = np.maximum(seen.pulls, 1).astype(float)
        return Index(seen.gained / n, 1 / np.sqrt(n))
