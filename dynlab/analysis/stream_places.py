"""Whether samples in sequence gain or lose: how right they are along their streams.

By default a sample of a sequential stream is shown all that came before it, the one at the first
place nothing: what that one differs by from independent samples, drawn alike, is chance. Later
places are taken together, up to twice as far as those before: 2, 3 to 4, 5 to 8, 9 to 16.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dynlab.analysis.chained_samples import with_estimates
from dynlab.analysis.replays import Recordings, answered_by_all, loaded
from dynlab.recordings.arrays import voting
from dynlab.recordings.recording import right_of
from dynlab.recordings.streams import streams_of

PLACES = [
    "recording",
    "places",
    "last",
    "difference",
    "low",
    "high",
    "num_questions",
    "num_samples",
    "cut",
    "cut_alone",
    "no_answer",
    "no_answer_alone",
]
_BOTH = ("parallel", "sequential")


def along_streams(recordings: Recordings) -> pd.DataFrame:
    """Samples in sequence minus independent ones, a row a recording and group of places (`PLACES`).

    `difference` is the share of right samples at the places of a group, counted from 1 to its
    `last`, minus that of the question's independent samples: a mean over questions with its 95 %
    interval. It counts samples alike, whatever their prompts cost; no answer is not right. Shares
    of the samples there: `cut`, that ended at the limit of tokens ('length'; NaN where it is not
    recorded), and `no_answer`; and `cut_alone`, `no_answer_alone` of all independent ones.

    Recordings without targets, or without questions that have both kinds of samples, are left out.

    Args:
        recordings: As for `dynlab.compare`.

    Raises:
        InputError: As `streams_of`.
    """
    tables = []
    for recording in loaded(recordings):
        own = answered_by_all(recording, _BOTH)
        if own is not None and all(streams_of(own, name).has_target for name in _BOTH):
            tables.append(_compared(own.frame).assign(recording=own.name))
    return pd.concat(tables, ignore_index=True)[PLACES] if tables else pd.DataFrame(columns=PLACES)


def _compared(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one recording's samples."""
    votes = voting(frame)
    frame = frame.assign(
        right=votes & right_of(frame).fillna(False).to_numpy(dtype=bool),
        no_answer=~votes,
        cut=_cut(frame),
        place=frame.groupby(["question_id", "strategy", "stream"]).cumcount() + 1,
    )
    alone, shown = (frame[frame["strategy"] == name] for name in _BOTH)
    one, gaps, rows = _right(alone), {}, []
    for _, part in shown.groupby(np.ceil(np.log2(shown["place"]))):
        first, last = part["place"].min(), part["place"].max()
        named = f"{last}" if first == last else f"{first} to {last}"
        gaps[named] = _right(part) - one
        rows.append({"places": named, "last": last, "num_samples": len(part)})
        for share in ("cut", "no_answer"):
            rows[-1] |= {share: part[share].mean(), f"{share}_alone": alone[share].mean()}
    found = with_estimates(gaps).rename(columns={"measure": "places", "value": "difference"})
    return found.merge(pd.DataFrame(rows), on="places")


def _right(frame: pd.DataFrame) -> pd.Series:
    """The share of right samples by question."""
    return frame.groupby("question_id")["right"].mean()


def _cut(frame: pd.DataFrame) -> pd.Series:
    """1 where a sample ended at the limit of tokens, 0 where not, NaN where it is not recorded."""
    if "finish_reason" not in frame:
        return pd.Series(np.nan, frame.index)
    ended = frame["finish_reason"]
    return (ended == "length").astype(float).where(ended.notna())
