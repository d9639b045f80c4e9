"""Small multiples of lines, and rows of dots, in their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.plots.axes import (
    ONE_COLUMN,
    TWO_COLUMNS,
    draw_interval,
    log2_axis,
    name_panel,
    new_panels,
    shared_legend,
)
from dynlab.plots.captions import BANDS, BARS, add_caption, at_budgets
from dynlab.plots.style import Look, look_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 3  # panels in a row
_LEGEND = 80  # letters of a legend's row, marks included


def plot_lines(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    ax: Axes,
    lines: str = "allocator",
    log2: bool = False,
    steps: bool = False,
    zero: bool = False,
) -> Axes:
    """A line in its interval (columns low, high) for each value of the column `lines`.

    Args:
        frame: One panel's rows.
        x: The column of the x axis.
        y: The column of the y axis.
        ax: Where to draw.
        lines: Whose look each line has: an allocator, or an uncertainty.
        log2: Ticks of the x axis double.
        steps: The values of x stand side by side, each as far from the next.
        zero: Draw the level zero.
    """
    names, values = list(dict.fromkeys(frame[lines])), sorted(frame[x].unique())
    if zero:
        ax.axhline(0, color="#333333", lw=0.8, zorder=1)
    for rank, name in enumerate(names):
        look, rows = look_of(name), frame[frame[lines] == name].sort_values(x)
        paint: dict[str, Any] = {"color": look.colour, "zorder": 3 - rank / 100}
        where = [values.index(value) for value in rows[x]] if steps else rows[x]
        ax.fill_between(
            where,
            rows["low"],
            rows["high"],
            color=look.colour,
            alpha=min(0.12, 0.3 / len(names)),
            lw=0,
        )
        ax.plot(where, rows[y], marker=look.marker, label=look.label, **paint)
    if log2:
        log2_axis(ax, frame[x])
    if steps:
        ax.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    return ax


def plot_lines_grid(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    xlabel: str,
    ylabel: str,
    lines: str = "allocator",
    log2: bool = False,
    steps: bool = False,
    zero: bool = False,
    caption: str = "",
) -> Figure:
    """A panel of `plot_lines` for each recording, on one scale, with one legend.

    Args:
        frame: Rows with the columns recording, low, high and those named.
        x: The column of the x axis.
        y: The column of the y axis.
        xlabel: What x is, with its unit.
        ylabel: What y is, with its unit.
        lines: The column whose values are the lines.
        log2: Ticks of the x axis double.
        steps: The values of x stand side by side, each as far from the next.
        zero: Draw the level zero.
        caption: What stands under the figure, after what its bands and its budgets are.

    Raises:
        InputError: The frame holds no rows.
    """
    if frame.empty:
        raise InputError("there is nothing to draw: the frame holds no rows")
    recordings = list(dict.fromkeys(frame["recording"]))
    across = min(len(recordings), 2 if len(recordings) == 4 else _ACROSS)
    down = math.ceil(len(recordings) / across)
    width, height = (ONE_COLUMN, 2.5) if len(recordings) == 1 else (TWO_COLUMNS, 1.75 * down + 0.45)
    edges = frame[["low", "high", y]].to_numpy(float)
    low, high = np.nanmin(edges), np.nanmax(edges)
    margin = 0.05 * ((high - low) or 1.0)
    with style():
        figure, axes = new_panels(down, across, width=width, height=height)
        for number, (recording, ax) in enumerate(zip(recordings, axes, strict=False)):
            plot_lines(
                frame[frame["recording"] == recording],
                x,
                y,
                ax=ax,
                lines=lines,
                log2=log2,
                steps=steps,
                zero=zero,
            )
            name_panel(ax, recording)
            ax.set_ylim(low - margin, high + margin)
            ax.set_xlabel(xlabel if number + across >= len(recordings) else "")
            ax.set_ylabel(ylabel if number % across == 0 else "")
            if number % across:
                ax.tick_params(labelleft=False)
        shared_legend(figure, axes[: len(recordings)], axes[len(recordings) :])
        add_caption(figure, BANDS, at_budgets(frame), caption)
    return figure


def plot_dots(
    frame: pd.DataFrame,
    row: str,
    x: str,
    *,
    xlabel: str,
    line: float | None = 0.0,
    caption: str = "",
    looks: Callable[[str], Look] = look_of,
) -> Axes:
    """A row for each value of the column `row`: the dots of allocators in their intervals.

    Args:
        frame: Rows with the columns allocator, low, high and those named; a true `open` marks a dot
            that is not filled.
        row: The column whose values name the rows.
        x: The column of the x axis.
        xlabel: What x is, with its unit.
        line: Where a vertical line helps to compare; None: nowhere.
        caption: What stands under the figure, after what its bars and its budgets are.
        looks: Allocator → its look.

    Raises:
        InputError: The frame holds no rows.
    """
    if frame.empty:
        raise InputError("there is nothing to draw: the frame holds no rows")
    names = list(dict.fromkeys(frame[row]))
    together = int(frame.groupby(row, sort=False).size().max())  # dots in a row
    unfilled = frame["open"].to_numpy(bool) if "open" in frame else np.zeros(len(frame), bool)
    with style():
        ax = new_panels(
            1, 1, width=TWO_COLUMNS, height=(0.11 + 0.11 * together) * len(names) + 0.75
        )[1][0]
        if line is not None:
            ax.axvline(line, color="#333333", lw=0.8, zorder=1)
        for place, name in enumerate(names):
            own = np.flatnonzero(frame[row] == name)
            for number, index in enumerate(own):
                cell, look = frame.iloc[index], looks(frame["allocator"].iloc[index])
                y = place + 0.7 * ((number + 0.5) / len(own) - 0.5)
                draw_interval(ax, cell["low"], cell["high"], y, look.colour)
                face = "white" if unfilled[index] else look.colour
                ax.plot(
                    cell[x],
                    y,
                    marker=look.marker,
                    color=look.colour,
                    mfc=face,
                    mew=0.8,
                    ms=3.4,
                    ls="",
                )
            if together > 1 and place % 2:
                ax.axhspan(place - 0.5, place + 0.5, color="#f5f5f5", lw=0, zorder=0)
        for look in map(looks, dict.fromkeys(frame["allocator"]) if together > 1 else ()):
            ax.plot([], [], color=look.colour, marker=look.marker, ms=4.2, lw=1.2, label=look.label)
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xlabel(xlabel)
        if together > 1:
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=_columns(ax), borderaxespad=0)
        add_caption(cast("Figure", ax.figure), BARS, at_budgets(frame), caption)
    return ax


def _columns(ax: Axes) -> int:
    """Columns of a legend over a wide panel: as few rows as its words fit into."""
    words = [len(label) + 6 for label in ax.get_legend_handles_labels()[1]]
    return math.ceil(len(words) / math.ceil(sum(words) / _LEGEND))
