"""Sensitivity in words, luck in choosing included."""

from __future__ import annotations

import pandas as pd

from dynlab.analysis.sensitivity import worded
from dynlab.plots.style import look_of, title
from dynlab.policies.ucb import UCB
from dynlab.reports.wording import Words, bullet_list, count, plus, signed

NO_CHAINS = Words(
    "None of these recordings holds integrated chains beside independent samples of the same model,"
    " so nothing can be told of their width here. `dynlab record --strategy integrated --width 8`"
    " samples some."
)
_KNOBS = {"exploration": "exploration", "uncertainty": "the uncertainty", "warmup": "the warm-up"}


def of_settings(cells: pd.DataFrame, worse: int, level: int, recordings: int = 1) -> Words:
    """Three bullets on a map of settings: its range, the knob that moves most, the best cell.

    Args:
        cells: `Sensitivity.table()` of a grid.
        worse: How many cells are behind the best by the paired interval, and
        level: how many are not told apart from it (`Sensitivity.behind_best`).
        recordings: Of how many recordings the numbers are means.
    """
    ranked = cells.sort_values("difference", ascending=False, kind="stable")
    best, last = ranked.iloc[0], ranked.iloc[-1]
    of = _over(recordings)
    if best["difference"] == last["difference"]:
        return bullet_list(
            [f"**Nothing to choose.** All {len(cells)} settings score alike here{of}."]
        )
    default = ranked[
        (ranked["uncertainty"] == UCB.uncertainty)
        & (ranked["exploration"] == UCB.exploration)
        & (ranked["warmup"] == UCB.warmup)
    ]
    rank = (
        1 + int((ranked["difference"] > default["difference"].iloc[0]).sum()) if len(default) else 0
    )
    ours = f"; the default, {signed(_triple(default.iloc[0]))}, has rank {rank}" if rank else ""
    moved = {knob: cells.groupby(knob)["difference"].mean() for knob in _KNOBS}
    order = sorted(moved, key=lambda knob: moved[knob].min() - moved[knob].max())
    listed = ", ".join(
        f"{_KNOBS[k]} by {moved[k].max() - moved[k].min():.3f} (best at"
        f" {_value(moved[k].idxmax())})"
        for k in order
    )
    return bullet_list(
        [
            (
                f"**From worst to best.** Over {len(cells)} settings, UCB − uniform goes from"
                f" {plus(last['difference'])} ({worded(last)}) to {plus(best['difference'])}"
                f" ({worded(best)}){of}; its interval lies above zero in"
                f" {int((cells['low'] > 0).sum())} of them, below zero in"
                f" {int((cells['high'] < 0).sum())}."
            ),
            f"**Which knob matters.** Averaged over the other two, {listed}.",
            (
                f"**The best cell** scores {signed(_triple(best))}, by the paired interval better"
                f" than {worse} of the others and not told apart from {level}{ours}. It was the"
                f" best of {len(cells)} on the questions drawn."
            ),
        ]
    )


def of_exploration(each: pd.DataFrame) -> Words:
    """Three bullets on exploration by uncertainty, recording by recording, at one warm-up."""
    recordings = each["recording"].nunique()
    if each["difference"].min() == each["difference"].max():
        return bullet_list(["**Exploration changes nothing here**: all lines lie on one another."])
    mean = (
        each.groupby(["uncertainty", "exploration"], sort=False)["difference"].mean().reset_index()
    )
    tops = mean.loc[mean.groupby("uncertainty", sort=False)["difference"].idxmax().tolist()]
    listed = "; ".join(
        f"{look_of(row['uncertainty']).label} at c = {row['exploration']:g}"
        f" ({plus(row['difference'])})"
        for _, row in tops.iterrows()
    )
    least = each[each["exploration"] == each["exploration"].min()]
    below = least[least["high"] < 0].groupby("uncertainty", sort=False).size()
    harmed = (
        ", ".join(f"{look_of(name).label} in {number}" for name, number in below.items()) or "none"
    )
    top = tops.iloc[int(tops["difference"].argmax())]
    here = each[
        (each["uncertainty"] == top["uncertainty"]) & (each["exploration"] == top["exploration"])
    ]
    best = each.groupby("recording")["difference"].max()
    short = (best - here.set_index("recording")["difference"]).max()
    agree = (
        f"By its mean the best is {look_of(top['uncertainty']).label} at c ="
        f" {top['exploration']:g}; it is at most {short:.3f} below the best line of any recording."
    )
    return bullet_list(
        [
            f"**Where each is best**{_over(recordings)}: {listed}.",
            (
                f"**Too little exploration.** At c = {least['exploration'].iloc[0]:g}, behind"
                f" uniform by the interval: {harmed} (of {count(recordings, 'recording')})."
            ),
            f"**Do recordings agree?** {agree if recordings > 1 else 'One recording cannot tell.'}",
        ]
    )


