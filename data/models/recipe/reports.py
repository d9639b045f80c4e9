"""Notebook 10's figures put into words: every number comes from the frame that was drawn."""

from __future__ import annotations

import pandas as pd

from dynlab.reports.wording import Words, bullet_list, plus, signed
from recipe.measures import DIFFERENCES


def of_accuracies(attempts: pd.DataFrame) -> Words:
    """A bullet a family: one sample, one greedy answer, the vote, one chained sample.

    Args:
        attempts: Of `evidence.attempts`.
    """
    bullets = []
    for family, rows in attempts[attempts["family"] != "mean"].groupby("family", sort=False):
        value = rows.set_index("measure")["value"]
        bullets.append(
            f"**{family}**: one sample is right {value['sample']:.2f} of the time, one greedy"
            f" answer {value['greedy']:.2f}, a vote {value['vote']:.2f}, one chained sample"
            f" {value['chained']:.2f}."
        )
    return bullet_list(bullets)


def of_gains(attempts: pd.DataFrame) -> Words:
    """A bullet a difference: its mean over families, and where its interval leaves out zero."""
    return _differences(attempts, [f"{one} − {other}" for one, other in DIFFERENCES])


def of_cases(attempts: pd.DataFrame) -> Words:
    """A bullet a case: where the right answer stood among the attempts that were shown."""
    cases = [f"chained − sample, right answer {case}" for case in ("absent", "present", "leading")]
    return _differences(attempts, cases)


def of_gap(levels: pd.DataFrame) -> Words:
    """A bullet a family and level: how much easier checking is than finding, and the gain.

    Args:
        levels: Of `evidence.by_level`.
    """
    bullets = []
    for _, row in levels.iterrows():
        told = "an attempt is checked by solving again"
        if pd.notna(row["checked"]):
            told = (
                f"attempts are judged rightly {plus(row['gap'])} more often than samples are right"
            )
        gain = signed((row["gain"], row["low"], row["high"]))
        name = f"**{row['family']}, level {row['level']}**"
        bullets.append(f"{name}: {told}; one chained sample gains {gain}.")
    return bullet_list(bullets)


def _differences(attempts: pd.DataFrame, measures: list[str]) -> Words:
    """A bullet for each of these measures that the table holds."""
    bullets = []
    for measure in measures:
        rows = attempts[attempts["measure"] == measure].set_index("family")[
            ["value", "low", "high"]
        ]
        families = rows.drop(index="mean", errors="ignore")
        if families.empty:
            continue
        above = ", ".join(families.index[families["low"] > 0]) or "no family"
        below = ", ".join(families.index[families["high"] < 0]) or "no family"
        mean = f"{signed(tuple(rows.loc['mean']))} on average, " if "mean" in rows.index else ""
        bullets.append(f"**{measure}**: {mean}above zero in {above}, below zero in {below}.")
    return bullet_list(bullets)
