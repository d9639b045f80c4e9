"""The vote of one question growing: drawn as given, nothing is computed."""

from __future__ import annotations

from html import escape

import numpy as np

from dynlab.explorer.questions import VoteGrowth
from dynlab.explorer.state import View
from dynlab.explorer.svg import End, Panel, fill, margin, whole_ticks
from dynlab.recordings.streams import Floats

_ANSWERS = ("#0072b2", "#e69f00", "#56b4e9", "#cc79a7", "#d55e00", "#117733")  # the leading ones
_OTHERS = "#999999"
_NONE = "#bbbbbb"
_NAMED = 0.04  # the least final share of an answer that is named
_SHORT = 16  # characters of an answer in a label


def vote_panel(view: View, grown: VoteGrowth, question: int) -> str:
    """Shares of a question's answers after every sample.

    Upright lines: how many samples a policy draws of it, on average.
    """
    steps, layers = len(grown.shares), _layers(grown)
    labels = [_shortened(answer) + (" ✓" if right else "") for answer, _, _, right in layers]
    panel = Panel((0.5, steps + 0.5), (0.0, 1.0), height=250, right=margin(labels))
    names = ("samples of this question", "share of the answers")
    panel.axes(whole_ticks(*panel.x), {0: "0 %", 0.5: "50 %", 1: "100 %"}, names)
    base, ends = np.zeros(steps), []
    for label, (answer, colour, share, _) in zip(labels, layers, strict=True):
        panel.parts.append(_stacked(panel, base, base + share, colour, answer))
        ends.append(End(label, colour, steps + 0.3, float(base[-1] + share[-1] / 2)))
        base = base + share
    for name, samples in view.samples.items():
        mean, look = float(np.clip(samples[question], 0.5, steps + 0.5)), view.looks[name]
        with panel.of_policy(name, name in view.strong):
            panel.upright(mean, "dl-stop", colour=look.colour)
            panel.parts.append(
                f'<path d="M{panel.at_x(mean):.1f} {panel.top}l-5 -8h10z" {fill(look.colour)}/>'
            )
    panel.ends(ends)
    return panel.svg("the vote of one question growing sample by sample")


def _layers(grown: VoteGrowth) -> list[tuple[str, str, Floats, bool]]:
    """Label, colour, share, right: the leading answers, the others together, the missing ones."""
    named = [k for k, answer in enumerate(grown.answers) if answer]
    few = [k for k in named[: len(_ANSWERS)] if grown.shares[-1, k] >= _NAMED]
    rest = named[len(few) :]
    layers = [
        (grown.answers[k], colour, grown.shares[:, k], grown.right[k])
        for k, colour in zip(few, _ANSWERS[: len(few)], strict=True)
    ]
    if rest:
        together = grown.shares[:, rest].sum(axis=1)
        layers.append((f"{len(rest)} others", _OTHERS, together, any(grown.right[k] for k in rest)))
    layers += [
        ("no answer", _NONE, grown.shares[:, k], False)
        for k, answer in enumerate(grown.answers)
        if not answer
    ]
    return layers


def _shortened(answer: str) -> str:
    return answer if len(answer) <= _SHORT else answer[: _SHORT - 1] + "…"


def _stacked(panel: Panel, low: Floats, high: Floats, colour: str, answer: str) -> str:
    """One answer's share as steps, a step a sample."""
    edges = panel.at_x(np.arange(len(low) + 1) + 0.5)
    up = "".join(
        f"H{a:.1f}V{b:.1f}"
        for a, b in zip(edges[1:], panel.at_y(np.append(high[1:], high[-1])), strict=True)
    )
    down = "".join(
        f"H{a:.1f}V{b:.1f}"
        for a, b in zip(
            edges[:-1][::-1], panel.at_y(np.append(low[:-1][::-1], low[0])), strict=True
        )
    )
    start = f"M{edges[0]:.1f} {float(panel.at_y(high[0])):.1f}"
    return (
        f'<path class="dl-share" d="{start}{up}V{float(panel.at_y(low[-1])):.1f}{down}Z"'
        f" {fill(colour)}><title>{escape(answer)}</title></path>"
    )
