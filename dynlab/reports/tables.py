"""Frames as tables to read: a row a method, a column a budget, each number with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.leaderboards import shown
from dynlab.analysis.measures import ACCURACY, measure_of
from dynlab.plots.savings import unchained
from dynlab.plots.style import look_of, methods, title

_VALUES = {
    "accuracy": "budget",
    "saving": "at",
    "difference": "at",
}  # what is shown, by which column


@dataclass(frozen=True)
class Table:
    """Text in rows and columns under a line that says what it is; HTML, escaped, in a notebook."""

    caption: str
    text: pd.DataFrame

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.caption)}</p>{self.text.to_html(index=False, border=0)}"

    def __str__(self) -> str:
        return f"{self.caption}\n{self.text.to_string(index=False)}"


def table(frame: pd.DataFrame) -> Table:
    """The curves, savings or differences of a comparison, or a leaderboard, short enough to read.

    Args:
        frame: With the columns accuracy and budget, saving and at, difference and at, or those of a
            leaderboard.

    Raises:
        InputError: It is another frame, or an empty one.
    """
    if "of_oracle" in frame and "policy" in frame:
        caption = (
            f"Saving in {frame['unit'].iloc[0]} at equal {frame['measure'].iloc[0]}; * deviates"
            " from its paper."
        )
        return Table(caption, shown(frame))
    value = next(
        (name for name, by in _VALUES.items() if {name, by, "low", "high"} <= set(frame.columns)),
        None,
    )
    if value is None or frame.empty:
        raise InputError(
            "a table shows rows of dynlab.compare, dynlab.savings or dynlab.leaderboard; give"
            " one of them"
        )
    by, unit = _VALUES[value], frame["unit"].iloc[0]
    frame = frame.assign(unchained=unchained(frame))
    kinds = {"stopping", "uncertainty", "exploration"} <= set(frame.columns)
    # of strategies against one another, several methods have one allocator
    key = "method" if "method" in frame else "allocator"
    rows = []
    for recording, own in frame.groupby("recording", sort=False):
        found = (
            [(look.label, rows) for look, rows in methods(own)]
            if kinds
            else [(look_of(str(name)).label, rows) for name, rows in own.groupby(key, sort=False)]
        )
        found += (
            [("greedy", own[own["allocator"] == "greedy"])]
            if (own["allocator"] == "greedy").any()
            else []
        )
        named = _named(str(recording), own, frame)
        for label, cells in found:
            numbers = {f"{cell[by]:g}": _cell(cell, value) for _, cell in cells.iterrows()}
            rows.append({"recording": named, "method": label, **numbers})
    text = pd.DataFrame(rows).fillna("")
    budgets = sorted((c for c in text.columns if c not in ("recording", "method")), key=float)
    measure = measure_of(frame) if value == "accuracy" else value
    worth = "samples" if unit == "samples" else f"samples' worth of {unit}"
    caption = f"{measure} [95 % interval] by budget, {worth} per question"
    caption += "; * none is chained yet" if frame["unchained"].any() else ""
    return Table(caption.capitalize(), text[["recording", "method", *budgets]])


def _named(recording: str, own: pd.DataFrame, frame: pd.DataFrame) -> str:
    """A recording's title, with what its accuracy is where not all recordings have the same."""
    measure = measure_of(own)
    told = measure in (ACCURACY, measure_of(frame))
    return title(recording) if told else f"{title(recording)} ({measure})"


def _cell(cell: pd.Series, value: str) -> str:
    """'0.712 [0.640, 0.780]', savings in percent; 'n/a' where it cannot be told, * unchained."""
    number, low, high = (float(cell[name]) for name in (value, "low", "high"))
    if math.isnan(number):
        return "n/a"
    if value == "saving":
        return f"{100 * number:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
    form = "+.3f" if value == "difference" else ".3f"
    mark = "*" if cell["unchained"] else ""
    return f"{number:{form}}{mark} [{low:{form}}, {high:{form}}]"
