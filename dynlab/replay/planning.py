"""Policies that plan for their budget: one run a budget, a fifth apart on dense grids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynlab.recordings.streams import Floats

STEP = 1.2  # a budget is played for itself if it is so many times the one played before


def at_every(budgets: Floats, play: Callable[[int], dict[str, Floats]]) -> dict[str, Floats]:
    """Tables [C, …] from one run a budget, straight lines between the budgets that are played.

    Args:
        budgets: [C] ascending.
        play: checkpoint → its tables [1, …].

    >>> budgets = np.array([2.0, 4.0, 4.2, 4.4])
    >>> at_every(budgets, lambda c: {"c": np.array([10.0 * c])})["c"].tolist()
    [0.0, 10.0, 20.0, 30.0]
    """
    played = [0]
    for c, budget in enumerate(budgets):
        if c and (budget >= STEP * budgets[played[-1]] or c == len(budgets) - 1):
            played.append(c)
    parts = [play(c) for c in played]
    grid = budgets[played]
    after = np.minimum(np.searchsorted(grid, budgets), len(played) - 1)
    before = np.maximum(after - 1, 0)
    gap = grid[after] - grid[before]
    share = np.where(gap > 0, (budgets - grid[before]) / np.where(gap > 0, gap, 1.0), 1.0)
    tables = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {
        name: (table[before].T * (1 - share) + table[after].T * share).T
        for name, table in tables.items()
    }
