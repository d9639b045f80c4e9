"""Allocators: which question is sampled next, by the uncertainty of what was already sampled.

Each is a frozen, parameter-only dataclass. Its index of a question is  value + √(ln t)·width,  where value and
width depend on that question's own votes and t is the number of pulls over all questions so far; the question
with the largest index is pulled, ties at random. The loop (`replay`) never knows which allocator it runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from dynlab.errors import InputError, one_of
from dynlab.streams import Floats
from dynlab.voting import Votes


@dataclass(frozen=True)
class Index:
    """The parts of an allocator's index, each of the shape of the votes it was computed from.

    `draws` [U, M] replaces `value` where the index is random: M equally likely values a vote profile, a fresh one
    of which is used at every step. They depend on the seed and the profile alone (never on which others there are), so
    that a live run, which meets its profiles one by one, draws what a replay draws.
    """

    value: Floats
    width: Floats | None = None
    draws: Floats | None = None


class Allocator(Protocol):
    """A rule for the next pull. `adaptive`: it waits for answers; `profiles`: it needs all counts."""

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    adaptive: bool
    profiles: bool

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """The index of every state in `seen`, any shape; `rng` is `generator(seed)`, anew at every call."""
        ...


def generator(seed: int) -> np.random.Generator:
    """What an allocator may draw from: the same numbers at every call, a function of the run's seed alone."""
    return np.random.default_rng([seed, 1])


def top_share(seen: Votes) -> Floats:
    """u = 1 − v1/n: a missing answer counts as disagreement; 1 before the first vote."""
    return 1.0 - seen.first / np.maximum(seen.pulls, 1)


def entropy(seen: Votes) -> Floats:
    """u = −Σ p·ln p / ln max(n, 2), p = counts/n with the missing share as one more class; 1 before the first vote."""
    n = np.maximum(seen.pulls, 1).astype(float)
    missing = n - seen.votes
    surprise = seen.surprise + missing * np.log(np.maximum(missing, 1.0))
    value = (np.log(n) - surprise / n) / np.log(np.maximum(n, 2.0))
    return np.where(seen.votes > 0, np.round(np.clip(value, 0.0, None), 12), 1.0)


def margin(seen: Votes) -> Floats:
    """u = 1 − (v1 − v2)/n; 1 before the first vote."""
    return 1.0 - (seen.first - seen.second) / np.maximum(seen.pulls, 1)


def posterior(seen: Votes) -> Floats:
    """u = 1 − P(leader is the mode) of Adaptive-Consistency (2305.11860) = Σ_{k=0..v2} C(m,k)/2^m, m = v1+v2+1.

    1 before the first vote.
    """
    first, second = np.asarray(seen.first), np.asarray(seen.second)
    table = doubt_table(int(np.max(first + second, initial=0)))
    return np.where(seen.votes > 0, table[first + second, second], 1.0)


def doubt_table(most: int) -> Floats:
    """[V, V2] the chance that the leader is not the mode, by v1 + v2 and v2, for v1 + v2 up to `most`.

    >>> doubt_table(4)[4, 0]  # four votes against none
    np.float64(0.03125)
    """
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 2)))])
    table = np.zeros((most + 1, most // 2 + 1))
    for total in range(most + 1):
        m = total + 1
        k = np.arange(total // 2 + 1)
        table[total, : k.size] = np.cumsum(np.exp(logs[m] - logs[k] - logs[m - k] - m * math.log(2)))
    return table


UNCERTAINTIES: Mapping[str, Callable[[Votes], Floats]] = {
    "top-share": top_share,
    "entropy": entropy,
    "margin": margin,
    "posterior": posterior,
}


@dataclass(frozen=True)
class Uniform:
    """Round robin over the questions: index = −n. The reference of every saving (self-consistency, 2203.11171)."""

    name = "uniform"
    adaptive = False
    profiles = False

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """−n."""
        return Index(-seen.pulls.astype(float))


@dataclass(frozen=True)
class UCB:
    """Upper confidence bound on a question's uncertainty: u + c·√(ln t / n).

    DynScaling (2506.16043) calls the budget a bandit driven by the uncertainty of sampled responses; that it is this
    index, with this u and c, is our choice.

    Args:
        uncertainty: u, a name of `UNCERTAINTIES`.
        exploration: c ≥ 0, without unit.
    """

    uncertainty: str = "top-share"
    exploration: float = 1.0
    name = "ucb"
    adaptive = True
    profiles = False

    def __post_init__(self) -> None:
        _checked(self.uncertainty, self.exploration)

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """u and c/√n."""
        return Index(UNCERTAINTIES[self.uncertainty](seen), self.exploration / np.sqrt(np.maximum(seen.pulls, 1.0)))


@dataclass(frozen=True)
class Greedy:
    """Always the question of the largest uncertainty: UCB without its bonus (c = 0)."""

    uncertainty: str
    name: str
    adaptive = True
    profiles = False

    def __post_init__(self) -> None:
        _checked(self.uncertainty, 0.0)

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """u."""
        return Index(UNCERTAINTIES[self.uncertainty](seen))


@dataclass(frozen=True)
class Thompson:
    """Thompson sampling: 1 − the largest share in a draw of Dirichlet(counts + 1), drawn anew at every step.

    The Dirichlet is over the answers seen so far and one unseen bucket of count 0. Each vote profile has `num_draws`
    exact draws (a power of two), which its questions walk through from a random place. Profiles share their random
    numbers where they have as many votes at the same rank.
    """

    num_draws: int = 64
    name = "thompson"
    adaptive = True
    profiles = True

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """[U, M] draws for the profiles of `seen`: shares of Gamma(count + 1) variables, rank by rank."""
        base, profiles = int(rng.integers(2**63)), seen.profiles
        ranks = 1 << int(profiles.shape[1]).bit_length()  # rank 0 is the unseen answer
        counts, place = np.unique(profiles, return_inverse=True)
        gammas = np.stack([_gammas(base, int(count), ranks, self.num_draws) for count in counts])
        unseen = _gammas(base, 0, ranks, self.num_draws)[0]
        total = np.broadcast_to(unseen, (len(profiles), self.num_draws)).copy()
        largest = total.copy()
        for rank, (voted, row) in enumerate(zip(profiles.T > 0, place.reshape(profiles.shape).T, strict=True), start=1):
            drawn = gammas[row[voted], rank]
            total[voted] += drawn
            largest[voted] = np.maximum(largest[voted], drawn)
        return Index(np.zeros(np.shape(seen.pulls)), draws=1.0 - largest / total)


@lru_cache(maxsize=2048)
def _gammas(base: int, count: int, ranks: int, num_draws: int) -> Floats:
    """[ranks, M] draws of Gamma(count + 1), the same ones whatever the number of ranks."""
    return np.random.default_rng([base, count]).standard_gamma(count + 1.0, (ranks, num_draws), np.float32)


def _checked(uncertainty: str, exploration: float) -> None:
    if uncertainty not in UNCERTAINTIES:
        raise one_of("uncertainty", uncertainty, UNCERTAINTIES)
    if not 0 <= exploration < math.inf:
        raise InputError(f"exploration must be a number from 0 on; not {exploration}")
