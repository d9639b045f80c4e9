"""The flags that choose a strategy and its parameters, for every command that draws samples."""

from __future__ import annotations

import argparse

from dynlab.strategies.attempts import OPTIONS
from dynlab.strategies.base import Strategy
from dynlab.strategies.registry import STRATEGIES, by_name

_CHOICES = {
    "who": "who of the earlier attempts is shown",
    "order": "in which order",
    "shown": "in the question, or as the model's own words that it goes on from",
    "later": "what chains after the first round are made of",
    "voting": "which responses vote",
}
_COUNTS = {
    "width": ("W", "independent responses before a chain (4); RSA: the population (16)"),
    "chain": ("C", "chained responses before the next round (no end)"),
    "rounds": ("R", "rounds of independent and chained responses (no end); RSA: loops (10)"),
    "num-shown": ("K", "how many attempts --who last or random shows"),
}


def add(command: argparse.ArgumentParser) -> None:
    """Adds --strategy and a flag for each parameter of a strategy; what is not given keeps its
    default.
    """
    command.add_argument(
        "--strategy", default="parallel", help=f"{', '.join(STRATEGIES)} (parallel)"
    )
    group = command.add_argument_group("the strategy's parameters, all recorded")
    for name, (metavar, text) in _COUNTS.items():
        group.add_argument(f"--{name}", type=int, metavar=metavar, help=text)
    for name, text in _CHOICES.items():
        group.add_argument(
            f"--{name}", metavar="|".join(OPTIONS[name]), help=f"{text} ({OPTIONS[name][0]})"
        )
    group.add_argument(
        "--finals-only", action="store_true", default=None, help="show final answers, not responses"
    )


def chosen(given: argparse.Namespace) -> Strategy:
    """The strategy that the flags describe.

    Raises:
        InputError: its name or a value is unknown, or it has no such parameter.
    """
    names = (*(name.replace("-", "_") for name in _COUNTS), *_CHOICES, "finals_only")
    parameters = {name: value for name in names if (value := getattr(given, name)) is not None}
    return by_name(given.strategy, **parameters)
