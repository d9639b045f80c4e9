"""The votes of questions whose samples arrive one by one, and which answer they choose.

The numbers are those of `dynlab.policies.votes.tally`, which has all samples at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dynlab.policies.base import StoppingRule, Vote
from dynlab.policies.votes import Tally, Votes, tally, winner_chance
from dynlab.recordings.streams import MISSING, Flags, Floats, Ints


@dataclass(frozen=True)
class Told:
    """What a policy is told of a sample.

    Args:
        answer: None where it does not vote: no parsable answer, or a failed call.
        price: in the unit that spending is counted in; None = unknown.
        logprob: mean log-probability of its tokens; NaN = unknown.
        depth: the longest path of calls that had to wait for one another and ends in this one.
    """

    answer: str | None
    price: float | None = 1.0
    logprob: float = np.nan
    depth: int = 1


class Counts:
    """The votes of Q questions, none at first."""

    def __init__(self, num_questions: int):
        # answer → code by first appearance
        self.answers: list[dict[str, int]] = [{} for _ in range(num_questions)]
        self.codes: list[list[int]] = [[] for _ in range(num_questions)]
        self.counts: list[list[int]] = [[] for _ in range(num_questions)]  # votes by code
        self.logprobs: list[list[float]] = [[] for _ in range(num_questions)]
        self.arrived = np.zeros(num_questions, np.int64)
        self.votes = np.zeros(num_questions, np.int64)
        self._first = np.zeros(num_questions, np.int64)
        self._second = np.zeros(num_questions, np.int64)
        self._distinct = np.zeros(num_questions, np.int64)
        self._leader = np.zeros(num_questions, np.int64)
        self._priced = np.zeros(num_questions, np.int64)
        self._surprise = np.zeros(num_questions)
        self._gained = np.zeros(num_questions)
        self._entropy = np.zeros(num_questions)
        self.spent = np.zeros(num_questions)  # unknown prices estimated
        self._paid = np.zeros(num_questions)  # known prices alone
        self._probe = np.full(num_questions, np.nan, np.float32)
        self._weight: Floats = np.zeros(1)  # k·ln k

    def add(self, question: int, told: Told) -> None:
        """Counts one sample of a question; an unknown price is the mean of the known ones."""
        q = question
        n = int(self.arrived[q])
        if n + 2 > len(self._weight):
            numbers = np.arange(1, 2 * n + 4)
            self._weight = np.concatenate([[0.0], numbers * np.log(numbers)])
        top = int(self._first[q])
        code = (
            MISSING
            if told.answer is None
            else self.answers[q].setdefault(told.answer, len(self.answers[q]))
        )
        self.codes[q].append(code)
        self.logprobs[q].append(told.logprob)
        if n == 0:
            self._probe[q] = told.logprob
        self.arrived[q] = n + 1
        if code != MISSING:
            self._vote(q, code)
        if told.price is not None:
            self.spent[q] += told.price
            self._priced[q] += 1
            self._paid[q] += told.price
        elif self._priced[q]:
            self.spent[q] += self._paid[q] / self._priced[q]
        votes = self.votes[q]
        weight = self._weight
        entropy = (weight[n + 1] - self._surprise[q] - weight[n + 1 - votes]) / (n + 1)
        rise = self._first[q] / (n + 1) - top / max(n, 1)
        self._gained[q] = self._gained[q] + max(rise, 0.0) + max(self._entropy[q] - entropy, 0.0)
        self._entropy[q] = entropy

    def _vote(self, q: int, code: int) -> None:
        counts = self.counts[q]
        if code == len(counts):
            counts.append(0)
            self._distinct[q] += 1
        before = counts[code]
        counts[code] = count = before + 1
        top, runner = self._first[q], self._second[q]
        if self._leader[q] != code:
            self._second[q] = top if count > top else max(runner, count)
        if count > top:
            self._first[q] = count
            self._leader[q] = code
        self.votes[q] += 1
        self._surprise[q] += self._weight[before + 1] - self._weight[before]

    def seen(self, questions: Sequence[int], pulls: Ints, profiles: bool = False) -> Votes:
        """What a policy may see of some questions; `pulls` counts samples in flight too."""
        at = np.asarray(questions)
        number = np.arange(len(at)) if profiles else np.zeros(0, int)
        return Votes(
            pulls,
            self.votes[at],
            self._first[at],
            self._second[at],
            self._distinct[at],
            self._surprise[at],
            self._gained[at],
            self.spent[at],
            self._probe[at],
            number,
            self._profiles(questions) if profiles else np.zeros((0, 1), int),
        )

    def _profiles(self, questions: Sequence[int]) -> Ints:
        """[U, K] vote counts, largest first, padded with 0."""
        counts = [sorted(self.counts[q], reverse=True) for q in questions]
        table = np.zeros((len(counts), max(1, *map(len, counts)) if counts else 1), np.int64)
        for row, found in zip(table, counts, strict=True):
            row[: len(found)] = found
        return table

    def stops(self, question: int, rule: StoppingRule) -> bool:
        """Whether a rule says that a question has enough."""
        n = int(self.arrived[question])
        seen = self.seen([question], self.arrived[[question]], rule.profiles)

        def whole(state: Any) -> Any:
            """A rule looks at its question's last depth and at the codes before it."""
            return np.broadcast_to(state, (n + 1, 1, 1))

        named = {
            name: whole(table)
            for name, table in vars(seen).items()
            if name != "profiles" and table.size
        }
        state = replace(seen, **named)
        codes = np.array(self.codes[question], np.int32)[:, None, None]
        none = np.zeros((0, 0, 0))
        last = Tally(codes, whole(np.array(n)), state, none, np.zeros((1, 1), bool), none)
        return bool(rule.stops(last)[-1, 0, 0])

    def chances(self, question: int, chooses: Vote | StoppingRule | None = None) -> Floats:
        """[K] the chance of each answer, by code, to be the one that is voted, ties split evenly.

        Args:
            chooses: a weighted vote, or a stopping rule with an answer of its own; None =
                plurality.
        """
        number = len(self.counts[question])
        if not number:
            return np.zeros(0)
        each: Flags = np.eye(number, dtype=bool)
        if chooses is None:
            return np.asarray(winner_chance(np.tile(self.counts[question], (number, 1)), each))
        codes = np.tile(np.array(self.codes[question], np.int32)[:, None, None], (1, 1, number))
        logprob = np.broadcast_to(np.array(self.logprobs[question])[:, None, None], codes.shape)
        # a question for each answer, in which that one is right
        table = replace(tally(codes, each), logprob=logprob)
        return np.asarray(chooses.right(table)[-1, 0])
