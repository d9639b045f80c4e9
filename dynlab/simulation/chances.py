"""Chances that differ from question to question: of a right sample, of one without an answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynlab.recordings.arrays import Floats, Ints
from dynlab.simulation.likelihood import log_rising, maximum
from dynlab.simulation.parts import Intervals, scaled

_PER_QUANTILE = 64  # draws, of chances that are spread evenly
_NODES = np.linspace(-7.0, 7.0, 33)  # of a posterior's log-odds, in standard deviations


@dataclass(frozen=True)
class BetaChance:
    """A question's chance p of an event is drawn from Beta(α, β): its samples are beta-binomial.

    Args:
        alpha: Weight of the event; mean α / (α + β), the smaller α + β the more questions differ.
        beta: Weight of its absence.
    """

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """The mean chance over questions."""
        return self.alpha / (self.alpha + self.beta)

    def draw(self, num_questions: int, rng: np.random.Generator, *, even: bool = False) -> Floats:
        """[Q] a chance for each question, never quite 0 or 1, so that its log-odds are finite.

        Drawn at random, or `even`: quantiles of many draws, so that no luck is in their mean.
        """
        thinned = _PER_QUANTILE if even else 1
        drawn = rng.beta(self.alpha, self.beta, num_questions * thinned)
        if even:
            drawn = rng.permutation(np.sort(drawn)[thinned // 2 :: thinned])
        return np.clip(drawn, 1e-9, 1 - 1e-9)

    def expected(self, events: Ints, trials: Ints) -> Floats:
        """[Q] the posterior mean of each question's chance."""
        return np.asarray((self.alpha + events) / (self.alpha + self.beta + trials))

    def posterior(self, events: Ints, trials: Ints) -> tuple[Floats, Floats]:
        """[Q, J] log-odds of each question's chance, and the posterior weight of each."""
        a, b = (
            np.asarray(each)[:, None] for each in (self.alpha + events, self.beta + trials - events)
        )
        odds = np.log(a / b) + np.sqrt(1 / a + 1 / b) * _NODES
        # Beta(a, b) in log-odds: pᵃ (1 − p)ᵇ, with log p = −log(1 + e⁻ˣ)
        density = -a * np.logaddexp(0, -odds) - b * np.logaddexp(0, odds)
        weights = np.exp(density - density.max(axis=1, keepdims=True))
        return odds, weights / weights.sum(axis=1, keepdims=True)


def fit_chance(events: Ints, trials: Ints) -> tuple[BetaChance, Intervals]:
    """The beta-binomial of largest likelihood: Π (α)ᵣ (β)ₙ₋ᵣ / (α + β)ₙ over questions.

    Args:
        events: [Q] events of each question.
        trials: [Q] its samples.
    """
    most = int(trials.max())

    def loglik(logs: Floats) -> float:
        alpha, beta = np.exp(logs)
        rising = [log_rising(each, most) for each in (alpha, beta, alpha + beta)]
        return float((rising[0][events] + rising[1][trials - events] - rising[2][trials]).sum())

    share = float(np.clip(events.sum() / trials.sum(), 0.01, 0.99))
    found = maximum(loglik, [math.log(share), math.log(1 - share)], [-6, -6], [7, 7])
    alpha, beta = map(float, np.exp(found.at))
    return BetaChance(alpha, beta), scaled(found, ["alpha", "beta"], np.exp)
