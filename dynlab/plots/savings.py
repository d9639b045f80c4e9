"""Savings and paired differences of one method, as points with intervals around a zero line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.plots.axes import (
    ONE_COLUMN,
    TWO_COLUMNS,
    draw_interval,
    new_panels,
    note,
    share_x,
    shared_legend,
    tint,
)
from dynlab.plots.captions import ABSENT, BARS, add_caption, counted
from dynlab.plots.style import COLOURS, style, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CUT = -1.0  # a saving there is not reached within 2 B: an interval that goes so far is an arrow
ROUNDING = 1e-9  # such a saving is computed up to rounding


def plot_savings(
    savings: pd.DataFrame, *, levels: Sequence[float] = (), ax: Axes | None = None
) -> Axes:
    """Saving against uniform at equal accuracy, by recording and B, around a zero line.

    An open marker says that uniform's accuracy was never reached (the saving is then at best what
    is drawn). Cells whose uniform curve is flat, where a saving means little, stand apart in grey.

    Args:
        savings: Rows of `dynlab.savings` for one method and one unit.
        levels: All B that panels side by side have; by default those of the frame.
        ax: Where to draw, without legend and caption; by default a new figure, one column wide.

    Raises:
        InputError: The frame is empty, or holds several methods or units.
    """
    savings = told(savings)
    _one_method(savings)
    with style():
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        cells = savings.assign(
            group=np.where(savings["flat"], "flat", ""), filled=savings["reached"]
        )
        alone, ax = ax is None, _intervals(cells, "saving", levels, "not reached", ax=ax)
        ax.set_xlabel(f"saving in {savings['unit'].iloc[0]}\nat equal accuracy")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        if alone:
            _explain(ax, savings_caption(savings))
    return ax


def told(savings: pd.DataFrame) -> pd.DataFrame:
    """The rows of savings that are known: not those at a recording's end."""
    return savings.dropna(subset=["saving"]) if len(savings) else savings


def unchained(differences: pd.DataFrame) -> pd.Series:
    """Whether two strategies are compared where neither has a chained sample yet, for each row."""
    return differences.get("unchained", pd.Series(False, index=differences.index)).eq(True)


def savings_caption(savings: pd.DataFrame) -> list[str]:
    """What the marks of savings mean, those that occur."""
    against = savings["against"].iloc[0] if "against" in savings else "uniform"
    beyond = [_goes_on(cell) for _, cell in savings.iterrows()]
    return [
        BARS,
        f"B: what the reference ({against}) spends, in {counted(savings['unit'])}; its accuracy"
        " is to be reached for less.",
        ""
        if savings["reached"].all()
        else "Open: not reached within 2 B, the saving is at best what is drawn.",
        "Arrow: the interval goes on to where it is not reached within 2 B." if any(beyond) else "",
        "Grey: the reference itself gains little, so that there is little to save."
        if savings["flat"].any()
        else "",
        ABSENT if _incomplete(savings) else "",
    ]


def _goes_on(cell: pd.Series) -> bool:
    """Whether a saving's interval reaches to where nothing is drawn, and the saving does not."""
    return bool(cell["low"] <= CUT + ROUNDING < cell["saving"])


def differences_caption(differences: pd.DataFrame) -> list[str]:
    """What the marks of differences mean, those that occur."""
    return [
        BARS.replace("questions", "questions, of paired differences"),
        f"B: what each spends, in {counted(differences['unit'])}."
        if "unit" in differences
        else "B: what the vote spends, in samples' worth per question.",
        "Open: none is chained yet, so that both are independent samples: no chain made the"
        " difference."
        if unchained(differences).any()
        else "",
        ABSENT if _incomplete(differences) else "",
    ]


def _incomplete(frame: pd.DataFrame) -> bool:
    """Whether a recording lacks a B that another one has, in some panel."""
    panels = [name for name in ("unit", "method") if name in frame]
    full = frame["at"].nunique() * frame["recording"].nunique()
    full *= int(frame[panels].drop_duplicates().shape[0]) if panels else 1
    return len(frame) < full


def plot_differences(
    differences: pd.DataFrame,
    *,
    label: str = "",
    levels: Sequence[float] = (),
    ax: Axes | None = None,
) -> Axes:
    """A paired difference in accuracy, by recording and B, around a zero line.

    An open marker says that no sample is chained yet, so that no chain made the difference.

    Args:
        differences: `Comparison.differences` of one method and unit, or `greedy_vs_vote`.
        label: What was subtracted from what, for the x axis.
        levels: All B that panels side by side have; by default those of the frame.
        ax: Where to draw, without legend and caption; by default a new figure, one column wide.
    """
    _one_method(differences)
    with style():
        from matplotlib.ticker import MaxNLocator

        cells = differences.assign(group="", filled=~unchained(differences))
        alone, ax = ax is None, _intervals(cells, "difference", levels, "none chained", ax=ax)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        at_equal = f"\nat equal {differences['unit'].iloc[0]}" if "unit" in differences else ""
        ax.set_xlabel(f"{label or 'difference'}, accuracy{at_equal}")
        if alone:
            _explain(ax, differences_caption(differences))
    return ax


