"""Policies by name: the allocators and stopping rules of the command line, with the defaults of their papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dynlab.allocators import UCB, Allocator, Greedy, Thompson, Uniform
from dynlab.errors import one_of
from dynlab.stopping import AdaptiveConsistency, Doubling, EarlyStopping, StoppingRule

_ALLOCATORS: Mapping[str, Callable[[], Allocator]] = {
    "uniform": Uniform,
    "ucb": UCB,
    "thompson": Thompson,
    "entropy-greedy": lambda: Greedy("entropy", "entropy-greedy"),
    "margin-greedy": lambda: Greedy("margin", "margin-greedy"),
    "beta-greedy": lambda: Greedy("posterior", "beta-greedy"),
}
_STOPPING: Mapping[str, Callable[[], StoppingRule]] = {
    "adaptive-consistency": AdaptiveConsistency,
    "esc": EarlyStopping,
    "doubling": Doubling,
}
ALLOCATORS = tuple(_ALLOCATORS)
STOPPING = tuple(_STOPPING)


def allocator(name: str, *, uncertainty: str = "top-share", exploration: float = 1.0) -> Allocator:
    """The allocator of a command-line name; `uncertainty` and `exploration` go to the one that has them, `ucb`."""
    if name == "ucb":
        return UCB(uncertainty, exploration)
    if name not in _ALLOCATORS:
        raise one_of("allocator", name, ALLOCATORS)
    return _ALLOCATORS[name]()


def stopping_rule(name: str) -> StoppingRule:
    """The stopping rule of a command-line name, with the defaults of its paper."""
    if name not in _STOPPING:
        raise one_of("stopping rule", name, STOPPING)
    return _STOPPING[name]()
