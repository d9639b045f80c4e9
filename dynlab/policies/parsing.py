"""Policies from their text form, `NAME[(key=value, …)][+RULE[(key=value, …)]]`.

NAME is an allocator or a weighted vote (on uniform allocation), RULE a stopping rule. Keys are the
fields of their dataclasses; NAME's brackets also take `warmup` and `batch` of the policy:
`ucb(exploration=0.3, batch=8)`, `uniform+esc(window=4)`, `priced`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from dynlab._util.errors import InputError, one_of
from dynlab._util.text_form import settings_in, split
from dynlab.policies.base import Allocator, Component, Setting, StoppingRule, Vote, settings_of
from dynlab.policies.policy import Policy
from dynlab.policies.registry import component_of, read, stopping_rule
from dynlab.policies.uniform import Uniform

_PART = re.compile(r"([^\s():,=]+)(:[^\s():,=]+)?\s*(?:\((.*)\))?", re.DOTALL)
_FORM = "write NAME(key=value, …)+RULE(key=value, …), such as ucb(exploration=0.3) or uniform+esc"
_RUN = {"warmup": 2, "batch": 1}  # settings of the policy that stand in its first brackets
_KINDS = ("allocator", "vote", "stopping rule")


@dataclass(frozen=True)
class Defaults:
    """Settings for policies that do not set them themselves; None = the policy's own default.

    `exploration` and `uncertainty` go to allocators that have them, `stopping` is the text form of
    a rule.
    """

    exploration: float | None = None
    uncertainty: str | None = None
    warmup: int | None = None
    batch: int | None = None
    stopping: str | None = None

    def of(self, component: Component) -> dict[str, Setting]:
        """The settings that a component takes from here."""
        given = {"exploration": self.exploration, "uncertainty": self.uncertainty}
        own = settings_of(component)
        return {key: value for key, value in given.items() if value is not None and key in own}

    @property
    def run(self) -> dict[str, Any]:
        """The warm-up and batch given here."""
        given = {"warmup": self.warmup, "batch": self.batch}
        return {key: value for key, value in given.items() if value is not None}


OWN = Defaults()


def parse_policy(text: str, defaults: Defaults = OWN) -> Policy:
    """The policy of a text form.

    >>> parse_policy("uniform + esc(window=4)").text
    'uniform+esc(window=4)'

    Raises:
        InputError: an unknown name or setting, or a value that cannot work.
    """
    names, *others = split(text, "+") or [""]
    first, settings = _component(names, _KINDS, (*_RUN,))
    run = {key: int(settings.pop(key)) for key in _RUN if key in settings}
    parts = [type(first)(**(defaults.of(first) | settings))]
    for other in others:
        if other == "none":
            defaults = Defaults(warmup=defaults.warmup, batch=defaults.batch)
            continue
        part, own = _component(other, ("stopping rule", "vote"))
        parts.append(type(part)(**own))
    kinds = [part.kind for part in parts]
    if len(set(kinds)) < len(kinds):
        raise InputError(f"policy {text!r} has two parts of one kind; {_FORM}")
    by_kind: dict[str, Any] = dict(zip(kinds, parts, strict=True))
    allocator = by_kind.get("allocator", Uniform())
    rule = by_kind.get("stopping rule", _rule(defaults))
    return Policy(allocator, rule, vote=by_kind.get("vote"), **(defaults.run | run))


def as_policy(
    policy: str | Policy | Allocator | StoppingRule | Vote, defaults: Defaults = OWN
) -> Policy:
    """A policy from its text form or from a part of it; a `Policy` stays as it is.

    A stopping rule or a vote alone goes with uniform allocation.

    Raises:
        InputError: as `parse_policy`; or it is none of these.
    """
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, str):
        return parse_policy(policy, defaults)
    if isinstance(policy, Allocator):
        return Policy(policy, _rule(defaults), **defaults.run)
    if isinstance(policy, StoppingRule):
        return Policy(Uniform(), policy, **defaults.run)
    if isinstance(policy, Vote):
        return Policy(Uniform(), _rule(defaults), vote=policy, **defaults.run)
    raise InputError(
        f"a policy is a text such as 'ucb(exploration=0.3)', a Policy, an Allocator or a"
        f" StoppingRule; not {policy!r}"
    )


def split_policies(text: str) -> list[str]:
    """The text forms of a list with commas.

    >>> split_policies("uniform, ucb(exploration=0.3, warmup=4)")
    ['uniform', 'ucb(exploration=0.3, warmup=4)']
    """
    return split(text, ",")


def _rule(defaults: Defaults) -> StoppingRule | None:
    if not defaults.stopping or defaults.stopping == "none":
        return None
    rule, settings = _component(defaults.stopping, ("stopping rule",))
    return cast(StoppingRule, type(rule)(**settings))


def _component(
    text: str, kinds: tuple[str, ...], more: tuple[str, ...] = ()
) -> tuple[Component, dict[str, Any]]:
    """The component that a part of a text form names, with its defaults, and the settings given."""
    found = _PART.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is no policy; {_FORM}")
    name, colon, inside = found.groups()
    component = component_of(name, kinds)
    own = settings_of(component)
    settings: dict[str, Any] = {}
    if colon:
        if not isinstance(component, StoppingRule):
            raise InputError(f"{name} takes its settings in brackets; {_FORM}")
        swept = component.swept
        settings[swept] = settings_of(stopping_rule(f"{name}{colon}"))[swept]
    for key, value in settings_in(inside or "", name).items():
        if key not in own and key not in more:
            raise one_of(f"setting of {name}", key, (*own, *more))
        if key in settings:
            raise InputError(f"{key} of {name} stands twice in {text!r}; give it once")
        settings[key] = read(name, key, value, {**_RUN, **own}[key])
    return component, settings
