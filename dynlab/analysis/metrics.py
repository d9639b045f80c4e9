"""Numbers and their intervals, one definition each: accuracy, differences, savings.

Intervals are 95 % percentiles over resamples of questions. Accuracy and spending of a resample, and
both policies of a comparison, use the same questions. They are conditional on the joint allocation:
the policy is not run anew on them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynlab.analysis.resamples import Resamples
from dynlab.recordings.streams import Flags, Floats
from dynlab.replay.loop import Curve

FLAT = 0.01  # where uniform gains less than this from the first budget on, there is nothing to save


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval over questions."""

    value: float
    low: float
    high: float


NOT_TOLD = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Saving:
    """1 − b*/B: what a policy spends less than uniform for uniform's accuracy at budget B."""

    at: float  # B
    saving: Estimate
    reached: bool  # False: the accuracy is not reached within 2·B
    flat: bool  # uniform(B) − uniform(2) < FLAT: nothing to save, reported apart


def estimates(values: Floats, resamples: Resamples) -> list[Estimate]:
    """The mean over questions at every checkpoint, with its interval: values [C, Q] → C."""
    low, high = np.percentile(resamples @ values.T, [2.5, 97.5], axis=0)
    return [Estimate(*map(float, row)) for row in zip(values.mean(axis=1), low, high, strict=True)]


def first_reach(curves: Floats, budgets: Floats, targets: Floats) -> tuple[Floats, Flags]:
    """The first budgets at which linearly interpolated curves reach their targets, if they do.

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


def saving_at(
    policy: Curve, reference: Curve, at: float, unit: str, resamples: Resamples
) -> Saving:
    """Saving of a policy at the accuracy that the reference has at budget `at`: 1 − b*/B.

    b* is the first budget at which the policy's curve, straight between checkpoints, is as
    accurate. What is not reached within 2·B is not reached, whatever other budgets the curves go
    to: then b* is 2·B, or where the recording ends.
    """
    rows = resamples.with_estimate
    saved, reached = resampled_saving(policy, reference, at, unit, rows)
    saved = np.where(np.abs(saved) < 1e-12, 0.0, saved)  # sums in another order save nothing
    low, high = np.percentile(saved[1:], [2.5, 97.5])
    estimate = Estimate(float(saved[0]), float(low), float(high))
    return Saving(at, estimate, reached, is_flat(reference, at))


def resampled_saving(
    policy: Curve, reference: Curve, at: float, unit: str, rows: Resamples, *, bounded: bool = False
) -> tuple[Floats, bool]:
    """[S] the saving on each resample of `rows`; whether the first one is reached.

    In a resample a checkpoint lies where its questions' spending puts it: nominal budget ×
    resampled ÷ mean spending, for both curves. So does a b* that is not reached, unless `bounded`:
    then it counts alike in all resamples, and means over recordings are bounded by it.
    """
    goal, base = (
        curve_at(reference, table, at) for table in (reference.accuracy, reference.spent[unit])
    )
    last = min(2 * at, max(float(policy.budgets[-1]), float(reference.budgets[-1])))
    budgets, accuracy, spent = _until(policy, last, unit)
    if not budgets.size:
        return np.full(len(rows), 1 - last / at), False
    target, cost, spending, right = rows.of_each([goal, base, spent.T, accuracy.T])
    worth = at * cost / base.mean()  # [S] what B costs on the questions of each row
    mean = spent.mean(axis=1)
    relative = np.where(mean > 0, spending / np.where(mean > 0, mean, 1.0), 1.0)
    reach, reached = first_reach(right, budgets * relative, target)
    unreached = last / at if bounded else last * relative[:, -1] / worth
    return 1 - np.where(reached, reach / worth, unreached), bool(reached[0])


def is_flat(reference: Curve, at: float) -> bool:
    """Whether the reference gains less than `FLAT` from two samples to B: nothing to save."""
    here, start = (curve_at(reference, reference.accuracy, budget) for budget in (at, 2.0))
    return bool(here.mean() - start.mean() < FLAT)


def curve_at(curve: Curve, table: Floats, budget: float) -> Floats:
    """A curve's table [C, …] at a budget: straight between checkpoints, the last one beyond them.

    NaN before the first.
    """
    after = int(np.searchsorted(curve.budgets, budget * (1 - 1e-9)))
    if after == len(curve.budgets):
        return np.asarray(table[-1])
    if np.isclose(curve.budgets[after], budget):
        return np.asarray(table[after])
    if after == 0:
        return np.full(table.shape[1:], np.nan)
    share = (budget - curve.budgets[after - 1]) / (curve.budgets[after] - curve.budgets[after - 1])
    return np.asarray((1 - share) * table[after - 1] + share * table[after])


def _until(curve: Curve, last: float, unit: str) -> tuple[Floats, Floats, Floats]:
    """Budgets [C], accuracy and spending [C, Q] up to a budget, cut where the curve goes beyond."""
    inside = curve.budgets <= last * (1 + 1e-9)
    budgets, tables = curve.budgets[inside], (curve.accuracy, curve.spent[unit])
    if inside.all() or not inside.any() or np.isclose(budgets[-1], last):
        return budgets, tables[0][inside], tables[1][inside]
    accuracy, spent = (np.vstack([table[inside], curve_at(curve, table, last)]) for table in tables)
    return np.append(budgets, last), accuracy, spent


def difference(one: Floats, other: Floats, resamples: Resamples) -> Estimate:
    """The paired difference of two accuracies over the same questions: one [Q] − other [Q]."""
    return estimates((one - other)[None, :], resamples)[0]


def pareto(cost: Floats, accuracy: Floats) -> Flags:
    """[P] which points no other beats: none is cheaper, or as cheap, and more accurate.

    >>> pareto(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.6]))
    array([ True, False,  True])
    """
    order = np.lexsort((-accuracy, cost))
    best = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    front = np.zeros(len(cost), bool)
    front[order] = accuracy[order] > best
    return front
