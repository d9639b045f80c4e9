"""Parallel sampling: independent samples, as in self-consistency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dynlab.strategies.base import Strategy


@dataclass(frozen=True)
class Parallel(Strategy):
    """Independent samples: self-consistency (Wang et al. 2022, 2203.11171) under a plurality.

    >>> Parallel().parents(3)
    ()
    """

    name: ClassVar[str] = "parallel"

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """() for every sample."""
        return ()
