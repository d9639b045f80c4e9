"""What a recording holds of one question, to be shown: its words, its votes, some of its texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynlab._util.values import GREEDY
from dynlab.recordings.recording import Recording, text_or_none
from dynlab.recordings.streams import Floats, Ints, Streams
from dynlab.replay.draws import draws_of

TEXTS = 3  # of a question
LONGEST = 400  # characters of a text


@dataclass(frozen=True)
class QuestionSummary:
    """One question: what was asked, how often it was answered how, and some responses."""

    id: str
    question: str  # '' = not recorded
    # answer ('' = none was given), samples, whether it is right; most first
    votes: tuple[tuple[str, int, bool], ...]
    texts: tuple[str, ...]
    greedy: str | None = None  # the answer at temperature 0, None where it is not recorded


@dataclass(frozen=True)
class VoteGrowth:
    """The vote of a question sample by sample, in the order of the first replication."""

    answers: tuple[str, ...]  # K, in the order of `QuestionSummary.votes`
    right: tuple[bool, ...]  # K
    shares: Floats  # [N, K] share of each answer after n = 1 … N samples


def summaries_of(recording: Recording, streams: Streams) -> list[QuestionSummary]:
    """[Q] the questions of a strategy, in the order of its streams."""
    frame = recording.frame[recording.frame["strategy"] == streams.strategy]
    groups = dict(list(frame.groupby("question_id", sort=False)))
    greedy = (
        recording.frame[recording.frame["strategy"] == GREEDY]
        .set_index("question_id")["answer"]
        .to_dict()
    )
    return [
        _summary(streams, number, groups[name], greedy.get(name))
        for number, name in enumerate(streams.question_ids)
    ]


def vote_growth(streams: Streams, question: int, seed: int) -> VoteGrowth:
    """The vote of one question as the first replication of `seed` sees it grow."""
    (draws,) = draws_of(streams, 1, seed, "samples")
    codes = draws.tally.codes[: draws.tally.lengths[0, question], 0, question]
    order = [
        code
        for code, count in _counts(streams, question)
        if count and (code >= 0 or (codes < 0).any())
    ]
    steps = np.arange(1, len(codes) + 1)[:, None]
    shares = np.cumsum(codes[:, None] == np.array(order), axis=0) / steps
    named = [_named(streams, question, code) for code in order]
    return VoteGrowth(
        tuple(answer for answer, _ in named), tuple(right for _, right in named), shares
    )


def _summary(
    streams: Streams, number: int, rows: pd.DataFrame, greedy: str | None
) -> QuestionSummary:
    words = text_or_none(rows["question"].iloc[0]) if "question" in rows else None
    texts = rows["text"].dropna().head(TEXTS) if "text" in rows else ()
    votes = [
        (*_named(streams, number, code), count) for code, count in _counts(streams, number) if count
    ]
    return QuestionSummary(
        streams.question_ids[number],
        words or "",
        tuple((answer, count, right) for answer, right, count in votes),
        tuple(text if len(text) <= LONGEST else text[:LONGEST] + " …" for text in texts),
        greedy,
    )


def _counts(streams: Streams, question: int) -> list[tuple[int, int]]:
    """(code, samples) of a question, most first; the missing answer, code −1, comes last."""
    codes: Ints = streams.codes[question].ravel()
    counts = np.bincount(codes[codes >= 0], minlength=1)
    order = np.argsort(-counts, kind="stable")
    return [*((int(code), int(counts[code])) for code in order), (-1, int((codes == -1).sum()))]


def _named(streams: Streams, question: int, code: int) -> tuple[str, bool]:
    """The answer behind a code, and whether it is right."""
    if code < 0:
        return "", False
    return streams.answers[question][code], bool(streams.right[question, code])
