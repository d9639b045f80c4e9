"""UCB: the upper confidence bound on a question's uncertainty, DynScaling's bandit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from dynlab._util.errors import InputError, one_of
from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.uncertainty import UNCERTAINTIES
from dynlab.policies.votes import Votes


@register
@dataclass(frozen=True)
class UCB(Allocator):
    """Upper confidence bound on a question's uncertainty: u + c·√(ln t / n).

    DynScaling (2506.16043) calls the budget a bandit driven by the uncertainty of sampled
    responses; that it is this index, with this u and c, is our choice.

    Args:
        uncertainty: u, a name of `UNCERTAINTIES`.
        exploration: c ≥ 0, without unit.
    """

    name: ClassVar[str] = "ucb"
    reads_prices: ClassVar[bool] = False
    uncertainty: str = field(default="top-share", metadata={"choices": tuple(UNCERTAINTIES)})
    exploration: float = field(default=1.0, metadata={"range": (0.0, 4.0, 0.1)})

    def __post_init__(self) -> None:
        if self.uncertainty not in UNCERTAINTIES:
            raise one_of("uncertainty", self.uncertainty, UNCERTAINTIES)
        if not 0 <= self.exploration < math.inf:
            raise InputError(f"exploration must be a number from 0 on; not {self.exploration}")

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """u and c/√n."""
        return Index(
            UNCERTAINTIES[self.uncertainty](seen),
            self.exploration / np.sqrt(np.maximum(seen.pulls, 1.0)),
        )
