"""Accuracy against cost, one curve a policy: drawn as given, nothing is computed."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from dynlab.analysis.measures import measure_of
from dynlab.explorer.fragments import coarse, cost_name
from dynlab.explorer.state import View
from dynlab.explorer.svg import End, Panel, doubling_whole, margin, nice_ticks, padded
from dynlab.plots.axes import doubling
from dynlab.plots.curves import DASHED_ABOVE
from dynlab.plots.style import LOOKS


def curves_panel(view: View) -> str:
    """Accuracy against cost with intervals, greedy's level, and the budget as a vertical line.

    A line is dashed where more than 5 % of the questions have run out of samples.
    """
    unit = view.setting.unit
    cost = f"spent_{unit}"
    curves = view.curves[view.curves["allocator"] != "greedy"]
    greedy = view.curves[view.curves["allocator"] == "greedy"]
    budget = view.setting.budget * view.material.streams.per_sample(unit)
    costs = [*curves[cost], *greedy[cost].dropna(), budget]
    measure = measure_of(view.curves)
    panel = Panel(
        (min(costs) * 0.95, max(costs) * 1.03),
        padded([*view.curves["low"], *view.curves["high"]]),
        log_x=True,
        right=margin(look.label for look in view.looks.values()),
    )
    ticks = doubling_whole if unit == "samples" else doubling
    panel.axes(ticks(*panel.x), nice_ticks(*panel.y), (cost_name(view), measure))
    ends = []
    named = [(str(name), rows) for name, rows in curves.groupby("allocator", sort=False)]
    # what is picked out lies above the rest
    for name, rows in sorted(named, key=lambda each: each[0] in view.strong):
        look = view.looks[name]
        x, y = rows[cost].to_numpy(float), rows["accuracy"].to_numpy(float)
        low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
        solid = max(int((rows["exhausted"].to_numpy(float) <= DASHED_ABOVE).sum()), 1)
        with panel.of_policy(name, name in view.strong):
            panel.band(x, low, high, look.colour, min(0.09, 0.27 / len(view.spent)))
            panel.line(x[:solid], y[:solid], look.colour)
            panel.line(x[solid - 1 :], y[solid - 1 :], look.colour, dashed=True)
            panel.dots(x, y, look.colour)
        ends.append(End(look.label, look.colour, float(x[-1]), float(y[-1]), name))
    for _, row in greedy.iterrows():
        _greedy(panel, row, cost)
    panel.upright(budget, "dl-budget", f"B = {view.setting.budget:g}")
    panel.ends(ends, view.strong)
    if view.coarse:
        edge = panel.width - panel.right - 4
        ground = panel.height - panel.bottom - 8
        panel.words(edge, ground, coarse(view), "end", style="dl-coarse")
    return panel.svg(f"{measure} against {cost_name(view)}")


def _greedy(panel: Panel, row: pd.Series, cost: str) -> None:
    look, level = LOOKS["greedy"], float(row["accuracy"])
    panel.line(np.array(panel.x), np.array([level, level]), look.colour, wide=1, dashed=True)
    place = panel.x[0] if math.isnan(row[cost]) else float(row[cost])
    panel.line(np.array([place, place]), np.array([row["low"], row["high"]]), look.colour, wide=1.5)
    panel.dots(np.array([place]), np.array([level]), look.colour, size=8)
    panel.words(
        float(panel.at_x(place)) + 7,
        float(panel.at_y(level)) - 6,
        look.label,
        "start",
        colour=look.colour,
    )
