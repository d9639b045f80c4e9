"""Entrants: the policies and stopping rules that a leaderboard plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dynlab._util.errors import InputError
from dynlab._util.values import GREEDY
from dynlab.analysis.methods import ORACLE, Policies, listed, named
from dynlab.policies.base import Component, StoppingRule
from dynlab.policies.parsing import as_policy
from dynlab.policies.policy import Policy
from dynlab.policies.registry import names, sweep


@dataclass(frozen=True)
class Entrants:
    """What is played: policies by name, and stopping rules, each in its settings."""

    policies: dict[str, Policy] = field(default_factory=dict)
    rules: dict[str, Sequence[StoppingRule]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)  # names of those that were given as objects

    def kinds(self) -> dict[str, str]:
        """What each row is: a bound, an allocator, a stopping rule, a baseline, or yours."""
        kinds = {ORACLE: "bound", **dict.fromkeys(self.policies, "allocator")}
        kinds |= {**dict.fromkeys(self.rules, "stopping"), GREEDY: "baseline"}
        return kinds | {"uniform": "baseline"} | dict.fromkeys(self.own, "yours")

    def parts(self) -> dict[str, Component]:
        """What is particular of each: a policy's vote or allocator, or a stopping rule."""
        found: dict[str, Component] = {
            name: policy.vote or policy.allocator for name, policy in self.policies.items()
        }
        return found | {name: settings[0] for name, settings in self.rules.items()}


def entrants_of(policies: Policies | None, stopping: str | Sequence[str] | None) -> Entrants:
    """Uniform first, then the other policies, and the stopping rules."""
    found = Entrants({"uniform": as_policy("uniform")})
    known = (*names("allocator"), *names("vote"))
    for name in names("stopping rule") if stopping is None else listed(stopping):
        found.rules[name] = _settings(name)
    for name, given in named(known if policies is None else policies).items():
        yours = not isinstance(given, str)
        taken = name in (ORACLE, GREEDY, *found.rules, *names("stopping rule"))
        if given != ORACLE and (taken or (yours and name in ("uniform", *known))):
            raise InputError(f"a policy is named {name!r} already; give yours another name")
        if isinstance(given, StoppingRule):
            found.rules[name] = [given]
        elif given != ORACLE:
            found.policies[name] = as_policy(given)
        if yours:
            found.own.add(name)
    return found


def _settings(name: str) -> list[StoppingRule]:
    """A stopping rule in all its settings, or in the one that its text says."""
    if not {":", "("} & set(name):
        return sweep(name)
    rule = as_policy(f"uniform+{name}").stopping
    return [] if rule is None else [rule]
