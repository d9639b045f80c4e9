"""Whether samples in sequence gain or lose: how right they are along their streams.

The further on in a sequential stream, the more earlier samples a sample is shown. The one at the
first place has been shown nothing, so that what it differs by from independent samples is chance.
Later places are taken together, each group as many as all before it: 2, 3 to 4, 5 to 8, 9 to 16.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from dynlab.analysis.chained_samples import with_estimates
from dynlab.analysis.difficulty import difficulty_of
from dynlab.analysis.replays import Recordings, answered_by_all, loaded
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import Floats, Streams, streams_of

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
]
_BOTH = ("parallel", "sequential")


def along_streams(recordings: Recordings) -> pd.DataFrame:
    """Samples in sequence minus independent ones, a row a recording and group of places (`PLACES`).

    `difference` is the share of right samples at the places of a group, counted from 1 to its
    `last`, minus that of the question's independent samples: a mean over questions with its 95 %
    interval. It counts samples alike, whatever their prompts cost. No answer is not right. `cut` is
    the share of the samples there that ended at the limit of tokens, `cut_alone` that of all
    independent ones; NaN where it is not recorded.

    Recordings without targets, or without questions that have both kinds of samples, are left out.

    Args:
        recordings: As for `dynlab.compare`.

    Raises:
        InputError: As `streams_of`.
    """
    tables = []
    for recording in loaded(recordings):
        own = answered_by_all(recording, _BOTH)
        if own is None:
            continue
        alone, shown = (streams_of(own, name) for name in _BOTH)
        if alone.has_target and shown.has_target:
            tables.append(_compared(own, alone, shown).assign(recording=own.name))
    return pd.concat(tables, ignore_index=True)[PLACES] if tables else pd.DataFrame(columns=PLACES)


def _compared(own: Recording, alone: Streams, shown: Streams) -> pd.DataFrame:
    """The rows of one recording."""
    frame, most = own.frame, shown.codes.shape[2]
    sequential = frame[frame["strategy"] == "sequential"]
    place = sequential.groupby(["question_id", "stream"]).cumcount() + 1
    ends = [0, *(2**power for power in range(most.bit_length()) if 2**power < most), most]
    one, gaps, rows = _right(alone), {}, []
    for before, last in pairwise(ends):
        named = f"{last}" if before + 1 == last else f"{before + 1} to {last}"
        part = replace(shown, codes=shown.codes[:, :, before:last])
        gaps[named] = pd.Series(_right(part) - one)
        there = sequential[place.between(before + 1, last)]
        rows.append({"places": named, "last": last, "num_samples": len(there), "cut": _cut(there)})
    found = with_estimates(gaps).rename(columns={"measure": "places", "value": "difference"})
    return found.merge(pd.DataFrame(rows), on="places").assign(
        cut_alone=_cut(frame[frame["strategy"] == "parallel"])
    )


def _right(streams: Streams) -> Floats:
    """[Q] the share of right samples; NaN where a question has none."""
    with np.errstate(invalid="ignore"):
        return difficulty_of(streams).easy


def _cut(frame: pd.DataFrame) -> float:
    """The share of samples that ended at the limit of tokens, of those that say how they ended."""
    ended = frame["finish_reason"].dropna() if "finish_reason" in frame else pd.Series(dtype=object)
    return float((ended == "length").mean())
