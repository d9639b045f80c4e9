"""Pictures of a leaderboard: a row a policy in the group of its kind, dots with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab.analysis.leaderboards import budgets_of
from dynlab.plots.axes import ONE_COLUMN, TWO_COLUMNS, draw_interval, new_panels
from dynlab.plots.captions import BARS, add_caption, counted
from dynlab.plots.style import look_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VALUES = {
    "saving": "saving in {unit}\nat equal {measure}",
    "difference": "{measure} − uniform\nat equal {unit}",
}
_CUT = -0.5  # what is saved less is an arrow there
# the kinds of a leaderboard's table from top to bottom, as the figure heads them
_GROUPS = {
    "bound": "bound",
    "allocator": "allocators",
    "stopping": "stopping rules",
    "vote": "votes",
    "baseline": "baselines",
}
_GAP = 1.1  # rows between two groups, the heading's among them


def plot_leaderboard(
    table: pd.DataFrame, ax: Axes | None = None, *, value: str = "saving", at: float | None = None
) -> Axes:
    """Saving, or difference in accuracy, by policy, as dots with intervals.

    Policies stand in the groups of their kinds, the best of each on top. An open marker says that
    uniform's accuracy was not reached everywhere. The oracle is a bound, drawn in grey.

    Args:
        table: What `dynlab.leaderboard` returns, its `table`.
        ax: Where to draw; by default a new figure, one column wide.
        value: 'saving' at equal accuracy, or 'difference' in accuracy at equal cost.
        at: One of the leaderboard's B; None draws the mean saving over all of them.

    Raises:
        InputError: The table is empty, or has no such value or B.
    """
    if table.empty:
        raise InputError("there is nothing to draw: the leaderboard has no rows")
    if value not in _VALUES:
        raise one_of("value of a leaderboard", value, _VALUES)
    column = value if at is None else f"{value}_{at:g}"
    if column not in table:
        raise one_of(
            "column of this leaderboard", column, [f"{value}_{b:g}" for b in budgets_of(table)]
        )
    with style():
        alone, places = ax is None, _places(table)
        ax = ax or new_panels(1, 1, width=ONE_COLUMN, height=_height(places))[1][0]
        ax.axvline(0, color="#333333", lw=0.8, zorder=1)
        inside = _range(table, value)
        for policy, y in places.items():
            row = table[table["policy"] == policy].iloc[0]
            _dot(ax, row, column, y, inside, open_=value == "saving" and _missed(row, at))
        ax.set_yticks([*places.values()], [look_of(name).label for name in places])
        ax.set_ylim(max(places.values()) + 0.6, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel(
            _VALUES[value].format(unit=table["unit"].iloc[0], measure=table["measure"].iloc[0])
        )
        ax.set_title("mean of all B" if at is None else f"B = {at:g}")
        _x_axis(ax, inside, value)
        place = ax.get_subplotspec()
        if place is None or place.is_first_col():
            _head_groups(ax, table, places)
        if alone:
            add_caption(cast("Figure", ax.figure), *_caption(table, value))
    return ax


def plot_leaderboard_grid(table: pd.DataFrame, *, value: str = "saving") -> Figure:
    """A panel for every B of a leaderboard, two columns of a page wide."""
    levels = budgets_of(table)
    with style():
        figure, axes = new_panels(1, len(levels), width=TWO_COLUMNS, height=_height(_places(table)))
        for number, (level, ax) in enumerate(zip(levels, axes, strict=True)):
            plot_leaderboard(table, ax, value=value, at=level)
            if number:
                ax.set_yticklabels([])
        add_caption(figure, *_caption(table, value))
    return figure


def _places(table: pd.DataFrame) -> dict[str, float]:
    """Policy → the height of its row: groups below one another, in each the table's order."""
    kinds = [*_GROUPS, *(kind for kind in table["kind"].unique() if kind not in _GROUPS)]
    places: dict[str, float] = {}
    headed = table["kind"].nunique() > 1 and "bound" not in set(table["kind"])
    y = 0.8 if headed else 0.0
    for kind in kinds:
        policies = table.loc[table["kind"] == kind, "policy"]
        for policy in policies:
            places[policy] = y
            y += 1
        y += _GAP if len(policies) else 0
    return places


