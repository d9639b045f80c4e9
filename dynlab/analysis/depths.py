"""What a strategy is worth when calls may wait for few others: accuracy at bounded depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from dynlab.analysis.comparison import At, Comparison
from dynlab.analysis.methods import Method
from dynlab.analysis.metrics import difference, estimates
from dynlab.analysis.replays import Replays
from dynlab.analysis.rows import Row, described, interval, none_chained
from dynlab.recordings.streams import Floats, Streams
from dynlab.replay.loop import Curve

DEPTHS = [
    "recording",
    "strategy",
    "method",
    "questions",
    "unit",
    "at",
    "depth",
    "spent_tokens",
    "accuracy",
    "low",
    "high",
    "lead",
    "lead_low",
    "lead_high",
    "unchained",
    "replications",
    "seed",
]


def at_depth(
    comparison: Comparison, depths: Iterable[int] = (1, 2, 4, 8, 16), at: At = None
) -> pd.DataFrame:
    """Accuracy of every method when no call may wait for more than depth − 1 others (`DEPTHS`).

    A strategy leaves out what would come later, and spends what it can. `lead` is its accuracy
    minus the best other one's in the same cell, paired over questions, `unchained` where neither of
    these two has a chained sample yet at that B, however long calls may wait. At a B that a
    strategy could not spend at any depth, for want of recorded samples, it has no row, and where
    fewer than two are left nothing is compared.

    Args:
        comparison: Of strategies, as `dynlab.contrast` gives it.
        depths: Calls in a row, 1 = none waits.
        at: B, one or several; by default the comparison's budgets.
    """
    budgets = comparison.budgets_at(at)
    rows: list[Row] = []
    for own in comparison.replays:
        unbounded = own.curves(budgets)
        played: dict[tuple[str, int], Curve] = {}
        for depth in depths:
            curves = _within(own, depth, budgets, played)
            for c, budget in enumerate(budgets):
                told = {
                    method: curve
                    for method, curve in zip(own.methods, curves, strict=True)
                    if unbounded[method.name].unspent[c] < 1
                }
                for method in told if len(told) > 1 else ():
                    cell = described(method, own.setup) | {"at": budget, "depth": depth}
                    rows.append(cell | _cell(method, told, unbounded, c, own))
    return pd.DataFrame(rows, columns=DEPTHS)


def _cell(
    method: Method,
    told: Mapping[Method, Curve],
    unbounded: Mapping[str, Curve],
    c: int,
    own: Replays,
) -> Row:
    """A method's accuracy at the c-th budget, and its lead over the best of the others.

    Args:
        method: One of those that are told.
        told: The methods' curves at bounded depth.
        unbounded: Without the bound, by name.
        c: Which budget.
        own: The replays that the methods are of.
    """
    others = (each for each in told if each is not method)
    best = max(others, key=lambda other: told[other].accuracy[c].mean())
    values = told[method].accuracy[c]
    lead = difference(values, told[best].accuracy[c], own.resamples)
    pair = (method, unbounded[method.name]), (best, unbounded[best.name])
    return {
        "spent_tokens": told[method].spent["tokens"][c].mean(),
        "lead": lead.value,
        "lead_low": lead.low,
        "lead_high": lead.high,
        "unchained": none_chained(*pair, c),
    } | interval("accuracy", estimates(values[None], own.resamples)[0])


def _within(
    own: Replays, depth: int, budgets: Floats, played: dict[tuple[str, int], Curve]
) -> list[Curve]:
    """The methods' curves without samples whose calls would wait for `depth` others or more.

    Args:
        played: The curves so far, by a method's name and how many samples of its streams are left:
            depths that leave as many share one replay. What is lacking is added.
    """
    cut = {id(method.streams): _cut(method.streams, depth) for method in own.methods}
    methods = [replace(method, streams=cut[id(method.streams)]) for method in own.methods]
    keys = [(method.name, method.streams.codes.shape[2]) for method in methods]
    lacking = {key: method for key, method in zip(keys, methods, strict=True) if key not in played}
    if lacking:
        left = tuple(lacking.values())
        # budgets go on counting the reference's samples as they are without the bound
        curves = Replays(own.recording, left, left[0], own.setup, own.price).curves(budgets)
        played |= {key: curves[method.name] for key, method in lacking.items()}
    return [played[key] for key in keys]


def _cut(streams: Streams, depth: int) -> Streams:
    kept = np.flatnonzero(streams.path[0] <= depth)
    return replace(
        streams,
        codes=streams.codes[:, :, kept],
        tokens=streams.tokens[:, :, kept],
        cost_usd=streams.cost_usd[:, :, kept],
        logprob=streams.logprob[:, :, kept],
        path=streams.path[np.ix_(kept, kept)],
    )
