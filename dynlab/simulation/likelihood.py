"""Maximum likelihood of a few parameters: where it lies, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dynlab.recordings.arrays import Flags, Floats

LogLikelihood = Callable[[Floats], float]
SURE = 1.959964  # standard errors on each side of a 95 % interval
_STEP = 1e-3  # of numerical derivatives; coordinates are logarithms, or of their size


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where a log-likelihood is largest."""

    at: Floats  # [P]
    # [P] standard errors by the observed information; infinite where a bound is reached
    error: Floats

    def interval(self, number: int) -> tuple[float, float]:
        """The 95 % interval of a coordinate."""
        half = SURE * float(self.error[number])
        return float(self.at[number]) - half, float(self.at[number]) + half


def maximum(
    loglik: LogLikelihood, start: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> Maximum:
    """The maximum within bounds by Newton's method, damped (Levenberg), with central differences.

    >>> maximum(lambda x: -((x[0] - 2.0) ** 2) / 2, [0.0], [-9], [9]).at.round(6).tolist()
    [2.0]

    Args:
        loglik: Of [P] coordinates; smooth, defined a little beyond the bounds.
        start: Where to begin.
        low: The lower bounds.
        high: The upper bounds.
    """
    bottom, top = np.array(low, float), np.array(high, float)
    at = np.clip(np.array(start, float), bottom, top)
    value, damping = loglik(at), 1e-2
    for _ in range(100):
        slope, bend = _derivatives(loglik, at)
        free = ~(((at <= bottom) & (slope < 0)) | ((at >= top) & (slope > 0)))
        if not free.any():
            break
        best = value
        while damping < 1e8:
            new = at.copy()
            new[free] += _newton_step(slope[free], bend[np.ix_(free, free)], damping)
            new = np.clip(new, bottom, top)
            found = loglik(new)
            if found > value:
                at, value, damping = new, found, damping / 5
                break
            damping *= 4
        if value - best < 1e-8:
            break
    return Maximum(at, _errors(_derivatives(loglik, at)[1], (at <= bottom) | (at >= top)))


def log_rising(start: Floats, most: int) -> Floats:
    """[…, most + 1] log of the rising factorial, x (x + 1) … (x + n − 1), for n = 0 … most.

    >>> np.exp(log_rising(np.array(2.0), 3)).round(6).tolist()
    [1.0, 2.0, 6.0, 24.0]
    """
    logs = np.log(np.asarray(start)[..., None] + np.arange(most))
    return np.concatenate([np.zeros((*logs.shape[:-1], 1)), np.cumsum(logs, axis=-1)], axis=-1)


def _derivatives(loglik: LogLikelihood, at: Floats) -> tuple[Floats, Floats]:
    """The gradient [P] and the second derivatives [P, P]."""
    size = len(at)
    unit = _STEP * np.eye(size)
    here = loglik(at)
    up, down = (np.array([loglik(at + sign * each) for each in unit]) for sign in (1, -1))
    second = np.diag((up - 2 * here + down) / _STEP**2)
    for i in range(size):
        for j in range(i):
            both = loglik(at + unit[i] + unit[j]) + loglik(at - unit[i] - unit[j])
            mixed = (both + 2 * here - up[i] - down[i] - up[j] - down[j]) / (2 * _STEP**2)
            second[i, j] = second[j, i] = mixed
    return (up - down) / (2 * _STEP), second


def _newton_step(slope: Floats, bend: Floats, damping: float) -> Floats:
    """Uphill, also where the likelihood bends upwards: by the size of each curvature."""
    values, axes = np.linalg.eigh(-bend)
    curvature = np.maximum(np.abs(values), 1e-8)
    step = axes @ ((axes.T @ slope) / (curvature + damping * (1 + curvature)))
    return np.asarray(np.clip(step, -2.0, 2.0))


def _errors(bend: Floats, bound: Flags) -> Floats:
    """[P] standard errors from the second derivatives; infinite at a bound."""
    errors = np.full(len(bend), np.inf)
    free = np.flatnonzero(~bound)
    values, axes = np.linalg.eigh(-bend[np.ix_(free, free)])
    if len(free) and values.min() > 0:
        errors[free] = np.sqrt(((axes**2) / values).sum(axis=1))
    return errors
