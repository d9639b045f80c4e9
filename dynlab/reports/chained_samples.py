"""What votes and chained samples are worth, in words."""

from __future__ import annotations

import pandas as pd

from dynlab.analysis.chained_samples import CASES, DIFFERENCES
from dynlab.plots.style import title
from dynlab.reports.wording import Words, bullet_list, signed

NOTHING = Words(
    "*None of these recordings holds targets, and chained samples beside independent ones.*"
)
NO_STREAMS = Words(
    "*None of these recordings holds targets, and sequential streams beside independent samples.*"
)


def of_accuracies(attempts: pd.DataFrame, by: str = "recording") -> Words:
    """A bullet a recording: one sample, one greedy answer, the vote, one chained sample.

    Args:
        attempts: Of `analysis.chained_samples`.
        by: The column that names the rows; one called 'mean' is that of all others.
    """
    bullets = []
    for name, rows in attempts[attempts[by] != "mean"].groupby(by, sort=False):
        value = rows.set_index("measure")["value"]
        greedy = f" one greedy answer {value['greedy']:.2f}," if "greedy" in value else ""
        bullets.append(
            f"**{title(str(name))}**: one sample is right {value['sample']:.2f} of the time,"
            f"{greedy} a vote {value['vote']:.2f}, one chained sample {value['chained']:.2f}."
        )
    return bullet_list(bullets) if bullets else NOTHING


def of_gains(attempts: pd.DataFrame, by: str = "recording") -> Words:
    """A bullet a difference: its mean, if there is one, and where its interval leaves out zero."""
    return _differences(attempts, [f"{one} − {other}" for one, other in DIFFERENCES], by)


def of_cases(attempts: pd.DataFrame, by: str = "recording") -> Words:
    """A bullet a case: where the right answer stood among the attempts that were shown."""
    return _differences(attempts, [f"chained − sample, right answer {case}" for case in CASES], by)


def of_repeats(repeated: pd.DataFrame) -> Words:
    """A bullet a recording: how often a chained sample gives an answer that it was shown.

    Args:
        repeated: Of `analysis.repeated_answers`.
    """
    bullets = []
    for name, rows in repeated.groupby("recording", sort=False):
        value = rows.set_index("measure")["value"]
        bullets.append(
            f"**{title(str(name))}**: a chained sample gives an answer that it was shown"
            f" {value['chained']:.2f} of the time; an independent one, which saw none, gives one of"
            f" them {value['sample']:.2f} of the time."
        )
    return bullet_list(bullets) if bullets else NOTHING


def of_places(places: pd.DataFrame) -> Words:
    """A bullet a recording: the difference in each group of places, and how the last ones end.

    Args:
        places: Of `analysis.stream_places`.
    """
    bullets = []
    for name, rows in places.groupby("recording", sort=False):
        last = rows.iloc[-1]
        gaps = "; ".join(
            f"{signed((row['difference'], row['low'], row['high']))} at {row['places']}"
            for _, row in rows.iterrows()
        )
        ends = [f"{last['no_answer']:.0%} give no answer ({last['no_answer_alone']:.0%})"]
        if not last[["cut", "cut_alone"]].isna().any():
            ends.append(f"{last['cut']:.0%} end at the limit of tokens ({last['cut_alone']:.0%})")
        bullets.append(
            f"**{title(str(name))}**, in sequence − independent, by places: {gaps}. Of the samples"
            f" at {last['places']} (of independent ones), {' and '.join(ends).replace('%', ' %')}."
        )
    return bullet_list(bullets) if bullets else NO_STREAMS


def _differences(attempts: pd.DataFrame, measures: list[str], by: str) -> Words:
    """A bullet for each of these measures that the table holds."""
    bullets = []
    for measure in measures:
        rows = attempts[attempts["measure"] == measure].set_index(by)[["value", "low", "high"]]
        known = rows.drop(index="mean", errors="ignore").rename(index=title)
        if known.empty:
            continue
        nowhere = f"no {by}"
        above = ", ".join(known.index[known["low"] > 0]) or nowhere
        below = ", ".join(known.index[known["high"] < 0]) or nowhere
        mean = f"{signed(tuple(rows.loc['mean']))} on average, " if "mean" in rows.index else ""
        bullets.append(f"**{measure}**: {mean}above zero in {above}, below zero in {below}.")
    return bullet_list(bullets) if bullets else NOTHING
