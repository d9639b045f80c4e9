"""Strategies: how the next sample of one question is drawn, from the earlier samples of its stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from dynlab._util.values import Sample


@dataclass(frozen=True)
class Parallel:
    """Independent samples: self-consistency (Wang et al. 2022, arXiv 2203.11171) when a plurality
    decides.

    >>> Parallel().parents(3)
    ()
    """

    name: ClassVar[str] = "parallel"
    shown: ClassVar[str] = "listed"
    finals_only: ClassVar[bool] = False

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """() for every sample."""
        return ()

    def chosen(self, arrived: Sequence[Sample], lot: int) -> tuple[Sample, ...]:
        """()."""
        return ()

    def votes(self, sample_index: int) -> bool:
        """True."""
        return True
