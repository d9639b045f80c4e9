"""Numbers and their intervals, one definition each.

May import everything down to `replay`.
"""

from dynlab.analysis.board import leaderboard
from dynlab.analysis.comparison import compare, savings
from dynlab.analysis.contrasts import contrast
from dynlab.analysis.metrics import Estimate

__all__ = ["Estimate", "compare", "contrast", "leaderboard", "savings"]
