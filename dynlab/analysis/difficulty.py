"""How hard questions are by all of their samples, and where the vote of all of them ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynlab.recordings.streams import Flags, Floats, Streams

OUTCOMES = ("settled, right", "open, right", "open, wrong", "settled, wrong", "no answer")
SETTLED = 0.5  # a leading answer with at least this share of all samples


@dataclass(frozen=True, eq=False)
class Difficulty:
    """What all samples tell of the questions."""

    # [Q] share of right samples (without targets: of those that agree with the plurality)
    easy: Floats
    leader: Floats  # [Q] share of the leading answer among all samples
    winner: Floats  # [Q] chance that the vote of all samples is right
    leading: tuple[str, ...]  # [Q] the leading answer, '' where there is none

    @property
    def outcome(self) -> np.ndarray[Any, Any]:
        """[Q] one of `OUTCOMES`: where the vote of all samples ends up, and how clearly."""
        right_settled, right_open, wrong_open, wrong_settled, none = OUTCOMES
        settled = self.leader >= SETTLED
        right = np.where(settled, right_settled, right_open)
        wrong = np.where(settled, wrong_settled, wrong_open)
        return np.where(self.leader > 0, np.where(self.winner >= 0.5, right, wrong), none)


def difficulty_of(streams: Streams) -> Difficulty:
    """The difficulty of the questions of one strategy's samples."""
    num_questions, num_answers = streams.right.shape
    counts = np.zeros((num_questions, num_answers))
    question, *_ = np.nonzero(streams.codes >= 0)
    np.add.at(counts, (question, streams.codes[streams.codes >= 0]), 1)
    samples = streams.lengths.sum(axis=1)
    most = counts.max(axis=1)
    leads: Flags = (counts == most[:, None]) & (counts > 0)
    winner = (leads & streams.right).sum(axis=1) / np.maximum(leads.sum(axis=1), 1)
    leading = tuple(
        own[k] if most[q] else ""
        for q, (own, k) in enumerate(zip(streams.answers, counts.argmax(axis=1), strict=True))
    )
    easy = (counts * streams.right).sum(axis=1) / samples
    return Difficulty(easy, most / samples, winner, leading)
