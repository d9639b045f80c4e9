"""P(an answer is the mode) under a Dirichlet posterior, for many vote profiles at once.

Shares ~ Dirichlet(α) are independent Gamma(α_j) variables over their sum, and which is largest is
not changed by the sum. So P(answer i is the mode) = ∫ f(x; α_i) Π_{j≠i} F(x; α_j) dx, one integral,
by the trapezoidal rule in s = √x.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import lgamma

import numpy as np

from dynlab.recordings.streams import Flags, Floats, Ints

_STEP = 0.2  # in √x, where every gamma density is about 1/2 wide: errors are below 1e-6
_BLOCK = 8192  # profiles held at once


@dataclass(frozen=True)
class Posterior:
    """Dirichlet posteriors with α = 1 + count.

    Answers that nobody has given yet have an α of their own. Axes: U profiles, C counts, X nodes of
    the integral.
    """

    leader: Ints  # [U] votes of the leading answer
    having: Ints  # [U, C] how many answers have so many votes; column 0: the unseen ones
    density: Floats  # [C, X] f of a count's share, with the integral's weights
    log_below: Floats  # [C, X] ln F of a count's share (row 0: of an unseen answer's)
    log_all: Floats  # [U, X] Σ over all answers of ln F

    @cached_property
    def _log_others(self) -> Floats:
        """[U, X] Σ over the answers but the leader of ln F."""
        return self.log_all - self.log_below[self.leader]

    def mode(self) -> Floats:
        """[U] P(the leader is the mode)."""
        return _integral(self._log_others, self.density[self.leader])

    def mode_after_leader(self) -> Floats:
        """[U] P(the leader is the mode) once the leader has one vote more."""
        return _integral(self._log_others, self.density[self.leader + 1])

    def mode_after(self, count: int, rows: Flags) -> Floats:
        """P(the leader is the mode) once one of the others, of `count` votes, has one more."""
        log_others = self._log_others[rows]
        log_others -= self.log_below[count]
        log_others += self.log_below[count + 1]
        return _integral(log_others, self.density[self.leader[rows]])


def _integral(log_others: Floats, density: Floats) -> Floats:
    """[U] ∫ of the leader's density times the chance that all others are below it: [U, X] each."""
    terms = np.exp(log_others)
    terms *= density
    return np.asarray(terms.sum(axis=1))


def posteriors(profiles: Ints, unseen: Ints, shape: float = 1.0) -> Iterator[Posterior]:
    """The posteriors of vote profiles, a block of rows at a time.

    Args:
        profiles: [U, K] vote counts, largest first, padded with 0.
        unseen: [U] how many answers may come that have not come yet.
        shape: α of each of them.
    """
    most = int(profiles.max(initial=0)) + 2
    density, log_below = _by_count(most, shape)
    for start in range(0, len(profiles), _BLOCK):
        counts = profiles[start : start + _BLOCK].astype(np.int64)
        rows = np.arange(len(counts))[:, None]
        having = np.bincount((rows * most + counts).ravel(), minlength=len(counts) * most).reshape(
            -1, most
        )
        having[:, 0] = unseen[start : start + _BLOCK]
        yield Posterior(counts[:, 0], having, density, log_below, having @ log_below)


@lru_cache(maxsize=256)  # a live run asks for the same ones at every pick
def _by_count(most: int, shape: float) -> tuple[Floats, Floats]:
    """[most, X] density and log_below of `Posterior`, of the counts below `most`."""
    nodes = np.arange(1, int((np.sqrt(most) + 5) / _STEP)) * _STEP
    x = nodes**2
    log_density = _log_gamma_density(np.arange(most) + 1.0, x)
    log_below = _log_gamma_cdf(1.0, most, x)
    log_below[0] = _log_gamma_cdf(shape, 1, x)[0]
    log_density[0] = _log_gamma_density(np.array([shape]), x)[0]
    density = np.exp(log_density) * (2 * nodes * _STEP)
    for table in (density, log_below):
        table.flags.writeable = False  # all who ask for it have the same one
    return density, log_below


def mode_chance(profiles: Ints, unseen: int = 1, shape: float = 1.0) -> Floats:
    """[U] P(the leader is the mode), with `unseen` further answers of α = `shape`.

    >>> mode_chance(np.array([[4]])).round(5)  # as Adaptive-Consistency's Beta form: 1 − 1/2⁵
    array([0.96875])
    """
    number = np.full(len(profiles), unseen)
    return np.concatenate([block.mode() for block in posteriors(profiles, number, shape)])


def _log_gamma_density(shapes: Floats, x: Floats) -> Floats:
    """[A, X] ln of Gamma(shape)'s density."""
    constant = np.array([lgamma(shape) for shape in shapes])
    return np.asarray((shapes[:, None] - 1) * np.log(x) - x - constant[:, None])


def _log_gamma_cdf(first: float, number: int, x: Floats) -> Floats:
    """[number, X] ln P(Gamma(a) ≤ x) for a = first, first + 1, …: a sum over k ≥ a.

    P(Gamma(a) ≤ x) = Σ_{k≥a} x^k·e^−x/Γ(k + 1).
    """
    terms = first + np.arange(number + int(4 * x.max()) + 60)
    tail = np.cumsum(np.exp(_log_gamma_density(terms + 1, x))[::-1], axis=0)[::-1][:number]
    # where the tail underflows, the density does too
    return np.asarray(np.log(np.maximum(tail, np.finfo(float).tiny)))
