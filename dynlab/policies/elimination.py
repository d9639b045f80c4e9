"""Strategic scaling: rounds over the questions whose answers do not agree yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.uncertainty import entropy
from dynlab.policies.votes import Votes
from dynlab.recordings.streams import Flags


@register
@dataclass(frozen=True)
class Elimination(Allocator):
    """Strategic scaling (Zuo & Zhu 2025, 2506.12721): rounds of K samples; who agrees leaves.

    Every active question gets K samples a round. After each K samples a question whose agreement
    v1/n has reached the threshold leaves for good; once all have left, the rest of the budget stays
    unspent.

    Agreement is the paper's rule for self-consistency; its main one is a reward oracle, which there
    is none of here. Deviations: K and the threshold are our choice; depth counts pulls one at a
    time, where the paper's rounds run together.

    Args:
        samples: K, 1 … 8.
        threshold: agreement at which a question leaves.
    """

    name: ClassVar[str] = "strategic"
    reads_prices: ClassVar[bool] = False
    eliminates: ClassVar[bool] = True
    samples: int = field(default=4, metadata={"range": (1, 16, 1)})
    threshold: float = field(default=0.8, metadata={"range": (0.05, 1.0, 0.05)})

    def __post_init__(self) -> None:
        if self.samples < 1 or not 0 < self.threshold <= 1:
            raise InputError(
                f"samples must be at least 1 and threshold in (0, 1]; not {self.samples} and"
                f" {self.threshold}"
            )

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """−(rounds held); −∞ for a question that has left."""
        return Index(
            np.where(self._leaves(seen), -np.inf, -(np.asarray(seen.pulls) // self.samples))
        )

    def _leaves(self, seen: Votes) -> Flags:
        """Whether a question's answers agree at the end of a round."""
        pulls = np.asarray(seen.pulls, int)
        whole = (pulls % self.samples == 0) & (pulls > 0)
        return np.asarray(whole & (seen.first >= self.threshold * pulls - 1e-9))


@register
@dataclass(frozen=True)
class EntropyElimination(Elimination):
    """Strategic scaling by entropy (2506.12721): K samples to the most disputed active question.

    That is the active question of the largest entropy. A question leaves as under `strategic`,
    which goes round them instead. Deviations: K and the threshold are our choice; depth counts
    pulls one at a time, where the paper's rounds run together.
    """

    name: ClassVar[str] = "strategic-entropy"

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """2 within a round, the entropy between rounds; −∞ for a question that has left."""
        within = np.asarray(seen.pulls) % self.samples > 0
        value = np.where(within, 2.0, entropy(seen))
        return Index(np.where(self._leaves(seen), -np.inf, value))
