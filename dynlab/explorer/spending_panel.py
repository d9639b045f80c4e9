"""What each question got, from easy to hard: drawn as given, nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from dynlab.explorer.fragments import unit_name
from dynlab.explorer.questions import QuestionSummary
from dynlab.explorer.state import View
from dynlab.explorer.svg import End, Panel, doubling_whole, margin
from dynlab.plots.axes import doubling
from dynlab.recordings.streams import Floats, Ints


def spending_panel(
    view: View, order: Ints, summaries: Sequence[QuestionSummary], chosen: int, by: str
) -> str:
    """What each question got at the budget: dots, and their running mean as a line.

    Args:
        view: The numbers.
        order: [Q] the questions from left to right, easy to hard.
        summaries: [Q] told on hover.
        chosen: The place in the order of the question that is shown below.
        by: What the order is by.
    """
    unit = view.setting.unit
    # a question that got less than half a sample's mean price lies there: the axis is logarithmic
    ground = view.material.streams.per_sample(unit) / 2
    spent = {name: np.maximum(values[order], ground) for name, values in view.spent.items()}
    low = min(values.min() for values in spent.values())
    high = max(values.max() for values in spent.values())
    place = np.arange(len(order), dtype=float)
    panel = Panel(
        (-0.5, len(order) - 0.5),
        (low / 1.15, max(high, low * 2) * 1.15),
        log_y=True,
        height=280,
        bottom=58,
        right=margin(look.label for look in view.looks.values()),
    )
    ticks = doubling_whole if unit == "samples" else doubling
    names = (f"questions, easy → hard ({by})", f"{unit_name(unit)} spent")
    panel.axes({}, ticks(*panel.y), names)
    _hits(panel, order, summaries, view)
    ends = []
    for name, values in sorted(spent.items(), key=lambda each: each[0] in view.strong):
        look = view.looks[name]
        mean = running_mean(values, max(1, len(order) // 12))
        with panel.of_policy(name, name in view.strong):
            panel.dots(place, values, look.colour, size=4, faint=True)
            panel.line(place, mean, look.colour)
        ends.append(End(look.label, look.colour, float(place[-1]), float(mean[-1]), name))
    hard = view.material.wrong if by == "accuracy" else view.material.disagreement
    _difficulty(panel, hard[order])
    panel.upright(chosen, "dl-chosen")
    panel.ends(ends, view.strong)
    return panel.svg(f"{unit_name(unit)} spent on each question, from easy to hard")


def running_mean(values: Floats, reach: int) -> Floats:
    """The mean over neighbours up to `reach` away on both sides, fewer at the ends.

    >>> running_mean(np.array([1.0, 2.0, 6.0]), 1).tolist()
    [1.5, 3.0, 4.0]
    """
    total = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    first, last = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(values))
    return np.asarray((total[last] - total[first]) / (last - first))


def _hits(panel: Panel, order: Ints, summaries: Sequence[QuestionSummary], view: View) -> None:
    """A transparent column for each question, which tells it on hover."""
    wide = float(panel.at_x(1.0) - panel.at_x(0.0))
    tall = panel.height - panel.bottom - panel.top
    for place, question in enumerate(order):
        left = float(panel.at_x(place)) - wide / 2
        told = escape(_told(summaries[question], view, int(question)))
        panel.parts.append(
            f'<rect class="dl-hit" x="{left:.1f}" y="{panel.top}" width="{wide:.2f}"'
            f' height="{tall}"><title>{told}</title></rect>'
        )


def _told(one: QuestionSummary, view: View, question: int) -> str:
    votes = ", ".join(
        f"{answer or 'no answer'}{' ✓' if right else ''}: {count}"
        for answer, count, right in one.votes[:5]
    )
    drawn = ", ".join(
        f"{view.looks[name].label} {values[question]:.1f}" for name, values in view.samples.items()
    )
    texts = "".join(f"\n“{' '.join(text.split())[:80]}”" for text in one.texts[:2])
    words = one.question if len(one.question) <= 160 else one.question[:160] + " …"
    return f"{one.id}  {words}\nvotes: {votes}\nsamples at B: {drawn}{texts}"


def _difficulty(panel: Panel, hard: Floats) -> None:
    """A strip under the panel: how hard each question is, from 0 to 1."""
    ground, tall = panel.height - 24, 22
    x = panel.at_x(np.arange(len(hard), dtype=float))
    top = "L".join(f"{a:.1f} {ground - tall * h:.1f}" for a, h in zip(x, hard, strict=True))
    panel.parts.append(
        f'<path class="dl-hard" d="M{x[0]:.1f} {ground}L{top}L{x[-1]:.1f} {ground}Z"/>'
    )
    panel.words(panel.width - panel.right + 10, ground - 6, "difficulty", "start", style="dl-name")
