"""Sequential revision: every sample is shown the earlier ones of its stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dynlab.strategies.attempts import Attempts, Voting, check_choices


@dataclass(frozen=True)
class Sequential(Attempts):
    """Sequential revision: sample i is shown all earlier ones of its stream, or some by `who`.

    >>> Sequential().parents(3), Sequential(who="last", num_shown=2).parents(3)
    ((0, 1, 2), (1, 2))
    """

    name: ClassVar[str] = "sequential"
    voting: Voting = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choices(voting=self.voting)

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """The indices before `sample_index`, oldest first."""
        return self._before(range(sample_index))

    def votes(self, sample_index: int) -> bool:
        """Whether the sample votes: all do, or only those that were shown another ('chained')."""
        return self.voting == "all" or sample_index > 0
