"""Published stopping rules, each with its paper, its defaults and what deviates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import StoppingRule
from dynlab.policies.dirichlet import mode_chance
from dynlab.policies.registry import register
from dynlab.policies.uncertainty import doubt_table
from dynlab.policies.votes import Tally
from dynlab.recordings.streams import Flags, Floats, Ints

_CONFIDENCES = (0.999, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6)


@register
@dataclass(frozen=True)
class AdaptiveConsistency(StoppingRule):
    """Adaptive-Consistency (Aggarwal 2023, 2305.11860), Beta form.

    Stop when P(leader is the mode) ≥ threshold. P = 1 − Σ_{k=0..v2} C(m,k)/2^m with m = v1 + v2 +
    1; looked at after each sample, at most `most` of them.
    """

    name: ClassVar[str] = "adaptive-consistency"
    reads_prices: ClassVar[bool] = False
    swept: ClassVar[str] = "threshold"
    grid: ClassVar[tuple[float, ...]] = _CONFIDENCES
    threshold: float = 0.95
    most: int = 40

    def __post_init__(self) -> None:
        _checked(self, threshold=1, most=math.inf)

    def stops(self, tally: Tally) -> Flags:
        """P ≥ threshold, or `most` samples."""
        first, second = tally.seen.first, tally.seen.second
        confident = (
            1 - doubt_table(int((first + second).max()))[first + second, second] >= self.threshold
        )
        return np.asarray((confident & (tally.seen.votes > 0)) | (tally.seen.pulls >= self.most))


@register
@dataclass(frozen=True)
class DirichletConsistency(StoppingRule):
    """Adaptive-Consistency (2305.11860), Dirichlet form.

    Stop when P(leader is the mode) ≥ threshold. The Dirichlet(counts + 1) is over the answers seen
    and one not seen yet. Deviations: the unseen one is our choice; P is an exact integral over all
    answers, where the released package estimates it by random draws over the five most frequent
    ones (which fails in its version 1.0.0).
    """

    name: ClassVar[str] = "adaptive-consistency-dirichlet"
    reads_prices: ClassVar[bool] = False
    profiles: ClassVar[bool] = True
    swept: ClassVar[str] = "threshold"
    grid: ClassVar[tuple[float, ...]] = _CONFIDENCES
    threshold: float = 0.95
    most: int = 40

    def __post_init__(self) -> None:
        _checked(self, threshold=1, most=math.inf)

    def stops(self, tally: Tally) -> Flags:
        """P ≥ threshold, or `most` samples."""
        confident = tally.once("mode", mode_chance) >= self.threshold
        return np.asarray(
            (confident[tally.seen.profile] & (tally.seen.votes > 0))
            | (tally.seen.pulls >= self.most)
        )


@register
@dataclass(frozen=True)
class BestOfInfinity(StoppingRule):
    """Best-of-∞ (2509.21091, ICLR 2026): stop when the Bayes factor BF = m·P/(1 − P) ≥ `factor`.

    P = P(leader is the mode) under Dirichlet(counts + 1) over the answers seen and one unknown
    answer of parameter 1.3, m answers with it. At most `most` samples. Deviation: the default
    factor is our choice, of those that the paper goes through.
    """

    name: ClassVar[str] = "best-of-infinity"
    reads_prices: ClassVar[bool] = False
    profiles: ClassVar[bool] = True
    swept: ClassVar[str] = "factor"
    grid: ClassVar[tuple[float, ...]] = (1000, 300, 100, 30, 10, 7, 5, 2)
    factor: float = 100.0
    most: int = 100

    def __post_init__(self) -> None:
        _checked(self, factor=math.inf, most=math.inf)

    def stops(self, tally: Tally) -> Flags:
        """BF ≥ factor, or `most` samples."""
        profiles = tally.seen.profiles
        chance = tally.once("mode-1.3", partial(mode_chance, shape=1.3))
        answers = 1 + (profiles > 0).sum(axis=1)
        enough = answers * chance >= self.factor * (1 - chance)
        return np.asarray(
            (enough[tally.seen.profile] & (tally.seen.votes > 0)) | (tally.seen.pulls >= self.most)
        )


@register
@dataclass(frozen=True)
class EarlyStopping(StoppingRule):
    """Early-stopping self-consistency, ESC (Li 2024, 2401.10480): disjoint windows.

    A unanimous window stops with its answer, else the plurality of all holds. ⌊most/window⌋ windows
    are drawn at most. A window with a missing answer is not unanimous (the released code counts the
    empty answer as one: our deviation).
    """

    name: ClassVar[str] = "esc"
    reads_prices: ClassVar[bool] = False
    swept: ClassVar[str] = "window"
    grid: ClassVar[tuple[float, ...]] = (20, 10, 8, 5, 4, 3, 2)
    window: int = 5
    most: int = 40

    def __post_init__(self) -> None:
        _checked(self, window=self.most, most=math.inf)

    def _unanimous(self, tally: Tally) -> Flags:
        ends = np.zeros(tally.seen.pulls.shape, bool)  # [D, R, Q]
        for end in range(self.window, min(len(tally.codes), self._last) + 1, self.window):
            window = tally.codes[end - self.window : end]
            ends[end] = (window == window[0]).all(axis=0) & (window[0] >= 0)
        return ends

    @property
    def _last(self) -> int:
        return self.most // self.window * self.window

    def stops(self, tally: Tally) -> Flags:
        """A unanimous window, or no further window."""
        return self._unanimous(tally) | (tally.seen.pulls >= self._last)

    def right(self, tally: Tally) -> Floats:
        """Whether the unanimous window is right where it stops, else the plurality's chance."""
        right = tally.right.copy()
        depth, replication, question = np.nonzero(self._unanimous(tally))
        code = tally.codes[depth - 1, replication, question]
        right[depth, replication, question] = tally.answer_right[question, code]
        return right

    def rounds(self, pulls: Ints) -> Ints:
        """One window a round."""
        return -(-pulls // self.window)


@register
@dataclass(frozen=True)
class Doubling(StoppingRule):
    """Doubling: n = 2, 4, 8, …; stop when v1/n ≥ threshold."""

    name: ClassVar[str] = "doubling"
    reads_prices: ClassVar[bool] = False
    swept: ClassVar[str] = "threshold"
    grid: ClassVar[tuple[float, ...]] = (1.0, 0.95, 0.9, 0.8, 0.75, 0.7, 0.6, 0.5)
    threshold: float = 0.75

    def __post_init__(self) -> None:
        _checked(self, threshold=1)

    def stops(self, tally: Tally) -> Flags:
        """v1/n ≥ threshold at a power of two from 2 on."""
        n = tally.seen.pulls
        return np.asarray((n >= 2) & (n & (n - 1) == 0) & (tally.seen.first >= self.threshold * n))

    def rounds(self, pulls: Ints) -> Ints:
        """log2 of the samples: 2 → 1, 4 → 2, 5 … 8 → 3."""
        return np.ceil(np.log2(np.maximum(pulls, 2))).astype(int) * (pulls > 0)


def _checked(rule: StoppingRule, **most: float) -> None:
    """Refuses settings that are not above 0, or so large that they never end a question."""
    for key, bound in most.items():
        value = float(rule.parameters[key])
        if not 0 < value < math.inf:
            raise InputError(f"the {key} of {rule.name} must be above 0; not {value:g}")
        if value > bound:
            raise InputError(
                f"the {key} of {rule.name} must be at most {bound:g}, or it never ends a question;"
                f" not {value:g}"
            )
