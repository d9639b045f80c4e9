"""How wrong answers spread: over a few popular ones, or over many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.recordings.arrays import Flags, Floats, Ints
from dynlab.simulation.likelihood import log_rising, maximum
from dynlab.simulation.parts import Intervals, chance_of, log_odds, scaled

_MOST = 12.0  # |log| of a question's spread is kept below


@dataclass(frozen=True)
class WrongAnswers:
    """Wrong answers of a question follow a Chinese restaurant process with a discount (Pitman–Yor).

    After n wrong samples with K different answers, the next wrong one is new with the chance
    (θ + K d) / (θ + n), and one that was given m times with (m − d) / (θ + n). θ depends on the
    question: θ + d = spread · (p / (1 − p))^slope at the chance p of a right sample.

    Args:
        spread: θ + d where p is 1/2, above 0; the larger, the more different answers.
        discount: d, from 0 to below 1; the larger, the more answers are given once.
        slope: How the spread changes with the log-odds of a right sample.
    """

    spread: float
    discount: float
    slope: float = 0.0

    def strengths(self, odds: Floats) -> Floats:
        """[Q] θ of questions, by the log-odds of a right sample."""
        logs = np.clip(np.log(self.spread) + self.slope * odds, -_MOST, _MOST)
        return np.asarray(np.exp(logs) - self.discount)


class Urn:
    """The wrong answers that questions have given so far; answers are numbered from 1 on.

    Args:
        wrong: How they spread.
        chances: [Q] of a right sample.
        most: Wrong answers that a question may come to.
    """

    def __init__(self, wrong: WrongAnswers, chances: Floats, most: int) -> None:
        self._strength = wrong.strengths(log_odds(chances))
        self._discount = wrong.discount
        self._counts = np.zeros((len(chances), most))  # [Q, K]
        self._distinct = np.zeros(len(chances), int)

    def draw(self, asked: Flags, rng: np.random.Generator) -> Ints:
        """[Q] a wrong answer of each question that is asked for one, 0 elsewhere."""
        rows = np.flatnonzero(asked)
        counts, distinct = self._counts[rows], self._distinct[rows]
        total = counts.sum(axis=1)
        place = rng.random(len(rows)) * (self._strength[rows] + total)
        reach = np.cumsum(np.where(counts > 0, counts - self._discount, 0.0), axis=1)
        old = (total > 0) & (place < total - distinct * self._discount)
        chosen = np.where(
            old, np.minimum((reach <= place[:, None]).sum(axis=1), distinct - 1), distinct
        )
        self._counts[rows, chosen] += 1
        self._distinct[rows] += ~old
        codes = np.zeros(len(asked), int)
        codes[rows] = chosen + 1
        return codes


def fit_wrong_answers(sizes: Ints, chances: Floats) -> tuple[WrongAnswers, Intervals]:
    """The process of largest likelihood of how questions' wrong answers fall into equal ones.

    log L = Σ over questions of Σ_{k=1}^{K−1} log(θ + k d) − Σ_{k=1}^{n−1} log(θ + k) +
    Σ over answers of log (1 − d)_{m−1} (Pitman 1995).

    Args:
        sizes: [Q, M] how many wrong answers of a question were given 1, 2, … M times.
        chances: [Q] of a right sample, as estimated.
    """
    given = np.arange(1, sizes.shape[1] + 1)
    distinct, total = sizes.sum(axis=1), sizes @ given
    held = np.flatnonzero(total > 0)
    odds, most = log_odds(chances[held]), int(total.max(initial=1))
    last = (np.arange(len(held)), distinct[held] - 1), (np.arange(len(held)), total[held] - 1)

    def loglik(at: Floats) -> float:
        discount = chance_of(at[1])
        spread = np.exp(np.clip(at[0] + at[2] * odds, -_MOST, _MOST))
        # θ + k d = spread + (k − 1) d, and θ + k = spread − d + k
        tables = np.log(spread[:, None] + discount * np.arange(most)).cumsum(axis=1)
        seats = log_rising(spread + 1 - discount, most)
        new = np.where(last[0][1] > 0, tables[last[0][0], last[0][1] - 1], 0.0)
        shared = sizes.sum(axis=0) @ log_rising(1 - discount, sizes.shape[1] - 1)
        return float(new.sum() - seats[last[1]].sum() + shared)

    found = maximum(loglik, [0.0, -1.0, 0.0], [-_MOST, -7.0, -3.0], [_MOST, 5.0, 3.0])
    spread, discount = float(np.exp(found.at[0])), float(chance_of(found.at[1]))
    intervals = {
        **scaled(found, ["spread"], np.exp),
        **scaled(found, ["discount"], chance_of, 1),
        **scaled(found, ["slope"], float, 2),
    }
    return WrongAnswers(spread, discount, float(found.at[2])), intervals
