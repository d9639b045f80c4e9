"""Pictures of numbers that were computed elsewhere: a plot function draws a frame's columns and nothing else.

Every interval of a frame is drawn. `plot_…(frame, ax=None)` returns the axes; `…_grid` returns a figure of panels.
How a method looks is in `dynlab.looks`; `save` writes a figure with its numbers beside it, the same bytes every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from dynlab.errors import InputError, one_of
from dynlab.looks import COLOURS, LOOKS, Look, methods, style, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches
DASHED_ABOVE = 0.05  # share of exhausted questions above which a curve is dashed
_NAMES = {"at": "B", "budget": "B"}
_UNITS = ("samples", "tokens", "usd")


def plot_curves(curves: pd.DataFrame, *, unit: str | None = None, ax: Axes | None = None, names: bool = True) -> Axes:
    """Accuracy against cost of one recording: a line in its interval for each method, greedy as a level of its own.

    A line is dashed where more than 5 % of the questions have run out of samples.

    Args:
        curves: Rows of `dynlab.comparing.compare` for one recording.
        unit: What the x axis counts per question: samples, tokens or usd; by default what the budgets count.
        ax: Where to draw; by default a new figure, one column wide.
        names: Name the lines at their ends, or in a legend where the names would not fit.

    Raises:
        InputError: The frame is empty, holds several recordings, or its spending in `unit` is unknown.
    """
    cost = _cost(curves, unit)
    if curves["recording"].nunique() != 1:
        raise InputError("plot_curves draws one recording, and the frame holds several: use plot_curve_grid")
    with style():
        ax = ax or _figure(1, 1, width=ONE_COLUMN, height=2.5)[1][0]
        _level(ax, curves[curves["allocator"] == "greedy"], cost, names)
        lines = [(look, rows.sort_values(cost)) for look, rows in methods(curves)]
        for rank, (look, rows) in enumerate(lines):
            _line(ax, rows, cost, look, rank, shade=min(0.12, 0.3 / len(lines)))
        ends = [(look, float(rows[cost].iloc[-1]), float(rows["accuracy"].iloc[-1])) for look, rows in lines]
        ax.set(title=title(curves["recording"].iloc[0]), xlabel=_cost_label(curves, cost), ylabel="accuracy")
        _log2_axis(ax, curves[cost])
        if names and not _name_ends(ax, ends):
            ax.legend(loc="lower right")
    return ax


def plot_curve_grid(curves: pd.DataFrame, *, unit: str | None = None, columns: int = 3) -> Figure:
    """Accuracy against cost, one panel per recording and one legend for all, two columns of a page wide."""
    _cost(curves, unit)
    recordings = list(dict.fromkeys(curves["recording"]))
    if len(recordings) == 1:
        return cast("Figure", plot_curves(curves, unit=unit).figure)
    columns = min(columns, len(recordings))
    rows = math.ceil(len(recordings) / columns)
    with style():
        figure, axes = _figure(rows, columns, width=TWO_COLUMNS, height=1.8 * rows + 0.35)
        for number, (recording, ax) in enumerate(zip(recordings, axes, strict=False)):
            plot_curves(curves[curves["recording"] == recording], unit=unit, ax=ax, names=False)
            if number + columns < len(recordings):
                ax.set_xlabel("")
            if number % columns:
                ax.set_ylabel("")
        for ax in axes[len(recordings) :]:
            ax.remove()
        _shared_legend(figure, axes[: len(recordings)])
    return figure


def plot_savings(savings: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Saving against uniform at equal accuracy, by recording and B, as points with intervals around a zero line.

    An open marker says that uniform's accuracy was never reached (the saving is then at best what is drawn). Cells
    whose uniform curve is flat, where a saving means little, stand apart in grey.

    Args:
        savings: Rows of `dynlab.comparing.savings` for one method and one unit.
        ax: Where to draw; by default a new figure, one column wide.

    Raises:
        InputError: The frame is empty, or holds several methods or units.
    """
    from matplotlib.ticker import PercentFormatter

    _one_method(savings)
    with style():
        cells = savings.assign(group=np.where(savings["flat"], "flat", ""), filled=savings["reached"])
        ax = _intervals(cells, "saving", by="at", ax=ax)
        ax.set_xlabel(f"saving in {savings['unit'].iloc[0]}\nat equal accuracy")
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    return ax


