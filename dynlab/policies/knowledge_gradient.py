"""Knowledge gradients: the sample whose outcome would change most how sure the vote is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from dynlab.policies.base import Allocator, Index
from dynlab.policies.dirichlet import Posterior, posteriors
from dynlab.policies.registry import register
from dynlab.policies.uncertainty import doubt_table
from dynlab.policies.votes import Votes, tie_break
from dynlab.recordings.streams import Flags, Floats, Ints


@register
@dataclass(frozen=True)
class KnowledgeGradient(Allocator):
    """Optimistic knowledge gradient on the two leading answers, in closed form.

    Index = max over the next answer m of h(counts + e_m) − h(counts).

    PETS (2602.16745) with h = P(leader is the mode) in Adaptive-Consistency's Beta form
    (2305.11860), h = 1 − Σ_{k=0..v2} C(m,k)/2^m with m = v1 + v2 + 1, and the next answer m the
    leader or the runner-up: a closed form of ours; the paper's own h is
    `MonteCarloKnowledgeGradient`'s.
    """

    name: ClassVar[str] = "okg-beta"
    reads_prices: ClassVar[bool] = False
    warmup: ClassVar[int] = 1

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """What the better of two next answers adds to h."""
        first, second = np.asarray(seen.first, int), np.asarray(seen.second, int)
        total = first + second
        doubt = doubt_table(int(np.max(total, initial=0)) + 1)
        leader_next, runner_next = (
            doubt[total + 1, second],
            doubt[total + 1, np.minimum(first, second + 1)],
        )
        return Index(doubt[total, second] - np.minimum(leader_next, runner_next))


@register
@dataclass(frozen=True)
class MonteCarloKnowledgeGradient(Allocator):
    """PETS' offline allocator as released (2602.16745): knowledge gradient by random draws.

    Index = max over the next answer m of ĥ(counts + e_m) − ĥ(counts). ĥ is the share of `num_draws`
    draws of Dirichlet(counts + 1) in which the leader is the largest; the Dirichlet is over
    `buckets` answers, those seen and the rest with count 0. The release draws anew for every
    question, next answer and step, so that its index is h's gain and a good deal of noise.

    Deviations: ĥ is its exact expectation (an integral) plus normal noise of a binomial's variance,
    rounded off at 1, instead of draws; the release takes the largest of all shares for ĥ, we the
    leader's. Each profile keeps `num_values` values of its index that its questions walk through.
    Answers beyond `buckets` are kept (the release discards them). A recording does not say how many
    choices a question has: set `buckets` to it where there are some.

    Args:
        buckets: answers that are thought possible (32, the release's for free answers).
        num_draws: 500, the release's; 0 = the exact h without noise.
        num_values: a power of two.
    """

    name: ClassVar[str] = "okg-pets"
    reads_prices: ClassVar[bool] = False
    profiles: ClassVar[bool] = True
    warmup: ClassVar[int] = 1
    buckets: int = 32
    num_draws: int = 500
    num_values: int = 32

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """[U, num_values] values for the profiles of `seen`."""
        base = int(rng.integers(2**63))
        draws = [
            self._gains(block, base)
            for block in posteriors(seen.profiles, self._unseen(seen.profiles))
        ]
        return Index(np.zeros(np.shape(seen.pulls)), draws=np.concatenate(draws))

    def _unseen(self, profiles: Ints) -> Ints:
        return np.asarray(np.maximum(self.buckets - (profiles > 0).sum(axis=1), 0))

    def _gains(self, block: Posterior, base: int) -> Floats:
        """[U, num_values] the index of each profile."""
        largest = _largest_normals(base, self.buckets)
        own = (
            block.having[:, 1:] @ np.arange(1, block.having.shape[1]) ** 3
        ) % 2**31  # tells profiles apart, mostly
        slot = np.arange(self.num_values)

        def estimated(
            chance: Floats, number: Floats, rows: Flags | slice, next_answer: int
        ) -> Floats:
            """The largest of `number` estimates of a chance: both [rows] → [rows, num_values]."""
            if not self.num_draws:
                return np.broadcast_to(chance[:, None], (len(chance), self.num_values))
            noise = np.sqrt(np.clip(chance * (1 - chance), 0, None) / self.num_draws).astype(
                np.float32
            )
            draw = (
                tie_break(base + next_answer, own[rows][:, None], slot, np.array(0)) * len(largest)
            ).astype(int)
            column = np.minimum(number, largest.shape[1])[:, None] - 1
            drawn = chance[:, None].astype(np.float32) + noise[:, None] * largest[draw, column]
            return np.asarray(np.minimum(drawn, 1.0))

        alone = np.ones(len(block.leader), int)
        tied = block.having[np.arange(len(alone)), block.leader]  # answers as good as the leader
        every = slice(None)
        best = np.array(estimated(block.mode_after_leader(), np.maximum(tied, 1), every, -1))
        for count in range(int(block.leader.max(initial=0))):
            rows = (block.having[:, count] > 0) & (block.leader > count)
            if rows.any():
                after = estimated(
                    block.mode_after(count, rows), block.having[rows, count], rows, count
                )
                best[rows] = np.maximum(best[rows], after)
        return best - estimated(block.mode(), alone, every, -2)


@lru_cache(maxsize=8)
def _largest_normals(base: int, most: int) -> Floats:
    """[4096, most] the largest of 1 … most normal numbers, one set a row."""
    normal = np.random.default_rng(base).standard_normal((4096, most)).astype(np.float32)
    return np.asarray(np.maximum.accumulate(normal, axis=1))
