"""Allocators: which question is sampled next, by the uncertainty of what was already sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.policies.base import Index
from dynlab.policies.votes import Votes


@dataclass(frozen=True)
class Uniform:
    """Round robin over the questions: index = −n. The reference of every saving (self-consistency,
    2203.11171).
    """

    name = "uniform"
    adaptive = False
    profiles = False

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """−n."""
        return Index(-seen.pulls.astype(float))
