"""What a recording's samples tell a model: right or not, which wrong answer, what was shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab._util.values import GREEDY
from dynlab.recordings.arrays import Flags, Floats, Ints, coded, right_answers
from dynlab.recordings.recording import Recording
from dynlab.simulation.chains import NONE, RIGHT


@dataclass(frozen=True, eq=False)
class Observations:
    """The samples of a recording but its greedy ones, S of Q questions."""

    frame: pd.DataFrame  # S rows
    question: Ints  # [S]
    code: Ints  # [S] 0 right, −1 no answer, wrong answers from 1 on
    chained: Flags  # [S] shown others, and is known which
    independent: Flags  # [S] drawn without others
    shown: Ints  # [C, M] of the chained samples, in order: the rows of those shown; −1 behind them

    @property
    def num_questions(self) -> int:
        """Q."""
        return int(self.question.max()) + 1

    def counts(self, which: Flags) -> Ints:
        """[Q] how many of some samples each question has."""
        return np.bincount(self.question[which], minlength=self.num_questions)

    def wrong_counts(self) -> Ints:
        """[Q, K] how often independent samples gave each wrong answer; column 0 is empty."""
        wrong = self.independent & (self.code > RIGHT)
        table = np.zeros((self.num_questions, max(int(self.code.max()), 0) + 1), int)
        np.add.at(table, (self.question[wrong], self.code[wrong]), 1)
        return table

    def numbers(self, column: str) -> Floats | None:
        """[S] a column's numbers, NaN where unknown; None where none is known."""
        if column not in self.frame or self.frame[column].isna().all():
            return None
        return np.asarray(self.frame[column].to_numpy(dtype=float, na_value=np.nan))


def observed(recording: Recording) -> Observations:
    """The samples of a recording as a model sees them.

    Raises:
        InputError: An adaptive design, no targets, or fewer than two independent samples of every
            question.
    """
    if recording.design != "fixed":
        raise InputError(
            f"{recording.name} is of {recording.design} design (a live run's order): what it drew"
            " depends on what it saw; fit a recording of fixed design"
        )
    frame = recording.frame[recording.frame["strategy"] != GREEDY].reset_index(drop=True)
    frame = frame.drop(
        columns="votes", errors="ignore"
    )  # an answer counts, whether it votes or not
    ids, question = np.unique(frame["question_id"].to_numpy(dtype=str), return_inverse=True)
    answers, number = coded(frame, question, len(ids))
    right, has_target = right_answers(frame, question, number, answers, recording.name)
    if not has_target:
        raise InputError(
            f"{recording.name} has no targets: a model of it needs to know which samples are right;"
            " give it a column `target` or `correct`"
        )
    hit = (number >= 0) & right[question, np.maximum(number, 0)]
    code = np.where(hit, RIGHT, np.where(number < 0, NONE, number + 1))
    roles = frame["role"] if "role" in frame else pd.Series("", frame.index)
    lone = (frame["strategy"] == "parallel") | (roles == "independent")
    chained, shown = _shown(frame, ~lone.to_numpy(bool))
    found = Observations(frame, question, code, chained, lone.to_numpy(bool), shown)
    if found.counts(found.independent).max(initial=0) < 2:
        raise InputError(
            f"{recording.name} has no question with two independent samples: how questions differ"
            " cannot be told; record several samples of each"
        )
    return found


def _shown(frame: pd.DataFrame, candidates: Flags) -> tuple[Flags, Ints]:
    """Which samples were shown others that are in the frame, and the rows of these."""
    chained, lists = np.zeros(len(frame), bool), []
    if "parents" in frame and candidates.any():
        columns = (frame[name] for name in ("question_id", "strategy", "stream", "sample_index"))
        keys = list(zip(*(column.tolist() for column in columns), strict=True))
        rows = {key: row for row, key in enumerate(keys)}
        parents = frame["parents"].tolist()
        for row in np.flatnonzero(candidates).tolist():
            own = [rows.get((*keys[row][:3], at), -1) for at in parents[row] or ()]
            if own and min(own) >= 0:
                chained[row] = True
                lists.append(own)
    shown = np.full((len(lists), max(map(len, lists), default=0)), -1)
    for number, own in enumerate(lists):
        shown[number, : len(own)] = own
    return chained, shown
