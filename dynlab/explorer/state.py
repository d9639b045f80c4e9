"""What the explorer is asked and what it shows: a setting, the recording's material, a view."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from dynlab.analysis.comparison import Comparison
from dynlab.analysis.methods import ORACLE
from dynlab.analysis.metrics import Estimate
from dynlab.explorer.policy_choice import looks_of, shared_settings
from dynlab.plots.style import Look
from dynlab.policies.uniform import Uniform
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import Floats, Ints, Streams, strategies_of, streams_of

_DRAWN = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
STRONG = 6  # policies that one picture can tell apart; of more, the others are grey


@dataclass(frozen=True)
class ControlValues:
    """Where the controls stand. Names and units are those of `dynlab.compare`.

    Args:
        recording: A path, or a recording's name.
        policies: Their texts; `oracle` is the hindsight bound.
        budget: B, mean samples per question, or what they cost on average.
        unit: What budgets count: samples, tokens or usd.
        strategy: Whose samples are drawn; None: the recording's first.
        replications: Draw orders that are averaged over.
        seed: Of the draw orders, of ties and of the resamples of questions.
    """

    recording: str
    policies: tuple[str, ...] = ("uniform", "ucb", "priced")
    budget: float = 8
    unit: str = "samples"
    strategy: str | None = None
    replications: int = 200
    seed: int = 0

    def budgets(self, longest: float) -> list[float]:
        """The budgets that are drawn: round ones from the warm-up to the horizon, and B itself."""
        least = shared_settings(self.policies).warmup or Uniform.warmup
        top = horizon(self.budget, longest)
        return sorted(
            {float(budget) for budget in (*_DRAWN, self.budget) if least <= budget <= top}
        )


@dataclass(frozen=True)
class Material:
    """One strategy of a recording, with what all samples tell of its questions."""

    key: Hashable  # tells it from others
    recording: Recording
    streams: Streams
    strategies: tuple[str, ...]  # that the recording holds
    longest: float  # mean samples per question
    wrong: Floats  # [Q] 1 − share of a question's samples that are right
    disagreement: Floats  # [Q] 1 − share of its leading answer

    def order(self, by: str) -> Ints:
        """[Q] the questions from easy to hard.

        Args:
            by: `accuracy`, their own where targets are known, or `disagreement`.
        """
        keys = (self.disagreement, self.wrong)  # the last one counts first
        return np.lexsort(keys if by == "accuracy" and self.streams.has_target else keys[::-1])


@dataclass(frozen=True)
class View:
    """What the panels show of a setting; policies are called by their texts.

    Args:
        setting: What it was asked for.
        material: What is drawn from.
        replications: That these numbers are from.
        comparison: Which the numbers are read from.
        curves: `Comparison.curves`.
        saved: `Comparison.savings` at the budget.
        gained: Accuracy minus uniform's at the budget, paired; NaN where that is not told.
        spent: [Q] spent on a question at the budget, in the unit.
        samples: [Q] samples drawn of it there.
    """

    setting: ControlValues
    material: Material
    replications: int
    comparison: Comparison
    curves: pd.DataFrame
    saved: pd.DataFrame
    gained: Mapping[str, Estimate]
    spent: Mapping[str, Floats]
    samples: Mapping[str, Floats]

    @cached_property
    def looks(self) -> Mapping[str, Look]:
        """How the policies look beside one another."""
        return looks_of(list(self.spent))

    @property
    def coarse(self) -> bool:
        """Whether a finer one follows."""
        return self.replications < self.setting.replications

    @cached_property
    def strong(self) -> frozenset[str]:
        """The policies that are picked out: all; of more than six the bounds and best savers."""
        if len(self.spent) <= STRONG:
            return frozenset(self.spent)
        bounds = [name for name in self.spent if name not in self.gained or name == ORACLE]
        best = self.saved.sort_values("saving", ascending=False, kind="stable")["allocator"]
        return frozenset([*bounds, *best.head(STRONG - len(bounds))])


def horizon(budget: float, longest: float) -> float:
    """The largest budget that is looked at: twice B, rounded up to a drawn one, or all there is.

    Budgets up to 16 share theirs, so that moving between them needs no replay.

    >>> horizon(8, 80), horizon(17, 80), horizon(40, 70.5)
    (32, 48, 70.5)
    """
    return min(
        next((drawn for drawn in _DRAWN if drawn >= max(2 * budget, 32)), 2 * budget), longest
    )


def material_of(key: Hashable, recording: Recording, strategy: str | None = None) -> Material:
    """The material of a strategy (default: the first that the recording holds)."""
    streams = streams_of(recording, strategy)
    codes = streams.codes.reshape(streams.num_questions, -1)  # [Q, S·N]
    counts = np.zeros((streams.num_questions, streams.right.shape[1]), int)
    question, place = np.nonzero(codes >= 0)
    np.add.at(counts, (question, codes[question, place]), 1)
    drawn = streams.lengths.sum(axis=1)
    return Material(
        key,
        recording,
        streams,
        tuple(strategies_of(recording)),
        float(streams.lengths.mean(axis=1).mean()),
        1 - (counts * streams.right).sum(axis=1) / drawn,
        1 - counts.max(axis=1) / drawn,
    )
