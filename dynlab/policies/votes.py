"""Votes: from answers in the order they were drawn to counts, leaders and ties at every depth.

A table over depths has axes [D, R, Q] with D = N + 1: entry d is the state of a question after d
pulls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynlab.recordings.streams import ABSENT, Flags, Floats, Ints


@dataclass(frozen=True)
class Votes:
    """What a policy may see of questions: any shape, targets are not in it.

    `pulls` is the number of samples drawn (in flight ones included), `votes` ≤ pulls those with a
    parsable answer.
    """

    pulls: Ints  # [...] n
    votes: Ints  # [...] v
    first: Ints  # [...] v1, votes of the leading answer
    second: Ints  # [...] v2, votes of the runner-up
    distinct: Ints  # [...] answers seen so far
    surprise: Floats  # [...] Σ c·ln c over the answers' counts
    # [...] Σ over its pulls of [rise of v1/n]₊ + [fall of the entropy of the shares]₊
    gained: Floats
    spent: Floats  # [...] price of the samples drawn so far, in the budget's unit
    # [...] mean log-probability of the question's first sample; NaN before it, or unknown
    probe: Floats
    profile: Ints  # [...] row of `profiles`
    profiles: Ints  # [U, K] the vote counts behind `profile`, largest first, padded with 0

    def at(self, where: tuple[Ints | slice, ...], pulls: Ints) -> Votes:
        """The entries at an index, `pulls` replaced: samples in flight raise n, nothing else."""
        return Votes(
            pulls,
            self.votes[where],
            self.first[where],
            self.second[where],
            self.distinct[where],
            self.surprise[where],
            self.gained[where],
            self.spent[where],
            self.probe[where],
            self.profile[where] if self.profile.size else self.profile,
            self.profiles,
        )


@dataclass(frozen=True)
class Tally:
    """Vote states of every question at every depth, and how likely the vote is right there."""

    codes: Ints  # [N, R, Q] answer codes in the order drawn
    lengths: Ints  # [R, Q] samples that exist
    seen: Votes  # [D, R, Q]
    # [D, R, Q] chance that the vote is right, ties by expectation (0 before the first vote)
    right: Floats
    answer_right: Flags  # [Q, K] which answers are right
    logprob: Floats  # [N, R, Q] mean log-probability of each sample, NaN unknown
    # by `once`: [U] per profile
    known: dict[str, Floats] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, of_profiles: Callable[[Ints], Floats]) -> Floats:
        """[U] a function of the vote profiles, computed once: all settings of a rule share it."""
        if name not in self.known:
            self.known[name] = of_profiles(self.seen.profiles)
        return self.known[name]


def tally(codes: Ints, right: Flags, profiles: bool = False) -> Tally:
    """Counts votes along drawn streams.

    Args:
        codes: [N, R, Q] answer codes by first appearance; negative ones (missing, absent) never
            vote.
        right: [Q, K] which answers are right; it goes into `Tally.right` alone.
        profiles: also number the distinct vote profiles and sum the gains (for policies that need
            more than the two leaders); else `Votes.profiles` is empty and `Votes.gained` unknown.

    `Votes.spent` counts samples; `Votes.probe` and `Tally.logprob` are unknown here: who knows them
    replaces them.
    """
    num_samples, num_replications, num_questions = codes.shape
    num_answers = right.shape[1]
    rows = np.arange(num_replications * num_questions)
    # the last column counts missing answers
    counts = np.zeros((rows.size, num_answers + 1), np.int16)
    flat_right = np.tile(right, (num_replications, 1))
    weight = np.zeros(num_samples + 2)
    weight[1:] = np.arange(1, num_samples + 2) * np.log(np.arange(1, num_samples + 2))
    gain = np.diff(weight)  # what one more vote adds to c·ln c

    shape = (num_samples + 1, rows.size)
    pulls, votes, first, second, distinct = (np.zeros(shape, np.int16) for _ in range(5))
    surprise, chance = np.zeros(shape), np.zeros(shape, np.float32)
    gained: Floats = np.zeros(shape) if profiles else np.broadcast_to(np.nan, shape)
    spread = np.zeros(rows.size)  # entropy of the shares so far
    leader, tied, tied_right = (np.zeros(rows.size, np.int16) for _ in range(3))
    for n in range(num_samples):
        drawn = codes[n].ravel()
        voted, present = drawn >= 0, drawn != ABSENT
        code = np.where(voted, drawn, num_answers)
        before = counts[rows, code]
        counts[rows, code] = before + present
        count = np.where(voted, before + 1, 0).astype(np.int16)
        is_right = flat_right[rows, np.minimum(code, num_answers - 1)]
        top, runner = first[n], second[n]
        ahead, level = voted & (count > top), voted & (count == top)
        passed = np.where(leader == code, runner, np.where(ahead, top, np.maximum(runner, count)))
        second[n + 1] = np.where(voted, passed, runner)
        first[n + 1] = np.where(ahead, count, top)
        leader = np.where(ahead, code, leader).astype(np.int16)
        tied = np.where(ahead, 1, tied + level).astype(np.int16)
        tied_right = np.where(ahead, is_right, tied_right + (level & is_right)).astype(np.int16)
        pulls[n + 1] = pulls[n] + present
        votes[n + 1] = votes[n] + voted
        distinct[n + 1] = distinct[n] + (voted & (before == 0))
        surprise[n + 1] = surprise[n] + gain[before] * voted
        chance[n + 1] = tied_right / np.maximum(tied, 1)
        if not profiles:
            continue
        total = pulls[n + 1]
        entropy = (weight[total] - surprise[n + 1] - weight[total - votes[n + 1]]) / np.maximum(
            total, 1
        )
        rise = first[n + 1] / np.maximum(total, 1) - first[n] / np.maximum(pulls[n], 1)
        gained[n + 1] = gained[n] + np.maximum(rise, 0.0) + np.maximum(spread - entropy, 0.0)
        spread = entropy

    def shaped(table: Any) -> Any:
        return table.reshape(num_samples + 1, num_replications, num_questions)

    number, rows_of_counts = (
        _profiles(codes, num_answers)
        if profiles
        else (np.zeros((0, 0, 0), np.int32), np.zeros((0, 1), np.int16))
    )
    seen = Votes(
        shaped(pulls),
        shaped(votes),
        shaped(first),
        shaped(second),
        shaped(distinct),
        shaped(surprise),
        shaped(gained),
        shaped(pulls).astype(float),
        np.broadcast_to(np.nan, shaped(pulls).shape),
        number,
        rows_of_counts,
    )
    lengths = (codes != ABSENT).sum(axis=0)
    return Tally(codes, lengths, seen, shaped(chance), right, np.broadcast_to(np.nan, codes.shape))


def winner_chance(counts: Ints, right: Flags) -> Floats:
    """[...] chance that a plurality vote is right, ties by expectation: counts and right [..., K].

    >>> winner_chance(np.array([3, 3, 1]), np.array([True, False, False]))
    np.float64(0.5)
    """
    leaders = (counts == counts.max(axis=-1, keepdims=True)) & (counts > 0)
    return np.asarray((leaders & right).sum(axis=-1) / np.maximum(leaders.sum(axis=-1), 1))[()]


def tie_break(seed: int, replication: Ints, question: Ints, pulls: Ints) -> Floats:
    """The one source of random ties: a number in [0, 1) by seed, replication, question and pulls.

    Two rounds of SplitMix64's finaliser (Steele, Lea & Flood 2014) an integer, one for the last;
    shapes broadcast.
    """
    return tie_break_of(tie_key(seed, replication, question), pulls)


def tie_key(seed: int, replication: Ints, question: Ints) -> Ints:
    """[...] what `tie_break` makes of all but the pulls, for callers who ask again and again."""
    key = _mixed(np.asarray(np.uint64(seed & 0xFFFFFFFFFFFFFFFF)), replication, 2)
    return _mixed(key, question, 2)


def tie_break_of(key: Ints, pulls: Ints) -> Floats:
    """`tie_break` by the key of its other arguments."""
    return np.asarray((_mixed(key, pulls, 1) >> np.uint64(11)) * 2.0**-53)


def _mixed(x: Ints, part: Ints, rounds: int) -> Ints:
    """One more number mixed into 64 bits."""
    with np.errstate(over="ignore"):
        x = np.asarray(
            x + (np.asarray(part).astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        )
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))[:rounds]:
            x ^= x >> np.uint64(shift)
            x *= np.uint64(factor)
        x ^= x >> np.uint64(31)
    return x


def tied(index: Floats, ties: Floats) -> Floats:
    """The index and a hair of the tie-breaking number: equal ones differ, others stay in order."""
    size = np.asarray(np.abs(index, dtype=float))
    # in place, since a new table for every step takes longer than its numbers
    np.minimum(size, 1e9, out=size)  # −∞ (out for good) stays −∞
    size *= 1e-8
    size += 1e-30
    return np.asarray(index + size * ties)


def walk_start(seed: int, replication: Ints, question: Ints) -> Ints:
    """Where a question's walk through random draws begins, in 16 bits, hashed like its ties."""
    return np.asarray(tie_break(seed, replication, question, np.array(-1)) * 2**16).astype(np.int64)


