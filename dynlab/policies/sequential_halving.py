"""Sequential halving: phases planned from the budget, after each of which half leave."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.votes import Votes


@register
@dataclass(frozen=True)
class SequentialHalving(Allocator):
    """Sequential halving (Karnin 2013): after each phase the more certain half leaves.

    In mctx's form: which visit counts may be raised is planned from the budget. With T = budget·Q
    samples and ⌈log₂ Q⌉ phases, a phase gives each of its k questions max(1, ⌊T / (k·⌈log₂ Q⌉)⌋)
    samples, then keeps the ⌊k/2⌋ (at least two) of the largest 1 − v1/n, ties at random. Not
    anytime: every budget is played on its own.

    Deviations: the best arm is replaced by the least settled question; survivors that run out of
    recorded samples leave the rest unspent.

    Args:
        budget: samples per question that are planned for, or in another unit what so many cost on
            average.
    """

    name: ClassVar[str] = "sequential-halving"
    eliminates: ClassVar[bool] = True
    plans: ClassVar[bool] = True
    tabular: ClassVar[bool] = True
    warmup: ClassVar[int] = 1
    budget: float = field(default=8.0, metadata={"range": None})  # each budget sets its own

    def planned(self, budget: float) -> SequentialHalving:
        """The same rule for another budget per question."""
        return replace(self, budget=budget)

    def phases(self, num_questions: int) -> list[tuple[int, int]]:
        """(questions, samples for each) of every phase, to the first in which two are left.

        >>> SequentialHalving(budget=4).phases(8)
        [(8, 1), (4, 2), (2, 5)]
        """
        number, found = num_questions, list[tuple[int, int]]()
        together = self.budget * num_questions / max(1, math.ceil(math.log2(max(2, num_questions))))
        while not found or found[-1][0] > 2:
            found.append((number, max(1, int(together / number + 1e-9))))
            number = max(2, number // 2)
        return found

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """−n while a question is in, −∞ once it is out: the whole table [D, R, Q] at once."""
        if seen.pulls.ndim != 3:
            raise InputError(
                "sequential-halving decides in phases of its own; leave the batch at 1"
            )
        depths, num_replications, num_questions = seen.pulls.shape
        value = np.tile(-np.arange(depths, dtype=float)[:, None, None], seen.pulls.shape[1:])
        active = np.ones((num_replications, num_questions), bool)
        depth = 0
        for number, samples in self.phases(num_questions):
            if number < active.sum(axis=1).max() and depth < depths:
                share = seen.first[depth] / np.maximum(seen.pulls[depth], 1)
                doubt = 1 - share + 1e-9 * rng.random(active.shape)
                order = np.argsort(np.where(active, -doubt, np.inf), axis=1)
                active = np.zeros_like(active)
                np.put_along_axis(active, order[:, :number], True, axis=1)
                value[depth:][:, ~active] = -np.inf
            depth += samples
        return Index(value)
