"""Strategies against one another in words: every number is from the frame that was drawn."""

from __future__ import annotations

import pandas as pd

from dynlab.plots.savings import told, unchained
from dynlab.plots.style import contrasted, title
from dynlab.reports.savings import PAPER_CUT
from dynlab.reports.wording import (
    Words,
    bullet_list,
    count,
    over,
    percent,
    plus,
    pooled,
    signed,
    tally,
    verdict,
)

NOTHING = Words(
    "None of these recordings holds samples of two strategies, so nothing can be told here. `dynlab"
    " record --strategy integrated` samples another one, and `dynlab recordings merge` puts it"
    " beside the first."
)


def of_curves(curves: pd.DataFrame) -> Words:
    """A bullet a recording: where each method's curve ends, and at what cost.

    Args:
        curves: `Comparison.curves` of `dynlab.contrast`.
    """
    if curves.empty:
        return NOTHING
    unit, bullets = str(curves["unit"].iloc[0]), []
    for recording, rows in curves.groupby("recording", sort=False):
        ends = rows[rows["allocator"] != "greedy"].groupby("method", sort=False).tail(1)
        listed = "; ".join(
            f"{_label(row['method'])} {row['accuracy']:.3f} for {row[f'spent_{unit}']:.4g} {unit} a"
            " question"
            for _, row in ends.iterrows()
        )
        greedy = rows.loc[rows["allocator"] == "greedy", "accuracy"]
        one = f"; one greedy answer {greedy.iloc[0]:.3f}" if len(greedy) else ""
        questions = count(int(rows["questions"].iloc[0]), "question")
        bullets.append(
            f"**{title(str(recording))}** ({questions}), where each curve ends: {listed}{one}."
        )
    return bullet_list(bullets)


def of_differences(differences: pd.DataFrame) -> Words:
    """A bullet a method on what it gains at equal cost, and whether that is told from nothing.

    Cells in which none is chained yet are left out of means and counts.

    Args:
        differences: `Comparison.differences` of `dynlab.contrast`.
    """
    if differences.empty:
        return NOTHING
    bullets = []
    for method, rows in differences.groupby("method", sort=False):
        early = unchained(rows)
        chained = rows[~early]
        name, base = _label(str(method)), _label(str(rows["against"].iloc[0]))
        found = [_gains(chained, name)] if len(chained) else []
        if early.any():
            budgets = ", ".join(f"{at:g}" for at in sorted(rows.loc[early, "at"].unique()))
            cells = count(int(early.sum()), "cell")
            found.append(f"At B = {budgets} none is chained yet in {cells}, left out here")
        unit = rows["unit"].iloc[0]
        bullets.append(f"**{name} − {base}**, accuracy at equal {unit}: {'. '.join(found)}.")
    return bullet_list(bullets)


def _gains(rows: pd.DataFrame, name: str) -> str:
    """The mean gain of a method at each B, and in how many cells it is told from nothing."""
    means = "; ".join(
        f"{signed(pooled(cells, 'difference'))} at B = {at:g}{over(cells)}"
        for at, cells in rows.groupby("at")
    )
    return f"{means}. Of {count(len(rows), 'cell')}, {tally(rows, name)}"


def of_savings(savings: pd.DataFrame) -> Words:
    """A bullet a method on what it saves at equal accuracy; the paper's number for the last one.

    Args:
        savings: `Comparison.savings` of `dynlab.contrast`.
    """
    if savings.empty:
        return NOTHING
    if (savings := told(savings)).empty:
        return bullet_list(["**Nothing can be said**: each B is all that is recorded."])
    steep = savings[~savings["flat"].astype(bool)]
    if steep.empty:
        return bullet_list(
            [
                f"**Nothing can be said**: in all {count(len(savings), 'cell')} the first method is"
                " flat."
            ]
        )
    bullets = [
        _saving(_label(str(method)), rows) for method, rows in steep.groupby("method", sort=False)
    ]
    last = steep[
        (steep["method"] == savings["method"].iloc[-1]) & (steep["at"] == steep["at"].max())
    ]
    result = "not found, for the accuracy is not reached everywhere"
    if last["reached"].all():
        result = verdict(last, "saving", PAPER_CUT)
    bullets.append(
        f"**A cut of more than {PAPER_CUT:.0%}**, as reported for the whole method, is {result},"
        f" for {_label(str(savings['method'].iloc[-1]))} at the largest B."
    )
    return bullet_list(bullets)


def _saving(name: str, rows: pd.DataFrame) -> str:
    """What one method saves at each B where it reaches the accuracy, and where it does not."""
    reached = rows[rows["reached"].astype(bool)]
    means = "; ".join(
        f"{percent(pooled(cells, 'saving'))} at B = {at:g}{over(cells)}"
        for at, cells in reached.groupby("at")
    )
    missed = (
        f"in {len(rows) - len(reached)} of {count(len(rows), 'cell')} the accuracy is never reached"
    )
    listed = "; ".join(
        [*([means] if means else []), *([missed] if len(reached) < len(rows) else [])]
    )
    return (
        f"**{name}** saves in {rows['unit'].iloc[0]}, against"
        f" {_label(str(rows['against'].iloc[0]))}: {listed}."
    )


def of_depths(depths: pd.DataFrame) -> Words:
    """Where each strategy wins: cells of budget and depth with a paired lead above zero.

    Cells are left out in which neither the leading strategy nor the next has a chained sample yet.

    Args:
        depths: Rows of `dynlab.analysis.depths.at_depth`.
    """
    if depths.empty:
        return NOTHING
    cell, bullets = ["recording", "at", "depth"], []
    leading = depths.loc[depths.groupby(cell, sort=False)["lead"].idxmax()]
    early = leading[unchained(leading)].set_index(cell).index
    depths = depths[~depths.set_index(cell).index.isin(early)]
    cells = len(leading) - len(early)
    for method, rows in depths.groupby("method", sort=False):
        first, clear = rows[rows["lead"] > 0], rows[rows["lead_low"] > 0]
        where = (
            f"by the paired interval in {len(clear)}: {_region(clear)}"
            if len(clear)
            else "in none of them clearly"
        )
        bullets.append(
            f"**{_label(str(method))}** is most accurate in {len(first)} of {count(cells, 'cell')}"
            f"{f', {where}' if len(first) else ''}."
        )
    widest = depths[depths["depth"] == depths["depth"].max()]
    most = widest[widest["at"] == widest["at"].max()]
    leads = [
        f"{title(str(row['recording']))}: {_label(row['method'])} {plus(row['lead'])}"
        for _, row in most[most["lead"] > 0].iterrows()
    ]
    if len(early):
        budgets = ", ".join(f"{at:g}" for at in sorted(early.unique("at")))
        bullets.append(
            f"At B = {budgets} neither of the two best strategies has a chained sample yet in"
            f" {count(len(early), 'cell')}, left out here."
        )
    bullets.append(
        "**At the largest budget and depth**, the leading strategy and its lead over the best"
        f" other one: {'; '.join(leads) or 'none leads'}."
    )
    return bullet_list(bullets)


def _region(cells: pd.DataFrame) -> str:
    """'capitals · small at B = 4 to 8 and depth 1 to 2', a recording after the other."""

    def span(values: pd.Series) -> str:
        low, high = f"{values.min():g}", f"{values.max():g}"
        return low if low == high else f"{low} to {high}"

    return "; ".join(
        f"{title(str(recording))} within B = {span(rows['at'])}, depth {span(rows['depth'])}"
        for recording, rows in cells.groupby("recording", sort=False)
    )


def _label(method: str) -> str:
    return contrasted(method).label
