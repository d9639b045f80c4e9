"""What every policy is made of: the contracts of allocators, stopping rules and votes.

A policy is an allocator (which question is sampled next), perhaps a stopping rule (when one
question has enough) and perhaps a vote (which answer wins). Each is a frozen dataclass that holds
settings only, never progress. What is optional has its default here, so whoever reads a policy
reads plain attributes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any, ClassVar

import numpy as np

from dynlab.policies.votes import Tally, Votes
from dynlab.recordings.streams import Flags, Floats, Ints

Setting = bool | int | float | str


@dataclass(frozen=True)
class Index:
    """The parts of an allocator's index, each of the shape of the votes it was computed from.

    `draws` [U, M] replaces `value` where the index is random: M equally likely values a vote
    profile, a fresh one of which is used at every step. They depend on the seed and the profile
    alone (never on which others there are), so that a live run, which meets its profiles one by
    one, draws what a replay draws.
    """

    value: Floats
    width: Floats | None = None
    draws: Floats | None = None


class Component(ABC):
    """A part of a policy: it has a name, and settings with defaults.

    `kind` says in error messages what it is, `name` stands in commands, tables and figures. The
    metadata of a field may hold its `range` (low, high, step) or its `choices`, for sliders.
    """

    kind: ClassVar[str]
    name: ClassVar[str]

    @property
    def parameters(self) -> Mapping[str, Setting]:
        """What tables say of it: its settings by name."""
        return settings_of(self)

    @property
    def text(self) -> str:
        """Its text form: the name, and the settings that differ from their defaults.

        >>> from dynlab.policies.ucb import UCB
        >>> UCB().text, UCB(exploration=0.3).text
        ('ucb', 'ucb(exploration=0.3)')
        """
        return written(self.name, changed(self))


class Allocator(Component):
    """Which question is sampled next: the eligible one of the largest index, ties at random."""

    kind: ClassVar[str] = "allocator"
    # it waits for answers: it has a warm-up and decides in rounds
    adaptive: ClassVar[bool] = True
    # it reads all vote counts (`Votes.profile`) or the summed gains (`Votes.gained`)
    profiles: ClassVar[bool] = False
    # it reads log-probabilities (`Votes.probe`)
    confidence: ClassVar[bool] = False
    # it may read what samples cost (`Votes.spent`); if not, it is played once for all units
    reads_prices: ClassVar[bool] = True
    # it may drop questions for good, by an index of −∞, and so leave budget unspent
    eliminates: ClassVar[bool] = False
    # it plans for its budget (`planned`): every budget is played on its own
    plans: ClassVar[bool] = False
    # it needs the whole table [D, R, Q] at once, and so cannot run live
    tabular: ClassVar[bool] = False
    # samples that every question gets first, unless a policy says otherwise
    warmup: ClassVar[int] = 2

    @abstractmethod
    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """The index of every state in `seen`, any shape.

        Args:
            seen: What may be known of the questions; it must not be written to.
            rng: `generator(seed)`, anew at every call.
        """

    def planned(self, budget: float) -> Allocator:
        """The same allocator for a budget of so many samples per question."""
        return self


class StoppingRule(Component):
    """When one question has enough: its sampling ends at the first depth where the rule says stop.

    A rule reads the votes at every depth at once: tables are [D, R, Q] over depths, replications
    and questions.
    """

    kind: ClassVar[str] = "stopping rule"
    # it reads all vote counts (`Votes.profile`)
    profiles: ClassVar[bool] = False
    # it may read what samples cost (`Votes.spent`), as an allocator's
    reads_prices: ClassVar[bool] = True
    # the setting that is swept to draw the rule as a curve, and its values, from cautious to eager
    swept: ClassVar[str] = ""
    grid: ClassVar[tuple[float, ...]] = ()

    @abstractmethod
    def stops(self, tally: Tally) -> Flags:
        """[D, R, Q] whether a question in this state is not sampled further."""

    def right(self, tally: Tally) -> Floats:
        """[D, R, Q] chance that the rule's own answer is right: the plurality's."""
        return tally.right

    def rounds(self, pulls: Ints) -> Ints:
        """How many decisions one after the other led to `pulls` samples: one a sample."""
        return pulls


class Vote(Component):
    """How a question's answer is chosen from its samples."""

    kind: ClassVar[str] = "vote"

    @abstractmethod
    def right(self, tally: Tally) -> Floats:
        """[D, R, Q] chance that the chosen answer is right after d samples, 0 before the first."""


def generator(seed: int) -> np.random.Generator:
    """What an allocator may draw from: the same numbers at every call, by the run's seed alone."""
    return np.random.default_rng([seed, 1])


def settings_of(part: Component) -> dict[str, Setting]:
    """The settings of a part by name: the fields of its dataclass that are numbers or words."""
    values = {field.name: getattr(part, field.name) for field in _fields(part)}
    return {key: value for key, value in values.items() if isinstance(value, Setting)}


def changed(part: Component) -> dict[str, Setting]:
    """The settings of a part that differ from their defaults."""
    defaults = {field.name: field.default for field in _fields(part)}
    return {key: value for key, value in settings_of(part).items() if defaults[key] != value}


def written(name: str, settings: Mapping[str, Setting]) -> str:
    """A name with its settings in brackets.

    >>> written("esc", {"window": 4, "most": 20}), written("esc", {})
    ('esc(window=4, most=20)', 'esc')
    """
    listed = ", ".join(f"{key}={_shown(value)}" for key, value in settings.items())
    return f"{name}({listed})" if listed else name


def _shown(value: Setting) -> str:
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(float(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(part: Component) -> tuple[Field[Any], ...]:
    return fields(part) if is_dataclass(part) else ()
