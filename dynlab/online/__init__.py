"""Live runs: an allocator decides, call by call, which question gets the next sample.

May import everything down to `sampling`.
"""

from dynlab.online.results import Solution
from dynlab.online.run_audit import audit
from dynlab.online.solver import forecast, solve

__all__ = ["Solution", "audit", "forecast", "solve"]
