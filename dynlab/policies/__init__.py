"""Which question is sampled next, when one has enough, and which answer wins.

An allocator of your own is one file here (CONTRIBUTING.md). May import `_util` and `recordings`.
"""

from dynlab.policies.base import Allocator, Index, StoppingRule, Vote
from dynlab.policies.parsing import as_policy, parse_policy
from dynlab.policies.policy import Policy
from dynlab.policies.registry import register

__all__ = [
    "Allocator",
    "Index",
    "Policy",
    "StoppingRule",
    "Vote",
    "as_policy",
    "parse_policy",
    "register",
]
