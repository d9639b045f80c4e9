"""The same figures in words and tables: a module a family of figures.

May import `_util`, `analysis`, `plots`.
"""

from dynlab.reports import (
    chained_samples,
    contrasts,
    curves,
    leaderboard,
    live_runs,
    savings,
    sensitivity,
    simulation,
    spending,
)
from dynlab.reports.tables import Table, table
from dynlab.reports.wording import Words

__all__ = ["Table", "Words", "table"]
