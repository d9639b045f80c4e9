"""Strategies: how the next sample of one question is drawn, from the earlier samples of its stream."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from dynlab._util.errors import one_of
from dynlab._util.values import Strategy
from dynlab.strategies.integrated import Integrated
from dynlab.strategies.parallel import Parallel
from dynlab.strategies.recursive import Recursive
from dynlab.strategies.sequential import Sequential

STRATEGIES: dict[str, type[Parallel] | type[Sequential] | type[Integrated] | type[Recursive]] = {
    kind.name: kind for kind in (Parallel, Sequential, Integrated, Recursive)
}


def by_name(name: str, **parameters: Any) -> Strategy:
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
    return STRATEGIES[name](**parameters)
