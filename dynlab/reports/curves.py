"""Accuracy against cost in words: every number is from the frame that was drawn."""

from __future__ import annotations

import pandas as pd

from dynlab.plots.style import LOOKS, methods, title
from dynlab.reports.wording import Words, bullet_list, over, plus, pooled, signed, tally, worth_of


def of_curves(curves: pd.DataFrame, greedy: pd.DataFrame | None = None) -> Words:
    """Three bullets on accuracy against cost: voting, allocation, greedy decoding.

    Args:
        curves: `Comparison.curves`, drawn by `plot_curves` or `plot_curve_grid`.
        greedy: `Comparison.greedy_vs_vote` for the same recordings, where they hold greedy answers.
    """
    sampled = curves[curves["allocator"] != "greedy"]
    first, last = sampled["budget"].min(), sampled["budget"].max()
    looks = {look.label: rows for look, rows in methods(sampled)}
    base_label, base = next(iter(looks.items()))
    gain = _at(base, last) - _at(base, first)
    reached = f"{_at(base, last).mean():.3f}{over(gain)}"
    bullets = [
        f"**More samples.** From {first:g} to {last:g} {worth_of(sampled)} per question,"
        f" {base_label} goes from {_at(base, first).mean():.3f} to {reached}{_span(gain)}."
        if first < last
        else f"**One budget.** At {last:g} {worth_of(sampled)} per question, {base_label} has"
        f" {reached}; what more samples bring takes a second budget."
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
            " over questions; whether two methods differ is a paired question, which a"
            " figure of differences answers (`comparison.differences()`)."
        )
    bullets.append(_greedy_bullet(greedy))
    return bullet_list(bullets)


def of_worth(worth: pd.DataFrame) -> Words:
    """Ratios of what rules think the next sample is worth (`dynlab.policies.priced.worth`)."""
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
    """Three bullets on stopping rules: what each spends and scores at most, and how long it takes.

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
                f"**Where the curves end.** Allowed {most:g} {worth_of(sampled)} per question, they"
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


def _at(rows: pd.DataFrame, budget: float) -> pd.Series:
    """Accuracy of each recording at a budget; without those whose curve ends before it."""
    return rows[rows["budget"] == budget].set_index("recording")["accuracy"].astype(float)


def _span(gain: pd.Series) -> str:
    """The least and the most gaining recording, where there are several."""
    if len(gain) < 2:
        return ""
    least, most = str(gain.idxmin()), str(gain.idxmax())
    return f", by {plus(gain.min())} on {title(least)} to {plus(gain.max())} on {title(most)}"
