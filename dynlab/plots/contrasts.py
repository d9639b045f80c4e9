"""Pictures of strategies against one another: gains, savings, and the depth they take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from dynlab._util.errors import InputError
from dynlab.plots.axes import (
    ONE_COLUMN,
    TWO_COLUMNS,
    log2_axis,
    new_panels,
    note,
    share_x,
    shared_legend,
)
from dynlab.plots.captions import ABSENT, BARS, add_caption, counted
from dynlab.plots.savings import (
    differences_caption,
    plot_differences,
    plot_savings,
    savings_caption,
    told,
)
from dynlab.plots.style import contrasted, style, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_contrasts(differences: pd.DataFrame) -> Figure:
    """What each method gains on the first one at equal cost: a panel a method.

    Args:
        differences: `Comparison.differences` of `dynlab.contrast`.
    """

    def plot(rows: pd.DataFrame, ax: Axes, levels: Sequence[float]) -> None:
        first = rows.iloc[0]
        method, against = (contrasted(first[name]).label for name in ("method", "against"))
        label = f"{method} − {against}"
        plot_differences(rows, label=label, levels=levels, ax=ax)

    return _by_method(differences, plot, differences_caption)


def plot_contrast_savings(savings: pd.DataFrame) -> Figure:
    """What each method saves on the first one at equal accuracy: a panel a method.

    Args:
        savings: `Comparison.savings` of `dynlab.contrast`.
    """

    def plot(rows: pd.DataFrame, ax: Axes, levels: Sequence[float]) -> None:
        plot_savings(rows, levels=levels, ax=ax)
        ax.set_xlabel(f"{contrasted(rows['method'].iloc[0]).label}: {ax.get_xlabel()}")

    known = told(savings)
    if known.empty and len(savings):
        with style():
            return note("Nothing can be told: each B is all that is recorded.", width=TWO_COLUMNS)
    return _by_method(known, plot, savings_caption)


def plot_depths(depths: pd.DataFrame) -> Figure:
    """Accuracy against the depth allowed, at equal cost: a row a recording, a column a budget.

    Seven rows fit on a page. The panels of a row have one scale.

    Args:
        depths: Rows of `dynlab.analysis.depths.at_depth`.
    """
    _some(depths)
    recordings, budgets = list(dict.fromkeys(depths["recording"])), sorted(depths["at"].unique())
    names = list(dict.fromkeys(depths["method"]))
    held = depths.groupby("recording")["method"].unique()
    with style():
        figure, axes = new_panels(
            len(recordings), len(budgets), width=TWO_COLUMNS, height=1.2 * len(recordings) + 0.75
        )
        for number, ax in enumerate(axes):
            recording, budget = recordings[number // len(budgets)], budgets[number % len(budgets)]
            cell = depths[(depths["recording"] == recording) & (depths["at"] == budget)]
            for place, name in enumerate(names):
                _errorbars(
                    ax, cell[cell["method"] == name], name, 1.04 ** (place - (len(names) - 1) / 2)
                )
            lacking = [name for name in held[recording] if name not in set(cell["method"])]
            log2_axis(ax, depths["depth"])
            if lacking:
                _say_absent(ax, [] if cell.empty else lacking)
                ax.set_xlim(axes[0].get_xlim())  # a panel without marks has no range of its own
            if number < len(budgets):
                ax.set_title(f"B = {budget:g}")
            if number % len(budgets) == 0:
                ax.set_ylabel(title(recording).replace(" · ", "\n"), weight="bold")
            else:
                ax.tick_params(labelleft=False)
            if number >= len(axes) - len(budgets):
                ax.set_xlabel("depth allowed, calls")
            else:
                ax.tick_params(labelbottom=False)
            low, high = (
                depths.loc[depths["recording"] == recording, name] for name in ("low", "high")
            )
            ax.set_ylim(low.min() - 0.02, high.max() + 0.02)
        figure.supylabel("accuracy", fontsize=7, color="#333333")
        shared_legend(figure, axes)
        add_caption(
            figure,
            BARS,
            f"B: what each spends, in {counted(depths['unit'])}." if "unit" in depths else "",
            "Depth: calls that wait for one another. Marks are moved aside where they would hide"
            " one another.",
            ABSENT if any(ax.texts for ax in axes) else "",
        )
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
        add_caption(figure, BARS, "Number beside a mark: its level of difficulty.")
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


def _say_absent(ax: Axes, names: Sequence[str]) -> None:
    """Writes n/a into a panel, of these methods or of all (none named)."""
    named = ", ".join(contrasted(name).label for name in names)
    words = f"{named}: n/a" if named else "n/a"
    ax.text(0.97, 0.04, words, transform=ax.transAxes, ha="right", fontsize=5.5, color="#666666")


def _by_method(
    frame: pd.DataFrame,
    plot: Callable[[pd.DataFrame, Axes, Sequence[float]], None],
    caption: Callable[[pd.DataFrame], list[str]],
) -> Figure:
    """A panel a method on one axis; row labels at the left for all, one legend over them."""
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
            ax.locator_params(axis="x", nbins=6 if len(names) < 3 else 5)
            if ax is not axes[0]:
                ax.set_yticklabels([])
        share_x(axes)
        shared_legend(figure, axes)
        add_caption(figure, *caption(frame))
    return figure


def _some(frame: pd.DataFrame) -> None:
    if frame.empty:
        raise InputError(
            "there is nothing to draw: no recording holds two strategies; see `dynlab recordings"
            " merge`"
        )
