"""Time in words: how many calls wait for one another, and what that takes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from dynlab._util.durations import took
from dynlab.plots.style import methods
from dynlab.reports.wording import Words, bullet_list, over, worth_of


def of_times(times: pd.DataFrame) -> Words:
    """A bullet on depth and, where latencies are recorded, on wall-clock time.

    Args:
        times: `Comparison.times`.
    """
    sampled = times[times["allocator"] != "greedy"]
    budgets = sorted(sampled["budget"].unique())
    middle = budgets[len(budgets) // 2]
    here = {look.label: rows[rows["budget"] == middle] for look, rows in methods(sampled)}
    here = {label: rows for label, rows in here.items() if len(rows)}
    calls = {label: f"{rows['depth'].mean():,.0f}" for label, rows in here.items()}
    said = (
        f"**What it takes in time.** At {middle:g} {worth_of(sampled)} per question the longest"
        f" path of calls that wait for one another has{over(next(iter(here.values())))}"
        f" {_listed(calls)} calls"
    )
    seconds = {label: float(rows["spent_seconds"].mean()) for label, rows in here.items()}
    if not any(map(math.isnan, seconds.values())):
        latency_s = pd.concat(here.values())["latency_s"].mean()
        told = _listed({label: _read(each) for label, each in seconds.items()})
        said += (
            f"; at {latency_s:.2g} s a call, as recorded, that is {told}, if as many calls run at"
            " once as are ready and none is slower for it. Larger rounds (`batch`) are shorter"
            " paths"
        )
    return bullet_list([f"{said}."])


def _listed(by_label: Mapping[str, str]) -> str:
    """'1 (uniform), 720 (UCB)'."""
    return ", ".join(f"{value} ({label})" for label, value in by_label.items())


def _read(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else took(seconds)
