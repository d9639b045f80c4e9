"""Heat maps: the bandit's settings, and how often each question was sampled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.plots.axes import TWO_COLUMNS, new_panels
from dynlab.plots.captions import add_caption, at_budgets
from dynlab.plots.style import look_of, style, title
from dynlab.policies.ucb import UCB

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TEXTS = ("recording", "allocator", "question_id", "easy")


def plot_settings(cells: pd.DataFrame) -> Figure:
    """The difference from uniform by exploration and warm-up, a panel for each uncertainty.

    Each cell holds its number and its interval; the colour is that of the number, white at no
    difference. The best cell has a frame, the default (c = 1, two samples of warm-up, top-share) a
    dashed one.

    Args:
        cells: `Sensitivity.table` of a `settings_grid`.

    Raises:
        InputError: The frame is empty, or holds a setting more than once.
    """
    setting = ["uncertainty", "exploration", "warmup"]
    if cells.empty or cells.duplicated(setting).any():
        raise InputError(
            "a map of settings needs each of them once; give Sensitivity.table() of a settings_grid"
        )
    panels = list(dict.fromkeys(cells["uncertainty"]))
    across = min(2, len(panels))
    down = math.ceil(len(panels) / across)
    rows = cells["warmup"].nunique()
    strongest = max(float(cells["difference"].abs().max()), 0.001)
    with style():
        figure, axes = new_panels(
            down, across, width=TWO_COLUMNS, height=(0.3 * rows + 0.45) * down + 0.35
        )
        for number, (name, ax) in enumerate(zip(panels, axes, strict=False)):
            _map(ax, cells[cells["uncertainty"] == name], strongest)
            ax.set_title(look_of(name).label)
            ax.set_xlabel("exploration c" if number + across >= len(panels) else "")
            ax.set_ylabel("warm-up, samples" if number % across == 0 else "")
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        add_caption(
            figure,
            f"In each cell: {cells['measure'].iloc[0]} minus uniform's, in hundredths, and its 95 %"
            " interval over questions.",
            at_budgets(cells),
            "Solid box: the best cell; dashed box: the default.",
        )
    return figure


def _map(ax: Axes, cells: pd.DataFrame, strongest: float) -> None:
    """One uncertainty: coloured cells with their numbers and intervals, in hundredths."""
    from matplotlib.patches import Rectangle

    across, down = sorted(cells["exploration"].unique()), sorted(cells["warmup"].unique())
    table = cells.pivot_table(index="warmup", columns="exploration", values="difference").to_numpy(
        float
    )
    ax.pcolormesh(
        table,
        cmap="PuOr_r",
        vmin=-1.3 * strongest,
        vmax=1.3 * strongest,
        edgecolors="white",
        linewidth=1,
    )
    for _, cell in cells.iterrows():
        x, y = across.index(cell["exploration"]), down.index(cell["warmup"])
        number, low, high = (_points(cell[name]) for name in ("difference", "low", "high"))
        ink = "white" if abs(cell["difference"]) > 0.6 * strongest else "#111111"
        ax.text(x + 0.5, y + 0.36, number, ha="center", va="center", fontsize=6.5, color=ink)
        ax.text(
            x + 0.5, y + 0.74, f"[{low}, {high}]", ha="center", va="center", fontsize=4.8, color=ink
        )
        own = (cell["uncertainty"], cell["exploration"], cell["warmup"])
        default = own == (UCB.uncertainty, UCB.exploration, UCB.warmup)
        if cell["best"] or default:
            frame: dict[str, Any] = (
                {"lw": 1.6, "ls": "-"} if cell["best"] else {"lw": 1.0, "ls": (0, (2, 1.5))}
            )
            ax.add_patch(
                Rectangle(
                    (x + 0.02, y + 0.02), 0.96, 0.96, fill=False, ec="#111111", zorder=4, **frame
                )
            )
    ax.set_xticks(np.arange(len(across)) + 0.5, [f"{c:g}" for c in across])
    ax.set_yticks(np.arange(len(down)) + 0.5, [f"{w:g}" for w in down])
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.invert_yaxis()
    for spine in ax.spines.values():
        spine.set_visible(False)


def plot_allocation(drawn: pd.DataFrame, *, measure: str = "accuracy") -> Figure:
    """The samples drawn of each question as the budget grows, a panel for each allocator.

    The figure's title is the recording. It shows means over replications; their spread and
    intervals are those of the figure by difficulty.

    Args:
        drawn: What `dynlab.analysis.spending.over_time` returns.
        measure: What counts as right, for the y axis.

    Raises:
        InputError: The frame holds no rows.
    """
    from matplotlib.colors import PowerNorm

    if drawn.empty:
        raise InputError(
            "there is nothing to draw: the frame holds no rows; give rows of spending.over_time"
        )
    budgets = [column for column in drawn.columns if column not in _TEXTS]
    names = list(dict.fromkeys(drawn["allocator"]))
    top = float(drawn[budgets].to_numpy(float).max())
    right = "of its samples are right" if measure.endswith("accuracy") else "of its samples agree"
    with style():
        figure, axes = new_panels(1, len(names), width=TWO_COLUMNS, height=2.7)
        for name, ax in zip(names, axes, strict=True):
            own = drawn[drawn["allocator"] == name]
            table = own[budgets].to_numpy(float)
            image = ax.imshow(
                table,
                aspect="auto",
                interpolation="nearest",
                cmap="cividis",
                norm=PowerNorm(0.5, 0, top),
            )
            ax.set_title(look_of(name).label)
            step = max(1, math.ceil(len(budgets) / 6))
            ax.set_xticks(range(0, len(budgets), step), [f"{float(b):g}" for b in budgets[::step]])
            ax.grid(visible=False)
            levels = {
                float(own["easy"].searchsorted(share)): f"{share * 100:.0f} %"
                for share in (0.25, 0.5, 0.75)
            }
            ax.set_yticks(
                [at - 0.5 for at in levels],
                list(levels.values()) if ax is axes[0] else [""] * len(levels),
            )
            ax.set_ylim(len(own) - 0.5, -0.5)
            ax.set_xlabel("budget, mean samples\nper question")
        axes[0].set_ylabel(f"questions, hardest on top:\nshare {right}")
        named = title(str(drawn["recording"].iloc[0]))
        figure.suptitle(named, x=0.01, ha="left", fontsize=8, weight="bold")
        figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01, label="samples drawn of a question")
        add_caption(figure, "A row of pixels is a question. Means over draw orders.")
    return figure


def _points(value: float) -> str:
    """A share in hundredths with its sign: _points(0.0213) → '+2.1'."""
    return f"{round(100 * value, 1) + 0.0:+.1f}".replace("-", "−")
