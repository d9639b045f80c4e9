"""All samples of a strategy as votes: how hard each question is, how split, where the vote stands.

Unlike `Streams`, they may come from an adaptive run: they are looked at, not replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynlab.analysis.difficulty import SETTLED
from dynlab.policies.uncertainty import UNCERTAINTIES
from dynlab.policies.votes import Votes, winner_chance
from dynlab.recordings.arrays import Flags, Floats, Ints, coded, right_answers
from dynlab.recordings.recording import Recording

# where the vote of all samples stands, and what that means
STANDINGS: Mapping[str, str] = {
    "leads": "the right answer has the most votes",
    "tied": "the right answer shares the lead: it is scored by its share of it",
    "behind": "the right answer was given, and another has more votes",
    "absent": "no vote was for the right answer",
    "none": "no sample has an answer that votes",
}
UNTARGETED: Mapping[str, str] = {
    "settled": "the leading answer has at least half of the samples",
    "open": "no answer has half of the samples",
    "none": STANDINGS["none"],
}


@dataclass(frozen=True, eq=False)
class QuestionVotes:
    """The votes of all samples of one strategy; K answers in the order of their first vote."""

    strategy: str
    question_ids: tuple[str, ...]  # Q
    answers: tuple[tuple[str, ...], ...]  # [Q][K]
    counts: Ints  # [Q, K] votes
    samples: Ints  # [Q] samples, those that do not vote included
    right: Flags  # [Q, K]; where no target is known, the plurality
    has_target: bool
    rows: Ints  # [S] where each sample stands in the recording's frame
    question: Ints  # [S] its question
    code: Ints  # [S] its answer; MISSING: it does not vote

    @property
    def share_right(self) -> Floats:
        """[Q] share of right samples (without targets: of those that agree with the plurality)."""
        return np.asarray((self.counts * self.right).sum(axis=1) / self.samples)

    @property
    def top_share(self) -> Floats:
        """[Q] share of the leading answer among all samples."""
        return np.asarray(self.counts.max(axis=1) / self.samples)

    @property
    def winner(self) -> Floats:
        """[Q] chance that the vote of all samples is right, ties by expectation."""
        return np.asarray(winner_chance(self.counts, self.right))

    @property
    def standing(self) -> np.ndarray[Any, Any]:
        """[Q] one of `STANDINGS`; of `UNTARGETED` where no target is known."""
        if not self.has_target:
            found = np.where(self.top_share >= SETTLED, "settled", "open")
        else:
            given = (self.counts * self.right).any(axis=1)
            found = np.where(given, "behind", "absent")
            found = np.where(self.winner > 0, "tied", found)
            found = np.where(self.winner == 1, "leads", found)
        return np.where(self.counts.any(axis=1), found, "none")

    def uncertainty(self, name: str) -> Floats:
        """[Q] an uncertainty of `dynlab.policies`, such as 'top-share', of all samples."""
        ordered = -np.sort(-self.counts, axis=1)
        second = ordered[:, 1] if ordered.shape[1] > 1 else np.zeros_like(self.samples)
        surprise = (self.counts * np.log(np.maximum(self.counts, 1))).sum(axis=1)
        zero = np.zeros(len(self.samples))
        seen = Votes(
            pulls=self.samples,
            votes=self.counts.sum(axis=1),
            first=ordered[:, 0],
            second=second,
            distinct=(self.counts > 0).sum(axis=1),
            surprise=surprise,
            gained=zero,
            spent=zero,
            probe=zero,
            profile=np.zeros((0,), int),
            profiles=np.zeros((0, 1), int),
        )
        return np.asarray(UNCERTAINTIES[name](seen))


def question_votes(recording: Recording, strategy: str) -> QuestionVotes:
    """The votes of a strategy's samples, greedy ones too; questions in the order of their names.

    Raises:
        InputError: Which answers are right cannot be told: targets are lacking or several.
    """
    rows = np.flatnonzero(recording.frame["strategy"].to_numpy() == strategy)
    frame = recording.frame.iloc[rows]
    ids, question = np.unique(frame["question_id"].to_numpy(dtype=str), return_inverse=True)
    answers, code = coded(frame, question, len(ids))
    right, has_target = right_answers(frame, question, code, answers, recording.name)
    counts = np.zeros(right.shape, int)
    np.add.at(counts, (question[code >= 0], code[code >= 0]), 1)
    samples = np.bincount(question, minlength=len(ids))
    names = tuple(map(str, ids))
    return QuestionVotes(
        strategy, names, answers, counts, samples, right, has_target, rows, question, code
    )
