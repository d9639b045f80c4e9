"""Pictures of strategies against one another: gains, savings, and the depth they take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from dynlab._util.errors import InputError
from dynlab.plots.axes import ONE_COLUMN, TWO_COLUMNS, log2_axis, new_panels, shared_legend
from dynlab.plots.savings import plot_differences, plot_savings
from dynlab.plots.style import contrasted, style, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend


def plot_contrasts(differences: pd.DataFrame) -> Figure:
    """What each method gains on the first one at equal cost: a panel a method.

    Args:
        differences: `Comparison.differences` of `dynlab.contrast`.
    """

    def plot(rows: pd.DataFrame, ax: Axes, levels: Sequence[float]) -> None:
        first = rows.iloc[0]
        label = f"{contrasted(first['method']).label} − {first['against']}"
        plot_differences(rows, label=label, levels=levels, ax=ax)

    return _by_method(differences, plot)


def plot_contrast_savings(savings: pd.DataFrame, *, alike: bool = False) -> Figure:
    """What each method saves on the first one at equal accuracy: a panel a method.

    Args:
        savings: `Comparison.savings` of `dynlab.contrast`.
        alike: Panels have the same axis, for methods that are to be held against each other.
    """

    def plot(rows: pd.DataFrame, ax: Axes, levels: Sequence[float]) -> None:
        plot_savings(rows, levels=levels, ax=ax)
        ax.set_xlabel(f"{contrasted(rows['method'].iloc[0]).label}: {ax.get_xlabel()}")

    return _by_method(savings, plot, alike)


def plot_depths(depths: pd.DataFrame) -> Figure:
    """Accuracy against the depth allowed, at equal cost: a row a recording, a panel a budget.

    Args:
        depths: Rows of `dynlab.analysis.depths.at_depth`.
    """
    _some(depths)
    recordings, budgets = list(dict.fromkeys(depths["recording"])), sorted(depths["at"].unique())
    names = list(dict.fromkeys(depths["method"]))
    with style():
        figure, axes = new_panels(
            len(recordings), len(budgets), width=TWO_COLUMNS, height=1.85 * len(recordings) + 0.4
        )
        for number, ax in enumerate(axes):
            recording, budget = recordings[number // len(budgets)], budgets[number % len(budgets)]
            cell = depths[(depths["recording"] == recording) & (depths["at"] == budget)]
            for place, name in enumerate(names):
                _errorbars(
                    ax, cell[cell["method"] == name], name, 1.04 ** (place - (len(names) - 1) / 2)
                )
            log2_axis(ax, cell["depth"])
            ax.set_title(f"{title(recording)}\nB = {budget:g}")
            if number % len(budgets) == 0:
                ax.set_ylabel("accuracy")
            if number >= len(axes) - len(budgets):
                ax.set_xlabel("depth allowed, calls")
            low, high = (
                depths.loc[depths["recording"] == recording, name] for name in ("low", "high")
            )
            ax.set_ylim(low.min() - 0.02, high.max() + 0.02)
        shared_legend(figure, axes)
    return figure


def plot_gap(levels: pd.DataFrame) -> Figure:
    """What a chained sample gains by how much easier checking is than finding.

    Args:
        levels: Rows of `recipe.evidence.by_level`.
    """
    with style():
        figure, (ax,) = new_panels(1, 1, width=ONE_COLUMN, height=2.6)
        ax.axhline(0, color="#333333", lw=0.8, zorder=1)
        for number, (family, rows) in enumerate(levels.groupby("family", sort=False)):
            look = contrasted(str(family), number)
            y = rows["gain"].to_numpy(float)
            around = [y - rows["low"].to_numpy(float), rows["high"].to_numpy(float) - y]
            ax.errorbar(
                rows["gap"],
                y,
                around,
                color=look.colour,
                marker=look.marker,
                ms=4,
                lw=0,
                elinewidth=0.9,
                label=str(family),
            )
            for _, row in rows.iterrows():
                ax.annotate(
                    f"{row['level']}",
                    (row["gap"], row["gain"]),
                    (4, 3),
                    textcoords="offset points",
                    size=6,
                )
        ax.set_xlabel("attempts judged rightly − samples right\n(checking − finding)")
        ax.set_ylabel("one chained − one independent sample")
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=levels["family"].nunique(),
            borderaxespad=0,
        )
    return figure


def _errorbars(ax: Axes, rows: pd.DataFrame, name: str, shift: float) -> None:
    """One method's accuracies with their intervals, moved aside so that none hides another."""
    look = contrasted(name)
    y = rows["accuracy"].to_numpy(dtype=float)
    around = [y - rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float) - y]
    paint: dict[str, Any] = {
        "color": look.colour,
        "marker": look.marker,
        "ms": 3.5,
        "lw": 1.1,
        "elinewidth": 0.8,
    }
    ax.errorbar(rows["depth"].to_numpy(dtype=float) * shift, y, around, label=look.label, **paint)


def _by_method(
    frame: pd.DataFrame,
    plot: Callable[[pd.DataFrame, Axes, Sequence[float]], None],
    alike: bool = False,
) -> Figure:
    """A panel a method; row labels at the left for all, one legend over the first."""
    _some(frame)
    names = list(dict.fromkeys(frame["method"]))
    frame = frame.astype(
        {"recording": pd.CategoricalDtype(list(dict.fromkeys(frame["recording"])))}
    )
    count = frame["recording"].nunique()
    with style():
        figure, axes = new_panels(
            1, len(names), width=TWO_COLUMNS, height=0.34 * (count + 0.6) + 1.1
        )
        for ax, name in zip(axes, names, strict=True):
            plot(frame[frame["method"] == name], ax, sorted(frame["at"].unique()))
            ax.locator_params(axis="x", nbins=4)
            if ax is not axes[0]:
                ax.set_yticklabels([])
                cast("Legend", ax.get_legend()).remove()
        if alike:
            ends = [ax.get_xlim() for ax in axes]
            for ax in axes:
                ax.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))
    return figure


def _some(frame: pd.DataFrame) -> None:
    if frame.empty:
        raise InputError(
            "there is nothing to draw: no recording holds two strategies; see `dynlab recordings"
            " merge`"
        )
