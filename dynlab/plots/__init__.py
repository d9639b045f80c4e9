"""Pictures of numbers that were computed elsewhere: a module a family of figures.

May import `_util` and `analysis`.
"""

from dynlab.plots import (
    chained_samples,
    contrasts,
    curves,
    heatmaps,
    leaderboard,
    savings,
    simulation,
    small_multiples,
    worth,
)
from dynlab.plots.curves import plot_curve_grid, plot_curves
from dynlab.plots.figure_files import save
from dynlab.plots.savings import plot_savings

__all__ = ["plot_curve_grid", "plot_curves", "plot_savings", "save"]
