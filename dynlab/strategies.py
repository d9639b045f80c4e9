"""Strategies: how the next sample of one question is drawn, as the earlier samples that it is shown (its parents).

Parents depend on the sample's index alone, never on arrival or answers: so a recorded stream replays exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from dynlab.errors import InputError, one_of
from dynlab.types import Strategy


@dataclass(frozen=True)
class Parallel:
    """Independent samples: self-consistency (Wang et al. 2022, arXiv 2203.11171) when a plurality decides.

    >>> Parallel().parents(3)
    ()
    """

    name: ClassVar[str] = "parallel"

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """() for every sample."""
        return ()


@dataclass(frozen=True)
class Sequential:
    """Sequential revision: sample i is shown all earlier ones of its stream, or the last `num_shown` of them.

    >>> Sequential().parents(3), Sequential(num_shown=2).parents(3)
    ((0, 1, 2), (1, 2))
    """

    name: ClassVar[str] = "sequential"
    num_shown: int | None = None

    def __post_init__(self) -> None:
        _at_least_one("num_shown", self.num_shown)

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """The indices right before `sample_index`, oldest first."""
        first = 0 if self.num_shown is None else max(0, sample_index - self.num_shown)
        return tuple(range(first, sample_index))


@dataclass(frozen=True)
class Integrated:
    """Integrated parallel–sequential sampling, after DynScaling (Wang et al. 2025, arXiv 2506.16043).

    Samples 0 … width − 1 are independent; each later one continues a synthetic chain made of them. Which of them make
    up the chain and in which order is our choice: all of them, as drawn.

    >>> [Integrated(width=2).parents(i) for i in range(4)]
    [(), (), (0, 1), (0, 1)]
    """

    name: ClassVar[str] = "integrated"
    width: int = 4

    def __post_init__(self) -> None:
        _at_least_one("width", self.width)

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """() for the independent samples, else the indices of all of these."""
        return () if sample_index < self.width else tuple(range(self.width))


STRATEGIES: dict[str, type[Parallel] | type[Sequential] | type[Integrated]] = {
    kind.name: kind for kind in (Parallel, Sequential, Integrated)
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


def _at_least_one(name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise InputError(f"{name} is {value}: give a whole number of at least 1")
