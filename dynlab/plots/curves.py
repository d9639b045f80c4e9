"""Pictures of numbers that were computed elsewhere: a plot function draws a frame's columns and
nothing else.

Every interval of a frame is drawn. `plot_…(frame, ax=None)` returns the axes; `…_grid` returns a
figure of panels. How a method looks is in `dynlab.plots.style`; `save` writes a figure with its
numbers beside it, the same bytes every time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab.plots.axes import log2_axis, name_ends, new_panels, note, shared_legend, tint
from dynlab.plots.style import COLOURS, LOOKS, Look, methods, style, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches
DASHED_ABOVE = 0.05  # share of exhausted questions above which a curve is dashed
CUT = -1.0  # intervals of savings that go below it end in an arrow there
_UNITS = ("samples", "tokens", "usd")


def plot_curves(
    curves: pd.DataFrame, *, unit: str | None = None, ax: Axes | None = None, names: bool = True
) -> Axes:
    """Accuracy against cost of one recording: a line in its interval for each method, greedy as a
    level of its own.

    A line is dashed where more than 5 % of the questions have run out of samples.

    Args:
        curves: Rows of `dynlab.analysis.comparison.compare` for one recording.
        unit: What the x axis counts per question: samples, tokens or usd; by default what the
            budgets count.
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
        ax = ax or new_panels(1, 1, width=ONE_COLUMN, height=2.5)[1][0]
        _level(ax, curves[curves["allocator"] == "greedy"], cost, names)
        paid = curves[curves[cost] > 0]  # what spends nothing has no place on an axis that doubles
        lines = [(look, rows.sort_values(cost)) for look, rows in methods(paid)]
        for rank, (look, rows) in enumerate(lines):
            _line(ax, rows, cost, look, rank, shade=min(0.12, 0.3 / len(lines)))
        ends = [
            (look, float(rows[cost].iloc[-1]), float(rows["accuracy"].iloc[-1]))
            for look, rows in lines
        ]
        ax.set(
            title=title(curves["recording"].iloc[0]),
            xlabel=_cost_label(curves, cost),
            ylabel=curves.attrs.get("measure", "accuracy"),
        )
        log2_axis(ax, curves[cost])
        if names and not name_ends(ax, ends):
            ax.legend(loc="lower right")
    return ax


def plot_curve_grid(curves: pd.DataFrame, *, unit: str | None = None, columns: int = 0) -> Figure:
    """Accuracy against cost, one panel per recording and one legend for all, two columns of a page
    wide.
    """
    _cost(curves, unit)
    recordings = list(dict.fromkeys(curves["recording"]))
    if len(recordings) == 1:
        return cast("Figure", plot_curves(curves, unit=unit).figure)
    columns = columns or (2 if len(recordings) in (2, 4) else 3)
    rows = math.ceil(len(recordings) / columns)
    with style():
        figure, axes = new_panels(
            rows,
            columns,
            width=TWO_COLUMNS,
            height=1.8 * rows + 0.35 * (len(recordings) == rows * columns),
        )
        for number, (recording, ax) in enumerate(zip(recordings, axes, strict=False)):
            plot_curves(curves[curves["recording"] == recording], unit=unit, ax=ax, names=False)
            if number + columns < len(recordings):
                ax.set_xlabel("")
            if number % columns:
                ax.set_ylabel("")
        shared_legend(figure, axes[: len(recordings)], axes[len(recordings) :])
    return figure


