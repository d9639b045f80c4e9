"""The explorer's panels: accuracy against cost, savings, spending by question, one vote growing.
Numbers in, HTML out.

A panel draws what it is given and computes nothing; whatever a model wrote is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

from dynlab.explorer.questions import Asked, Growth
from dynlab.explorer.state import View
from dynlab.explorer.svg import Panel, fill, margin, nice_ticks, padded, paint
from dynlab.plots.axes import doubling
from dynlab.plots.curves import DASHED_ABOVE
from dynlab.plots.style import LOOKS, Look
from dynlab.recordings.streams import Floats, Ints

_ANSWERS = (
    "#0072b2",
    "#e69f00",
    "#56b4e9",
    "#cc79a7",
    "#d55e00",
    "#117733",
)  # of the leading answers
_OTHERS, _NONE = "#999999", "#bbbbbb"
_NAMED = 0.04  # the least final share of an answer that is named
_SHORT = 16  # characters of an answer in a label


def curves_panel(view: View) -> str:
    """Accuracy against cost with intervals, greedy's level, and the budget as a vertical line.

    A line is dashed where more than 5 % of the questions have run out of samples.
    """
    cost = f"spent_{view.setting.unit}"
    curves = view.curves[view.curves["allocator"] != "greedy"]
    greedy = view.curves[view.curves["allocator"] == "greedy"]
    budget = view.setting.budget * view.material.streams.per_sample(view.setting.unit)
    costs = [*curves[cost], *greedy[cost].dropna(), budget]
    panel = Panel(
        (min(costs) * 0.95, max(costs) * 1.03),
        padded([*view.curves["low"], *view.curves["high"]]),
        log_x=True,
        right=margin(look_of(name).label for name in view.spent),
    )
    panel.axes(
        doubling(*panel.x),
        nice_ticks(*panel.y),
        (_cost_name(view), str(view.curves.attrs["measure"])),
    )
    ends = []
    for name, rows in curves.groupby("allocator", sort=False):
        look = look_of(str(name))
        x, y = rows[cost].to_numpy(float), rows["accuracy"].to_numpy(float)
        low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
        panel.band(x, low, high, look.colour, min(0.09, 0.27 / len(view.spent)))
        solid = max(int((rows["exhausted"].to_numpy(float) <= DASHED_ABOVE).sum()), 1)
        panel.line(x[:solid], y[:solid], look.colour)
        panel.line(x[solid - 1 :], y[solid - 1 :], look.colour, dashed=True)
        panel.dots(x, y, look.colour)
        ends.append((look.label, look.colour, float(x[-1]), float(y[-1])))
    for _, row in greedy.iterrows():
        _greedy(panel, row, cost)
    panel.upright(budget, "dl-budget", f"B = {view.setting.budget:g}")
    panel.ends(ends)
    if view.coarse:
        panel.words(
            panel.width - panel.right - 4,
            panel.height - panel.bottom - 8,
            coarse(view),
            "end",
            style="dl-coarse",
        )
    return panel.svg(f"{view.curves.attrs['measure']} against {_cost_name(view)}")


def savings_html(view: View) -> str:
    """Each policy's saving in large type with its interval, and what it gains at equal cost."""
    unit, budget = view.setting.unit, view.setting.budget
    if view.saved.empty:
        return '<p class="dl-soft">Tick a policy beside uniform to see what it saves.</p>'
    cards = "".join(_card(row, view) for _, row in view.saved.iterrows())
    badge = f'<span class="dl-coarse">{coarse(view)}</span> ' if view.coarse else ""
    return (
        f'<p class="dl-lead">{badge}Saved in {unit} at the accuracy that uniform has with B ='
        f" {budget:g}, with paired 95 % intervals over questions</p><div"
        f' class="dl-cards">{cards}</div>'
    )


def _card(row: pd.Series, view: View) -> str:
    look, gain = look_of(row["allocator"]), view.gained[row["allocator"]]
    note = "" if row["reached"] else "<br>that accuracy is not reached; at best this"
    if row["flat"]:
        note = "<br>uniform gains less than 0.01 here: there is nothing to save"
    colour = "" if note else f' style="color:{paint(look.colour)}"'
    return (
        '<div class="dl-card"><div class="dl-who"'
        f' style="color:{paint(look.colour)}">{escape(look.label)}</div><div'
        f' class="dl-big"{colour}>{percent(row["saving"])}</div><div'
        f' class="dl-range">[{percent(row["low"])}, {percent(row["high"])}]</div><div'
        f' class="dl-soft">at equal cost {signed(gain.value)} [{signed(gain.low)},'
        f" {signed(gain.high)}]{note}</div></div>"
    )


