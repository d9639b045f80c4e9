"""Models of recordings: fitted beside real curves, and the power to see a saving."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from dynlab._util.errors import InputError
from dynlab.plots.axes import (
    ONE_COLUMN,
    TWO_COLUMNS,
    log2_axis,
    name_panel,
    new_panels,
    shared_legend,
)
from dynlab.plots.captions import BANDS, add_caption, counted
from dynlab.plots.style import contrasted, label_of, look_of, style, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 3  # panels in a row
_LOWEST = -1.0  # of a saving that is drawn


def plot_agreement(rows: pd.DataFrame) -> Figure:
    """Accuracy against budget, recorded and simulated: a panel a recording.

    Args:
        rows: What `dynlab.simulation.agreement` returns.

    Raises:
        InputError: The frame holds no accuracies.
    """
    drawn = rows[rows["value"] == "accuracy"]
    if drawn.empty:
        raise InputError("there is nothing to draw; give rows of dynlab.simulation.agreement")
    names = list(dict.fromkeys(drawn["recording"]))
    across = min(len(names), _ACROSS)
    down = math.ceil(len(names) / across)
    width, height = (ONE_COLUMN, 2.5) if len(names) == 1 else (TWO_COLUMNS, 1.75 * down + 0.45)
    with style():
        figure, axes = new_panels(down, across, width=width, height=height)
        for number, (name, ax) in enumerate(zip(names, axes, strict=False)):
            _agreement_panel(ax, drawn[drawn["recording"] == name])
            name_panel(ax, name)
            ax.set_xlabel("samples per question" if number + across >= len(names) else "")
            ax.set_ylabel("accuracy" if number % across == 0 else "")
        shared_legend(figure, axes[: len(names)], axes[len(names) :])
        add_caption(
            figure,
            BANDS,
            "Dashed, open: samples drawn from the model that was fitted to the recording, of"
            f" {drawn['simulated_questions'].iloc[0]} simulated questions.",
        )
    return figure


def _agreement_panel(ax: Axes, rows: pd.DataFrame) -> None:
    """Lines of one recording: solid in their bands as recorded, dashed as simulated."""
    for name, own in rows.groupby("allocator", sort=False):
        look, x = look_of(str(name)), own["budget"]
        for side, line in (("recorded", "-"), ("simulated", "--")):
            ax.fill_between(
                x, own[f"{side}_low"], own[f"{side}_high"], color=look.colour, alpha=0.12, lw=0
            )
            face = look.colour if side == "recorded" else "white"
            label = look.label if side == "recorded" else f"{look.label}, simulated"
            ax.plot(
                x, own[side], ls=line, color=look.colour, marker=look.marker, mfc=face, label=label
            )
    log2_axis(ax, rows["budget"])


def plot_saving_agreement(rows: pd.DataFrame) -> Axes:
    """What policies save, recorded and simulated: a row a recording, policy and budget.

    Args:
        rows: The savings that `dynlab.simulation.agreement` returns.

    Raises:
        InputError: The frame holds no savings.
    """
    from matplotlib.ticker import PercentFormatter

    from dynlab.plots.small_multiples import plot_dots

    drawn = rows[rows["value"] == "saving"]
    if drawn.empty:
        raise InputError("there is nothing to draw; give savings of dynlab.simulation.agreement")
    several = drawn["allocator"].nunique() > 1
    names = [
        f"{title(name)}{f', {label_of(policy)}' if several else ''}, B = {budget:g}"
        for name, policy, budget in zip(
            drawn["recording"], drawn["allocator"], drawn["budget"], strict=True
        )
    ]
    sides = [
        pd.DataFrame(
            {
                "row": names,
                "allocator": side,
                "saving": drawn[side].to_numpy(),
                # an interval that goes beyond −100 % says no more than that
                "low": drawn[f"{side}_low"].clip(lower=_LOWEST).to_numpy(),
                "high": drawn[f"{side}_high"].to_numpy(),
            }
        )
        for side in ("recorded", "simulated")
    ]
    lowest = drawn[["recorded_low", "simulated_low"]].to_numpy().min()
    cut = " Intervals are cut at −100 %." if lowest < _LOWEST else ""
    ax = plot_dots(
        pd.concat(sides).sort_values("row", kind="stable", key=lambda row: row.map(names.index)),
        "row",
        "saving",
        xlabel=f"saving in {drawn['unit'].iloc[0]} at equal accuracy"
        + ("" if several else f", {label_of(drawn['allocator'].iloc[0])}"),
        caption=f"Simulated: {drawn['simulated_questions'].iloc[0]} questions, drawn from the model"
        f" that was fitted to the recording.{cut}",
    )
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    return ax


def plot_power(power: pd.DataFrame, *, enough: float = 0.8) -> Axes:
    """The power to see a saving against the number of questions: a line a number of samples.

    Args:
        power: What `dynlab.power` returns.
        enough: The power that is asked for, a level.

    Raises:
        InputError: The frame holds no rows.
    """
    if power.empty:
        raise InputError("there is nothing to draw; give rows of dynlab.power")
    first = power.iloc[0]
    with style():
        figure, (ax,) = new_panels(1, 1, width=ONE_COLUMN, height=2.6)
        ax.axhline(enough, color="#333333", lw=0.8, zorder=1)
        for number, (samples, own) in enumerate(power.groupby("samples")):
            look, x = contrasted(f"{samples} samples of each", number), own["questions"]
            ax.fill_between(x, own["low"], own["high"], color=look.colour, alpha=0.15, lw=0)
            ax.plot(x, own["power"], color=look.colour, marker=look.marker, label=look.label)
        log2_axis(ax, power["questions"])
        ax.set_ylim(-0.03, 1.03)
        name_panel(ax, str(first["recording"]))
        ax.set(xlabel="questions", ylabel="power, simulated")
        ax.legend(loc="lower right")
        add_caption(
            figure,
            f"Share of {first['simulations']} simulated experiments that see the saving of"
            f" {label_of(first['policy'])} against {label_of(first['baseline'])}: the 95 % interval"
            " over questions lies above zero.",
            f"Saving at B = {first['at']:g} {counted([first['unit']])}:"
            f" {100 * first['effect']:.0f} %.",
            "Bands: 95 % intervals of the share.",
        )
    return ax
