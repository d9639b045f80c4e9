"""Stopping rules: when one question has enough samples. Frozen, parameter-only, like the
allocators.

A rule reads the votes at every depth at once; sampling of a question ends at the first depth where
it says stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from dynlab.policies.dirichlet import mode_chance
from dynlab.policies.uncertainty import doubt_table
from dynlab.policies.votes import Tally
from dynlab.recordings.streams import Flags, Floats, Ints


class StoppingRule(Protocol):
    """Tables are [D, R, Q] over depths, replications and questions."""

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    def stops(self, tally: Tally) -> Flags:
        """[D, R, Q] bool: a question in this state is not sampled further."""
        ...

    def right(self, tally: Tally) -> Floats:
        """[D, R, Q] chance that the rule's own answer is right (the plurality unless the rule says
        otherwise).
        """
        ...

    def rounds(self, pulls: Ints) -> Ints:
        """How many decisions one after the other led to `pulls` samples of a question."""
        ...


@dataclass(frozen=True)
class AdaptiveConsistency:
    """Adaptive-Consistency (Aggarwal 2023, 2305.11860), Beta form: stop when P(leader is the mode)
    ≥ threshold.

    P = 1 − Σ_{k=0..v2} C(m,k)/2^m with m = v1 + v2 + 1; looked at after each sample, at most `most`
    of them.
    """

    threshold: float = 0.95
    most: int = 40
    name = "adaptive-consistency"

    def stops(self, tally: Tally) -> Flags:
        """P ≥ threshold, or `most` samples."""
        first, second = tally.seen.first, tally.seen.second
        confident = (
            1 - doubt_table(int((first + second).max()))[first + second, second] >= self.threshold
        )
        return np.asarray((confident & (tally.seen.votes > 0)) | (tally.seen.pulls >= self.most))

    def right(self, tally: Tally) -> Floats:
        """Plurality."""
        return tally.right

    def rounds(self, pulls: Ints) -> Ints:
        """One sample a round."""
        return pulls


@dataclass(frozen=True)
class DirichletConsistency:
    """Adaptive-Consistency (2305.11860), Dirichlet form: stop when P(leader is the mode) ≥
    threshold.

    The Dirichlet(counts + 1) is over the answers seen and one not seen yet. Deviations: the unseen
    one is our choice; P is an exact integral over all answers, where the released package estimates
    it by random draws over the five most frequent ones (which fails in its version 1.0.0).
    """

    threshold: float = 0.95
    most: int = 40
    name = "adaptive-consistency-dirichlet"
    profiles = True

    def stops(self, tally: Tally) -> Flags:
        """P ≥ threshold, or `most` samples."""
        confident = tally.once("mode", mode_chance) >= self.threshold
        return np.asarray(
            (confident[tally.seen.profile] & (tally.seen.votes > 0))
            | (tally.seen.pulls >= self.most)
        )

    def right(self, tally: Tally) -> Floats:
        """Plurality."""
        return tally.right

    def rounds(self, pulls: Ints) -> Ints:
        """One sample a round."""
        return pulls


@dataclass(frozen=True)
class BestOfInfinity:
    """Best-of-∞ (2509.21091, ICLR 2026): stop when the Bayes factor BF = m·P/(1 − P) ≥ `factor`.

    P = P(leader is the mode) under Dirichlet(counts + 1) over the answers seen and one unknown
    answer of parameter 1.3, m answers with it. At most `most` samples. Deviation: the default
    factor is our choice, of those that the paper goes through.
    """

    factor: float = 100.0
    most: int = 100
    name = "best-of-infinity"
    profiles = True

    def stops(self, tally: Tally) -> Flags:
        """BF ≥ factor, or `most` samples."""
        profiles = tally.seen.profiles
        chance = tally.once("mode-1.3", partial(mode_chance, shape=1.3))
        answers = 1 + (profiles > 0).sum(axis=1)
        enough = answers * chance >= self.factor * (1 - chance)
        return np.asarray(
            (enough[tally.seen.profile] & (tally.seen.votes > 0)) | (tally.seen.pulls >= self.most)
        )

    def right(self, tally: Tally) -> Floats:
        """Plurality."""
        return tally.right

    def rounds(self, pulls: Ints) -> Ints:
        """One sample a round."""
        return pulls


@dataclass(frozen=True)
class EarlyStopping:
    """ESC (Li 2024, 2401.10480): disjoint windows; a unanimous one stops with its answer, else the
    plurality of all.

    ⌊most/window⌋ windows are drawn at most. A window with a missing answer is not unanimous (the
    released code counts the empty answer as one: our deviation).
    """

    window: int = 5
    most: int = 40
    name = "esc"

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
        """Whether the unanimous window's answer is right where it stops, else the plurality's
        chance.
        """
        right = tally.right.copy()
        depth, replication, question = np.nonzero(self._unanimous(tally))
        code = tally.codes[depth - 1, replication, question]
        right[depth, replication, question] = tally.answer_right[question, code]
        return right

    def rounds(self, pulls: Ints) -> Ints:
        """One window a round."""
        return -(-pulls // self.window)


@dataclass(frozen=True)
class Doubling:
    """Doubling: n = 2, 4, 8, …; stop when v1/n ≥ threshold."""

    threshold: float = 0.75
    name = "doubling"

    def stops(self, tally: Tally) -> Flags:
        """v1/n ≥ threshold at a power of two from 2 on."""
        n = tally.seen.pulls
        return np.asarray((n >= 2) & (n & (n - 1) == 0) & (tally.seen.first >= self.threshold * n))

    def right(self, tally: Tally) -> Floats:
        """Plurality."""
        return tally.right

    def rounds(self, pulls: Ints) -> Ints:
        """log2 of the samples: 2 → 1, 4 → 2, 5 … 8 → 3."""
        return np.ceil(np.log2(np.maximum(pulls, 2))).astype(int) * (pulls > 0)
