"""Pictures of what votes and chains are worth to the small reasoner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dynlab.plots.contrasts import plot_contrasts
from dynlab.plots.small_multiples import plot_dots
from recipe.measures import DIFFERENCES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACCURACIES = ("greedy", "sample", "untaught", "placebo", "shown", "chained", "vote")
TRAINED = "model trained to use attempts"


def plot_accuracies(attempts: pd.DataFrame) -> Figure | Axes:
    """One sample, votes and chains: a row a family.

    Args:
        attempts: Of `evidence.attempts`.
    """
    rows = attempts[attempts["measure"].isin(ACCURACIES)]
    rows = rows.assign(allocator=rows["measure"])
    return plot_dots(rows, "family", "value", xlabel=f"accuracy; {TRAINED}", line=None)


def plot_gains(attempts: pd.DataFrame) -> Figure | Axes:
    """What a vote, a chained sample and four of each gain on their controls: a row a difference."""
    rows = attempts[attempts["measure"].isin([f"{a} − {b}" for a, b in DIFFERENCES])]
    rows = rows.assign(allocator=rows["family"])
    return plot_dots(rows, "measure", "value", xlabel=f"difference in accuracy; {TRAINED}")


def plot_cases(attempts: pd.DataFrame) -> Figure | Axes:
    """What a chained sample gains where the right answer led, was shown, or was absent."""
    rows = attempts[attempts["measure"].str.startswith("chained − sample, ")]
    cases = rows["measure"].str.partition(", ")[2]
    rows = rows.assign(allocator=rows["family"], measure=cases)
    label = f"one chained − one independent sample; {TRAINED}"
    return plot_dots(rows, "measure", "value", xlabel=label)


def plot_together(differences: pd.DataFrame) -> Figure | Axes:
    """Chains under a bandit against the best baseline, which is another one at each budget.

    Args:
        differences: Of `evidence.together`.
    """
    return plot_contrasts(differences.assign(against="the best without"))
