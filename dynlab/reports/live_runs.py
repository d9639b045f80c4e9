"""Live runs in words: what each drew, and how long it took."""

from __future__ import annotations

import pandas as pd

from dynlab._util.durations import took
from dynlab.plots.style import methods
from dynlab.reports.wording import Words, bullet_list

NOTHING = Words("No live runs to hold against one another: name two recordings of `dynlab solve`.")


def of_totals(totals: pd.DataFrame) -> Words:
    """A bullet a run.

    Args:
        totals: `dynlab.analysis.live_runs.live_totals`.
    """
    bullets = []
    for look, rows in methods(totals):
        (run,) = rows.to_dict("records")
        told = f"**{look.label}** drew {run['samples']:,} samples for {run['tokens']:,.0f} tokens"
        if pd.notna(run["wall_s"]):
            speed = run["samples"] / run["wall_s"] * 60
            told += f" in {took(run['wall_s'])}, {speed:.0f} samples a minute"
        bullets.append(f"{told}.")
    return bullet_list(bullets)
