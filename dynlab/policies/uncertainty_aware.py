"""UAB: the budget goes by how confident the first response of a question was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.votes import Votes


@register
@dataclass(frozen=True)
class UncertaintyAware(Allocator):
    """UAB (2605.26849): the budget that solves max Σ 1 − (1 − p)^c.

    One sample at a time goes to argmax p·(1 − p)^c. p = exp(mean log-probability of the tokens of
    the question's first sample / temperature), c = samples held so far, that first one included; it
    votes like the rest. The allocation of the released code, whose later default (entropy of two
    probes' answers instead of log-probabilities) is left out.

    Deviation: a probe without a log-probability (an empty response) has the mean of its question's
    samples.

    Args:
        temperature: 0.2, the paper's for one probe.

    Raises:
        InputError: on use, where the recording has no `mean_logprob`.
    """

    name: ClassVar[str] = "uab"
    reads_prices: ClassVar[bool] = False
    confidence: ClassVar[bool] = True
    warmup: ClassVar[int] = 1
    temperature: float = 0.2

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """ln p + c·ln(1 − p): in the order of p·(1 − p)^c, which soon underflows."""
        if np.isnan(seen.probe[seen.pulls > 0]).any():
            raise InputError(
                "uab needs the column mean_logprob (a probe's confidence), and it is not recorded; "
                "record with log-probabilities, or leave uab out"
            )
        log = np.minimum(np.nan_to_num(seen.probe.astype(float)), 0.0) / self.temperature
        return Index(log + seen.pulls * np.log(np.maximum(-np.expm1(log), 1e-300)))
