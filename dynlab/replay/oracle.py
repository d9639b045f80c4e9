"""The hindsight oracle: what could be reached by who knew the answers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dynlab.recordings.streams import Floats, Streams
from dynlab.replay.draws import Draws
from dynlab.replay.loop import Curve, averaged
from dynlab.replay.replications import summed


def oracle(
    streams: Streams,
    budgets: Floats,
    *,
    unit: str = "samples",
    replications: int = 200,
    seed: int = 0,
) -> Curve:
    """The hindsight oracle, a bound and never a policy: it knows target and order of the draws.

    The smallest n of each question at which the target is among the leaders, credited 1; cheapest
    first, no warm-up.
    """
    limits = np.asarray(budgets, float) * streams.per_sample(unit) * streams.num_questions
    how: dict[str, Any] = {"unit": unit, "replications": replications, "seed": seed}
    (sums,) = summed(partial(_reached, unit=unit), [limits], streams, **how)
    return averaged(np.asarray(budgets, float), sums, replications)


def _reached(limits: Floats, draws: Draws, unit: str) -> dict[str, Floats]:
    """Sums over the replications of some draws, at each limit."""
    reachable = draws.tally.right > 0
    smallest = np.where(reachable.any(axis=0), reachable.argmax(axis=0), 0)  # [R, Q]
    rows = np.arange(len(smallest))[:, None]
    columns = np.arange(smallest.shape[1])
    cost = np.where(smallest > 0, draws.spent[unit][smallest, rows, columns], np.inf)
    order = np.argsort(cost, axis=1, kind="stable")
    ascending = np.take_along_axis(cost, order, axis=1)
    total = np.empty_like(cost)
    np.put_along_axis(total, order, np.cumsum(ascending, axis=1), axis=1)
    chosen = total <= limits[:, None, None] * (1 + 1e-9)  # [C, R, Q]
    at = np.where(chosen, smallest, 0)
    part = {name: table[at, rows, columns].sum(axis=1) for name, table in draws.spent.items()}
    return part | {
        "accuracy": chosen.sum(axis=1).astype(float),
        "exhausted": np.zeros(part["samples"].shape),
        "depth": at.max(axis=2).sum(axis=1).astype(float),
        "unspent": np.zeros(len(limits)),
    }
