"""Greedy answers (temperature 0): the baseline that stands beside every curve."""

from __future__ import annotations

import numpy as np

from dynlab._util.errors import InputError
from dynlab.recordings.recording import Recording, right_of
from dynlab.recordings.streams import Floats, Streams


def greedy_accuracy(recording: Recording, streams: Streams) -> Floats | None:
    """[Q] whether each question's greedy answer is right; None where the recording has none.

    By `correct` where it is known, else by the target, as samples are judged.

    Raises:
        InputError: some questions have a greedy answer and others none.
    """
    frame = recording.greedy
    if frame.empty or not streams.has_target:
        return None
    right = right_of(frame).fillna(False).astype(float)
    by_question = dict(zip(frame["question_id"], right, strict=True))
    lacking = [question for question in streams.question_ids if question not in by_question]
    if lacking:
        raise InputError(
            f"{recording.name}: question {lacking[0]!r} has no greedy answer while others have one "
            f"({len(lacking)} lack it); record greedy answers for all questions, or for none"
        )
    return np.array([by_question[question] for question in streams.question_ids])
