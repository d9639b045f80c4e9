"""`python -m dynlab.analysis.same_model ONE OTHER`: do two recordings show the same model?

For a model served otherwise (weights merged or quantised, another build, a provider's silent
change) on the same questions, or for the same model on fresh ones. Right answers of one sample,
greedy, a vote and chained samples are held against each other. A question is the unit. Questions
that both have vary together, and are paired so far; without any, this is Welch's statistic of two
groups (between them: Derrick et al. 2017, partially overlapping samples). p is two-sided, from the
normal distribution, so take 30 questions or more.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.files import write_csv
from dynlab.recordings.recording import load, right_of

VOTERS = 16  # independent samples whose vote is held against one greedy answer
COLUMNS = ["measure", "one", "other", "difference", "z", "p", "num_one", "num_other"]


def vote(answers: Sequence[str], correct: Sequence[bool]) -> float:
    """The chance that a plurality of samples is right; ties by expectation, '' never votes.

    >>> vote(["3", "4", "4", "3", ""], [True, False, False, True, False])
    0.5
    """
    counts = Counter(answer for answer in answers if answer)
    leaders = {answer for answer, count in counts.items() if count == max(counts.values())}
    right = {answer for answer, is_right in zip(answers, correct, strict=True) if is_right}
    return len(leaders & right) / len(leaders) if leaders else 0.0


def agreement(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """A row per measure that both recordings have: how far apart, and how surprising that is.

    Args:
        one: The frame of a recording with targets.
        other: Of another; the same questions by id and text, some of them, or different ones.

    Returns:
        `one` and `other` are means over `num_one` and `num_other` questions; a recording of some of
        the other's
        questions is held against these alone. 'vote of n' takes the independent samples n at a
        time, n being the fewest
        that a question has in either, 16 at most. 'chained, STRATEGY' stops at the last place of a
        stream that both
        recordings reach, since deeper samples are shown more.

    Raises:
        InputError: A recording has no targets, or the two share no measure with two questions or
            more.
    """
    one, other = _judged(one), _judged(other)
    rows = [
        _row(name, *pair) for name, pair in _measures(one, other).items() if min(map(len, pair)) > 1
    ]
    if not rows:
        raise InputError(
            "the recordings share no measure: both need independent, greedy or chained samples"
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    """The samples that are known to be right or wrong, with the columns that are lacking."""
    frame = frame.assign(correct=right_of(frame))
    frame = frame[frame["correct"].notna()]
    if frame.empty:
        raise InputError(
            "a recording without targets cannot be held against another: right answers are compared"
        )
    lacking = {"role": "independent", "question": ""}
    return frame.assign(**{name: value for name, value in lacking.items() if name not in frame})


def _measures(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Each measure's share right of every question, in both recordings."""
    frames = [
        frame.assign(
            question_id=frame["question_id"].astype(str) + "\n" + frame["question"].astype(str)
        )
        for frame in (one, other)
    ]
    greedy = [frame[frame["strategy"] == "greedy"] for frame in frames]
    sampled = [frame[frame["strategy"] != "greedy"] for frame in frames]
    independent = [frame[frame["role"] == "independent"] for frame in sampled]
    named = {"sample": _right(independent), "greedy": _right(greedy)}
    if all(len(frame) for frame in independent):
        size = min(
            VOTERS, *(int(frame.groupby("question_id").size().min()) for frame in independent)
        )
        named[f"vote of {size}"] = (_voted(independent[0], size), _voted(independent[1], size))
    for strategy in sorted(set(one["strategy"]) & set(other["strategy"])):
        chained = [
            frame[(frame["strategy"] == strategy) & (frame["role"] == "chained")]
            for frame in sampled
        ]
        last = min(frame["sample_index"].max() for frame in chained)
        named[f"chained, {strategy}"] = _right(
            [frame[frame["sample_index"] <= last] for frame in chained]
        )
    return named


def _right(frames: Sequence[pd.DataFrame]) -> tuple[pd.Series, pd.Series]:
    one, other = (frame.groupby("question_id")["correct"].mean().astype(float) for frame in frames)
    return one, other


def _voted(frame: pd.DataFrame, size: int) -> pd.Series:
    """The chance that the vote of `size` samples is right, per question: mean over groups."""

    ordered = frame.sort_values(["strategy", "stream", "sample_index"])
    answers, correct = ordered["answer"].to_numpy(object), ordered["correct"].to_numpy(object)

    def mean(places: np.ndarray) -> float:
        groups = places[: len(places) // size * size].reshape(-1, size)
        return float(np.mean([vote(answers[group], correct[group]) for group in groups]))

    places = ordered.groupby("question_id").indices
    found = {question: mean(np.asarray(at)) for question, at in places.items()}
    return pd.Series(found, dtype=float)


def _row(name: str, one: pd.Series, other: pd.Series) -> dict[str, object]:
    common = one.index.intersection(other.index)
    if len(common) == min(len(one), len(other)):
        one, other = one[common], other[common]
    together = float(one[common].cov(other[common])) * len(common) if len(common) > 1 else 0.0
    variance = (
        one.var() / len(one) + other.var() / len(other) - 2 * together / (len(one) * len(other))
    )
    difference, error = float(one.mean() - other.mean()), math.sqrt(max(float(variance), 0.0))
    z = difference / error if error else math.copysign(math.inf, difference) if difference else 0.0
    return {
        "measure": name,
        "one": float(one.mean()),
        "other": float(other.mean()),
        "difference": difference,
        "z": z,
        "p": math.erfc(abs(z) / math.sqrt(2)),
        "num_one": len(one),
        "num_other": len(other),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m dynlab.analysis.same_model", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "one", help="a recording: a file, or the name of one that comes with dynlab"
    )
    parser.add_argument("other", help="the recording that it is held against")
    parser.add_argument("--out", type=Path, help="also write the table as CSV")
    given = parser.parse_args(arguments)
    try:
        table = agreement(load(given.one).frame, load(given.other).frame)
        if given.out:
            write_csv(table, given.out)
    except DynlabError as error:
        print(f"dynlab.analysis.same_model: {error}", file=sys.stderr)
        return error.exit_code
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