def _profiles(codes: Ints, num_answers: int) -> tuple[Ints, Ints]:
    """Numbers the distinct multisets of counts: ([D, R, Q] profile, [U, K] counts, largest first).

    A multiset is recognised by the sum of one random 64-bit number per count (Zobrist hashing).
    """
    import pandas as pd  # here: most commands do without it

    num_samples, num_replications, num_questions = codes.shape
    size = num_replications * num_questions
    rows = np.arange(size)
    keys = np.random.default_rng(0).integers(1, 2**63, num_samples + 2, dtype=np.uint64)
    keys[0] = 0
    counts = np.zeros((size, num_answers + 1), np.int16)
    hashes = np.zeros((num_samples + 1, size), np.uint64)
    places = np.where(codes >= 0, codes, num_answers).reshape(num_samples, size)
    for n, place in enumerate(places):
        before = counts[rows, place]
        counts[rows, place] += 1
        with np.errstate(over="ignore"):
            changed = hashes[n] + keys[before + 1] - keys[before]
        hashes[n + 1] = np.where(place < num_answers, changed, hashes[n])
    profile, found = pd.factorize(hashes.ravel())  # numbered as they come
    first = np.zeros(len(found), int)
    first[profile[::-1]] = np.arange(hashes.size)[::-1]
    depths, where = np.divmod(first, size)
    counts[:] = 0
    table = np.zeros((len(found), num_answers), np.int16)
    for n, place in enumerate(places, start=1):
        counts[rows, place] += 1
        fresh = slice(*np.searchsorted(depths, [n, n + 1]))
        table[fresh] = -np.sort(-counts[where[fresh], :num_answers], axis=1)
    number = profile.astype(np.int32).reshape(num_samples + 1, num_replications, num_questions)
    return number, table