def _head_groups(ax: Axes, table: pd.DataFrame, places: dict[str, float]) -> None:
    """Writes the name of each group over its first row, where there are several."""
    kinds = dict(zip(table["policy"], table["kind"], strict=True))
    groups = {kinds[policy]: y for policy, y in reversed(places.items())}
    if len(groups) > 1:
        for kind, y in groups.items():
            if kind != "bound":  # one row, whose own label says it
                ax.annotate(
                    _GROUPS.get(kind, kind),
                    (0, y - 0.85),
                    (-5, 0),
                    xycoords=ax.get_yaxis_transform(),
                    textcoords="offset points",
                    ha="right",
                    va="center",
                    fontsize=6.5,
                    weight="bold",
                    color="#666666",
                )


def _caption(table: pd.DataFrame, value: str) -> list[str]:
    """What the marks of a leaderboard mean."""
    spent = f"in {counted(table['unit'])}"
    alone = {"tokens", "completion"} <= set(table.filter(["unit", "tokens_kind"]).iloc[0])
    return [
        _means(table, value),
        BARS,
        f"B: what uniform spends, {spent}; its accuracy is to be reached for less."
        if value == "saving"
        else f"B: what each policy may spend, {spent}.",
        "Tokens are those of answers alone." if alone else "",
        "Open: not reached on all recordings." if value == "saving" else "",
        "Arrow: beyond the panel, with its number where the mean lies there.",
        "The oracle knows the answers: a bound.",
    ]


def _means(table: pd.DataFrame, value: str) -> str:
    """Over how many recordings means are taken; not all of several may hold a large B, nor be
    steep enough for a saving.
    """
    held = table["recordings"].iloc[0] if "recordings" in table else 0
    steep = " and on which uniform gains" if value == "saving" and table["flat"].any() else ""
    return f"Means over those of {held} recordings that hold B samples{steep}." if held > 1 else ""


def _dot(
    ax: Axes, row: pd.Series, column: str, y: float, inside: tuple[float, float], *, open_: bool
) -> None:
    """A policy's dot in its interval; what lies outside the panel is an arrow."""
    look = look_of(row["policy"])
    value, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
    if np.isnan(value):
        return
    draw_interval(ax, low, high, y, look.colour, inside=inside)
    within = inside[0] <= value <= inside[1]
    if within:
        face = "white" if open_ else look.colour
        size = 5 if str(look.marker) in "12+x" else 3.2  # markers without a face
        ax.plot(value, y, marker=look.marker, ms=size, mew=0.8, color=look.colour, mfc=face)
    for side, edge, arrow in ((-1, inside[0], "<"), (1, inside[1], ">")):
        if (low < edge) if side < 0 else (high > edge):
            ax.plot(
                edge + side * 0.02 * (inside[1] - inside[0]),
                y,
                arrow,
                ms=3.4,
                mew=0.9,
                color=look.colour,
                mfc=look.colour if within else "white",
            )
        if (value < edge) if side < 0 else (value > edge):
            text = f"{round(100 * value)} %" if column.startswith("saving") else f"{value:+.2f}"
            ax.annotate(
                text.replace("-", "−"),
                (edge, y),
                (-4 * side, 0),
                textcoords="offset points",
                va="center",
                ha="left" if side < 0 else "right",
                fontsize=5.2,
                color=look.colour,
                bbox={"fc": "white", "ec": "none", "pad": 0.5},
            )


def _missed(row: pd.Series, at: float | None) -> bool:
    """Whether uniform's accuracy was out of reach in some cell."""
    return bool(row["reached"] < row["cells"] if at is None else row[f"reached_{at:g}"] < 1)


def _range(table: pd.DataFrame, value: str) -> tuple[float, float]:
    """The range of a leaderboard's panels: savings from −50 %, differences as far as dots go."""
    if value == "saving":
        return _CUT, 1.0
    dots = table.loc[
        table["kind"] != "bound", [f"{value}_{b:g}" for b in budgets_of(table)]
    ].to_numpy(float)
    widest = max(1.3 * float(np.nanmax(np.abs(dots), initial=0.0)), 0.01)
    return -widest, widest


def _x_axis(ax: Axes, inside: tuple[float, float], value: str) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    margin = 0.05 * (inside[1] - inside[0])
    ax.set_xlim(inside[0] - margin, inside[1] + margin)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    if value == "saving":
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def _height(places: dict[str, float]) -> float:
    """Inches of a figure with rows at these places."""
    return 0.17 * (max(places.values(), default=0) + 1) + 0.85
