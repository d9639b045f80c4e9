"""Pictures of what votes and chained samples are worth, beside their controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dynlab.analysis.chained_samples import DIFFERENCES
from dynlab.plots.small_multiples import plot_dots, plot_lines_grid
from dynlab.plots.style import recording_looks, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACCURACIES = ("greedy", "sample", "untaught", "placebo", "shown", "chained", "vote")
MEANT = {  # what the caption says of those that occur
    "chained": "one sample that is shown attempts",
    "placebo": "one that is shown attempts at another question",
    "shown": "the vote of the attempts",
    "untaught": "of a model that was taught without attempts",
    "4 + 4": "the vote of four attempts and four chained samples",
}


def plot_accuracies(attempts: pd.DataFrame, by: str = "recording", note: str = "") -> Figure | Axes:
    """One sample, votes and chains: a row a recording.

    Args:
        attempts: Of `analysis.chained_samples`.
        by: The column that names the rows.
        note: What the axis says of the models.
    """
    rows = attempts[attempts["measure"].isin(ACCURACIES)]
    rows = rows.assign(allocator=rows["measure"], row=rows[by].map(title))
    return plot_dots(rows, "row", "value", xlabel=_label("accuracy", note), line=None)


def plot_gains(attempts: pd.DataFrame, by: str = "recording", note: str = "") -> Figure | Axes:
    """What a vote, a chained sample and four of each gain on their controls: a row a difference."""
    wanted = [f"{a} − {b}" for a, b in DIFFERENCES]
    rows = pd.concat([attempts[attempts["measure"] == measure] for measure in wanted])
    drawn = set(rows["measure"])
    names = {name for pair in DIFFERENCES if " − ".join(pair) in drawn for name in pair}
    meant = "; ".join(
        f"{name}: {words}"
        for name, words in MEANT.items()
        if any(each.startswith(name) for each in names)
    )
    caption = f"{meant[:1].upper()}{meant[1:]}."
    return _by_measure(rows, by, _label("difference in accuracy", note), caption)


def plot_cases(attempts: pd.DataFrame, by: str = "recording", note: str = "") -> Figure | Axes:
    """What a chained sample gains where the right answer led, was shown, or was absent."""
    rows = attempts[attempts["measure"].str.startswith("chained − sample, ")]
    rows = rows.assign(measure=rows["measure"].str.partition(", ")[2])
    return _by_measure(rows, by, _label("one chained − one independent sample", note))


def plot_repeats(repeated: pd.DataFrame) -> Axes:
    """How often a chained sample gives an answer that it was shown: a row a recording.

    Args:
        repeated: Of `analysis.repeated_answers`.
    """
    rows = repeated.assign(allocator=repeated["measure"], row=repeated["recording"].map(title))
    caption = (
        "Chained: samples that were shown the answers; one sample: independent ones, that were not."
    )
    xlabel = "share of samples with one of the shown answers"
    return plot_dots(rows, "row", "value", xlabel=xlabel, line=None, caption=caption)


def plot_places(places: pd.DataFrame) -> Figure:
    """What samples in sequence gain on independent ones, along their streams: a panel a recording.

    Args:
        places: Of `analysis.stream_places`.
    """
    return plot_lines_grid(
        places.assign(allocator="sequential"),
        "last",
        "difference",
        xlabel="place in a stream",
        ylabel="in sequence − independent",
        log2=True,
        zero=True,
        caption="A mark stands for all places after the mark before it, up to its own. At the first"
        " place nothing has been shown.",
    )


def _by_measure(rows: pd.DataFrame, by: str, label: str, caption: str = "") -> Figure | Axes:
    """A row a measure, in which every recording has a look of its own."""
    held = len(rows.drop_duplicates([by, "measure"]))
    if held < rows[by].nunique() * rows["measure"].nunique():
        caption = f"{caption} No mark: such samples were not recorded.".strip()
    rows = rows.assign(allocator=rows[by].map(title))
    looks = recording_looks(dict.fromkeys(rows["allocator"]))
    return plot_dots(
        rows, "measure", "value", xlabel=label, caption=caption, looks=looks.__getitem__
    )


def _label(text: str, note: str) -> str:
    """What an axis is, with a note: 'accuracy; model trained to use attempts'."""
    return f"{text}; {note}" if note else text
