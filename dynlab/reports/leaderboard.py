"""Leaderboards put into words: every number comes from the table that was drawn."""

from __future__ import annotations

import pandas as pd

from dynlab.analysis.leaderboards import budgets_of
from dynlab.plots.style import look_of, title
from dynlab.reports.wording import Words, bullet_list, count, percent, plus, signed


def of_savings(table: pd.DataFrame) -> Words:
    """Three bullets on a leaderboard's savings: who saves most, its worth, what is left."""
    levels = [f"{b:g}" for b in budgets_of(table)]
    unit, measure = table[["unit", "measure"]].iloc[0]
    ranked, uniform = _ranked(table)
    best = ranked.iloc[0]
    if not uniform["cells"] and not uniform["flat"]:
        return bullet_list(["**Nothing can be told**: each B is all that is recorded."])
    if not uniform["cells"]:
        return bullet_list(
            [
                f"**Nothing to save.** Uniform allocation itself gains next to nothing in {measure}"
                f" beyond two samples, at each B ({', '.join(levels)})."
            ]
        )
    leaders = "; ".join(
        f"{_label(row)} {percent(_triple(row, 'saving'))}" for _, row in ranked.head(3).iterrows()
    )
    greedy = [
        f" One greedy answer saves {percent(_triple(row, 'saving'))}."
        for row in _rows(table, "greedy")
    ]
    return bullet_list(
        [
            f"**Who saves most.** In {unit}, at equal {measure}, mean over B = {', '.join(levels)}"
            f" and {count(int(best['recordings']), 'recording')}"
            f" ({count(int(best['flat']), 'flat cell')} aside): {leaders}." + "".join(greedy),
            (
                "**What a first crossing gives away.** Uniform itself 'saves'"
                f" {percent(_triple(uniform, 'saving'))}, because its curve does not rise"
                f" everywhere. {_label(best)} reaches uniform's {measure} in {best['reached']} of"
                f" {best['cells']} cells; its worst saving is {100 * best['worst_saving']:.0f} %."
            ),
            (
                f"**What is left.** {_label(best)} takes {percent(_triple(best, 'of_oracle'))} of"
                " what the oracle saves."
            ),
        ]
    )


def of_differences(table: pd.DataFrame) -> Words:
    """Three bullets on a leaderboard at equal cost: who gains, who loses, who waits longest."""
    levels = [f"{b:g}" for b in budgets_of(table)]
    ranked, uniform = _ranked(table)
    best, last = ranked.iloc[0], f"depth_{levels[-1]}"
    tops = [(b, ranked.iloc[int(ranked[f"difference_{b}"].argmax())]) for b in levels]
    gains = "; ".join(
        f"at B = {b} {_label(row)} {signed(_triple(row, f'difference_{b}'))}" for b, row in tops
    )
    below = {
        b: [_label(row) for _, row in ranked.iterrows() if row[f"difference_{b}_high"] < 0]
        for b in levels
    }
    listed = (
        "; ".join(f"at B = {b} {', '.join(names)}" for b, names in below.items() if names) or "none"
    )
    recording, _, at = str(best["worst_cell"]).rpartition(" at ")
    return bullet_list(
        [
            (
                f"**Who gains most** in {table['measure'].iloc[0]} at equal"
                f" {table['unit'].iloc[0]}: {gains}."
            ),
            (
                f"**Who does worse than uniform**, by the paired interval: {listed}."
                f" {_label(best)}, first in savings, differs by {plus(best['worst_difference'])} in"
                f" its worst cell, {title(recording)} at B = {at}."
            ),
            (
                f"**What it costs in time.** At B = {levels[-1]}, calls of {_label(best)} wait for"
                f" one another {best[last]:.0f} deep, those of uniform {uniform[last]:.0f}."
            ),
        ]
    )


def _ranked(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The rows that compete, best first, and uniform's."""
    apart = table["policy"].isin(["oracle", "uniform", "greedy"])
    return table[~apart], _rows(table, "uniform")[0]


def _rows(table: pd.DataFrame, policy: str) -> list[pd.Series]:
    return [row for _, row in table[table["policy"] == policy].iterrows()]


def _label(row: pd.Series) -> str:
    return look_of(row["policy"]).label


def _triple(row: pd.Series, name: str) -> tuple[float, float, float]:
    """A number with its interval."""
    return float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"])
