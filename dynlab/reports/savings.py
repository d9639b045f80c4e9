"""Savings at equal accuracy and differences at equal cost, put into words, as found."""

from __future__ import annotations

import pandas as pd

from dynlab.plots.savings import told
from dynlab.plots.style import look_of, methods
from dynlab.reports.wording import (
    Words,
    bullet_list,
    names_of,
    over,
    percent,
    pooled,
    signed,
    tally,
    verdict,
)

# "more than 30 %": the cost cut in a published summary of DynScaling (arXiv 2506.16043)
PAPER_CUT = 0.30


def of_savings(savings: pd.DataFrame) -> Words:
    """Bullets on the saving at equal accuracy: by unit, where it fails, what the paper says."""
    savings = told(savings)
    if savings.empty:
        return _nothing()
    bullets = []
    for unit, rows in savings.groupby("unit", sort=False):
        for label, own in _by_method(rows):
            steep = own[~own["flat"].astype(bool)]
            means = [
                f"{percent(pooled(cells, 'saving'))} at B = {at:g}"
                for at, cells in steep.groupby("at")
            ]
            listed = "; ".join(means) if means else "nothing can be said, all cells are flat"
            bullets.append(
                f"**Counted in {unit}**, {label} saves against uniform at equal accuracy: {listed}."
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
        f" {len(worse)}{names_of(worse)}; in {unreached} uniform's accuracy was never"
        f" reached.{verdict}"
    )
    return bullet_list(bullets)


def of_differences(differences: pd.DataFrame, base: str = "uniform") -> Words:
    """A bullet per unit on the paired difference at equal budgets, and one on its cells.

    Args:
        differences: `Comparison.differences`, or `dynlab.analysis.live_runs.live_differences`.
        base: What was subtracted.
    """
    if differences.empty:
        return _nothing()
    bullets = []
    for unit, rows in differences.groupby("unit", sort=False):
        for label, own in _by_method(rows):
            means = "; ".join(
                f"{signed(pooled(cells, 'difference'))} at B = {at:g}"
                for at, cells in own.groupby("at")
            )
            bullets.append(
                f"**At equal {unit}**, {label} −"
                f" {base}{over(own[own['at'] == own['at'].max()])}: {means}."
            )
    bullets.append(
        f"**Cell by cell** ({len(differences)}), {tally(differences, _who(differences))}."
    )
    return bullet_list(bullets)


def of_headroom(bound: pd.DataFrame) -> Words:
    """A bullet a rule: mean savings of what `dynlab.analysis.learned_index.headroom` returns."""
    bound = told(bound)
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


def headlines(savings: pd.DataFrame, greedy: pd.DataFrame) -> tuple[str, ...]:
    """The findings in a line each: UCB's mean saving by unit, and greedy against the vote."""
    lines, savings = [], told(savings)
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


def _nothing() -> Words:
    return bullet_list(
        ["**Nothing to compare.** No recording holds more samples than the smallest budget takes."]
    )


def _verdict(steep: pd.DataFrame) -> str:
    """The paper's headline against ours, as found."""
    found = []
    for unit, rows in steep.groupby("unit", sort=False):
        last = rows[rows["at"] == rows["at"].max()]
        found.append(f"{verdict(last, 'saving', PAPER_CUT)} in {unit}")
    listed = " and ".join(found) or "not testable on flat cells"
    return (
        f"A cut of more than {PAPER_CUT:.0%}, as reported for the whole method, is {listed} at the"
        " largest B."
    )


def _missed(cells: pd.DataFrame) -> str:
    """How many cells enter a mean as the end of their grid, not having been reached."""
    missed = int((~cells["reached"].astype(bool)).sum())
    return f"; {missed} of {len(cells)} never reached it" if missed else ""


def _by_method(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each method under its label; differences name it in `allocator`."""
    if "stopping" in rows:
        return [(look.label, own) for look, own in methods(rows)]
    groups = rows.groupby("allocator", sort=False)
    return [(look_of(str(name)).label, own) for name, own in groups]


def _who(rows: pd.DataFrame) -> str:
    """The methods of a frame as they are labelled in its figure."""
    return ", ".join(label for label, _ in _by_method(rows))
