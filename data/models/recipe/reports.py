"""Notebook 10's own figures put into words: every number comes from the frame that was drawn."""

from __future__ import annotations

import pandas as pd

from dynlab.reports.wording import Words, bullet_list, plus, signed


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
