"""Rivals: published ways to choose the next question, each with its paper, its defaults and what
deviates.

They keep the form of `allocators` and so run in the same loop. A rule that can drop questions for
good says so by `eliminates`: it may leave budget unspent. `warmup` is what its paper draws for
every question first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import Index
from dynlab.policies.dirichlet import Posterior, posteriors
from dynlab.policies.uncertainty import doubt_table, entropy, posterior
from dynlab.policies.votes import Votes, tie_break
from dynlab.recordings.streams import Flags, Floats, Ints


@dataclass(frozen=True)
class KnowledgeGradient:
    """Optimistic knowledge gradient on the two leading answers: max over m of h(counts + e_m) −
    h(counts).

    PETS (2602.16745) with h = P(leader is the mode) in Adaptive-Consistency's Beta form
    (2305.11860), h = 1 − Σ_{k=0..v2} C(m,k)/2^m with m = v1 + v2 + 1, and the next answer m the
    leader or the runner-up: a closed form of ours; the paper's own h is
    `MonteCarloKnowledgeGradient`'s.
    """

    name = "okg-beta"
    adaptive = True
    profiles = False
    warmup = 1

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """What the better of two next answers adds to h."""
        first, second = np.asarray(seen.first, int), np.asarray(seen.second, int)
        total = first + second
        doubt = doubt_table(int(np.max(total, initial=0)) + 1)
        leader_next, runner_next = (
            doubt[total + 1, second],
            doubt[total + 1, np.minimum(first, second + 1)],
        )
        return Index(doubt[total, second] - np.minimum(leader_next, runner_next))


@dataclass(frozen=True)
class DoubtPerRoot:
    """(1 − P)/√n: Adaptive-Consistency's doubt (2305.11860) that fades with the samples drawn.

    P = P(leader is the mode), a flat prior on the two leaders. No paper has this index: it is the
    strongest simple one that we measured, a control of our own that tells what looking ahead and
    price add.
    """

    name = "beta-sqrt"
    adaptive = True
    profiles = False

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """(1 − P)/√n, 1 before the first vote."""
        return Index(posterior(seen) / np.sqrt(np.maximum(seen.pulls, 1.0)))


@dataclass(frozen=True)
class MonteCarloKnowledgeGradient:
    """PETS' offline allocator as released (2602.16745): max over m of ĥ(counts + e_m) − ĥ(counts),
    ĥ by random draws.

    ĥ is the share of `num_draws` draws of Dirichlet(counts + 1) in which the leader is the largest;
    the Dirichlet is over `buckets` answers, those seen and the rest with count 0. The release draws
    anew for every question, next answer and step, so that its index is h's gain and a good deal of
    noise.

    Deviations: ĥ is its exact expectation (an integral) plus normal noise of a binomial's variance,
    rounded off at 1, instead of draws; the release takes the largest of all shares for ĥ, we the
    leader's. Each profile keeps `num_values` values of its index that its questions walk through.
    Answers beyond `buckets` are kept (the release discards them). A recording does not say how many
    choices a question has: set `buckets` to it where there are some.

    Args:
        buckets: answers that are thought possible (32, the release's for free answers).
        num_draws: 500, the release's; 0 = the exact h without noise.
        num_values: a power of two.
    """

    buckets: int = 32
    num_draws: int = 500
    num_values: int = 32
    name = "okg-pets"
    adaptive = True
    profiles = True
    warmup = 1

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """[U, num_values] values for the profiles of `seen`."""
        base = int(rng.integers(2**63))
        draws = [
            self._gains(block, base)
            for block in posteriors(seen.profiles, self._unseen(seen.profiles))
        ]
        return Index(np.zeros(np.shape(seen.pulls)), draws=np.concatenate(draws))

    def _unseen(self, profiles: Ints) -> Ints:
        return np.asarray(np.maximum(self.buckets - (profiles > 0).sum(axis=1), 0))

    def _gains(self, block: Posterior, base: int) -> Floats:
        """[U, num_values] the index of each profile."""
        largest = _largest_normals(base, self.buckets)
        own = (
            block.having[:, 1:] @ np.arange(1, block.having.shape[1]) ** 3
        ) % 2**31  # tells profiles apart, mostly
        slot = np.arange(self.num_values)

        def estimated(
            chance: Floats, number: Floats, rows: Flags | slice, next_answer: int
        ) -> Floats:
            """The largest of `number` estimates of a chance: both [rows] → [rows, num_values]."""
            if not self.num_draws:
                return np.broadcast_to(chance[:, None], (len(chance), self.num_values))
            noise = np.sqrt(np.clip(chance * (1 - chance), 0, None) / self.num_draws).astype(
                np.float32
            )
            draw = (
                tie_break(base + next_answer, own[rows][:, None], slot, np.array(0)) * len(largest)
            ).astype(int)
            column = np.minimum(number, largest.shape[1])[:, None] - 1
            drawn = chance[:, None].astype(np.float32) + noise[:, None] * largest[draw, column]
            return np.asarray(np.minimum(drawn, 1.0))

        alone = np.ones(len(block.leader), int)
        tied = block.having[np.arange(len(alone)), block.leader]  # answers as good as the leader
        every = slice(None)
        best = np.array(estimated(block.mode_after_leader(), np.maximum(tied, 1), every, -1))
        for count in range(int(block.leader.max(initial=0))):
            rows = (block.having[:, count] > 0) & (block.leader > count)
            if rows.any():
                after = estimated(
                    block.mode_after(count, rows), block.having[rows, count], rows, count
                )
                best[rows] = np.maximum(best[rows], after)
        return best - estimated(block.mode(), alone, every, -2)


@lru_cache(maxsize=8)
def _largest_normals(base: int, most: int) -> Floats:
    """[4096, most] the largest of 1 … most normal numbers, one set a row."""
    normal = np.random.default_rng(base).standard_normal((4096, most)).astype(np.float32)
    return np.asarray(np.maximum.accumulate(normal, axis=1))


@dataclass(frozen=True)
class UncertaintyAware:
    """UAB (2605.26849): the budget that solves max Σ 1 − (1 − p)^c, one sample at a time to argmax
    p·(1 − p)^c.

    p = exp(mean log-probability of the tokens of the question's first sample / temperature), c =
    samples held so far, that first one included; it votes like the rest. The allocation of the
    released code, whose later default (entropy of two probes' answers instead of log-probabilities)
    is left out.

    Deviation: a probe without a log-probability (an empty response) has the mean of its question's
    samples.

    Args:
        temperature: 0.2, the paper's for one probe.

    Raises:
        InputError: on use, where the recording has no `mean_logprob`.
    """

    temperature: float = 0.2
    name = "uab"
    adaptive = True
    profiles = False
    warmup = 1

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """ln p + c·ln(1 − p): in the order of p·(1 − p)^c, which is soon too small to be told from
        nothing.
        """
        if np.isnan(seen.probe[seen.pulls > 0]).any():
            raise InputError(
                "uab needs the column mean_logprob (a probe's confidence), and it is not recorded; "
                "record with log-probabilities, or leave uab out"
            )
        log = np.minimum(np.nan_to_num(seen.probe.astype(float)), 0.0) / self.temperature
        return Index(log + seen.pulls * np.log(np.maximum(-np.expm1(log), 1e-300)))


@dataclass(frozen=True)
class Elimination:
    """Strategic scaling (Zuo & Zhu 2025, 2506.12721): rounds of K samples; a question leaves once
    its answers agree.

    Elimination gives every active question K samples a round; its entropy variant gives K samples
    to the active question of the largest entropy instead. After each K samples a question whose
    agreement v1/n has reached the threshold leaves for good; once all have left, the rest of the
    budget stays unspent.

    Agreement is the paper's rule for self-consistency; its main one is a reward oracle, which there
    is none of here. Deviations: K and the threshold are our choice; depth counts pulls one at a
    time, where the paper's rounds run together.

    Args:
        samples: K, 1 … 8.
        threshold: agreement at which a question leaves.
        ordered: by entropy.
    """

    samples: int = 4
    threshold: float = 0.8
    ordered: bool = False
    adaptive = True
    profiles = False
    eliminates = True

    def __post_init__(self) -> None:
        if self.samples < 1 or not 0 < self.threshold <= 1:
            raise InputError(
                f"samples must be at least 1 and threshold in (0, 1]; not {self.samples} and"
                f" {self.threshold}"
            )

    @property
    def name(self) -> str:
        """`strategic`, or `strategic-entropy` where it is ordered."""
        return "strategic-entropy" if self.ordered else "strategic"

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """−(rounds held), or 2 within a round and the entropy between rounds; −∞ for a question
        that has left.
        """
        pulls = np.asarray(seen.pulls, int)
        rounds, within = np.divmod(pulls, self.samples)
        value = np.where(within > 0, 2.0, entropy(seen)) if self.ordered else -rounds.astype(float)
        leaves = (within == 0) & (pulls > 0) & (seen.first >= self.threshold * pulls - 1e-9)
        return Index(np.where(leaves, -np.inf, value))


@dataclass(frozen=True)
class VoteGain:
    """Anytime UCB on the gain in votes: mean reward + √(ln t / n), UCB1's form (Auer 2002) with our
    reward.

    The reward of a sample is [rise of the top share v1/n]₊ + [fall of the entropy]₊, with the
    entropy −Σ p·ln p of p = counts/n and the missing share as one more answer; before the first
    sample share and entropy are 0.
    """

    name = "vote-gain"
    adaptive = True
    profiles = True

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """Mean reward and 1/√n; samples in flight raise n and have no reward yet."""
        n = np.maximum(seen.pulls, 1).astype(float)
        return Index(seen.gained / n, 1 / np.sqrt(n))


@dataclass(frozen=True)
class SequentialHalving:
    """Sequential halving (Karnin 2013) over questions: after each phase the more certain half
    leaves.

    In mctx's form: which visit counts may be raised is planned from the budget. With T = budget·Q
    samples and ⌈log₂ Q⌉ phases, a phase gives each of its k questions max(1, ⌊T / (k·⌈log₂ Q⌉)⌋)
    samples, then keeps the ⌊k/2⌋ (at least two) of the largest 1 − v1/n, ties at random. Not
    anytime: every budget is played on its own.

    Deviations: the best arm is replaced by the least settled question; survivors that run out of
    recorded samples leave the rest unspent.

    Args:
        budget: samples per question that are planned for, or in another unit what so many cost on
            average.
    """

    budget: float = 8.0
    name = "sequential-halving"
    adaptive = True
    profiles = False
    eliminates = True
    tabular = True  # its index is a whole table's: it cannot run live
    warmup = 1

    def planned(self, budget: float) -> SequentialHalving:
        """The same rule for another budget per question."""
        return replace(self, budget=budget)

    def phases(self, num_questions: int) -> list[tuple[int, int]]:
        """(questions, samples for each) of every phase, to the first in which two are left.

        >>> SequentialHalving(budget=4).phases(8)
        [(8, 1), (4, 2), (2, 5)]
        """
        number, found = num_questions, list[tuple[int, int]]()
        together = self.budget * num_questions / max(1, math.ceil(math.log2(max(2, num_questions))))
        while not found or found[-1][0] > 2:
            found.append((number, max(1, int(together / number + 1e-9))))
            number = max(2, number // 2)
        return found

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """−n while a question is in, −∞ once it is out: the whole table [D, R, Q] at once."""
        if seen.pulls.ndim != 3:
            raise InputError(
                "sequential-halving decides in phases of its own; leave the batch at 1"
            )
        depths, num_replications, num_questions = seen.pulls.shape
        value = np.broadcast_to(
            -np.arange(depths, dtype=float)[:, None, None], seen.pulls.shape
        ).copy()
        active = np.ones((num_replications, num_questions), bool)
        depth = 0
        for number, samples in self.phases(num_questions):
            if number < active.sum(axis=1).max() and depth < depths:
                doubt = (
                    1
                    - seen.first[depth] / np.maximum(seen.pulls[depth], 1)
                    + 1e-9 * rng.random(active.shape)
                )
                order = np.argsort(np.where(active, -doubt, np.inf), axis=1)
                active = np.zeros_like(active)
                np.put_along_axis(active, order[:, :number], True, axis=1)
                value[depth:][:, ~active] = -np.inf
            depth += samples
        return Index(value)
