"""Allocators: which question is sampled next, by the uncertainty of what was already sampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynlab._util.errors import InputError, one_of
from dynlab.policies.base import Index
from dynlab.policies.uncertainty import UNCERTAINTIES
from dynlab.policies.votes import Votes


@dataclass(frozen=True)
class UCB:
    """Upper confidence bound on a question's uncertainty: u + c·√(ln t / n).

    DynScaling (2506.16043) calls the budget a bandit driven by the uncertainty of sampled
    responses; that it is this index, with this u and c, is our choice.

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
        return Index(
            UNCERTAINTIES[self.uncertainty](seen),
            self.exploration / np.sqrt(np.maximum(seen.pulls, 1.0)),
        )


@dataclass(frozen=True)
class UncertaintyGreedy:
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


def _checked(uncertainty: str, exploration: float) -> None:
    if uncertainty not in UNCERTAINTIES:
        raise one_of("uncertainty", uncertainty, UNCERTAINTIES)
    if not 0 <= exploration < math.inf:
        raise InputError(f"exploration must be a number from 0 on; not {exploration}")
