"""What the parts of a model share: log-odds, and intervals of their parameters by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dynlab.recordings.arrays import Floats
from dynlab.simulation.likelihood import Maximum

# parameter → the ends of its 95 % interval
Intervals = Mapping[str, tuple[float, float]]


def log_odds(chance: Floats) -> Floats:
    """log p / (1 − p)."""
    return np.asarray(np.log(chance) - np.log1p(-chance))


def chance_of(odds: Floats) -> Floats:
    """The chance of log-odds: 1 / (1 + e⁻ˣ)."""
    return np.asarray(np.exp(-np.logaddexp(0, -odds)))


def scaled(
    found: Maximum, names: Sequence[str], scale: Callable[[Any], Any], first: int = 0
) -> Intervals:
    """The intervals of parameters, from those of coordinates that a rising function maps to them.

    Args:
        found: The fit in its coordinates.
        names: Of parameters, in the order of coordinates.
        scale: From a coordinate to its parameter.
        first: The coordinate of the first name.
    """
    with np.errstate(over="ignore"):
        return {
            name: (float(scale(low)), float(scale(high)))
            for name, (low, high) in (
                (name, found.interval(number)) for number, name in enumerate(names, first)
            )
        }
