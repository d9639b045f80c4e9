"""The line under a figure that says what its marks mean, so that the figure can be read alone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BANDS = "Bands: 95 % intervals over questions."
BARS = "Bars: 95 % intervals over questions."
ABSENT = "n/a: not sampled, or no more than B recorded."
_SIZE = 5.8  # points
_LINE = 1.35 * _SIZE / 72  # inches from one line to the next
_LETTER = 0.525 * _SIZE / 72  # inches, the mean width of a letter of the theme's font


def add_caption(figure: Figure, *sentences: str) -> None:
    """Writes sentences under a figure, which grows by their lines; '' is left out.

    The layout keeps what was drawn above them. A legend of the figure stands over its panels.
    """
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(" ".join(filter(None, sentences)), int((width - 0.1) / _LETTER))
    engine = figure.get_layout_engine()
    if not lines or engine is None:
        return
    own = len(lines) * _LINE + 0.05
    below = own / (height + own)
    figure.set_size_inches(width, height + own)
    engine.set(rect=(0, below, 1, 1 - below))  # type: ignore[call-arg]
    figure.text(
        0.04 / width,
        0.03 / (height + own),
        "\n".join(lines),
        fontsize=_SIZE,
        linespacing=1.3,
        color="#666666",
        va="bottom",
    )


def counted(units: Iterable[str]) -> str:
    """What B counts, in the units of a figure's panels.

    >>> counted(["tokens"]), counted(["samples", "tokens"])
    ("samples' worth of tokens per question", 'samples per question, or the tokens that they cost')
    """
    found = list(dict.fromkeys(units))
    paid = " or ".join(unit for unit in found if unit != "samples")
    if len(found) > 1:
        return f"samples per question, or the {paid} that they cost"
    return f"samples' worth of {paid} per question" if paid else "samples per question"


def at_budgets(frame: pd.DataFrame) -> str:
    """At which budget a frame's numbers were taken, or over which they are means; '' if at many.

    >>> at_budgets(pd.DataFrame({"budgets": ["4 8"], "unit": ["samples"]}))
    'Means over B = 4 and 8 samples per question.'
    """
    if frame.empty or "unit" not in frame:
        return ""
    per_question = counted(frame["unit"])
    if "budgets" in frame:
        *others, last = str(frame["budgets"].iloc[0]).split()
        listed = f"{', '.join(others)} and {last}" if others else last
        return f"{'Means over' if others else 'At'} B = {listed} {per_question}."
    if "at" in frame and frame["at"].nunique() == 1:
        return f"At B = {frame['at'].iloc[0]:g} {per_question}."
    return ""