def plot_differences(differences: pd.DataFrame, *, by: str = "budget", ax: Axes | None = None) -> Axes:
    """A paired difference in accuracy, by recording and the column `by`: points with intervals around a zero line."""
    with style():
        ax = _intervals(differences.assign(group="", filled=True), "difference", by=by, ax=ax)
        ax.set_xlabel("difference in accuracy")
    return ax


def _figure(rows: int, columns: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A new figure and its panels in reading order."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(rows, columns, figsize=(width, height), squeeze=False)
    return figure, list(axes.flat)


def _shared_legend(figure: Figure, axes: Iterable[Axes]) -> None:
    """One legend under all panels, each method once."""
    handles: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    per_row = math.ceil(len(handles) / math.ceil(len(handles) / 5))
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=per_row)


def _line(ax: Axes, rows: pd.DataFrame, cost: str, look: Look, rank: int, shade: float) -> None:
    """One method: a line in its band, dashed where more than DASHED_ABOVE have run out; the first rank lies on top."""
    x, y = rows[cost].to_numpy(dtype=float), rows["accuracy"].to_numpy(dtype=float)
    solid = int((rows["exhausted"].to_numpy(dtype=float) <= DASHED_ABOVE).sum())
    low, high = rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float)
    top: dict[str, Any] = {"color": look.colour, "marker": look.marker, "zorder": 3 - rank / 100}
    ax.fill_between(x, low, high, color=look.colour, alpha=shade, lw=0)
    ax.plot(x[:solid], y[:solid], label=look.label, **top)
    if solid < len(x):
        start = max(solid - 1, 0)
        ax.plot(x[start:], y[start:], ls=(0, (2.5, 1.5)), mfc="white", **top)


def _level(ax: Axes, greedy: pd.DataFrame, cost: str, named: bool) -> None:
    """Greedy decoding: its interval where it stands in cost, and a horizontal line to compare the others with."""
    look = LOOKS["greedy"]
    for _, row in greedy.iterrows():
        y = float(row["accuracy"])
        around = [[y - float(row["low"])], [float(row["high"]) - y]]
        ax.axhline(y, color=look.colour, lw=0.9, ls=(0, (1, 1.5)), zorder=1.5)
        if not math.isnan(row[cost]):
            ax.errorbar(
                row[cost], y, around, color=look.colour, marker=look.marker, ms=6, elinewidth=1, label=look.label
            )


def _cost(curves: pd.DataFrame, unit: str | None) -> str:
    """The column of the x axis."""
    if curves.empty:
        raise InputError("there is nothing to draw: the frame holds no rows; give rows of dynlab.compare")
    unit = unit or str(curves["unit"].iloc[0])
    if unit not in _UNITS:
        raise one_of("unit", unit, _UNITS)
    cost = f"spent_{unit}"
    sampled = curves[curves["allocator"] != "greedy"]
    if sampled[cost].isna().any():
        unknown = ", ".join(sorted(set(sampled.loc[sampled[cost].isna(), "recording"])))
        raise InputError(f"what {unknown} spent in {unit} is unknown; draw unit='samples', or give compare a price")
    return cost


def _cost_label(curves: pd.DataFrame, cost: str) -> str:
    """The name of the x axis, with what its tokens count."""
    if cost != "spent_tokens":
        return {"spent_samples": "samples per question", "spent_usd": "USD per question"}[cost]
    kinds = set(curves["tokens_kind"].dropna())
    return f"{'completion' if kinds == {'completion'} else 'prompt + completion'} tokens per question"


def _log2_axis(ax: Axes, values: Iterable[float]) -> None:
    """A logarithmic x axis whose ticks double, from a round number: 1 2 4 8, 25 50 100 200, 1k 2k 4k."""
    from matplotlib.ticker import NullLocator

    known = [float(value) for value in values if value > 0]
    low, high = min(known), max(known)
    anchor = 10 ** math.floor(math.log10(4 * low))
    ticks = [anchor * 2.0**k for k in range(-2, 60) if low * 0.97 <= anchor * 2.0**k <= high * 1.03]
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [f"{tick / 1000:g}k" if tick >= 1000 else f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())


