"""Priced: our allocator, which weighs what a question may still gain against its price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import register
from dynlab.policies.uncertainty import doubt_table
from dynlab.policies.votes import Votes
from dynlab.recordings.streams import Floats, Ints


@register
@dataclass(frozen=True)
class Priced(Allocator):
    """Knowledge gradient of several steps per price.

    Index = max(u · KG(v1, v2), ε) / (√n · spent^γ). The rule is ours, of no paper.

    KG = max over h = 1 … H of (E[P after h more votes] − P) / h,  P = P(leader is the mode) of
    Adaptive-Consistency (2305.11860): a flat prior on the two leaders' shares, the votes to come
    drawn from its posterior (Pólya's urn). One vote changes nothing unless the leaders are tied;
    the best h looks as far as it takes to overtake. `okg-beta` looks one vote ahead and takes the
    better outcome, not the mean.

    - *price*: `spent` is what the question's samples have cost so far, in the budget's unit: price
      × n. With γ < 1 long questions are put off, not starved.
    - *giving up*: spent and √n grow with every sample, so a question that stays tied is visited
      less and less, and again when the rest is settled; the budget is never all poured into it. In
      a hard question the leader is often wrong.
    - *u* = 1/2 where all votes (two or more) agree, else 1: a flat prior doubts unanimous questions
      too much.
    - *ε*, the floor: but nothing is ever quite settled, so that a large budget goes round all
      questions, as uniform's.

    It needs no target, no model and no other question; scaling all prices changes nothing. Counted
    in samples, spent = n.

    Args:
        horizon: H, votes.
        thrift: γ in [0, 1].
        unanimous: u in (0, 1].
        floor: ε in (0, 1), gain a vote.
    """

    name: ClassVar[str] = "priced"
    horizon: int = field(default=16, metadata={"range": (2, 64, 1)})
    thrift: float = field(default=0.75, metadata={"range": (0.0, 1.0, 0.05)})
    unanimous: float = field(default=0.5, metadata={"range": (0.05, 1.0, 0.05)})
    floor: float = 3e-4

    def __post_init__(self) -> None:
        if not (
            self.horizon >= 1
            and 0 <= self.thrift <= 1
            and 0 < self.unanimous <= 1
            and 0 < self.floor < 1
        ):
            raise InputError(
                "priced needs a horizon from 1 on, thrift in [0, 1], unanimous in (0, 1] and floor"
                f" in (0, 1); not {self}"
            )

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """max(u · KG, ε) / (√n · spent^γ); n and spent count as 1 before the first sample."""
        first, second = np.asarray(seen.first, int), np.asarray(seen.second, int)
        gain = gain_table(int(np.max(first, initial=0)), self.horizon)[first, second]
        gain = np.maximum(
            gain * np.where((second == 0) & (first > 1), self.unanimous, 1.0), self.floor
        )
        pulls = np.maximum(seen.pulls, 1.0)
        spent = np.where(seen.spent > 0, seen.spent, pulls)  # not known, or free: samples count
        return Index(gain / (np.sqrt(pulls) * spent**self.thrift))


@cache
def gain_table(most: int, horizon: int) -> Floats:
    """[v1, v2] KG, the largest (E[P after h more votes] − P) / h, for up to `most` votes each.

    >>> gain_table(2, 16)[1, 1].round(6)  # a tie: P goes from 1/2 to 11/16 with either vote
    np.float64(0.1875)
    >>> gain_table(2, 1)[2, 1]  # one vote changes nothing at a lead of one
    np.float64(0.0)
    """
    votes = np.arange(most + horizon + 1)
    leader, other = np.maximum.outer(votes, votes), np.minimum.outer(votes, votes)
    doubt = doubt_table(2 * (most + horizon))[leader + other, other]  # [v, v'] 1 − P
    size = most + 1
    log = np.concatenate(
        [[0.0], np.cumsum(np.log(np.arange(1, 2 * (size + horizon) + 2)))]
    )  # ln k!
    one = votes[:size, None]
    two = votes[:size]
    best = np.zeros((size, size))
    for steps in range(1, horizon + 1):
        after = np.zeros((size, size))
        # `more` votes for the first answer: chance = C(h, j) · B(v1+1+j, v2+1+h−j) / B(v1+1, v2+1)
        for more in range(steps + 1):
            less = steps - more
            chance = (
                log[steps]
                - log[more]
                - log[less]
                + log[one + more]
                + log[two + less]
                - log[one + two + steps + 1]
                - log[one]
                - log[two]
                + log[one + two + 1]
            )
            after += np.exp(chance) * doubt[more : more + size, less : less + size]
        gain = (doubt[:size, :size] - after) / steps
        best = np.maximum(best, np.where(gain > 1e-13, gain, 0.0))
    return best


def worth(rules: Iterable[Allocator], most: int = 16) -> pd.DataFrame:
    """What rules think the next sample is worth: index ÷ index at one vote each.

    Every sample votes and costs the same. Columns: rule, votes (how they stand), n, index.

    Args:
        rules: Allocators whose index needs no random numbers.
        most: The largest n, samples.
    """
    parts = []
    for rule in rules:
        one_each = rule.index(_states(np.array([2]), np.array([1])), np.random.default_rng(0)).value
        for name, lead in {"tied": 0, "one ahead": 1, "two ahead": 2, "all agree": None}.items():
            n = np.arange(2, most + 1)
            n = n if lead is None else n[(n >= lead + 2) & ((n - lead) % 2 == 0)]
            states = _states(n, 0 * n if lead is None else (n - lead) // 2)
            index = rule.index(states, np.random.default_rng(0)).value / one_each
            parts.append(pd.DataFrame({"rule": rule.name, "votes": name, "n": n, "index": index}))
    return pd.concat(parts, ignore_index=True)


def _states(n: Ints, second: Ints) -> Votes:
    """Questions of n samples that all vote, for one of two answers: n and v2 [...]."""
    unknown = np.full(n.shape, np.nan)
    return Votes(
        n,
        n,
        n - second,
        second,
        1 + (second > 0),
        unknown,
        unknown,
        n.astype(float),
        unknown,
        np.zeros(0, int),
        np.zeros((0, 1), int),
    )
