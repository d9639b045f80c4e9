"""Pictures of what chains are worth to the small reasoner under a bandit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dynlab.plots.contrasts import plot_contrasts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_together(differences: pd.DataFrame) -> Figure | Axes:
    """Chains under a bandit against the best baseline, which is another one at each budget.

    Args:
        differences: Of `evidence.together`.
    """
    return plot_contrasts(differences.assign(against="the best without"))
