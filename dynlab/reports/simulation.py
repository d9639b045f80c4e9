"""How well models fit recordings, and what it takes to see a saving, in words."""

from __future__ import annotations

import pandas as pd

from dynlab.plots.style import label_of, title
from dynlab.reports.wording import Words, bullet_list, count, names_of, percent, signed

NOTHING = Words(
    "None of these recordings holds independent samples with known targets, which a model is fitted"
    " to, so nothing can be told here."
)
NO_SAVINGS = Words("Too few samples of a question for a saving: it is told up to half of them.")


def of_agreement(rows: pd.DataFrame) -> Words:
    """Bullets on where simulated and recorded values part, and by how much.

    Args:
        rows: What `dynlab.simulation.agreement` returns, drawn by `plot_agreement`.
    """
    bullets = []
    for value, own in rows.groupby("value", sort=False):
        apart = own[(own["gap_low"] > 0) | (own["gap_high"] < 0)]
        worst = own.sort_values("gap", key=abs).iloc[-1]
        where = (
            f"{title(str(worst['recording']))}, {label_of(str(worst['allocator']))} at"
            f" B = {worst['budget']:g}"
        )
        bullets.append(
            f"**In {value}**, simulated − recorded is {own['gap'].abs().mean():.3f} away from zero"
            f" on average, and {_gap(worst)} at its worst ({where}). The interval excludes zero in"
            f" {len(apart)} of {len(own)} cells{names_of(apart)}."
        )
    poorest = rows.groupby("recording", sort=False)["gap"].agg(lambda gap: gap.abs().mean())
    listed = ", ".join(f"{title(str(name))} {gap:.3f}" for name, gap in poorest.items())
    bullets.append(f"**By recording**, the mean distance of the two: {listed}.")
    return bullet_list(bullets)


def of_power(power: pd.DataFrame, *, enough: float = 0.8) -> Words:
    """A bullet for each number of samples: how many questions are enough, too few, or neither.

    Args:
        power: What `dynlab.power` returns, drawn by `plot_power`.
        enough: The power that is asked for.
    """
    first = power.iloc[0]
    bullets = [
        f"**What is to be seen.** A saving of {100 * first['effect']:.0f} % in {first['unit']} by"
        f" {label_of(first['policy'])} against {label_of(first['baseline'])} at"
        f" B = {first['at']:g}, in {title(first['recording'])}: the 95 % interval over questions"
        f" lies above zero in {enough:.0%} of experiments."
    ]
    for samples, own in power.groupby("samples"):
        good, bad = own[own["low"] >= enough], own[own["high"] < enough]
        told = [
            f"{_size(row)} {words}"
            for rows, words in ((good.head(1), "are enough"), (bad.tail(1), "are too few"))
            for _, row in rows.iterrows()
        ]
        if good.empty and (most := own.iloc[-1])["high"] >= enough:
            told.insert(
                0,
                f"no number that was tried is surely enough, the largest being {_size(most)}",
            )
        bullets.append(f"**With {samples} samples of each**: {'; '.join(told)}.")
    return bullet_list(bullets)


def _gap(row: pd.Series) -> str:
    return signed((row["gap"], row["gap_low"], row["gap_high"]))


def _size(row: pd.Series) -> str:
    """'400 questions (6,400 samples, power 87 % [78 %, 93 %])'."""
    power = percent((row["power"], row["low"], row["high"]))
    questions = count(int(row["questions"]), "question")
    return f"{questions} ({row['total_samples']:,} samples, power {power})"
