"""A policy: an allocator, a stopping rule and a vote, and how they are run."""

from __future__ import annotations

from dataclasses import dataclass

from dynlab.policies.base import Allocator
from dynlab.policies.stopping import StoppingRule
from dynlab.policies.weighted_votes import Vote


@dataclass(frozen=True)
class Policy:
    """What is compared: an allocator, a stopping rule, and how they are run.

    Args:
        warmup: samples that every question gets first, round robin.
        batch: pulls decided at once; within a round each pick raises n and t, votes stay as they
            were.
        vote: how the answer is chosen in the end; None = plurality, or as the stopping rule says.
    """

    allocator: Allocator
    stopping: StoppingRule | None = None
    warmup: int = 2
    batch: int = 1
    vote: Vote | None = None

    @property
    def profiles(self) -> bool:
        """Whether it needs all vote counts (`Votes.profile`)."""
        return self.allocator.profiles or getattr(self.stopping, "profiles", False)
