"""Numbers and their intervals, one definition each: comparisons, leaderboards, and what is in them.

May import everything down to `replay`.
"""

from dynlab.analysis.comparison import Comparison
from dynlab.analysis.leaderboards import Leaderboard, leaderboard
from dynlab.analysis.metrics import Estimate
from dynlab.analysis.verbs import ABLATION, compare, contrast, savings

__all__ = [
    "ABLATION",
    "Comparison",
    "Estimate",
    "Leaderboard",
    "compare",
    "contrast",
    "leaderboard",
    "savings",
]
