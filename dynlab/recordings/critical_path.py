"""What waits for what: the longest path of calls in a stream whose samples wait for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.recordings.arrays import Ints


def waits_of(
    frame: pd.DataFrame, question: Ints, stream: Ints, position: Ints, name: str
) -> dict[int, Sequence[int]]:
    """Place in a stream → the places that a sample there waits for, if unknown the one before.

    A sample may wait for more than it is shown: `awaited` says for which, and `parents`, those
    shown, stand in for it.

    Raises:
        InputError: a stream lacks a sample that another waited for, or streams differ in what a
            sample waits for.
    """
    known = [
        column
        for column in ("awaited", "parents")
        if column in frame and frame[column].notna().any()
    ]
    if not known:
        return {place: (place - 1,) for place in range(1, int(position.max()) + 1)}
    waited = frame[known[0]].where(frame[known[0]].notna(), frame[known[-1]])
    # as Python's numbers, which are hashed in a tenth of the time of numpy's
    streams = list(zip(question.tolist(), stream.tolist(), strict=True))
    places = position.tolist()
    place = dict(zip(zip(streams, frame["sample_index"], strict=True), places, strict=True))
    found: dict[int, Sequence[int]] = {}
    for row, (own, here, indices) in enumerate(zip(streams, places, waited, strict=True)):
        listed = () if indices is None else indices
        if lacking := [index for index in listed if (own, index) not in place]:
            raise InputError(
                f"{_row(frame, row, name)} waited for sample {lacking[0]}, which is not there; keep"
                " whole streams"
            )
        others = [place[own, index] for index in listed]
        if found.setdefault(here, others) != others:
            raise InputError(
                f"{_row(frame, row, name)} waited for other samples than its like in other streams;"
                " record them apart"
            )
    return found


def _row(frame: pd.DataFrame, row: int, name: str) -> str:
    """A sample as an error names it."""
    index, question = (frame[column].iloc[row] for column in ("sample_index", "question_id"))
    return f"{name}: sample {index} of question {question!r}"


def paths(waits: Mapping[int, Sequence[int]], num_samples: int) -> Ints:
    """[A, N] longest path of calls that ends in a sample when the first A have arrived; A = N.

    >>> paths({1: [0], 2: [0, 1]}, 3).tolist()
    [[1, 2, 3], [1, 1, 2], [1, 1, 1]]

    Args:
        waits: Sample → the samples that it waits for.
        num_samples: N.
    """
    if not any(waits.values()):
        return np.broadcast_to(np.int32(1), (num_samples, num_samples))
    path = np.ones((num_samples, num_samples), np.int32)
    arrived = np.arange(num_samples)
    for sample in sorted(waits):
        for other in waits[sample]:
            path[:, sample] = np.maximum(
                path[:, sample], np.where(arrived <= other, path[:, other] + 1, 1)
            )
    return path


def longest_path(frame: pd.DataFrame) -> tuple[int, float] | None:
    """The calls and the seconds of a recording's longest paths of calls that wait for one another.

    It is what the samples would take with as many calls at once as there are streams, if calls did
    not slow one another down.

    Args:
        frame: Rows of a recording.

    Returns:
        None: what waits for what is not recorded. The seconds are NaN where latencies are not.
    """
    known = [name for name in ("awaited", "parents") if name in frame and frame[name].notna().any()]
    if not known:
        return None
    timed = "latency_s" in frame
    seconds = frame["latency_s"].astype(float) if timed else pd.Series(np.nan, frame.index)
    ends: dict[tuple[Any, ...], tuple[int, float]] = {}
    names = ["question_id", "strategy", "stream", "sample_index"]
    columns = [frame[name] for name in names if name in frame]
    rows = sorted(
        zip(zip(*columns, strict=True), frame[known[0]], seconds, strict=True),
        key=lambda row: row[0],
    )
    for key, waited, took in rows:
        before = [ends[*key[:-1], index] for index in (() if waited is None else waited)]
        ends[key] = (
            1 + max((calls for calls, _ in before), default=0),
            float(took) + float(np.max([each for _, each in before], initial=0.0)),
        )
    # numpy's maximum, unlike Python's, is NaN where one of them is
    return max(calls for calls, _ in ends.values()), float(np.max([s for _, s in ends.values()]))


def in_turn(path: Ints, rounds: Ints) -> Ints:
    """[N + 1] the longest path of calls in a question's first samples, round after round.

    >>> in_turn(paths({2: [0, 1]}, 3), np.array([0, 0, 0])).tolist()
    [0, 1, 1, 2]

    Args:
        path: [N, N] as `paths` gives it.
        rounds: [N] the round in which each sample is decided, ascending.
    """
    before, longest, depth = 0, 0, [0]
    for sample, arrived in enumerate(np.searchsorted(rounds, rounds)):
        before, longest = (before + longest, 0) if arrived == sample else (before, longest)
        longest = max(longest, int(path[arrived, sample]))
        depth.append(before + longest)
    return np.asarray(depth)