def _name_ends(ax: Axes, ends: Sequence[tuple[Look, float, float]]) -> bool:
    """Writes each label beside its line's end, moved apart where they would overlap; False: they do not fit."""
    ax.figure.canvas.draw()  # the layout decides how many points one unit of the y axis has
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    bottom, top = ax.get_ylim()
    wanted = {look: (y - bottom) / (top - bottom) * height for look, _, y in ends}
    order = sorted(wanted, key=lambda look: wanted[look])
    gap = 8.5
    if len(order) * gap > height:
        return False
    places = _apart([wanted[look] for look in order], gap, height)
    for look, x, y in ends:
        place = places[order.index(look)] / height
        ax.annotate(
            look.label, (x, y), (1.06, place), xycoords="data", textcoords="axes fraction", color=look.colour,
            va="center", fontsize=6.5, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": look.colour, "lw": 0.5, "shrinkB": 3, "relpos": (0, 0.5)},
        )  # fmt: skip
    return True


def _apart(wanted: Sequence[float], gap: float, height: float) -> list[float]:
    """Sorted positions moved up and down until neighbours are `gap` apart within 0 … height.

    >>> _apart([10, 10, 40], gap=8, height=50)
    [6.0, 14.0, 40.0]
    """
    clusters: list[list[float]] = []  # [sum of (wanted − its offset in the cluster), members]
    for place in wanted:
        clusters.append([place, 1])
        while len(clusters) > 1 and _start(clusters[-2], gap, height) + clusters[-2][1] * gap > _start(
            clusters[-1], gap, height
        ):
            total, members = clusters.pop()
            clusters[-1][0] += total - members * clusters[-1][1] * gap
            clusters[-1][1] += members
    return [_start(cluster, gap, height) + k * gap for cluster in clusters for k in range(int(cluster[1]))]


def _start(cluster: Sequence[float], gap: float, height: float) -> float:
    """The lowest place of a cluster: as near to what its members want as the panel allows."""
    total, members = cluster
    return min(max(total / members, gap / 2), height - gap / 2 - (members - 1) * gap)


def _one_method(savings: pd.DataFrame) -> None:
    """Refuses a frame in which one recording and B would stand more than once."""
    if savings.empty:
        raise InputError("there is nothing to draw: the frame holds no rows; give rows of dynlab.savings")
    if savings.duplicated(["recording", "at"]).any():
        raise InputError("one figure of savings draws one method in one unit; select them from the frame first")


def _intervals(cells: pd.DataFrame, value: str, *, by: str, ax: Axes | None) -> Axes:
    """Points with intervals: recordings from top to bottom, `by` from light to dark, flat cells below in grey."""
    rows = list(dict.fromkeys(zip(cells["group"], cells["recording"], strict=True)))
    rows.sort(key=lambda row: row[0] == "flat")  # stable: the frame's order within a group
    height = {row: number + 0.6 * (row[0] == "flat") for number, row in enumerate(rows)}
    levels = sorted(cells[by].unique())
    ax = ax or _figure(1, 1, width=ONE_COLUMN, height=0.34 * (len(rows) + 0.6) + 0.9)[1][0]
    ax.axvline(0, color="#333333", lw=0.8, zorder=1)
    for number, level in enumerate(levels):
        colour = _tint(COLOURS["ucb"], 0.7 * (1 - (number + 1) / len(levels)))
        marker = "osD^vP"[number % 6]
        ax.plot([], [], color=colour, marker=marker, ms=4, lw=1.2, label=f"{_NAMES.get(by, by)} = {level:g}")
        for _, cell in cells[cells[by] == level].iterrows():
            paint = "#999999" if cell["group"] == "flat" else colour
            y = height[cell["group"], cell["recording"]] + 0.56 * ((number + 0.5) / len(levels) - 0.5)
            face = paint if cell["filled"] else "white"
            ax.plot([cell["low"], cell["high"]], [y, y], color=paint, lw=1.2, solid_capstyle="butt")
            ax.plot(cell[value], y, marker, color=paint, mfc=face, mew=0.9, ms=4)
    for row, y in height.items():
        if row[0] == "flat":
            ax.annotate(
                "flat: uniform itself gains < 0.01", (0, y - 0.6), xycoords=("axes fraction", "data"), fontsize=6
            )
            break
    ax.set_yticks([height[row] for row in rows], [title(recording) for _, recording in rows])
    ax.set_ylim(max(height.values()) + 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(levels), borderaxespad=0, handlelength=1.4)
    return ax


def _tint(colour: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with white: share 0 keeps it, 1 is white."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - (1 - part) * (1 - share) for part in to_rgb(colour))
    return red, green, blue
