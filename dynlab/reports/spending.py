"""Spending in words: who is given more, who less, what is left, what no budget can mend."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dynlab.analysis.difficulty import OUTCOMES
from dynlab.analysis.methods import ORACLE
from dynlab.plots.style import look_of
from dynlab.reports.wording import Words, bullet_list, count, pooled, signed

_TEXTS = ("recording", "allocator", "question_id", "easy")


def of_difficulty(spent: pd.DataFrame) -> Words:
    """Three bullets on spending by difficulty: hard against easy, its peak, the oracle."""
    unit, at = spent["unit"].iloc[0], spent["at"].max()
    names = [name for name in dict.fromkeys(spent["allocator"]) if name not in ("uniform", ORACLE)]
    of = spent["recording"].nunique()
    means = spent.groupby(["allocator", "band"])[
        "spent"
    ].mean()  # over the recordings that have such questions
    bands = sorted(spent["band"].unique())
    if len(bands) == 1 or not names:
        only = "; ".join(
            f"{look_of(n).label} {means[n].iloc[0]:.3g}" for n in dict.fromkeys(spent["allocator"])
        )
        return bullet_list([f"**All questions are alike here**: in {unit} per question, {only}."])
    ends = "; ".join(
        f"{look_of(name).label} {means[name, bands[0]]:.1f} and {means[name, bands[-1]]:.1f}"
        for name in names
    )
    right = "right" if spent["measure"].iloc[0].endswith("accuracy") else "in agreement"
    top = {name: means[name].idxmax() for name in names}
    most = "; ".join(
        f"{look_of(n).label} at {_band(spent, band)} {right} ({means[n, band]:.1f})"
        for n, band in top.items()
    )
    bullets = [
        (
            f"**Hard against easy.** With a budget of {at:g} samples' worth, in {unit} per"
            f" question, the hardest band and the easiest are given{_over(of)}: {ends}."
        ),
        f"**Most is spent**, per question, by {most}.",
    ]
    if ORACLE in set(spent["allocator"]):
        o = means[ORACLE]
        bullets.append(
            f"**The oracle** spends {o.min():.1f} to {o.max():.1f} a question in each band, most at"
            f" {_band(spent, o.idxmax())} {right}: it does not sample what it cannot win."
        )
    return bullet_list(bullets)


def of_allocation(drawn: pd.DataFrame) -> Words:
    """Three bullets on the allocation over time: concentration, the easier half, the end."""
    budgets = [column for column in drawn.columns if column not in _TEXTS]
    last = budgets[-1]
    tenth, half, ends = [], [], []
    for name, rows in drawn.groupby("allocator", sort=False):
        samples = rows[last].to_numpy(float)
        total, label = max(samples.sum(), 1e-12), look_of(str(name)).label
        top = max(1, round(len(samples) / 10))
        tenth.append(f"{label} {np.sort(samples)[::-1][:top].sum() / total:.0%}")
        half.append(f"{label} {samples[len(samples) // 2 :].sum() / total:.0%}")
        ends.append(f"{label} {samples.mean():.1f}")
    size = count(max(1, round(drawn["question_id"].nunique() / 10)), "question")
    return bullet_list(
        [
            f"**Concentration.** At a budget of {float(last):g}, the most sampled tenth ({size})"
            f" holds of all samples: {', '.join(tenth)}.".replace("%", " %"),
            f"**The easier half** of the questions holds: {', '.join(half)}.".replace("%", " %"),
            f"**Samples drawn per question** by then: {', '.join(ends)}.",
        ]
    )


def of_regret(regret: pd.DataFrame) -> Words:
    """Three bullets on regret: what is left, what is gained half-way, how surely."""
    measure, unit = regret["measure"].iloc[0], regret["unit"].iloc[0]
    budgets = sorted(regret["budget"].unique())
    middle, last = budgets[len(budgets) // 2], budgets[-1]
    at_end = regret[regret["budget"] == last]
    names = list(dict.fromkeys(regret["allocator"]))
    left = "; ".join(
        f"{look_of(name).label} {signed(pooled(at_end[at_end['allocator'] == name], 'regret'))}"
        for name in names
    )
    half = regret[regret["budget"] == middle].groupby("allocator")["regret"].mean()
    gone = "; ".join(
        f"{look_of(name).label} {100 * (1 - half[name] / half['uniform']):.0f} %"
        for name in names
        if name != "uniform" and half["uniform"] > 0
    )
    tally = "; ".join(
        f"{look_of(name).label} in"
        f" {int((at_end.loc[at_end['allocator'] == name, 'low'] > 0).sum())}"
        for name in names
    )
    of = at_end["recording"].nunique()
    worth = (
        "samples per question" if unit == "samples" else f"samples' worth of {unit} per question"
    )
    return bullet_list(
        [
            (
                f"**What is left.** At {last:g} {worth}, the oracle's {measure} minus an"
                f" allocator's{_over(of)}: {left}."
            ),
            (
                f"**What is gained half-way.** At {middle:g}, of uniform's regret is gone:"
                f" {gone or 'nothing, there is none'}."
            ),
            (
                f"**For certain.** At {last:g}, regret lies above zero by its interval: {tally} of"
                f" {of}. Part of it no policy can win: the oracle knows which answer is right, also"
                " where most samples are wrong."
            ),
        ]
    )


def of_outcomes(outcomes: pd.DataFrame, allocator: str = "ucb") -> Words:
    """Three bullets on spending by outcome: what is lost, what is missed, where it helps."""
    rows = outcomes[outcomes["allocator"] == allocator].set_index("outcome")
    base = outcomes[outcomes["allocator"] == "uniform"].set_index("outcome")
    total, label = int(rows["questions"].sum()), look_of(allocator).label
    paid = (rows["questions"] * rows["spent"]) / max(
        (rows["questions"] * rows["spent"]).sum(), 1e-12
    )
    known = outcomes["measure"].iloc[0].endswith("accuracy")
    without = "" if known else ": without targets, the vote of all samples counts as right"
    at = f"{outcomes['at'].iloc[0]:g}"

    def told(kind: str, lead: str, less: str = "", more: str = "") -> str:
        if kind not in rows.index:
            return f"**{lead}.** There are no such questions here ({kind}){without}."
        questions, spent, right = (
            float(rows[column][kind]) for column in ("questions", "spent", "accuracy")
        )
        why = less if spent < 1 else more if spent > 1 else ""
        return (
            f"**{lead}** ({kind}: {questions:.0f} of {total}). {label} spends {spent:.2f} times"
            f" what uniform does on each, {100 * paid[kind]:.0f} % of its budget in all; its votes"
            f" there are right in {100 * right:.0f} %, uniform's in"
            f" {100 * float(base['accuracy'][kind]):.0f} %, at B = {at}.{why}"
        )

    settled, doubtful, open_ = OUTCOMES[3], OUTCOMES[2], OUTCOMES[1]
    easy, worth = (
        " They look easier than most to a rule without a verifier.",
        " They look worth it, and are not.",
    )
    return bullet_list(
        [
            told(settled, "Confidently wrong", easy, worth),
            told(doubtful, "Paid for and lost", easy, worth),
            told(open_, "What more votes settle"),
        ]
    )


def _over(recordings: int) -> str:
    """' (mean of 6 recordings)', nothing for a single one."""
    return f" (mean of {count(recordings, 'recording')})" if recordings > 1 else ""


def _band(spent: pd.DataFrame, band: float) -> str:
    """A band in words: '20 to 40 %'."""
    row = spent[spent["band"] == band].iloc[0]
    return f"{100 * row['from']:.0f} to {100 * row['to']:.0f} %"
