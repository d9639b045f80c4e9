"""Allocators: which question is sampled next, by the uncertainty of what was already sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dynlab.policies.votes import Votes
from dynlab.recordings.streams import Floats


@dataclass(frozen=True)
class Index:
    """The parts of an allocator's index, each of the shape of the votes it was computed from.

    `draws` [U, M] replaces `value` where the index is random: M equally likely values a vote
    profile, a fresh one of which is used at every step. They depend on the seed and the profile
    alone (never on which others there are), so that a live run, which meets its profiles one by
    one, draws what a replay draws.
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
        """The index of every state in `seen`, any shape; `rng` is `generator(seed)`, anew at every
        call.
        """
        ...


def generator(seed: int) -> np.random.Generator:
    """What an allocator may draw from: the same numbers at every call, a function of the run's seed
    alone.
    """
    return np.random.default_rng([seed, 1])