def spending_panel(view: View, order: Ints, asked: Sequence[Asked], chosen: int, by: str) -> str:
    """What each question got at the budget, from easy to hard: dots, and their running mean as a
    line.

    Args:
        order: [Q] the questions from left to right.
        asked: [Q] told on hover.
        chosen: The place in the order of the question that is shown below.
        by: What the order is by.
    """
    unit = view.setting.unit
    ground = (
        view.material.streams.per_sample(unit) / 2
    )  # less than half a sample's mean price lies there
    spent = {name: np.maximum(values[order], ground) for name, values in view.spent.items()}
    low, high = (
        min(values.min() for values in spent.values()),
        max(values.max() for values in spent.values()),
    )
    place = np.arange(len(order), dtype=float)
    panel = Panel(
        (-0.5, len(order) - 0.5),
        (low / 1.15, max(high, low * 2) * 1.15),
        log_y=True,
        height=280,
        bottom=58,
        right=margin(look_of(name).label for name in spent),
    )
    panel.axes(
        {}, doubling(*panel.y), (f"questions, easy → hard ({by})", f"{_unit_name(unit)} spent")
    )
    _hits(panel, order, asked, view)
    ends = []
    for name, values in spent.items():
        look = look_of(name)
        mean = running_mean(values, max(1, len(order) // 12))
        panel.dots(place, values, look.colour, size=4, faint=True)
        panel.line(place, mean, look.colour)
        ends.append((look.label, look.colour, float(place[-1]), float(mean[-1])))
    _difficulty(
        panel, view.material.wrong[order] if by == "accuracy" else view.material.disagreement[order]
    )
    panel.upright(chosen, "dl-chosen")
    panel.ends(ends)
    return panel.svg(f"{_unit_name(unit)} spent on each question, from easy to hard")


def vote_panel(view: View, grown: Growth, question: int) -> str:
    """Shares of a question's answers after every sample; upright lines: how many a policy draws of
    it, on average.
    """
    steps, layers = len(grown.shares), _layers(grown)
    labels = [_shortened(answer) + (" ✓" if right else "") for answer, _, _, right in layers]
    panel = Panel((0.5, steps + 0.5), (0.0, 1.0), height=250, right=margin(labels))
    names = ("samples of this question", "share of the answers")
    panel.axes(_counted(steps), {0: "0 %", 0.5: "50 %", 1: "100 %"}, names)
    base, ends = np.zeros(steps), []
    for label, (answer, colour, share, _) in zip(labels, layers, strict=True):
        panel.parts.append(_stacked(panel, base, base + share, colour, answer))
        ends.append((label, colour, steps + 0.3, float(base[-1] + share[-1] / 2)))
        base = base + share
    for name, samples in view.samples.items():
        mean, look = float(np.clip(samples[question], 0.5, steps + 0.5)), look_of(name)
        panel.upright(mean, "dl-stop", colour=look.colour)
        panel.parts.append(
            f'<path d="M{panel.at_x(mean):.1f} {panel.top}l-5 -8h10z" {fill(look.colour)}/>'
        )
    panel.ends(ends)
    return panel.svg("the vote of one question growing sample by sample")


def question_html(one: Asked, view: View, question: int) -> str:
    """The question in words: what was asked, its votes, what each policy draws of it, and some
    responses.
    """
    votes = ", ".join(
        f"{f'<b>{escape(answer)}</b>' if answer else '<i>no answer</i>'}{' ✓' if right else ''}"
        f" {count}"
        for answer, count, right in one.votes[:8]
    )
    more = f" and {len(one.votes) - 8} more answers" if len(one.votes) > 8 else ""
    drawn = ", ".join(
        f'<span style="color:{paint(look_of(name).colour)}">{escape(look_of(name).label)}</span>'
        f" {values[question]:.1f}"
        for name, values in view.samples.items()
    )
    texts = "".join(f"<pre>{escape(text.strip())}</pre>" for text in one.texts)
    said = folded("texts", f"{len(one.texts)} of its responses", texts) if one.texts else ""
    return (
        f'<div class="dl-question"><p><b>{escape(one.id)}</b> {escape(one.question)}</p><p>votes:'
        f" {votes}{more}"
        f"{f' · greedy: <b>{escape(one.greedy) or chr(8709)}</b>' if one.greedy is not None else ''}</p>"
        f"<p>samples drawn of it at B, on average: {drawn}</p>{said}</div>"
    )


def coarse(view: View) -> str:
    """What a picture says that is from few replications: finer ones are on their way."""
    return f"coarse: {view.replications} of {view.setting.replications} draw orders"


def folded(name: str, summary: str, content: str) -> str:
    """HTML to be unfolded; it stays unfolded when the panel is drawn again."""
    page = "this.closest('.dynlab').dataset"
    return (
        f"<details ontoggle=\"{page}.{name}=this.open?1:''\"><summary>{summary}</summary>"
        f'<style onload="this.parentNode.open=!!{page}.{name}"></style>{content}</details>'
    )


def look_of(allocator: str) -> Look:
    """The look of an allocator, grey where it has none."""
    return LOOKS.get(allocator) or Look(allocator, "#777777", "o")


def percent(share: float) -> str:
    """A share as per cent: 0.431 → '43 %', −0.02 → '−2 %'."""
    return f"{100 * share:.0f} %".replace("-", "−")


def signed(difference: float) -> str:
    """A difference with its sign: 0.012 → '+0.012', −0.2 → '−0.200'."""
    return f"{difference:+.3f}".replace("-", "−")


def running_mean(values: Floats, reach: int) -> Floats:
    """The mean over neighbours up to `reach` away on both sides, fewer at the ends.

    >>> running_mean(np.array([1.0, 2.0, 6.0]), 1).tolist()
    [1.5, 3.0, 4.0]
    """
    total = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    first, last = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(values))
    return np.asarray((total[last] - total[first]) / (last - first))


def _greedy(panel: Panel, row: pd.Series, cost: str) -> None:
    look, level = LOOKS["greedy"], float(row["accuracy"])
    panel.line(np.array(panel.x), np.array([level, level]), look.colour, wide=1, dashed=True)
    place = panel.x[0] if math.isnan(row[cost]) else float(row[cost])
    panel.line(np.array([place, place]), np.array([row["low"], row["high"]]), look.colour, wide=1.5)
    panel.dots(np.array([place]), np.array([level]), look.colour, size=8)
    panel.words(
        float(panel.at_x(place)) + 7,
        float(panel.at_y(level)) - 6,
        look.label,
        "start",
        colour=look.colour,
    )


def _hits(panel: Panel, order: Ints, asked: Sequence[Asked], view: View) -> None:
    """A transparent column for each question, which tells it on hover."""
    wide = float(panel.at_x(1.0) - panel.at_x(0.0))
    tall = panel.height - panel.bottom - panel.top
    for place, question in enumerate(order):
        left = float(panel.at_x(place)) - wide / 2
        told = escape(_told(asked[question], view, int(question)))
        panel.parts.append(
            f'<rect class="dl-hit" x="{left:.1f}" y="{panel.top}" width="{wide:.2f}"'
            f' height="{tall}"><title>{told}</title></rect>'
        )


def _told(one: Asked, view: View, question: int) -> str:
    votes = ", ".join(
        f"{answer or 'no answer'}{' ✓' if right else ''}: {count}"
        for answer, count, right in one.votes[:5]
    )
    drawn = ", ".join(
        f"{look_of(name).label} {values[question]:.1f}" for name, values in view.samples.items()
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


def _layers(grown: Growth) -> list[tuple[str, str, Floats, bool]]:
    """The leading answers, then the others together, then the missing ones: label, colour, share,
    right.
    """
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


def _counted(steps: int) -> Mapping[float, str]:
    return {
        value: label
        for value, label in nice_ticks(1, steps, 8).items()
        if float(value).is_integer()
    }


def _unit_name(unit: str) -> str:
    return {"samples": "samples", "tokens": "tokens", "usd": "USD"}[unit]


def _cost_name(view: View) -> str:
    name = f"{_unit_name(view.setting.unit)} per question"
    if view.setting.unit == "tokens":
        kind = view.material.streams.tokens_kind
        name += " (completion only)" if kind == "completion" else " (prompt + completion)"
    return name
