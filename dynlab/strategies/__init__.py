"""How the next sample of one question is drawn: which earlier samples it is shown.

May import `_util`, `tasks`, `recordings`.
"""

from dynlab.strategies.base import Strategy
from dynlab.strategies.integrated import Integrated
from dynlab.strategies.parallel import Parallel
from dynlab.strategies.recursive import Recursive
from dynlab.strategies.registry import STRATEGIES, as_strategy, by_name
from dynlab.strategies.sequential import Sequential

__all__ = [
    "STRATEGIES",
    "Integrated",
    "Parallel",
    "Recursive",
    "Sequential",
    "Strategy",
    "as_strategy",
    "by_name",
]
