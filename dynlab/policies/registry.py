"""Policies by name: every class of this package that is marked `@register`, and other packages'.

A file in `dynlab/policies/` is found by being there; another package announces its module by an
entry point of the group `dynlab.policies`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from threading import RLock
from typing import Any, TypeVar, cast

from dynlab._util.errors import InputError, one_of
from dynlab.policies.base import Allocator, Component, Setting, StoppingRule, Vote, settings_of

_Kind = TypeVar("_Kind", bound=Component)

GROUP = "dynlab.policies"
# in the order that policies are listed in; other modules follow by name
_FIRST = (
    "uniform",
    "ucb",
    "thompson",
    "uncertainty_greedy",
    "knowledge_gradient",
    "uncertainty_aware",
    "elimination",
    "vote_gain",
    "sequential_halving",
    "priced",
    "stopping",
    "weighted_votes",
)
_registered: dict[str, type[Component]] = {}
_searched: list[str] = []
_searching = RLock()


def register(component: type[_Kind]) -> type[_Kind]:
    """Makes an allocator, a stopping rule or a vote known by its `name`, wherever one is named.

    Raises:
        InputError: the name is taken or no name, or a setting has no default.
    """
    if not component.__module__.startswith(f"{GROUP}."):
        _search()  # dynlab's own come first
    name = str(vars(component).get("name", ""))
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise InputError(
            f"{component.__name__} has the name {name!r}; give it one of small letters, digits and"
            " hyphens, as in `name = 'mine'`"
        )
    held = _registered.get(name)
    if held is not None and (held.__module__, held.__qualname__) != (
        component.__module__,
        component.__qualname__,
    ):
        raise InputError(
            f"the name {name!r} is {held.__qualname__}'s already; give {component.__name__} another"
        )
    lacking = [*sorted(component.__abstractmethods__)]
    if is_dataclass(component):
        lacking += [
            field.name
            for field in fields(component)
            if field.default is MISSING and field.default_factory is MISSING
        ]
    if lacking:
        raise InputError(
            f"{component.__name__} lacks {', '.join(lacking)}: write every abstract method, and"
            " give every setting a default"
        )
    own: list[str] = [each.name for each in fields(component)] if is_dataclass(component) else []
    taken = [name for name in own if name in ("warmup", "batch")]
    if taken:
        raise InputError(
            f"{component.__name__} has a setting {taken[0]!r}, which is one of every policy: give"
            " it another name"
        )
    _registered[name] = component
    return component


def names(kind: str) -> tuple[str, ...]:
    """The names of all of a kind: 'allocator', 'stopping rule' or 'vote'.

    >>> names("vote")
    ('cisc', 'deepconf')
    """
    _search()
    return tuple(name for name, component in _registered.items() if component.kind == kind)


def allocator(name: str, **settings: Setting) -> Allocator:
    """The allocator of a name, with its defaults but for the settings given."""
    return cast(Allocator, _made("allocator", name, settings))


def vote(name: str, **settings: Setting) -> Vote:
    """The weighted vote of a name, with its defaults but for the settings given."""
    return cast(Vote, _made("vote", name, settings))


def stopping_rule(name: str, **settings: Setting) -> StoppingRule:
    """The stopping rule of a name, with its defaults or as set behind a colon.

    >>> stopping_rule("doubling"), stopping_rule("esc:4")
    (Doubling(threshold=0.75), EarlyStopping(window=4, most=40))
    """
    name, colon, setting = name.partition(":")
    rule = cast(StoppingRule, _made("stopping rule", name, settings))
    if not colon:
        return rule
    if not rule.swept:
        raise InputError(f"{name} has no setting to stand behind a colon; not {setting!r}")
    value = read(name, rule.swept, setting, rule.parameters[rule.swept], rule.grid[0])
    return cast(StoppingRule, replace(cast(Any, rule), **{rule.swept: value}))


def sweep(name: str) -> list[StoppingRule]:
    """The stopping rule at every value of its `grid`, or as it is where it has none.

    >>> [rule.threshold for rule in sweep("doubling")][:2]
    [1.0, 0.95]
    """
    rule = stopping_rule(name)
    made = partial(replace, cast(Any, rule))
    return [made(**{rule.swept: value}) for value in rule.grid] or [rule]


def component_of(name: str, kinds: tuple[str, ...]) -> Component:
    """The component of a name, of one of these kinds; an unknown name is refused by the nearest."""
    _search()
    found = _registered.get(name)
    if found is None or found.kind not in kinds:
        options = [known for kind in kinds for known in names(kind)]
        raise one_of(kinds[0], name, options)
    return found()


def read(
    name: str, key: str, text: str, default: Setting, example: Setting | None = None
) -> Setting:
    """A setting from its text, of the type that its default has.

    Raises:
        InputError: it is no such value.
    """
    if isinstance(default, bool):
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise InputError(f"{name} is set by its {key}, true or false; not {text!r}")
    if isinstance(default, int | float):
        try:
            return type(default)(text)
        except ValueError:
            shown = f"{default if example is None else example:g}"
            raise InputError(
                f"{name} is set by its {key}, such as {name}:{shown}; not {text!r}"
                if example is not None
                else f"{name} is set by its {key}, such as {key}={shown}; not {text!r}"
            ) from None
    return text


def _made(kind: str, name: str, settings: Mapping[str, Setting]) -> Component:
    kinds = ("allocator", "vote") if kind == "allocator" else (kind,)
    component = component_of(name, kinds)
    if component.kind != kind:
        raise InputError(f"{name} is a {component.kind}, no {kind}")
    for key in settings:
        if key not in settings_of(component):
            raise one_of(f"setting of {name}", key, settings_of(component))
    return type(component)(**settings)


def _search() -> None:
    """Imports every module of this package, then those that other packages announce; once."""
    with _searching:
        if _searched:
            return
        held = sorted(module.name for module in iter_modules([str(Path(__file__).parent)]))
        _searched.extend(held)
        order = [*_FIRST, *(name for name in held if name not in _FIRST)]
        for module in order:
            import_module(f"{GROUP}.{module}")
        # a module that was imported before the others registered too early
        rank = {f"{GROUP}.{module}": position for position, module in enumerate(order)}
        components = sorted(_registered.items(), key=lambda item: rank[item[1].__module__])
        _registered.clear()
        _registered.update(components)
        for entry in entry_points(group=GROUP):
            try:
                entry.load()
            except Exception as error:  # another package's mistake must not stop this one
                warnings.warn(f"policies of {entry.value} are left out: {error!r}", stacklevel=2)