def plot_saving_grid(savings: pd.DataFrame) -> Figure:
    """Savings of one method, a panel per unit, two columns of a page wide."""
    return _unit_grid(told(savings), plot_savings, savings_caption)


def plot_difference_grid(differences: pd.DataFrame, *, label: str = "") -> Figure:
    """Paired differences of one method, a panel per unit, two columns of a page wide."""
    return _unit_grid(differences, partial(plot_differences, label=label), differences_caption)


def _unit_grid(
    frame: pd.DataFrame,
    plot: Callable[..., Axes],
    caption: Callable[[pd.DataFrame], list[str]],
) -> Figure:
    """A panel per unit on one axis; row labels stand once where rows are the same."""
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
        share_x(axes)
        shared_legend(figure, axes)
        add_caption(figure, *caption(frame))
    return figure


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
    cells: pd.DataFrame, value: str, levels: Sequence[float], hollow: str, *, ax: Axes | None
) -> Axes:
    """Points with intervals: recordings from top to bottom, B from light to dark, some hollow.

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
        ax.plot([], [], color=colour, marker=marker, ms=3.4, lw=1.0, label=f"B = {level:g}")
        for _, cell in cells[cells["at"] == level].iterrows():
            paint = "#999999" if cell["group"] == "flat" else colour
            y = height[cell["group"], cell["recording"]] + 0.56 * (
                (number + 0.5) / len(levels) - 0.5
            )
            face = paint if cell["filled"] else "white"
            ends = (CUT, np.inf) if value == "saving" else (-np.inf, np.inf)
            draw_interval(ax, cell["low"], cell["high"], y, paint, inside=ends, cap=3.8)
            ax.plot(max(cell[value], CUT), y, marker, color=paint, mfc=face, mew=0.8, ms=3)
            if value == "saving" and _goes_on(cell):
                ax.plot(CUT, y, "<", color=paint, ms=4, mew=0)
    _say_absent(ax, cells, value, levels, height)
    labels = {y: title(recording) for (_, recording), y in height.items()}
    flat = [y for (group, _), y in height.items() if group == "flat"]
    if flat:
        labels[min(flat) - 0.55] = "flat: uniform gains < 0.01"
    ax.set_yticks(list(labels), list(labels.values()))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(height.values()) + 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    if not cells["filled"].all():
        ax.plot([], [], "o", color="#333333", mfc="white", ms=4, label=hollow)
    return ax


def _explain(ax: Axes, caption: list[str]) -> None:
    """The legend and the caption of a figure of one panel."""
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(ax.get_legend_handles_labels()[1]),
        borderaxespad=0,
        handlelength=1.4,
    )
    add_caption(cast("Figure", ax.figure), *caption)


def _say_absent(
    ax: Axes,
    cells: pd.DataFrame,
    value: str,
    levels: Sequence[float],
    height: dict[tuple[str, str], float],
) -> None:
    """Writes n/a where a recording has no cell at a B, on the side that its marks leave free."""
    for (_, name), row in {key[1]: (key, y) for key, y in reversed(height.items())}.values():
        own = cells[cells["recording"] == name]
        missing = [number for number, level in enumerate(levels) if level not in set(own["at"])]
        if not missing:
            continue
        y = row + 0.56 * ((sum(missing) / len(missing) + 0.5) / len(levels) - 0.5)
        listed = ", ".join(f"{levels[number]:g}" for number in missing)
        words: dict[str, Any] = {"va": "center", "fontsize": 5.5, "color": "#666666"}
        # above the line at zero, which would strike the words through, and below every interval
        words |= {"zorder": 1.5, "bbox": {"fc": "white", "ec": "none", "pad": 0.4}}
        if len(missing) == len(levels):
            ax.annotate("n/a", (0, y), (4, 0), textcoords="offset points", **words)
        else:
            left = own[value].mean() > 0
            x, words["ha"] = (0.01, "left") if left else (0.99, "right")
            ax.text(x, y, f"B = {listed}: n/a", transform=ax.get_yaxis_transform(), **words)


def _height(rows: int, levels: int = 3) -> float:
    """Inches of a figure with so many rows of so many intervals each."""
    return (0.16 + 0.06 * levels) * (rows + 0.6) + 0.9
