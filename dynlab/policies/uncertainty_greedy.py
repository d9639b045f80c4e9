"""Greedy allocation: always the question of the largest uncertainty, without exploration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynlab.policies.base import Allocator, Index, Setting
from dynlab.policies.registry import register
from dynlab.policies.uncertainty import UNCERTAINTIES, posterior
from dynlab.policies.votes import Votes


class UncertaintyGreedy(Allocator):
    """Always the question of the largest uncertainty: UCB without its bonus (c = 0)."""

    uncertainty: ClassVar[str]
    reads_prices: ClassVar[bool] = False

    @property
    def parameters(self) -> Mapping[str, Setting]:
        """The uncertainty that it follows."""
        return {"uncertainty": self.uncertainty}

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """u."""
        return Index(UNCERTAINTIES[self.uncertainty](seen))


@register
@dataclass(frozen=True)
class EntropyGreedy(UncertaintyGreedy):
    """Always the question of the largest entropy."""

    name: ClassVar[str] = "entropy-greedy"
    uncertainty: ClassVar[str] = "entropy"


@register
@dataclass(frozen=True)
class MarginGreedy(UncertaintyGreedy):
    """Always the question of the smallest margin between its two leading answers."""

    name: ClassVar[str] = "margin-greedy"
    uncertainty: ClassVar[str] = "margin"


@register
@dataclass(frozen=True)
class BetaGreedy(UncertaintyGreedy):
    """Always the question whose leader is least likely to be the mode, by a flat prior."""

    name: ClassVar[str] = "beta-greedy"
    uncertainty: ClassVar[str] = "posterior"


@register
@dataclass(frozen=True)
class DoubtPerRoot(Allocator):
    """(1 − P)/√n: Adaptive-Consistency's doubt (2305.11860) that fades with the samples drawn.

    P = P(leader is the mode), a flat prior on the two leaders. No paper has this index: it is the
    strongest simple one that we measured, a control of our own that tells what looking ahead and
    price add.
    """

    name: ClassVar[str] = "beta-sqrt"
    reads_prices: ClassVar[bool] = False

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """(1 − P)/√n, 1 before the first vote."""
        return Index(posterior(seen) / np.sqrt(np.maximum(seen.pulls, 1.0)))
