"""Pictures of numbers that were computed elsewhere.

May import `_util` and `analysis`.
"""

from dynlab.plots.curves import plot_curve_grid, plot_curves, plot_savings
from dynlab.plots.figure_files import save

__all__ = ["plot_curve_grid", "plot_curves", "plot_savings", "save"]
