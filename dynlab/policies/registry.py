"""Policies by name: allocators, votes and stopping rules of the command line, with the defaults of
their papers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from dynlab._util.errors import InputError, one_of
from dynlab.policies.base import Allocator
from dynlab.policies.priced import Priced
from dynlab.policies.published import (
    DoubtPerRoot,
    Elimination,
    KnowledgeGradient,
    MonteCarloKnowledgeGradient,
    SequentialHalving,
    UncertaintyAware,
    VoteGain,
)
from dynlab.policies.stopping import (
    AdaptiveConsistency,
    BestOfInfinity,
    DirichletConsistency,
    Doubling,
    EarlyStopping,
    StoppingRule,
)
from dynlab.policies.thompson import Thompson
from dynlab.policies.ucb import UCB, UncertaintyGreedy
from dynlab.policies.uniform import Uniform
from dynlab.policies.weighted_votes import ConfidenceFiltered, ConfidenceInformed, Vote

_ALLOCATORS: Mapping[str, Callable[[], Allocator]] = {
    "uniform": Uniform,
    "ucb": UCB,
    "thompson": Thompson,
    "entropy-greedy": lambda: UncertaintyGreedy("entropy", "entropy-greedy"),
    "margin-greedy": lambda: UncertaintyGreedy("margin", "margin-greedy"),
    "beta-greedy": lambda: UncertaintyGreedy("posterior", "beta-greedy"),
    "beta-sqrt": DoubtPerRoot,
    "okg-beta": KnowledgeGradient,
    "okg-pets": MonteCarloKnowledgeGradient,
    "uab": UncertaintyAware,
    "strategic": Elimination,
    "strategic-entropy": lambda: Elimination(ordered=True),
    "vote-gain": VoteGain,
    "sequential-halving": SequentialHalving,
    "priced": Priced,
}
_VOTES: Mapping[str, Callable[[], Vote]] = {
    "cisc": ConfidenceInformed,
    "deepconf": ConfidenceFiltered,
}
_STOPPING: Mapping[str, Callable[[], StoppingRule]] = {
    "adaptive-consistency": AdaptiveConsistency,
    "adaptive-consistency-dirichlet": DirichletConsistency,
    "best-of-infinity": BestOfInfinity,
    "esc": EarlyStopping,
    "doubling": Doubling,
}
_CONFIDENCES = (0.999, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6)
SWEEPS: Mapping[str, tuple[str, tuple[float, ...]]] = {  # what is varied, from cautious to eager
    "adaptive-consistency": ("threshold", _CONFIDENCES),
    "adaptive-consistency-dirichlet": ("threshold", _CONFIDENCES),
    "best-of-infinity": ("factor", (1000, 300, 100, 30, 10, 7, 5, 2)),
    "esc": ("window", (20, 10, 8, 5, 4, 3, 2)),
    "doubling": ("threshold", (1.0, 0.95, 0.9, 0.8, 0.75, 0.7, 0.6, 0.5)),
}
ALLOCATORS = tuple(_ALLOCATORS)
VOTES = tuple(_VOTES)  # uniform allocation with another vote; for recordings with log-probabilities
STOPPING = tuple(_STOPPING)


def allocator(name: str, *, uncertainty: str = "top-share", exploration: float = 1.0) -> Allocator:
    """The allocator of a command-line name; `uncertainty` and `exploration` go to the one that has
    them, `ucb`.
    """
    if name == "ucb":
        return UCB(uncertainty, exploration)
    if name not in _ALLOCATORS:
        raise one_of("allocator", name, (*ALLOCATORS, *VOTES))
    return _ALLOCATORS[name]()


def vote(name: str) -> Vote:
    """The weighted vote of a command-line name."""
    if name not in _VOTES:
        raise one_of("vote", name, VOTES)
    return _VOTES[name]()


def stopping_rule(name: str) -> StoppingRule:
    """The stopping rule of a command-line name: with the defaults of its paper, or as set behind a
    colon.

    >>> stopping_rule("doubling"), stopping_rule("esc:4")
    (Doubling(threshold=0.75), EarlyStopping(window=4, most=40))
    """
    name, colon, setting = name.partition(":")
    if name not in _STOPPING:
        raise one_of("stopping rule", name, STOPPING)
    if not colon:
        return _STOPPING[name]()
    rule: Any = _STOPPING[name]()
    field, values = SWEEPS[name]
    try:
        value = type(getattr(rule, field))(setting)
    except ValueError:
        raise InputError(
            f"{name} is set by its {field}, such as {name}:{values[0]:g}; not {setting!r}"
        ) from None
    if not 0 < value < math.inf:
        raise InputError(f"the {field} of {name} must be above 0; not {setting}")
    most = {"threshold": 1, "window": getattr(rule, "most", math.inf)}.get(field, math.inf)
    if value > most:
        raise InputError(
            f"the {field} of {name} must be at most {most:g}, or it never ends a question; not"
            f" {setting}"
        )
    return cast("StoppingRule", replace(rule, **{field: value}))


def sweep(name: str) -> list[StoppingRule]:
    """The stopping rule at every threshold of `SWEEPS`, from cautious to eager.

    >>> [rule.threshold for rule in sweep("doubling")][:2]
    [1.0, 0.95]
    """
    rule: Any = stopping_rule(name)
    field, values = SWEEPS[name]
    return [replace(rule, **{field: value}) for value in values]
