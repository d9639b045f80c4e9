"""Stopping rules over their settings: a rule becomes the curve of one setting of it.

A setting is run to its own end, without a budget: it spends what it spends. Every curve starts at
one sample for each question. Between two settings it is straight, which a user can have too: a
share of the questions is run under the one, the rest under the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynlab.policies.base import StoppingRule
from dynlab.policies.votes import Tally
from dynlab.recordings.streams import Flags, Floats, Streams
from dynlab.replay.draws import Draws
from dynlab.replay.loop import Curve
from dynlab.replay.replications import summed


@dataclass(frozen=True)
class _One(StoppingRule):
    """One sample for every question: the least that any rule can be set to."""

    name: ClassVar[str] = "one"

    def stops(self, tally: Tally) -> Flags:
        return np.asarray(tally.seen.pulls >= 1)


def curves_of(
    streams: Streams,
    rules: Mapping[str, Sequence[StoppingRule]],
    *,
    unit: str,
    replications: int,
    seed: int,
) -> dict[str, Curve]:
    """The curve of every rule on the draws of `replay`, cheapest setting first.

    Args:
        rules: Name → the rule in each of its settings.
        unit: What budgets count; a checkpoint's budget is what its setting spends, in a sample's
            mean price.

    Raises:
        InputError: the unit's prices are not known.
    """
    rules = {name: [_One(), *settings] for name, settings in rules.items()}
    listed = [(name, rule) for name, settings in rules.items() for rule in settings]
    sums = summed(
        _ended,
        [rule for _, rule in listed],
        streams,
        unit=unit,
        replications=replications,
        seed=seed,
        profiles=any(rule.profiles for _, rule in listed),
    )
    means = [
        (name, _mean(total, replications)) for (name, _), total in zip(listed, sums, strict=True)
    ]
    price = streams.per_sample(unit)
    return {
        name: _curve([mean for own, mean in means if own == name], unit, price) for name in rules
    }


def _ended(rule: StoppingRule, draws: Draws) -> dict[str, Floats]:
    """Sums over replications where every question has ended: [Q] each, depth alone."""
    lengths = draws.tally.lengths  # [R, Q]
    depth = np.arange(len(draws.tally.seen.pulls))[:, None, None]
    stops = rule.stops(draws.tally) & (depth > 0)
    at = np.where(stops.any(axis=0), np.minimum(stops.argmax(axis=0), lengths), lengths)
    here = (at, np.arange(len(at))[:, None], np.arange(at.shape[1]))
    return {
        **{unit: table[here].sum(axis=0) for unit, table in draws.spent.items()},
        "accuracy": rule.right(draws.tally)[here].sum(axis=0, dtype=float),
        "exhausted": ((at >= lengths) & ~stops[here]).sum(axis=0).astype(float),
        "depth": np.asarray(rule.rounds(at).max(axis=1).sum(dtype=float)),
    }


def _mean(total: Mapping[str, Floats], replications: int) -> dict[str, Floats]:
    return {name: values / replications for name, values in total.items()}


def _curve(settings: Sequence[Mapping[str, Floats]], unit: str, price: float) -> Curve:
    budgets = np.array([setting[unit].mean() / price for setting in settings])
    order = np.argsort(budgets, kind="stable")
    table = {name: np.stack([settings[k][name] for k in order]) for name in settings[0]}
    spent = {name: table[name] for name in ("samples", "tokens", "usd")}
    ended = np.ones(len(order))
    return Curve(
        budgets[order], table["accuracy"], spent, table["exhausted"], table["depth"], ended
    )
