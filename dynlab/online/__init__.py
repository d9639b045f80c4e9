"""Live runs: an allocator decides, call by call, which question gets the next sample.

May import everything down to `sampling`.
"""

from dynlab.online.forecast import forecast
from dynlab.online.results import Solution
from dynlab.online.run_audit import check
from dynlab.online.solver import solve

__all__ = ["Solution", "check", "forecast", "solve"]
