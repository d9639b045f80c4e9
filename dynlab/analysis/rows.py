"""Rows of the tables of a comparison: a method's numbers at its budgets, with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynlab._util.values import GREEDY
from dynlab.analysis.methods import Method, plays_as
from dynlab.analysis.metrics import NOT_TOLD, Estimate, difference, estimates, saving_at
from dynlab.analysis.replays import Replays, Setup
from dynlab.analysis.resamples import Resamples
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import Floats
from dynlab.replay.loop import Curve

Row = dict[str, Any]

_METHOD = [
    "recording",
    "strategy",
    "allocator",
    "uncertainty",
    "exploration",
    "warmup",
    "batch",
    "stopping",
    "unit",
    "tokens_kind",
]
_DRAWS = ["replications", "seed"]
_SPENT = ["spent_samples", "spent_tokens", "spent_usd"]
_SAVING = ["at", "saving", "low", "high", "reached", "flat"]
_DIFFERENCE = ["at", "difference", "low", "high"]
# of policies on one strategy
CURVES = [*_METHOD, "budget", *_SPENT, "depth", "exhausted", "accuracy", "low", "high", *_DRAWS]
SAVINGS = [*_METHOD, *_SAVING, *_DRAWS]
DIFFERENCES = ["recording", "strategy", "allocator", "unit", *_DIFFERENCE, *_DRAWS]
# of methods on several strategies
_AGAINST = ["recording", "strategy", "allocator", "method", "against", "questions", "unit"]
METHOD_CURVES = [*CURVES, "method", "questions"]
METHOD_SAVINGS = [*_AGAINST, *_SAVING, *_DRAWS]
METHOD_DIFFERENCES = [*_AGAINST, *_DIFFERENCE, "unchained", *_DRAWS]
GREEDY_VOTE = [
    "recording",
    "strategy",
    "at",
    "greedy",
    "vote",
    "difference",
    "low",
    "high",
    *_DRAWS,
]
HALF_WAIT = 1.5  # the mean depth where half of the replications have a call that waits


def described(method: Method, setup: Setup) -> Row:
    """What every row says of its method and of its draws."""
    row = method.columns() | {"method": method.name, "questions": method.streams.num_questions}
    row |= {"measure": method.streams.measure}
    return row | {"unit": setup.unit, "replications": setup.replications, "seed": setup.seed}


def curve_rows(method: Method, curve: Curve, resamples: Resamples, setup: Setup) -> list[Row]:
    """A row a budget, to the curve's end: where no replication can spend more.

    The end point of a method that gives up is kept; one that plans for its budget has no end.
    """
    ended = curve.unspent >= 1
    last = len(ended)
    if ended.any() and not method.plans:
        last = int(ended.argmax()) + method.gives_up
    shared = described(method, setup)
    return [
        shared
        | {
            "budget": curve.budgets[c],
            "depth": curve.depth[c],
            "exhausted": curve.exhausted[c].mean(),
        }
        | {f"spent_{unit}": spent[c].mean() for unit, spent in curve.spent.items()}
        | interval("accuracy", estimate)
        for c, estimate in enumerate(estimates(curve.accuracy, resamples)[:last])
    ]


def greedy_row(
    recording: Recording, method: Method, accuracy: Floats, resamples: Resamples, setup: Setup
) -> Row:
    """The row of the greedy answers on the questions of a method: accuracy [Q]."""
    frame = recording.greedy
    counts = [
        frame[name].astype(float).mean()
        for name in ("prompt_tokens", "completion_tokens")
        if name in frame
    ]
    known = np.array(counts)[~np.isnan(counts)]
    return (
        described(Method(GREEDY, GREEDY, None, method.streams), setup)
        | {"strategy": GREEDY, "budget": 1.0, "depth": 1.0, "exhausted": 0.0, "spent_samples": 1.0}
        | {"spent_tokens": known.sum() if known.size else np.nan}
        | {"spent_usd": frame["cost_usd"].mean() if "cost_usd" in frame else np.nan}
        | interval("accuracy", estimates(accuracy[None], resamples)[0])
    )


def saving_row(
    method: Method, curve: Curve, reference: Curve, at: float, own: Replays, *, told: bool
) -> Row:
    """What a method saves at the accuracy that the reference has at B, both on one dense grid.

    NaN where it cannot be `told`.
    """
    found = saving_at(curve, reference, at, own.setup.unit, own.resamples)
    return (
        described(method, own.setup)
        | {"at": at, "reached": found.reached, "flat": found.flat}
        | interval("saving", found.saving if told else NOT_TOLD)
    )


def difference_row(method: Method, curve: Curve, reference: Curve, c: int, own: Replays) -> Row:
    """A method's accuracy at the c-th budget minus the reference's, on one grid; see
    `none_chained`.
    """
    gap = difference(curve.accuracy[c], reference.accuracy[c], own.resamples)
    row = described(method, own.setup) | {"against": own.reference.name, "at": curve.budgets[c]}
    row["unchained"] = none_chained((method, curve), (own.reference, reference), c)
    return row | interval("difference", gap)


def none_chained(one: tuple[Method, Curve], other: tuple[Method, Curve], c: int) -> bool:
    """Whether no chain makes the difference of two methods at the c-th budget.

    It is so where one policy draws two strategies, one of which has chains, and in most
    replications no call waits for another yet. Without targets the whole of a stream, its chains
    too, says what is right, so that it is not.
    """
    (method, curve), (reference, against) = one, other
    both = (method.streams, reference.streams)
    chains = both[0] is not both[1] and any(each.path.max() > 1 for each in both)
    early = max(curve.depth[c], against.depth[c]) < HALF_WAIT
    alike = reference.streams.has_target and plays_as(method.policy, reference.policy)
    return bool(chains and early and alike)


def interval(name: str, estimate: Estimate) -> Row:
    """The columns of a number with its interval."""
    return {name: estimate.value, "low": estimate.low, "high": estimate.high}
