"""A policy: an allocator, a stopping rule and a vote, and how they are run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import Allocator, Setting, StoppingRule, Vote, changed, written
from dynlab.policies.uniform import Uniform


@dataclass(frozen=True)
class Policy:
    """What is compared: an allocator, a stopping rule, a vote, and how they are run.

    Args:
        stopping: when one question has enough; None = never.
        warmup: samples that every question gets first, round robin; default: the allocator's own.
        batch: pulls decided at once; within a round each pick raises n and t, votes stay as they
            were.
        vote: how the answer is chosen in the end; None = plurality, or as the stopping rule says.

    Raises:
        InputError: warmup or batch is no whole number from 1 on, or both a stopping rule and a vote
            choose the answer.
    """

    allocator: Allocator
    stopping: StoppingRule | None = None
    warmup: int = None  # type: ignore[assignment]  # becomes the allocator's own
    batch: int = 1
    vote: Vote | None = None

    def __post_init__(self) -> None:
        if self.warmup is None:
            object.__setattr__(self, "warmup", self.allocator.warmup)
        for name, value in (("warmup", self.warmup), ("batch", self.batch)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"{name} must be a whole number from 1 on; not {value!r}")
        if self.vote is not None and self.stopping is not None:
            name = self.vote.name
            raise InputError(f"{name} chooses by a vote of its own; leave stopping out, or {name}")

    @property
    def name(self) -> str:
        """Its allocator's name, or its vote's where a vote follows uniform allocation."""
        return self._first.name

    @property
    def text(self) -> str:
        """Its text form with the settings that differ from their defaults; `parse_policy` reads it.

        >>> from dynlab.policies.stopping import EarlyStopping
        >>> Policy(Uniform(), EarlyStopping(window=4), warmup=3).text
        'uniform(warmup=3)+esc(window=4)'
        """
        first = self._first
        settings: dict[str, Setting] = changed(first)
        if self.warmup != self.allocator.warmup:
            settings["warmup"] = int(self.warmup)
        if self.batch != 1:
            settings["batch"] = int(self.batch)
        parts = [written(first.name, settings)]
        if self.vote is not None and first is not self.vote:
            parts.append(self.vote.text)
        if self.stopping is not None:
            parts.append(self.stopping.text)
        return "+".join(parts)

    @property
    def profiles(self) -> bool:
        """Whether it reads all vote counts (`Votes.profile`)."""
        return self.allocator.profiles or (self.stopping is not None and self.stopping.profiles)

    @property
    def reads_prices(self) -> bool:
        """Whether it may read what samples cost (`Votes.spent`)."""
        return self.allocator.reads_prices or (
            self.stopping is not None and self.stopping.reads_prices
        )

    @property
    def confidence(self) -> bool:
        """Whether it reads log-probabilities."""
        return self.allocator.confidence or self.vote is not None

    @property
    def _first(self) -> Allocator | Vote:
        """The part that its text form begins with."""
        if self.vote is not None and self.allocator == Uniform():
            return self.vote
        return self.allocator