def of_batches(each: pd.DataFrame) -> Words:
    """Three bullets on rounds of several pulls: what they cost in accuracy and save in waiting."""
    sizes = sorted(map(int, each["batch"].unique()))
    first, last = sizes[0], sizes[-1]
    mean = each.groupby(["allocator", "batch"], sort=False)[["difference", "depth"]].mean()
    names = list(dict.fromkeys(each["allocator"]))
    of = each["recording"].nunique()

    def listed(column: str, form: str) -> str:
        return "; ".join(
            f"{look_of(name).label} from {mean.loc[(name, first), column]:{form}} to "
            f"{mean.loc[(name, last), column]:{form}}"
            for name in names
        )

    ahead = each[each["batch"] == last]
    tally = ", ".join(
        f"{look_of(name).label} in {int((ahead.loc[ahead['allocator'] == name, 'low'] > 0).sum())}"
        for name in names
    )
    return bullet_list(
        [
            (
                f"**What rounds cost.** From {count(first, 'pull')} to {count(last, 'pull')} a"
                f" round, the difference from uniform goes{_over(of)}:"
                f" {listed('difference', '+.3f')}."
            ),
            (
                "**What they save.** Calls that wait for one another, at the largest budget:"
                f" {listed('depth', '.0f')}."
            ),
            (
                f"**At {count(last, 'pull')} a round**, ahead of uniform by the interval: {tally}"
                f" of {of}."
            ),
        ]
    )


def of_choice(choices: pd.DataFrame) -> Words:
    """Bullets on the best of many cells: how it looks where chosen, and its worth elsewhere."""
    rows = choices.set_index("how")
    best = rows[rows["open"].astype(bool)].iloc[0]
    held = rows[~rows["open"].astype(bool) & ~rows.index.str.endswith("(default)")]
    cells = int(choices["cells"].iloc[0])
    bullets = [
        f"**The best of {cells} cells looks** {signed(_triple(best))} on the questions that chose"
        " it: optimistic, because luck was chosen with it."
    ]
    told = [
        f"{name}: {signed(_triple(row))}, {plus(row['difference'] - best['difference'])} against"
        " how it looked"
        for name, row in held.iterrows()
    ]
    bullets.append(
        f"**On questions that did not choose it.** {_first_upper('; '.join(told))}."
        if told
        else (
            "**On questions that did not choose it** nothing can be said: there are too few to hold"
            " some out."
        )
    )
    default = rows[rows.index.str.endswith("(default)")]
    if len(default):
        listed = "; ".join(f"{name}: {signed(_triple(row))}" for name, row in default.iterrows())
        bullets.append(f"**With nothing chosen here.** {listed}.")
    return bullet_list(bullets)


def of_widths(table: pd.DataFrame) -> Words:
    """Bullets on how many attempts a chain is shown: gains by width, and what is told from noise.

    Args:
        table: Rows of `dynlab.analysis.chain_widths.widths`.
    """
    if table.empty:
        return NO_CHAINS
    said = {
        "chained": "one chained − one independent sample",
        "integrated": "a stream's vote − independent samples'",
    }
    bullets = []
    for recording, rows in table.groupby("recording", sort=False):
        listed = [
            f"{said[str(method)]}: "
            + ", ".join(
                f"{signed(_triple(row))} at width {row['width']}" for _, row in part.iterrows()
            )
            for method, part in rows.groupby("method", sort=False)
        ]
        bullets.append(
            f"**{title(str(recording))}** ({count(int(rows['questions'].max()), 'question')}). "
            f"{_first_upper('; '.join(listed))}."
        )
    better, worse = int((table["low"] > 0).sum()), int((table["high"] < 0).sum())
    bullets.append(
        f"**Told from nothing.** Of {count(len(table), 'difference')}, {better} above zero by the"
        f" paired interval, {worse} below. A whole stream is compared at equal"
        f" {table['unit'].iloc[0]}: it costs what {table['at'].min():.1f} to"
        f" {table['at'].max():.1f} independent samples do."
    )
    return bullet_list(bullets)


def _triple(row: pd.Series) -> tuple[float, float, float]:
    return float(row["difference"]), float(row["low"]), float(row["high"])


def _over(recordings: int) -> str:
    """' (mean of 6 recordings)', nothing for a single one."""
    return f" (mean of {count(recordings, 'recording')})" if recordings > 1 else ""


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else look_of(str(value)).label


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
