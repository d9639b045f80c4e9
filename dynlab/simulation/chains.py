"""What a sample gains from being shown others: by what the right answer was among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.recordings.arrays import Floats, Ints
from dynlab.simulation.likelihood import maximum
from dynlab.simulation.parts import Intervals, chance_of, scaled

RIGHT, NONE = 0, -1  # codes of samples; wrong answers are numbered from 1 on
# of the right answer among the samples shown: not there, there, with more votes than any other
STATES = ("absent", "present", "leading")


@dataclass(frozen=True)
class ChainGain:
    """The chance of a chained sample: log-odds = gain(state) + slope · log-odds of p.

    p is the question's chance of a right independent sample, and the state is where the right
    answer stands among the samples shown. Gains of 0 and a slope of 1 change nothing. A wrong
    chained sample repeats one of the wrong answers shown with the chance `repeat`, each as likely
    as it was shown; else it is drawn as every wrong one.

    Args:
        absent: The gain where no sample shown is right.
        present: Where some are, and another answer has as many votes or more.
        leading: Where the right answer has more votes than any other.
        slope: How much the question's own chance still counts.
        repeat: Chance that a wrong sample repeats a wrong answer shown, where there is one.
    """

    absent: float
    present: float
    leading: float
    slope: float
    repeat: float

    def chances(self, odds: Floats, states: Ints) -> Floats:
        """The chance of a right sample by log-odds of p and the number of the state."""
        gains = np.array([self.absent, self.present, self.leading])
        return chance_of(gains[states] + self.slope * odds)


def states_of(shown: Ints) -> Ints:
    """[Q] the number of the state of each question, from the codes of the samples it is shown.

    >>> states_of(np.array([[1, 2], [0, 1], [0, 0]])).tolist()
    [0, 1, 2]

    Args:
        shown: [Q, M] codes: 0 right, −1 no answer, wrong ones from 1 on.
    """
    right = (shown == RIGHT).sum(axis=1)
    same = (shown[:, :, None] == shown[:, None, :]) & (shown > RIGHT)[:, :, None]
    rival = same.sum(axis=1).max(axis=1)
    return np.asarray(np.where(right == 0, 0, np.where(right > rival, 2, 1)))


def repeated(shown: Ints, rng: np.random.Generator) -> Ints:
    """[Q] one of the wrong answers shown, each as likely as it was shown; 0 where there is none."""
    places = np.where(shown > RIGHT, rng.random(shown.shape), -1.0)
    chosen = shown[np.arange(len(shown)), places.argmax(axis=1)]
    return np.asarray(np.maximum(chosen, 0))


def fit_chain_gain(
    right: Ints, trials: Ints, posterior: tuple[Floats, Floats], copies: Floats, anew: Floats
) -> tuple[ChainGain, Intervals]:
    """The gains of largest likelihood, each question's own chance integrated out.

    L = Π over questions of Σⱼ wⱼ Π over states of cᵣ (1 − c)ⁿ⁻ʳ. A weak prior (gains N(0, 3²),
    slope N(1, 1)) decides what the samples do not: a state that never occurs has no gain.

    Args:
        right: [Q, 3] right chained samples in each state.
        trials: [Q, 3] chained samples in each state.
        posterior: [Q, J] log-odds of the question's chance by its independent samples, and weights.
        copies: [W] of wrong chained samples, the share of their answer among the wrong ones shown.
        anew: [W] its chance where it is drawn as every wrong one.
    """
    odds, weights = posterior

    def loglik(at: Floats) -> float:
        x = at[:3, None, None] + at[3] * odds  # [3, Q, J]
        hits, misses = (each.T[:, :, None] for each in (right, trials - right))
        logs = -(hits * np.logaddexp(0, -x) + misses * np.logaddexp(0, x)).sum(axis=0)
        top = logs.max(axis=1, keepdims=True)
        seen = np.log((weights * np.exp(logs - top)).sum(axis=1)) + top[:, 0]
        prior = -(at[:3] @ at[:3]) / 18 - (at[3] - 1) ** 2 / 2
        return float(seen.sum() + prior)

    found = maximum(loglik, [0.0, 0.0, 0.0, 1.0], [-8, -8, -8, 0], [8, 8, 8, 3])

    def repeats(at: Floats) -> float:
        chance = chance_of(at[0])
        return float(np.log(chance * copies + (1 - chance) * anew).sum() - at[0] ** 2 / 50)

    again = maximum(repeats, [-1.0], [-7], [7])
    intervals = {
        **scaled(found, [*STATES, "slope"], float),
        **scaled(again, ["repeat"], chance_of),
    }
    absent, present, leading, slope = map(float, found.at)
    repeat = float(chance_of(again.at[0]))
    return ChainGain(absent, present, leading, slope, repeat), intervals