def plot_savings(
    savings: pd.DataFrame, *, levels: Sequence[float] = (), ax: Axes | None = None
) -> Axes:
    """Saving against uniform at equal accuracy, by recording and B, as points with intervals around
    a zero line.

    An open marker says that uniform's accuracy was never reached (the saving is then at best what
    is drawn). Cells whose uniform curve is flat, where a saving means little, stand apart in grey.

    Args:
        savings: Rows of `dynlab.analysis.comparison.savings` for one method and one unit.
        levels: All B that panels side by side have; by default those of the frame.
        ax: Where to draw; by default a new figure, one column wide.

    Raises:
        InputError: The frame is empty, or holds several methods or units.
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    _one_method(savings)
    with style():
        cells = savings.assign(
            group=np.where(savings["flat"], "flat", ""), filled=savings["reached"]
        )
        ax = _intervals(cells, "saving", levels, ax=ax)
        ax.set_xlabel(f"saving in {savings['unit'].iloc[0]}\nat equal accuracy")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    return ax


def plot_differences(
    differences: pd.DataFrame,
    *,
    label: str = "",
    levels: Sequence[float] = (),
    ax: Axes | None = None,
) -> Axes:
    """A paired difference in accuracy, by recording and B, as points with intervals around a zero
    line.

    Args:
        differences: Rows of `dynlab.analysis.pairing.differences` for one method and unit, or of
            `comparing.greedy_vs_vote`.
        label: What was subtracted from what, for the x axis.
        levels: All B that panels side by side have; by default those of the frame.
        ax: Where to draw; by default a new figure, one column wide.
    """
    from matplotlib.ticker import MaxNLocator

    _one_method(differences)
    with style():
        ax = _intervals(differences.assign(group="", filled=True), "difference", levels, ax=ax)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        at_equal = f"\nat equal {differences['unit'].iloc[0]}" if "unit" in differences else ""
        ax.set_xlabel(f"{label or 'difference'}, accuracy{at_equal}")
    return ax


def plot_saving_grid(savings: pd.DataFrame) -> Figure:
    """Savings of one method, a panel per unit that they are counted in, two columns of a page wide."""
    return _unit_grid(savings, plot_savings)


def plot_difference_grid(differences: pd.DataFrame, *, label: str = "") -> Figure:
    """Paired differences of one method, a panel per unit of the budget, two columns of a page wide."""
    return _unit_grid(differences, partial(plot_differences, label=label))


def _unit_grid(frame: pd.DataFrame, plot: Callable[..., Axes]) -> Figure:
    """A panel per unit; row labels and legend stand once where all panels have the same rows."""
    if frame.empty:
        with style():
            return note(
                "Nothing to compare: no recording holds that many samples.", width=TWO_COLUMNS
            )
    units = list(dict.fromkeys(frame["unit"]))
    split = ["unit", "recording", *(["flat"] if "flat" in frame else [])]
    rows = int(frame.drop_duplicates(split).groupby("unit").size().max())
    with style():
        figure, axes = new_panels(
            1, len(units), width=TWO_COLUMNS, height=_height(rows, frame["at"].nunique())
        )
        labels = []
        for unit, ax in zip(units, axes, strict=True):
            plot(frame[frame["unit"] == unit], ax=ax)
            labels.append([label.get_text() for label in ax.get_yticklabels()])
            if ax is not axes[0] and labels[-1] == labels[0]:
                ax.set_yticklabels([])
                cast("Legend", ax.get_legend()).remove()
    return figure


def _line(ax: Axes, rows: pd.DataFrame, cost: str, look: Look, rank: int, shade: float) -> None:
    """One method: a line in its band, dashed where more than DASHED_ABOVE have run out; the first
    rank lies on top.
    """
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
    """Greedy decoding: its interval where it stands in cost, and a horizontal line to compare the
    others with.
    """
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
    cost = f"spent_{unit}"
    sampled = curves[curves["allocator"] != "greedy"]
    if sampled[cost].isna().any():
        unknown = ", ".join(sorted(set(sampled.loc[sampled[cost].isna(), "recording"])))
        raise InputError(
            f"what {unknown} spent in {unit} is unknown; draw unit='samples', or give compare a"
            " price"
        )
    return cost


def plot_worth(worth: pd.DataFrame) -> Figure:
    """What rules think the next sample is worth, a panel a rule, a line for each way the votes may
    stand.

    Args:
        worth: What `dynlab.policies.priced.worth` returns.
    """
    from matplotlib.ticker import MaxNLocator

    rules, ways = (list(dict.fromkeys(worth[column])) for column in ("rule", "votes"))
    highest = worth["index"].max()
    with style():
        figure, axes = new_panels(1, len(rules), width=TWO_COLUMNS, height=2.5)
        for rule, ax in zip(rules, axes, strict=True):
            for number, way in enumerate(ways):
                rows = worth[(worth["rule"] == rule) & (worth["votes"] == way)]
                colour = tint(LOOKS[rule].colour, 0.7 * number / len(ways))
                ax.plot(
                    rows["n"],
                    rows["index"],
                    marker="osD^"[number % 4],
                    ms=3,
                    color=colour,
                    label=way,
                )
            ax.set(title=LOOKS[rule].label, xlabel="samples of the question", yscale="log")
            ax.set_ylim(1e-5 * highest, 1.6 * highest)  # less than that is never bought
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0].set_ylabel("worth of the next sample\n(1 = one vote each)")
        axes[-1].legend(loc="lower left")
    return figure


def _cost_label(curves: pd.DataFrame, cost: str) -> str:
    """The name of the x axis, with what its tokens count."""
    if cost != "spent_tokens":
        return {"spent_samples": "samples per question", "spent_usd": "USD per question"}[cost]
    kinds = set(curves["tokens_kind"].dropna())
    return (
        "tokens per"
        f" question\n({'completion only' if kinds == {'completion'} else 'prompt + completion'})"
    )


def _one_method(savings: pd.DataFrame) -> None:
    """Refuses a frame in which one recording and B would stand more than once."""
    if savings.empty:
        raise InputError(
            "there is nothing to draw: the frame holds no rows; give rows of dynlab.savings"
        )
    if savings.duplicated(["recording", "at"]).any():
        raise InputError(
            "one figure of savings draws one method in one unit; select them from the frame first"
        )


def _intervals(
    cells: pd.DataFrame, value: str, levels: Sequence[float], *, ax: Axes | None
) -> Axes:
    """Points with intervals: recordings from top to bottom, B from light to dark, flat cells below
    in grey.

    Recordings that are categories but have no cell keep an empty row, so that panels side by side
    stay in line.
    """
    own = cells["recording"]
    names = list(own.cat.categories if own.dtype == "category" else dict.fromkeys(own))
    empty = [("", name) for name in names if name not in set(own)]
    rows = [*dict.fromkeys(zip(cells["group"], own, strict=True)), *empty]
    rows.sort(key=lambda row: (row[0] == "flat", names.index(row[1])))
    height = {row: number + 0.6 * (row[0] == "flat") for number, row in enumerate(rows)}
    levels = sorted(levels or cells["at"].unique())
    ax = ax or new_panels(1, 1, width=ONE_COLUMN, height=_height(len(rows), len(levels)))[1][0]
    ax.axvline(0, color="#333333", lw=0.8, zorder=1)
    for number, level in enumerate(levels):
        colour = tint(COLOURS["ucb"], 0.7 * (1 - (number + 1) / len(levels)))
        marker = "osD^vP"[number % 6]
        ax.plot([], [], color=colour, marker=marker, ms=4, lw=1.2, label=f"B = {level:g}")
        for _, cell in cells[cells["at"] == level].iterrows():
            paint = "#999999" if cell["group"] == "flat" else colour
            y = height[cell["group"], cell["recording"]] + 0.56 * (
                (number + 0.5) / len(levels) - 0.5
            )
            face = paint if cell["filled"] else "white"
            ax.plot(
                [max(cell["low"], CUT), max(cell["high"], CUT)],
                [y, y],
                color=paint,
                lw=1.2,
                solid_capstyle="butt",
            )
            ax.plot(max(cell[value], CUT), y, marker, color=paint, mfc=face, mew=0.9, ms=4)
            if cell["low"] < CUT < cell[value]:
                ax.plot(CUT, y, "<", color=paint, ms=4, mew=0)
    labels = {y: title(recording) for (_, recording), y in height.items()}
    flat = [y for (group, _), y in height.items() if group == "flat"]
    if flat:
        labels[min(flat) - 0.55] = "flat: uniform gains < 0.01"
    ax.set_yticks(list(labels), list(labels.values()))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(height.values()) + 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    if not cells["filled"].all():
        ax.plot([], [], "o", color="#333333", mfc="white", ms=4, label="not reached")
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(levels) + 1,
        borderaxespad=0,
        handlelength=1.4,
    )
    return ax


def _height(rows: int, levels: int = 3) -> float:
    """Inches of a figure with so many rows of so many intervals each."""
    return (0.16 + 0.06 * levels) * (rows + 0.6) + 0.9
