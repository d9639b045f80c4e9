"""Whether a sequential stream loses the thread: how right its samples are, place by place.

In a sequential stream each sample is shown all that came before it. So the one at its first place
has seen nothing, and the gap to independent samples there is one between two draws of the same.
Later places are taken together, each group as many as all before it: 2, 3 to 4, 5 to 8, 9 to 16.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dynlab.analysis.metrics import estimates
from dynlab.analysis.replays import Recordings, answered_by_all, loaded
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.rows import Row, interval
from dynlab.recordings.recording import right_of

PLACES = [
    "recording",
    "first",
    "last",
    "num_samples",
    "num_questions",
    "difference",
    "low",
    "high",
    "cut",
    "cut_alone",
]


def along_streams(recordings: Recordings) -> pd.DataFrame:
    """Samples in sequence minus independent ones, a row a recording and group of places (`PLACES`).

    `difference` is the share of right samples at the places `first` to `last` of a question's
    sequential streams, counted from 1, minus that of its independent samples, paired over
    questions, with its 95 % interval. `cut` is the share of the samples there that ended at the
    limit of tokens, `cut_alone` that of the independent ones; NaN where it is not recorded.
    Recordings without targets, or without sequential streams, are left out.

    Args:
        recordings: As for `dynlab.compare`.
    """
    rows: list[Row] = []
    for recording in loaded(recordings):
        own = answered_by_all(recording, ("parallel", "sequential"))
        if own is None or (right := right_of(own.frame)).isna().all():
            continue
        frame = own.frame.assign(right=right.fillna(False).astype(float), cut=_cut(own.frame))
        alone = frame[frame["strategy"] == "parallel"]
        streams = frame[frame["strategy"] == "sequential"]
        group = np.ceil(np.log2(streams["sample_index"] + 1)).astype(int)
        for number, part in streams.groupby(group):
            gap = (_shares(part) - _shares(alone)).dropna()  # a stream may have broken off
            found = estimates(gap.to_numpy()[None], question_resamples(len(gap)))[0]
            rows.append(
                {"recording": recording.name, "first": 2**number // 2 + 1}
                | {"last": int(part["sample_index"].max()) + 1}
                | {"num_samples": len(part), "num_questions": len(gap)}
                | interval("difference", found)
                | {"cut": part["cut"].mean(), "cut_alone": alone["cut"].mean()}
            )
    return pd.DataFrame(rows, columns=PLACES)


def _shares(frame: pd.DataFrame) -> pd.Series:
    """The share of right samples by question."""
    return frame.groupby("question_id")["right"].mean()


def _cut(frame: pd.DataFrame) -> pd.Series:
    """1 where a sample ended at the limit of tokens, 0 where not, NaN where it is not known."""
    if "finish_reason" not in frame:
        return pd.Series(np.nan, frame.index)
    ended = frame["finish_reason"]
    return (ended == "length").astype(float).where(ended.notna())
