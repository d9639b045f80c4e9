"""Methods: a policy on the samples of one strategy, by the name that tables and figures call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import Allocator, StoppingRule, Vote, changed, written
from dynlab.policies.parsing import as_policy, split_policies
from dynlab.policies.policy import Policy
from dynlab.recordings.streams import Streams

PolicyLike = str | Policy | Allocator | StoppingRule | Vote
Policies = PolicyLike | Sequence[PolicyLike] | Mapping[str, PolicyLike]

ORACLE = "oracle"  # the hindsight bound, drawn beside the policies
_COLUMNS = ("uncertainty", "exploration")  # settings of allocators that have a column of their own


@dataclass(frozen=True, eq=False)
class Method:
    """A policy on the samples of a strategy.

    Args:
        name: What it is called; no two methods of a comparison share it.
        allocator: The column `allocator`: what the columns beside it do not say of the policy.
        policy: None is the hindsight oracle, a bound.
        streams: The samples of the strategy.
    """

    name: str
    allocator: str
    policy: Policy | None
    streams: Streams

    @property
    def plans(self) -> bool:
        """Whether it plans for its budget, so that each budget is a run of its own."""
        return self.policy is not None and self.policy.allocator.plans

    @property
    def gives_up(self) -> bool:
        """Whether it may end with budget left: it drops questions, or stops each by itself."""
        policy = self.policy
        return policy is not None and (policy.stopping is not None or policy.allocator.eliminates)

    def columns(self) -> dict[str, Any]:
        """What tables say of it, `recording` to `stopping`, and of what its tokens count."""
        found: dict[str, Any] = {
            "recording": self.streams.name,
            "strategy": self.streams.strategy,
            "allocator": self.allocator,
            "uncertainty": "",
            "exploration": np.nan,
            "warmup": 0,
            "batch": 1,
            "stopping": "",
            "tokens_kind": self.streams.tokens_kind,
        }
        if self.policy is None:
            return found
        allocator, rule = self.policy.allocator, self.policy.stopping
        found |= {key: allocator.parameters[key] for key in _COLUMNS if key in allocator.parameters}
        if allocator.adaptive:
            found |= {"warmup": self.policy.warmup, "batch": self.policy.batch}
        return found if rule is None else found | {"stopping": rule.text}


def named_policies(policies: Policies) -> dict[str, Policy | None]:
    """Policies by name: one of a mapping by its key, any other by its text; the oracle is None.

    A text holds one policy or several with commas between.

    >>> list(named_policies("uniform, ucb(exploration=0.3)"))
    ['uniform', 'ucb(exploration=0.3)']

    Raises:
        InputError: None was given, or an unknown one.
    """
    found = named(policies)
    if not found:
        raise InputError("no policy was given; give one or several, such as uniform,ucb")
    return {name: None if given == ORACLE else as_policy(given) for name, given in found.items()}


def named(policies: Policies) -> dict[str, PolicyLike]:
    """What was given, by name."""
    if isinstance(policies, Mapping):
        return dict(policies)
    return {_name(given): given for given in listed(policies)}


def listed(given: Any) -> list[Any]:
    """One thing or several as a list; a text is split at its commas."""
    if isinstance(given, str):
        return split_policies(given)
    return list(given) if isinstance(given, Sequence) else [given]


def _name(given: PolicyLike) -> str:
    if isinstance(given, StoppingRule):
        return given.text
    return ORACLE if given == ORACLE else as_policy(given).text


def plays_as(one: Policy | None, other: Policy | None) -> bool:
    """Whether two policies draw and vote alike, whatever they are called."""
    if one is None or other is None:
        return one is other
    if not one.allocator.adaptive and one.stopping is None:
        one = replace(one, warmup=other.warmup, batch=other.batch)  # neither has a say
    return one == other


def warmup_of(policy: Policy | None) -> int:
    """Samples that every question gets first: the least that a budget may be."""
    return 2 if policy is None else policy.warmup


def allocator_of(name: str, policy: Policy | None) -> str:
    """The column `allocator`: a given name, or the text less settings with columns of their own.

    >>> allocator_of("ucb(exploration=0.3, warmup=4)", as_policy("ucb(exploration=0.3, warmup=4)"))
    'ucb'
    """
    if policy is None or name != policy.text:
        return name
    if policy.vote is not None:
        return replace(policy, warmup=policy.allocator.warmup, batch=1).text
    settings = changed(policy.allocator)
    rest = {key: value for key, value in settings.items() if key not in _COLUMNS}
    return written(policy.allocator.name, rest)
