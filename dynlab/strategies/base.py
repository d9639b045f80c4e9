"""The contract of a strategy: what a sample waits for, what it is shown, and whether it votes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from dynlab._util.values import Sample


class Strategy(ABC):
    """How the next sample of one question is drawn; a sample's index alone decides its parents."""

    name: ClassVar[str]  # what stands in a recording: `parallel`, `sequential`, …
    # how attempts are shown: `listed` in the question, or as a `prefill` of the response
    shown: str = "listed"
    # whether attempts are shown as their final answers alone
    finals_only: bool = False
    # the most attempts that are shown; None: all that have arrived
    num_shown: int | None = None

    @abstractmethod
    def parents(self, sample_index: int) -> tuple[int, ...]:
        """The indices of the same stream that must have arrived; () = drawn independently."""

    def chosen(self, arrived: Sequence[Sample], lot: int) -> tuple[Sample, ...]:
        """The arrived parents that are shown, in their order.

        Args:
            arrived: All parents of the sample, as drawn.
            lot: The number that decides what is random: the sample's own seed.
        """
        return tuple(arrived)

    def votes(self, sample_index: int) -> bool:
        """Whether the sample votes; it is paid for either way."""
        return True
