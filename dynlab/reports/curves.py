"""Figures put into words: every number comes from the frame that was drawn, also where it speaks
against the paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from dynlab.plots.style import LOOKS, methods, title

PAPER_CUT = (
    0.30  # "more than 30 %": the cost cut in a published summary of DynScaling (arXiv 2506.16043)
)


class Words(str):
    """Markdown that a notebook shows as such."""

    def _repr_markdown_(self) -> str:
        return str(self)


def of_curves(curves: pd.DataFrame, greedy: pd.DataFrame | None = None) -> Words:
    """Three bullets on accuracy against cost: what voting gains, what allocation adds, what greedy
    decoding does.

    Args:
        curves: Rows of `dynlab.analysis.comparison.compare`, drawn by `plot_curves` or
            `plot_curve_grid`.
        greedy: Rows of `dynlab.analysis.comparison.greedy_vs_vote` for the same recordings, where
            they hold greedy answers.
    """
    sampled = curves[curves["allocator"] != "greedy"]
    first, last = sampled["budget"].min(), sampled["budget"].max()
    looks = {look.label: rows for look, rows in methods(sampled)}
    base_label, base = next(iter(looks.items()))
    gain = _at(base, last) - _at(base, first)
    bullets = [
        f"**More samples.** From {first:g} to {last:g} {_unit(sampled)} per question, {base_label}"
        f" goes from {_at(base, first).mean():.3f} to"
        f" {_at(base, last).mean():.3f}{over(gain)}{_span(gain)}."
    ]
    middle = sorted(sampled["budget"].unique())[len(sampled["budget"].unique()) // 2]
    leads = {
        label: _at(rows, middle) - _at(base, middle)
        for label, rows in looks.items()
        if label != base_label
    }
    if leads:
        order = sorted(leads, key=lambda label: -leads[label].mean())
        listed = ", ".join(f"{label} {plus(leads[label].mean())}" for label in order)
        ahead = int((leads[order[0]] > 0).sum())
        bullets.append(
            f"**Which samples.** At {middle:g}, against {base_label}{over(gain)}: {listed};"
            f" {order[0]} is ahead in {ahead} of {len(gain)}. A band is a method's own interval"
            " over questions; whether two methods differ is a paired question, which notebook 03"
            " answers."
        )
    bullets.append(_greedy_bullet(greedy))
    return bullet_list(bullets)


def of_worth(worth: pd.DataFrame) -> Words:
    """Bullets on what rules think the next sample is worth: ratios of what
    `dynlab.policies.priced.worth` returns.
    """
    known = zip(worth["rule"], worth["votes"], worth["n"], worth["index"], strict=True)
    at = {(str(rule), votes, n): float(index) for rule, votes, n, index in known}
    few, many = 4, max(n for _, votes, n in at if votes == "tied")
    pairs = {
        f"**Agreement.** At {few} samples a tie is worth more than agreement": ("all agree", few),
        f"**A lead.** At {few} samples a tie is worth more than a lead of two": ("two ahead", few),
        f"**Giving up.** A tie of {few} samples is worth more than one of {many}": ("tied", many),
    }
    rules = dict.fromkeys(rule for rule, _, _ in at)
    return bullet_list(
        f"{what}: "
        + ", ".join(
            f"{at[rule, 'tied', few] / at[rule, *other]:,.3g} times by {LOOKS[rule].label}"
            for rule in rules
        )
        + "."
        for what, other in pairs.items()
    )


def of_stopping(curves: pd.DataFrame, greedy: pd.DataFrame | None = None) -> Words:
    """Three bullets on stopping rules: what each spends and scores where it may spend most, and how
    long that takes.

    Args:
        curves: Rows of `compare` for uniform allocation without and with stopping rules.
        greedy: As in `of_curves`.
    """
    sampled = curves[curves["allocator"] != "greedy"]
    most, unit = sampled["budget"].max(), str(sampled["unit"].iloc[0])
    ends = {look.label: rows.groupby("recording").tail(1) for look, rows in methods(sampled)}

    def listed(column: str, form: str) -> str:
        means = {label: float(rows[column].mean()) for label, rows in ends.items()}
        return ", ".join(
            f"{label} {mean:{',.0f' if mean >= 10_000 else form}}" for label, mean in means.items()
        )

    return bullet_list(
        [
            (
                f"**Where the curves end.** Allowed {most:g} {_unit(sampled)} per question, they"
                f" spend, in {unit}{over(next(iter(ends.values())))}:"
                f" {listed(f'spent_{unit}', '.4g')}; accuracy: {listed('accuracy', '.3f')}. What a"
                " question leaves by stopping goes to the others; a curve that ends early had no"
                " question left to ask."
            ),
            (
                "**What it costs in time.** Calls that wait for one another, at the longest:"
                f" {listed('depth', '.3g')}."
            ),
            _greedy_bullet(greedy),
        ]
    )


def of_savings(savings: pd.DataFrame) -> Words:
    """Three bullets on the saving at equal accuracy: how much in each unit, what the paper says,
    where it fails.
    """
    if savings.empty:
        return _nothing()
    bullets = []
    for unit, rows in savings.groupby("unit", sort=False):
        steep = rows[~rows["flat"].astype(bool)]
        means = [
            f"{percent(pooled(cells, 'saving'))} at B = {at:g}" for at, cells in steep.groupby("at")
        ]
        listed = "; ".join(means) if means else "nothing can be said, all cells are flat"
        bullets.append(
            f"**Counted in {unit}**, {_who(rows)} saves against uniform at equal accuracy:"
            f" {listed}."
        )
    steep = savings[~savings["flat"].astype(bool)]
    worse, better = steep[steep["high"] < 0], steep[steep["low"] > 0]
    unreached = int((~steep["reached"].astype(bool)).sum())
    flat = len(savings) - len(steep)
    cells = (
        f"{len(steep)} of {len(savings)}; in the others uniform itself hardly gains"
        if flat
        else f"{len(steep)}"
    )
    verdict = (
        f" {_verdict(steep)}" if set(savings["allocator"]) == {"ucb"} else ""
    )  # the paper's claim is on its bandit
    bullets.append(
        f"**Cell by cell** ({cells}), the interval lies above zero in {len(better)}, below zero in"
        f" {len(worse)}{_names(worse)}; in {unreached} uniform's accuracy was never"
        f" reached.{verdict}"
    )
    return bullet_list(bullets)


def of_differences(differences: pd.DataFrame) -> Words:
    """A bullet per unit on the paired difference at equal budgets, and one on what it says of
    allocation.
    """
    if differences.empty:
        return _nothing()
    bullets = []
    for unit, rows in differences.groupby("unit", sort=False):
        means = "; ".join(
            f"{signed(pooled(cells, 'difference'))} at B = {at:g}"
            for at, cells in rows.groupby("at")
        )
        bullets.append(
            f"**At equal {unit}**, {_who(rows)} −"
            f" uniform{over(rows[rows['at'] == rows['at'].max()])}: {means}."
        )
    bullets.append(
        f"**Cell by cell** ({len(differences)}), {tally(differences, _who(differences))}."
    )
    return bullet_list(bullets)


def of_headroom(bound: pd.DataFrame) -> Words:
    """A bullet a rule, means over the recordings that have something to save: rows of
    `dynlab.analysis.learned_index.headroom`.
    """
    steep = bound[~bound["flat"].astype(bool)]
    if steep.empty:
        return _nothing()
    bullets = []
    for name, rows in steep.groupby("method", sort=False):
        means = [
            f"{round(100 * cells['saving'].mean())} % at B = {at:g}"
            for at, cells in rows.groupby("at")
        ]
        bullets.append(
            f"**{name}** saves in {rows['unit'].iloc[0]}, on average: {'; '.join(means)}."
        )
    return bullet_list(bullets)


def of_greedy(greedy: pd.DataFrame) -> Words:
    """Bullets on one greedy answer against the vote, and on where each of them stands."""
    bullets = [_greedy_bullet(greedy)]
    if len(greedy):
        ranks = greedy.sort_values("difference")
        least, most = (
            f"{title(row['recording'])}: greedy {row['greedy']:.3f}, vote {row['vote']:.3f}"
            for _, row in ranks.iloc[[0, -1]].iterrows()
        )
        bullets.append(f"**The vote does worst** on {least}; **and best** on {most}.")
        calls = f"{greedy['at'].max():g}"
        bullets.append(
            f"**The price.** A vote pays for {calls} answers where greedy decoding pays for one."
        )
    return bullet_list(bullets)


def headlines(savings: pd.DataFrame, greedy: pd.DataFrame) -> tuple[str, ...]:
    """The findings in a line each: the mean saving of UCB in samples and in tokens, and greedy
    against the vote.
    """
    lines = []
    for unit, rows in savings.groupby("unit", sort=False) if len(savings) else ():
        at = rows["at"].max()
        steep = rows[(rows["at"] == at) & ~rows["flat"].astype(bool)]
        if len(steep):
            lines.append(
                f"Saving of UCB against uniform in {unit}, at the accuracy of {at:g} samples per"
                f" question: {percent(pooled(steep, 'saving'))}{over(steep)}{_missed(steep)}."
            )
        else:
            lines.append(
                f"Saving of UCB against uniform in {unit}: nothing can be said, all curves are"
                " flat."
            )
    if len(greedy):
        lines.append(
            f"Greedy decoding scores {greedy['greedy'].mean():.3f}, the vote of"
            f" {greedy['at'].max():g} samples {greedy['vote'].mean():.3f}: vote − greedy ="
            f" {signed(pooled(greedy, 'difference'))}{over(greedy)}."
        )
    return tuple(lines)


def pooled(frame: pd.DataFrame, value: str) -> tuple[float, float, float]:
    """The mean of a column over recordings, with an interval made of theirs.

    low = mean − √Σ(vᵢ − lowᵢ)² / m, high likewise (the variance estimates recovered from each
    interval; Zou and Donner 2008). It takes the recordings as independent and given; it says
    nothing on recordings that are not there.

    >>> pooled(pd.DataFrame({"saving": [2.0, 4.0], "low": [1.25, 3.0], "high": [2.75, 5.0]}), "saving")
    (3.0, 2.375, 3.625)
    """
    values = frame[value].astype(float)
    below = math.hypot(*(values - frame["low"])) / len(frame)
    above = math.hypot(*(frame["high"] - values)) / len(frame)
    mean = float(values.mean())
    return mean, mean - below, mean + above


def _nothing() -> Words:
    return bullet_list(
        ["**Nothing to compare.** No recording holds as many samples as the smallest budget takes."]
    )


def _greedy_bullet(greedy: pd.DataFrame | None) -> str:
    if greedy is None or greedy.empty:
        return (
            "**Greedy decoding** (temperature 0) was not recorded here, so whether voting beats it"
            " stays open."
        )
    return (
        f"**One greedy answer** against the vote of {greedy['at'].max():g} samples: vote − greedy"
        f" is {signed(pooled(greedy, 'difference'))}{over(greedy)}; {tally(greedy, 'the vote')}."
    )


def tally(differences: pd.DataFrame, who: str) -> str:
    """In how many rows the paired interval lies above zero, below it, or holds it."""
    ahead, behind = differences[differences["low"] > 0], differences[differences["high"] < 0]
    level = len(differences) - len(ahead) - len(behind)
    return (
        f"by the paired interval {who} is ahead in {len(ahead)}{_names(ahead)}, behind in"
        f" {len(behind)}{_names(behind)}, and not told apart in {level}"
    )


def _verdict(steep: pd.DataFrame) -> str:
    """The paper's headline against ours, as found."""
    found = []
    for unit, rows in steep.groupby("unit", sort=False):
        _, low, high = pooled(rows[rows["at"] == rows["at"].max()], "saving")
        result = (
            "found"
            if low > PAPER_CUT
            else "not found"
            if high < PAPER_CUT
            else "neither shown nor excluded"
        )
        found.append(f"{result} in {unit}")
    listed = " and ".join(found) or "not testable on flat cells"
    return (
        f"A cut of more than {PAPER_CUT:.0%}, as reported for the whole method, is {listed} at the"
        " largest B."
    )


