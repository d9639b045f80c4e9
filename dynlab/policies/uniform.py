"""Uniform: the same number of samples for every question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.votes import Votes


@register
@dataclass(frozen=True)
class Uniform(Allocator):
    """Round robin over the questions (self-consistency, 2203.11171): every saving's reference."""

    name: ClassVar[str] = "uniform"
    reads_prices: ClassVar[bool] = False
    adaptive: ClassVar[bool] = False

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """−n."""
        return Index(-seen.pulls.astype(float))
