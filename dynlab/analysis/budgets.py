"""Budgets: checked as they are given, and the dense grid that a saving is read from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dynlab._util.errors import InputError
from dynlab.recordings.streams import Floats, Streams


def checked_budgets(budgets: float | Iterable[float], warmup: int) -> Floats:
    """[C] budgets ascending, each once.

    Raises:
        InputError: No budget, one that is no number, or one below the warm-up.
    """
    try:
        if isinstance(budgets, str):  # "42" would be 4 and 2
            raise TypeError
        given = [budgets] if isinstance(budgets, int | float) else list(budgets)
        grid = np.unique(np.asarray(given, float))
    except (TypeError, ValueError):
        raise InputError(f"budgets must be numbers, such as 2,4,8; not {budgets!r}") from None
    if grid.size == 0 or not np.isfinite(grid).all():
        raise InputError(f"budgets must be numbers, at least one; not {budgets!r}")
    if grid[0] < warmup:
        raise InputError(
            f"budget {grid[0]:g} is below the warm-up of {warmup} samples per question; raise the"
            " budget or lower the warm-up"
        )
    return grid


def dense_grid(warmup: int, wanted: Floats, longest: float) -> Floats:
    """The budgets that savings are read from, to twice the largest wanted or `longest`.

    2, quarter samples below 4, then whole ones, and the wanted ones themselves.
    """
    last = min(2 * float(wanted.max()), longest)
    quarters = np.arange(warmup, 4, 0.25)
    whole = np.arange(max(4, warmup), np.floor(last) + 1)
    steps = np.concatenate([[2.0], quarters, whole, wanted])
    return np.unique(steps[steps <= last + 1e-9])


def held_budgets(budgets: Iterable[float], longest: float) -> Floats:
    """Budgets ascending, one that a recording does not hold counting as all that it holds."""
    return np.unique(np.minimum(np.asarray(list(budgets), float), longest))


def unaffordable(streams: Streams, budgets: Floats) -> InputError:
    """Tells that a recording holds too few samples for all the budgets."""
    held = f"{streams.name} holds {streams.lengths.mean():g} samples per question"
    return InputError(
        f"{held}; a budget from {budgets.min():g} on cannot be spent on them: lower it"
    )
