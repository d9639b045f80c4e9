"""Draws: the order in which replications meet the recorded samples, by seed and number alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dynlab.policies.base import Allocator, Index, generator
from dynlab.policies.votes import Tally, tally, tie_break, tied
from dynlab.recordings.streams import ABSENT, UNITS, Floats, Ints, Streams

_CHUNK = 500_000  # samples held at once: replications are worked off in chunks of at most this many


@dataclass(frozen=True)
class Draws:
    """The streams of R replications."""

    first: int  # number of the first replication
    unit: str  # that budgets are counted in
    tally: Tally
    price: Floats  # [N, R, Q] price of each sample in the budget's unit
    spent: dict[str, Floats]  # unit → [D, R, Q] spent on a question after d pulls
    # [A, N] longest path of calls that ends in a sample when the first A of its stream have arrived
    path: Ints
    # by seed, what all policies share
    known_ties: dict[int, Floats] = field(default_factory=dict, compare=False, repr=False)
    # the last index that was asked for: whose, by which seed, in which unit if prices are read
    known_index: list[tuple[Allocator, int, str, Index]] = field(
        default_factory=list, compare=False, repr=False
    )
    known_units: dict[str, Draws] = field(default_factory=dict, compare=False, repr=False)

    def in_unit(self, unit: str) -> Draws:
        """The same draws, budgets counted in another unit: nothing is drawn or tallied anew."""
        if unit == self.unit:
            return self
        if unit not in self.known_units:
            spent = self.spent[unit]
            seen = replace(self.tally, seen=replace(self.tally.seen, spent=spent))
            self.known_units[unit] = replace(
                self, unit=unit, tally=seen, price=np.diff(spent, axis=0), known_units={}
            )
        return self.known_units[unit]

    def ties(self, seed: int) -> Floats:
        """[D, R, Q] the tie-breaking numbers of a run's seed."""
        if seed not in self.known_ties:
            num_replications, num_questions = self.tally.lengths.shape
            replication = self.first + np.arange(num_replications)[:, None]
            depths = np.arange(len(self.tally.seen.pulls))[:, None, None]
            made = tie_break(seed, replication, np.arange(num_questions), depths)
            made.flags.writeable = False
            self.known_ties[seed] = made
        return self.known_ties[seed]

    def index(self, allocator: Allocator, seed: int) -> Index:
        """The index of every state [D, R, Q], its ties broken.

        It is computed once for all policies that share the allocator, and for all units unless it
        reads prices; it is not to be written to.
        """
        unit = self.unit if allocator.reads_prices else ""
        for known, *told, index in self.known_index:
            if known is allocator and told == [seed, unit]:
                return index
        made, ties = allocator.index(self.tally.seen, generator(seed)), self.ties(seed)
        width = None if made.width is None else tied(made.width, ties)
        index = Index(tied(made.value, ties), width, made.draws)
        self.known_index[:] = [(allocator, seed, unit, index)]
        return index


def draws_of(
    streams: Streams, replications: int, seed: int, unit: str, profiles: bool = False
) -> Iterator[Draws]:
    """The draws of all replications, in chunks of replications."""
    for chunk in chunks_of(streams, replications):
        yield drawn_chunk(streams, chunk, seed, unit, profiles)


def chunks_of(streams: Streams, replications: int) -> list[tuple[int, int]]:
    """The number of the first replication of each chunk, and how many there are in it."""
    step = max(1, _CHUNK // streams.codes[:, 0].size)
    return [(first, min(step, replications - first)) for first in range(0, replications, step)]


def drawn_chunk(
    streams: Streams, chunk: tuple[int, int], seed: int, unit: str, profiles: bool
) -> Draws:
    """The draws of one chunk of replications."""
    num_questions, num_streams, num_samples = streams.codes.shape
    rows = np.arange(num_questions)
    first, number = chunk
    chosen = [_order(streams, np.random.default_rng([seed, first + r])) for r in range(number)]
    place = np.stack(chosen, axis=1)  # [N, R, Q] in a question's S·N samples

    def drawn(table: Any) -> Any:
        return table.reshape(num_questions, num_streams * num_samples)[rows, place]

    seen = tally(drawn(streams.codes), streams.right, profiles)
    spent = {name: _spent(streams, name, seen, drawn) for name in UNITS}
    known = not np.isnan(streams.logprob).all()
    logprob = drawn(streams.logprob) if known else np.broadcast_to(np.nan, place.shape)
    votes = replace(seen.seen, spent=spent[unit], probe=_probe(logprob))
    seen = replace(seen, seen=votes, logprob=logprob)
    return Draws(first, unit, seen, np.diff(spent[unit], axis=0), spent, streams.path)


def _spent(streams: Streams, unit: str, seen: Tally, drawn: Callable[[Floats], Floats]) -> Floats:
    """[D, R, Q] spent on a question after d pulls, in the unit; NaN where prices are unknown."""
    depths = seen.seen.pulls
    if unit == "samples":
        return depths.astype(float)
    table = np.zeros(depths.shape)
    prices = {"tokens": streams.tokens, "usd": streams.cost_usd}[unit]
    if np.isnan(prices[streams.codes != ABSENT]).any():
        return np.broadcast_to(np.nan, depths.shape)
    np.cumsum(drawn(streams.prices(unit)), axis=0, out=table[1:])
    return table


def _probe(logprob: Floats) -> Floats:
    """[D, R, Q] mean log-probability of the first sample, NaN before it: logprob [N, R, Q]."""
    table = np.full((len(logprob) + 1, *logprob.shape[1:]), np.nan, np.float32)
    table[1:] = logprob[0]
    return table


def _order(streams: Streams, rng: np.random.Generator) -> Ints:
    """[N, Q] for one replication: a pool's samples in random order, or one whole ordered stream."""
    num_questions, num_streams, num_samples = streams.codes.shape
    if not streams.exchangeable:
        held = (streams.lengths > 0).sum(axis=1)  # [Q] streams of each question
        stream = rng.integers(
            num_streams if (held == num_streams).all() else held, size=num_questions
        )
        return np.asarray(stream * num_samples + np.arange(num_samples)[:, None])
    keys = rng.random((num_questions, num_samples), dtype=np.float32)
    keys[streams.codes[:, 0] == ABSENT] = 2.0  # behind the end, whatever the order
    return np.ascontiguousarray(np.argsort(keys, axis=1).T)
