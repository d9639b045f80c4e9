"""Which question is sampled next, when one has enough, and which answer wins.

May import `_util` and `recordings`.
"""

from dynlab.policies.base import Allocator, Index
from dynlab.policies.policy import Policy
from dynlab.policies.registry import (
    ALLOCATORS,
    STOPPING,
    VOTES,
    allocator,
    stopping_rule,
    sweep,
    vote,
)
from dynlab.policies.stopping import StoppingRule

__all__ = [
    "ALLOCATORS",
    "STOPPING",
    "VOTES",
    "Allocator",
    "Index",
    "Policy",
    "StoppingRule",
    "allocator",
    "stopping_rule",
    "sweep",
    "vote",
]
