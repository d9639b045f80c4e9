"""Strategies by name and by text form, `integrated(width=4, order=shuffled)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import cast

from dynlab._util.errors import InputError, one_of
from dynlab._util.text_form import parsed_call
from dynlab.strategies.base import Strategy
from dynlab.strategies.integrated import Integrated
from dynlab.strategies.parallel import Parallel
from dynlab.strategies.recursive import Recursive
from dynlab.strategies.sequential import Sequential

STRATEGIES: dict[str, type[Parallel | Sequential | Integrated | Recursive]] = {
    kind.name: kind for kind in (Parallel, Sequential, Integrated, Recursive)
}
Value = int | bool | str | None  # of a parameter


def by_name(name: str, **parameters: Value) -> Strategy:
    """The strategy of that name: by_name('integrated', width=2) → Integrated(width=2).

    Raises:
        InputError: the name or a parameter is unknown, or a parameter is out of range.
    """
    if name not in STRATEGIES:
        raise one_of("strategy", name, STRATEGIES)
    known = [field.name for field in fields(STRATEGIES[name])]
    for parameter in parameters:
        if parameter not in known:
            raise one_of(f"parameter of strategy {name!r}:", parameter, known)
    make = cast("Callable[..., Strategy]", STRATEGIES[name])
    return make(**parameters)


def as_strategy(strategy: str | Strategy) -> Strategy:
    """A strategy from its text form; an object stays as it is.

    >>> as_strategy("integrated(width=2, finals_only=true)")  # doctest: +ELLIPSIS
    Integrated(who='all', num_shown=None, order='drawn', shown='listed', finals_only=True, ...

    Raises:
        InputError: as `by_name`; or the text is not NAME(key=value, …).
    """
    if not isinstance(strategy, str):
        return strategy
    name, settings = parsed_call(strategy)
    return by_name(name, **{key: _read(key, value) for key, value in settings.items()})


def _read(key: str, value: str) -> Value:
    """A setting's value: a whole number, true, false, none, or a word."""
    words = {"true": True, "false": False, "none": None}
    if value.lower() in words:
        return words[value.lower()]
    try:
        return int(value)
    except ValueError:
        if value[:1].isdigit():
            raise InputError(f"{key} is {value}: give a whole number") from None
        return value
