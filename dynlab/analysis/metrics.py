"""Numbers and their intervals, one definition each: accuracy, spending, paired differences, saving
at equal accuracy.

Intervals are 95 % percentiles over resamples of questions. Accuracy and spending of a resample, and
both policies of a comparison, use the same questions. They are conditional on the joint allocation:
the policy is not run anew on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.recordings.streams import Flags, Floats
from dynlab.replay.loop import Curve

RESAMPLES = 2000
FLAT = 0.01  # where uniform gains less than this from the first budget on, there is nothing to save


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval over questions."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Saving:
    """1 − b*/B: what a policy spends less than uniform for uniform's accuracy at budget B."""

    at: float  # B
    saving: Estimate
    reached: (
        bool  # False: the accuracy is not reached within 2·B, b* is the last budget up to there
    )
    flat: bool  # uniform(B) − uniform(2) < FLAT: nothing to save, reported apart


def question_resamples(num_questions: int, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """[resamples, Q] share of each question in a resample with replacement; rows sum to 1."""
    counts = np.random.default_rng([seed, num_questions]).multinomial(
        num_questions, np.full(num_questions, 1 / num_questions), size=resamples
    )
    return np.asarray(counts / num_questions)


def estimates(values: Floats, share: Floats) -> list[Estimate]:
    """The mean over questions at every checkpoint, with its interval: values [C, Q], share
    [resamples, Q] → C.
    """
    low, high = np.percentile(share @ values.T, [2.5, 97.5], axis=0)
    return [Estimate(*map(float, row)) for row in zip(values.mean(axis=1), low, high, strict=True)]


def first_reach(curves: Floats, budgets: Floats, targets: Floats) -> tuple[Floats, Flags]:
    """The first budget at which linearly interpolated curves reach their targets, and whether they
    do.

    Args:
        curves: [B, C] accuracy; budgets: [C] or [B, C]; targets: [B].

    >>> first_reach(np.array([[0.2, 0.4, 0.6]]), np.array([2.0, 4.0, 8.0]), np.array([0.5]))[0]
    array([6.])
    """
    budgets = np.broadcast_to(budgets, curves.shape)
    rows = np.arange(len(curves))
    enough = curves >= targets[:, None] - 1e-12
    reached = np.asarray(enough.any(axis=1))
    after = np.where(reached, enough.argmax(axis=1), curves.shape[1] - 1)
    before = np.maximum(after - 1, 0)
    rise = curves[rows, after] - curves[rows, before]
    share = np.clip((targets - curves[rows, before]) / np.where(rise > 0, rise, 1.0), 0.0, 1.0)
    share = np.where((after == 0) | ~reached, 1.0, share)
    return budgets[rows, before] + share * (budgets[rows, after] - budgets[rows, before]), reached


def saving_at(policy: Curve, uniform: Curve, at: float, unit: str, share: Floats) -> Saving:
    """Saving of a policy against uniform at the accuracy that uniform has at budget `at` (on both
    curves' grid).

    In a resample a checkpoint lies where its questions' spending puts it: nominal budget ×
    resampled ÷ mean spending. What is not reached within 2·B is not reached, whatever other budgets
    the curves go to.
    """
    here, start = (int(np.argmin(np.abs(uniform.budgets - budget))) for budget in (at, 2.0))
    inside = policy.budgets <= 2 * at * (1 + 1e-9)
    everyone = np.full((1, share.shape[1]), 1 / share.shape[1])
    rows = np.concatenate([everyone, share])  # the estimate itself, then its resamples
    target = rows @ uniform.accuracy[here]
    spent = (policy.budgets * _relative(policy, unit, rows))[:, inside]
    reach, reached = first_reach(rows @ policy.accuracy[inside].T, spent, target)
    saved = 1 - reach / (at * _relative(uniform, unit, rows)[:, here])
    low, high = np.percentile(saved[1:], [2.5, 97.5])
    gained = float(uniform.accuracy[here].mean() - uniform.accuracy[start].mean())
    return Saving(
        at, Estimate(float(saved[0]), float(low), float(high)), bool(reached[0]), gained < FLAT
    )


def _relative(curve: Curve, unit: str, rows: Floats) -> Floats:
    """[B, C] spending on the questions of each row, relative to the spending on all."""
    spent = curve.spent[unit]
    return np.asarray((rows @ spent.T) / spent.mean(axis=1))


def difference(one: Floats, other: Floats, share: Floats) -> Estimate:
    """The paired difference of two accuracies over the same questions: one [Q] − other [Q]."""
    return estimates((one - other)[None, :], share)[0]


def pareto(cost: Floats, accuracy: Floats) -> Flags:
    """Which points no other beats in both: none is cheaper (or as cheap) and more accurate. [P],
    [P] → [P] bool.

    >>> pareto(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.6]))
    array([ True, False,  True])
    """
    order = np.lexsort((-accuracy, cost))
    best = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    front = np.zeros(len(cost), bool)
    front[order] = accuracy[order] > best
    return front
