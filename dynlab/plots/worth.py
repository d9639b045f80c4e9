"""What allocators think the next sample of a question is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dynlab.plots.axes import TWO_COLUMNS, new_panels, tint
from dynlab.plots.captions import add_caption
from dynlab.plots.style import LOOKS, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_worth(worth: pd.DataFrame) -> Figure:
    """What rules think the next sample is worth: a panel a rule, a line a state of the votes.

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
        add_caption(
            figure,
            "Formulas, not measurements: no intervals. Lines: by how many votes the leading answer"
            " is ahead of the second.",
        )
    return figure