def _at(rows: pd.DataFrame, budget: float) -> pd.Series:
    """Accuracy of each recording at a budget, by name; recordings whose curve ends before it are
    left out.
    """
    return rows[rows["budget"] == budget].set_index("recording")["accuracy"].astype(float)


def _missed(cells: pd.DataFrame) -> str:
    """How many cells enter a mean as the end of their grid, because uniform's accuracy was never
    reached.
    """
    missed = int((~cells["reached"].astype(bool)).sum())
    return f"; {missed} of {len(cells)} never reached it" if missed else ""


def _unit(frame: pd.DataFrame) -> str:
    unit = str(frame["unit"].iloc[0])
    return unit if unit == "samples" else f"samples' worth of {unit}"


def over(values: pd.Series | pd.DataFrame) -> str:
    """' (mean of 6 recordings)', nothing for a single one."""
    return f" (mean of {count(len(values), 'recording')})" if len(values) > 1 else ""


def _span(gain: pd.Series) -> str:
    """The least and the most gaining recording, where there are several."""
    if len(gain) < 2:
        return ""
    least, most = str(gain.idxmin()), str(gain.idxmax())
    return f", by {plus(gain.min())} on {title(least)} to {plus(gain.max())} on {title(most)}"


def _who(rows: pd.DataFrame) -> str:
    """The allocators of a frame as they are labelled in its figure."""
    names = dict.fromkeys(rows["allocator"])
    return ", ".join(LOOKS[name].label if name in LOOKS else str(name) for name in names)


def _names(rows: pd.DataFrame) -> str:
    names = [title(str(name)) for name in dict.fromkeys(rows["recording"])]
    return f" ({', '.join(names)})" if names else ""


def count(number: int, noun: str) -> str:
    """'1 recording', '2 recordings'."""
    return f"{number} {noun}{'s' * (number != 1)}"


def percent(estimate: tuple[float, float, float]) -> str:
    """(0.31, 0.05, 0.48) → '31 % [5 %, 48 %]'."""
    mean, low, high = (
        "unknown" if math.isnan(value) else f"{round(100 * value)} %" for value in estimate
    )
    return f"{mean} [{low}, {high}]"


def signed(estimate: tuple[float, float, float]) -> str:
    """(0.012, −0.001, 0.03) → '+0.012 [-0.001, +0.030]'."""
    mean, low, high = map(plus, estimate)
    return f"{mean} [{low}, {high}]"


def plus(value: float) -> str:
    """A signed number to three places, never '-0.000'."""
    return f"{round(value, 3) + 0.0:+.3f}"


def bullet_list(lines: Iterable[str]) -> Words:
    """A line a bullet."""
    return Words("\n".join(f"- {line}" for line in lines))
