"""The policy of a live run, asked for the next sample and told what came of it.

It decides what `replay.run` decides on the same samples, pick for pick, and knows nothing but what
it was told: no file, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import generator
from dynlab.policies.policy import Policy
from dynlab.policies.votes import tie_break_of, tie_key, tied, walk_start
from dynlab.recordings.streams import Flags, Floats
from dynlab.replay.counts import Counts, Told
from dynlab.replay.loop import FIRST


@dataclass(frozen=True)
class Pick:
    """A sample to draw.

    Args:
        question: its number, 0 … Q − 1.
        sample: how many were picked of this question before.
        arrived: how many of these the decision knew.
        depth: the longest path of calls whose outcome the decision waited for.
    """

    question: int
    sample: int
    arrived: int
    depth: int


class OnlinePolicy:
    """A policy at work on Q questions: `ask()` for the next pick, `tell` what became of it.

    In rounds (the default) the `batch` picks of a round are decided on what was known before it;
    each raises n and t at once, votes stay as they were, and nothing is picked until all are told.
    So the order of arrival changes nothing. The warm-up, which depends on no answer, is a round of
    its own. An allocator that waits for no answer (`uniform`) needs no rounds: it waits for a
    question's own samples only, and only where a stopping rule looks at them.

    Without rounds each arrival counts at once, and decisions depend on the order of arrivals. The
    caller bounds how many are in flight; a question of which nothing has arrived waits once its
    warm-up is picked.

    Args:
        policy: allocator, stopping rule, warm-up and batch, as in replay.
        limit: the most picks over all questions.
        seed: of the run; ties fall by (seed, 0, question, pulls), as in replication 0 of a replay.
        rounds: False = each arrival counts at once.

    Raises:
        InputError: the allocator cannot decide from what has arrived.
    """

    def __init__(
        self, policy: Policy, num_questions: int, limit: int, seed: int = 0, rounds: bool = True
    ):
        if policy.allocator.tabular:
            raise InputError(
                f"{policy.allocator.name} decides in phases over whole recordings and cannot run"
                " live; take another --allocator, such as priced or ucb"
            )
        self.policy = policy
        self.limit = limit
        self.seed = seed
        self.counts = Counts(num_questions)
        self.picks: list[Pick] = []
        self._adaptive = policy.allocator.adaptive
        self._rounds = rounds and self._adaptive
        self._at_once = not rounds
        self._opening = policy.warmup if self._adaptive else 0
        self._left = 0  # picks that are left in this round
        self._told: dict[tuple[int, int], Told] = {}  # not counted yet
        self.pulls = np.zeros(num_questions, np.int64)
        self.in_flight = 0
        self._deepest = np.zeros(num_questions, np.int64)
        self.stopped = np.zeros(num_questions, bool)
        self._value = np.zeros(num_questions)
        self._width = np.zeros(num_questions)
        self._draws: Floats | None = None  # [Q, M]
        self._ties = tie_key(seed, np.array(0), np.arange(num_questions))
        self._start = walk_start(seed, np.array(0), np.arange(num_questions))
        self._refresh(range(num_questions))

    def ask(self) -> Pick | None:
        """The next pick; None = nothing until more is told, or nothing any more if none flies."""
        if len(self.picks) >= self.limit:
            return None
        if self._rounds and not self._left and not self.in_flight:
            self._count()
        t = len(self.picks)
        score = self._value + np.sqrt(np.log(max(t, 1))) * self._width
        if self._draws is not None:
            place = (self._start + t) & (self._draws.shape[1] - 1)
            score = score + self._draws[np.arange(len(score)), place]
        q = int(score.argmax())
        if score[q] == -np.inf:
            self._left = 0
            # what was told may change it
            return self.ask() if self._told and not self.in_flight else None
        n = int(self.pulls[q])
        arrived = int(self.counts.arrived[q])
        opening = n < self.policy.warmup
        if not opening:
            if self._rounds and not self._left:
                if self.in_flight:
                    return None
                self._left = self.policy.batch
            if not self._adaptive and self.policy.stopping is not None and arrived < n:
                return None
            self._left -= 1
        known = 0 if opening or not self._adaptive else arrived
        pick = Pick(q, n, known, 0 if opening else self._waited_for(q))
        self.picks.append(pick)
        self.pulls[q] += 1
        self.in_flight += 1
        self._refresh([q])
        return pick

    def tell(self, question: int, sample: int, told: Told) -> None:
        """What became of a pick: once each, in any order."""
        self.in_flight -= 1
        self._told[question, sample] = told
        if self._at_once:
            self._add(question, self._told.pop((question, sample)))
            self._refresh([question])
        elif not self._rounds:
            self._count([question])

    @property
    def settled(self) -> Flags:
        """[Q] whether a question is closed: rule or allocator ask for no further sample of it."""
        return np.asarray(np.isneginf(self._value) & (self.counts.arrived > 0))

    def finish(self) -> Counts:
        """Counts all that was told, also after a sample that never came, and forgets the latter."""
        for question, sample in sorted(self._told):
            self._add(question, self._told.pop((question, sample)))
        self.pulls = self.counts.arrived.copy()
        self.in_flight = 0
        self._refresh(range(len(self.pulls)))
        return self.counts

    def _waited_for(self, question: int) -> int:
        if self._adaptive:
            return int(self._deepest.max())
        return int(self._deepest[question]) if self.policy.stopping is not None else 0

    def _count(self, questions: Iterable[int] | None = None) -> None:
        """Counts what was told, each question's samples in the order of their picks."""
        changed = sorted({q for q, _ in self._told}) if questions is None else list(questions)
        for q in changed:
            while (told := self._told.pop((q, int(self.counts.arrived[q])), None)) is not None:
                self._add(q, told)
        if changed:
            self._refresh(changed)

    def _add(self, question: int, told: Told) -> None:
        self.counts.add(question, told)
        self._deepest[question] = max(self._deepest[question], told.depth)
        if self.policy.stopping is not None and not self.stopped[question]:
            self.stopped[question] = self.counts.stops(question, self.policy.stopping)

    def _refresh(self, questions: Iterable[int]) -> None:
        """The parts of the index of questions that have changed."""
        at = np.fromiter(questions, int)
        pulls = self.pulls[at]
        arrived = self.counts.arrived[at]
        ties = tie_break_of(self._ties[at], pulls)
        opening = pulls < self._opening
        allocator = self.policy.allocator
        known = pulls if not self._adaptive else np.where(arrived > 0, pulls, 0)
        seen = self.counts.seen(at.tolist(), known, allocator.profiles)
        index = allocator.index(seen, generator(self.seed))
        closed = self.stopped[at] & (arrived >= self.policy.warmup)
        if self._at_once and self._adaptive:
            closed |= arrived == 0
        value = tied(index.value, ties)
        value = np.where(closed, -np.inf, value)
        self._value[at] = np.where(opening, FIRST - pulls + ties / 2, value)
        if index.width is not None:
            self._width[at] = np.where(opening, 0.0, tied(index.width, ties))
        if index.draws is not None:
            if self._draws is None:
                self._draws = np.zeros((len(self.pulls), index.draws.shape[1]), index.draws.dtype)
            self._draws[at] = np.where(opening[:, None], 0.0, index.draws)
