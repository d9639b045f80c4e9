"""Accuracy against cost: a line in its interval for each method.

A plot function draws a frame's columns and nothing else. `plot_…(frame, ax=None)` returns the axes;
`…_grid` returns a figure of panels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab.analysis.measures import measure_of
from dynlab.plots.axes import (
    ONE_COLUMN,
    TWO_COLUMNS,
    log2_axis,
    name_ends,
    name_panel,
    new_panels,
    shared_legend,
)
from dynlab.plots.captions import BANDS, add_caption
from dynlab.plots.style import LOOKS, Look, methods, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHED_ABOVE = 0.05  # share of exhausted questions above which a curve is dashed
_UNITS = ("samples", "tokens", "usd", "depth", "seconds")


def plot_curves(
    curves: pd.DataFrame, *, unit: str | None = None, ax: Axes | None = None, names: bool = True
) -> Axes:
    """Accuracy against cost of one recording: a line a method, greedy as a level of its own.

    A line is dashed where more than 5 % of the questions have run out of samples.

    Args:
        curves: `Comparison.curves` of one recording.
        unit: What the x axis counts: samples, tokens or usd per question, or of the whole run its
            depth, or in the rows of `Comparison.times` its seconds; by default what budgets count.
        ax: Where to draw; by default a new figure, one column wide.
        names: Name the lines at their ends, or in a legend where the names would not fit.

    Raises:
        InputError: The frame is empty, holds several recordings, or its spending in `unit` is
            unknown.
    """
    cost = _cost(curves, unit)
    if curves["recording"].nunique() != 1:
        raise InputError(
            "plot_curves draws one recording, and the frame holds several: use plot_curve_grid"
        )
    with style():
        alone = ax is None
        ax = ax or new_panels(1, 1, width=ONE_COLUMN, height=2.5)[1][0]
        ends = _panel(ax, curves, cost, names)
        if alone:
            add_caption(cast("Figure", ax.figure), *_caption(curves))
        if names and not name_ends(ax, ends):
            ax.legend(loc="lower right")
    return ax


def plot_curve_grid(curves: pd.DataFrame, *, unit: str | None = None, columns: int = 0) -> Figure:
    """Accuracy against cost, a panel a recording, two columns of a page wide."""
    cost = _cost(curves, unit)
    recordings = list(dict.fromkeys(curves["recording"]))
    if len(recordings) == 1:
        return cast("Figure", plot_curves(curves, unit=unit).figure)
    columns = columns or (2 if len(recordings) in (2, 4) else 3)
    rows = math.ceil(len(recordings) / columns)
    order = [look.label for look, _ in methods(curves)]
    with style():
        figure, axes = new_panels(
            rows,
            columns,
            width=TWO_COLUMNS,
            height=1.8 * rows + 0.35 * (len(recordings) == rows * columns),
        )
        for number, (recording, ax) in enumerate(zip(recordings, axes, strict=False)):
            own = curves[curves["recording"] == recording]
            _panel(ax, own, cost, named=False, order=order)
            if number + columns < len(recordings):
                ax.set_xlabel("")
            if number % columns:
                ax.set_ylabel("")
        shared_legend(figure, axes[: len(recordings)], axes[len(recordings) :])
        add_caption(figure, *_caption(curves))
    return figure


def _panel(
    ax: Axes, curves: pd.DataFrame, cost: str, named: bool, order: Sequence[str] = ()
) -> list[tuple[Look, float, float]]:
    """Draws one recording's lines and its greedy level.

    Args:
        ax: Where to draw.
        curves: The rows of the recording.
        cost: Their column of the x axis.
        named: Whether the greedy level is named beside its star.
        order: Labels of the methods of all panels, the one that lies on top first, so that a method
            is as broad in each; by default those of this one.

    Returns:
        The look of each line, and where it ends.
    """
    _level(ax, curves[curves["allocator"] == "greedy"], cost, named)
    paid = curves[curves[cost] > 0]  # what spends nothing has no place on an axis that doubles
    lines = [(look, rows.sort_values(cost)) for look, rows in methods(paid)]
    labels = dict.fromkeys([*order, *(look.label for look, _ in lines)])
    bound = LOOKS["oracle"].label  # it lies above all others, so it need not show below them
    order = [label for label in labels if label != bound]
    for look, rows in lines:
        rank = 0 if look.label == bound else order.index(look.label)
        _line(ax, rows, cost, look, rank, len(order))
    name_panel(ax, curves["recording"].iloc[0])
    ax.set(xlabel=_cost_label(curves, cost), ylabel=measure_of(curves))
    log2_axis(ax, curves[cost])
    return [
        (look, float(rows[cost].iloc[-1]), float(rows["accuracy"].iloc[-1])) for look, rows in lines
    ]


def _caption(curves: pd.DataFrame) -> list[str]:
    """What the marks mean, those that occur."""
    sampled = curves[curves["allocator"] != "greedy"]
    return [
        BANDS,
        "Star and dotted level: one greedy answer (temperature 0) and its interval."
        if len(sampled) < len(curves)
        else "",
        f"Dashed, open markers: more than {DASHED_ABOVE:.0%} of the questions have no recorded"
        " samples left.".replace("%", " %")
        if (sampled["exhausted"] > DASHED_ABOVE).any()
        else "",
        "Lines lie on broader ones, so that equal curves show."
        if len(methods(sampled)) > 2
        else "",
    ]


def _line(ax: Axes, rows: pd.DataFrame, cost: str, look: Look, rank: int, count: int) -> None:
    """One method: a line in its band, dashed where samples have run out; rank 0 lies on top.

    Of more than two lines each is a little broader than the one that lies on it.
    """
    x, y = rows[cost].to_numpy(dtype=float), rows["accuracy"].to_numpy(dtype=float)
    solid = int((rows["exhausted"].to_numpy(dtype=float) <= DASHED_ABOVE).sum())
    low, high = rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float)
    top: dict[str, Any] = {"color": look.colour, "marker": look.marker, "zorder": 3 - rank / 100}
    if count > 2:
        broader = rank * min(0.6, 1.8 / (count - 1))  # points
        top |= {"lw": 1.0 + broader, "ms": 2.8 + 0.9 * broader}
    ax.fill_between(x, low, high, color=look.colour, alpha=min(0.12, 0.3 / count), lw=0)
    ax.plot(x[:solid], y[:solid], label=look.label, **top)
    if solid < len(x):
        start = max(solid - 1, 0)
        ax.plot(x[start:], y[start:], ls=(0, (2.5, 1.5)), mfc="white", **top)


def _level(ax: Axes, greedy: pd.DataFrame, cost: str, named: bool) -> None:
    """Greedy decoding: its interval where it stands in cost, and a level to compare with."""
    look = LOOKS["greedy"]
    for _, row in greedy.iterrows():
        y = float(row["accuracy"])
        around = [[y - float(row["low"])], [float(row["high"]) - y]]
        ax.axhline(y, color=look.colour, lw=0.9, ls=(0, (1, 1.5)), zorder=1.5)
        if math.isnan(row[cost]):
            continue
        paint: dict[str, Any] = {
            "color": look.colour,
            "marker": look.marker,
            "ms": 6,
            "elinewidth": 1,
        }
        ax.errorbar(row[cost], y, around, label=look.label, **paint)
        if named:
            ax.annotate(
                look.label,
                (row[cost], y),
                (5, 3),
                textcoords="offset points",
                color=look.colour,
                fontsize=6.5,
            )


def _cost(curves: pd.DataFrame, unit: str | None) -> str:
    """The column of the x axis."""
    if curves.empty:
        raise InputError(
            "there is nothing to draw: the frame holds no rows; give rows of dynlab.compare"
        )
    unit = unit or str(curves["unit"].iloc[0])
    if unit not in _UNITS:
        raise one_of("unit", unit, _UNITS)
    cost = unit if unit == "depth" else f"spent_{unit}"
    sampled = curves[curves["allocator"] != "greedy"]
    if cost not in sampled:
        raise InputError("these rows tell no seconds: give those of Comparison.times")
    if unit == "seconds" and sampled[cost].isna().any():
        raise InputError(
            "how long a call takes alone is not recorded (calls of a local model share a machine);"
            " draw unit='depth'"
        )
    if sampled[cost].isna().any():
        unknown = ", ".join(sorted(set(sampled.loc[sampled[cost].isna(), "recording"])))
        raise InputError(
            f"what {unknown} spent in {unit} is unknown; draw unit='samples', or give compare a"
            " price"
        )
    return cost


def _cost_label(curves: pd.DataFrame, cost: str) -> str:
    """The name of the x axis, with what its tokens count."""
    if cost != "spent_tokens":
        return {
            "spent_samples": "samples per question",
            "spent_usd": "USD per question",
            "depth": "depth: calls that wait for one another",
            "spent_seconds": "seconds: depth × a call's mean, as recorded",
        }[cost]
    kinds = set(curves["tokens_kind"].dropna())
    return (
        "tokens per"
        f" question\n({'completion only' if kinds == {'completion'} else 'prompt + completion'})"
    )
