"""The same figures in words and tables.

May import `_util`, `analysis`, `plots`.
"""

from dynlab.reports.tables import table

__all__ = ["table"]
