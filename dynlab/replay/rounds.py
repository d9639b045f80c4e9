"""Replay in rounds of a batch: a pick raises n and t at once, votes stay as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dynlab.policies.base import Allocator, generator
from dynlab.policies.votes import tied
from dynlab.recordings.streams import Flags, Floats, Ints
from dynlab.replay.compiling import compiled
from dynlab.replay.draws import Draws
from dynlab.replay.engine import Tables, most_pulls

# of each pull its question, its sample index, how many samples had arrived: [R, T] each
Pulls = tuple[Ints, Ints, Ints]
_NEAR = 4  # numbers of samples in flight that there are whole tables for, 0 among them
_MORE = 8  # and how many further ones are computed at once for a question that needs them


class Play(NamedTuple):
    """How far R replications are; the compiled loop writes to it, and goes on from it."""

    pulls: Ints  # [R, Q] samples, those in flight included
    arrived: Ints  # [R, Q]
    value: Floats  # [R, Q] of the index as it is now
    width: Floats  # [R, Q]
    far: Ints  # [R, Q] how many of the next two are known
    far_value: Floats  # [R, Q, F] with as many samples in flight as tables are near, and more
    far_width: Floats  # [R, Q, F]
    wanted: Flags  # [R, Q] more of them, before the replication can go on
    spent: Floats  # [R]
    number: Ints  # [R] pulls so far
    since: Ints  # [R] those after the warm-up
    ended: Flags  # [R]

    @classmethod
    def of(cls, tables: Tables, batch: int) -> Play:
        """The beginning."""
        num_samples, *shape = tables.price.shape
        deep = (*shape, min(batch, num_samples) + _MORE)
        return cls(
            np.zeros(shape, np.int64),
            np.zeros(shape, np.int64),
            tables.value[0].copy(),
            tables.width[0].copy() if tables.width.size else np.zeros(shape),
            np.zeros(shape, np.int64),
            np.zeros(deep),
            np.zeros(deep),
            np.zeros(shape, bool),
            np.zeros(shape[0]),
            np.zeros(shape[0], np.int64),
            np.zeros(shape[0], np.int64),
            np.zeros(shape[0], bool),
        )


@dataclass(frozen=True)
class Ahead:
    """The index of questions that have samples in flight beside those that arrived.

    Args:
        tables: Without any in flight.
        ties: [D, R, Q] the tie-breaking numbers.
    """

    allocator: Allocator
    draws: Draws
    tables: Tables
    ties: Floats
    warmup: int
    seed: int

    def near(self, number: int) -> tuple[Floats, Floats]:
        """Value and width as in the tables, both [K, D, R, Q], with 0 … K − 1 samples in flight."""
        values = np.full((number, *self.tables.value.shape), -np.inf)
        widths = np.zeros((number, *self.tables.width.shape))
        values[0], widths[0] = self.tables.value, self.tables.width
        depth = np.arange(len(self.ties))[:, None, None]
        for flying in range(1, number):
            # a question has no more samples: deeper than this, none is left to be in flight
            rows = len(self.ties) - flying
            more = flying * (depth[:rows] >= self.warmup)  # before, each arrives at once
            values[flying, :rows], width = self._at((slice(rows),), more, self.ties[flying:])
            values[flying][depth + flying >= self.draws.tally.lengths] = -np.inf
            if width is not None and widths.size:
                widths[flying, :rows] = width
        return values, widths

    def further(self, play: Play, number: int) -> None:
        """Value and width of what is wanted, with a few more samples in flight.

        Args:
            number: K, of the tables that are near.
        """
        replication, question = (np.repeat(found, _MORE) for found in np.nonzero(play.wanted))
        place = play.far[replication, question] + np.arange(len(question)) % _MORE
        flying = number + place
        depth = play.arrived[replication, question]
        hair = self.ties[np.minimum(depth + flying, len(self.ties) - 1), replication, question]
        value, width = self._at((depth, replication, question), flying, hair)
        value[depth + flying >= self.draws.tally.lengths[replication, question]] = -np.inf
        play.far_value[replication, question, place] = value
        if width is not None:
            play.far_width[replication, question, place] = width
        play.far[play.wanted] += _MORE
        play.wanted[:] = False

    def _at(
        self, where: tuple[Ints | slice, ...], flying: Ints, hair: Floats
    ) -> tuple[Floats, Floats | None]:
        if self.tables.draws.size:  # it is random, whatever is in flight
            return tied(np.zeros_like(hair), hair), None
        seen = self.draws.tally.seen
        votes = seen.at(where, seen.pulls[where] + flying)
        index = self.allocator.index(votes, generator(self.seed))
        return tied(index.value, hair), None if index.width is None else tied(index.width, hair)


def in_rounds(
    allocator: Allocator,
    draws: Draws,
    tables: Tables,
    ties: Floats,
    batch: int,
    warmup: int,
    seed: int,
) -> Pulls:
    """`dynlab.replay.engine.pull` in rounds of `batch`, after a warm-up that waits for nothing.

    Args:
        tables: As for `pull`.
        ties: [D, R, Q] the tie-breaking numbers.

    Raises:
        InputError: the allocator cannot decide in rounds.
    """
    if not tables.draws.size:
        seen = draws.tally.seen
        one = (np.zeros(1, int),) * 3  # who needs the whole table refuses to look at one state
        allocator.index(seen.at(one, seen.pulls[one]), generator(seed))
    # Why a table for each number in flight: an index that has t and n alone for its pulls in
    # flight need not be computed within the loop, which has no allocator, only numbers. But of all
    # questions, depths and many in flight a run comes by a few in a hundred. So the loop stops
    # where one is far beyond the tables, and goes on when it is there.
    ahead = Ahead(allocator, draws, tables, ties, warmup, seed)
    number = min(batch, _NEAR, len(ties))
    values, widths = ahead.near(number)
    longest = most_pulls(tables)
    growth = np.sqrt(np.log(np.maximum(np.arange(longest), 1)))
    question = np.full((len(tables.offset), longest), -1, np.int32)
    sample, known = question.copy(), np.zeros_like(question)
    play = Play.of(tables, batch)
    while not play.ended.all():
        compiled(_play_on)(
            values,
            widths,
            tables.draws,
            tables.profile,
            tables.offset,
            tables.price,
            float(tables.limit),
            growth,
            batch,
            warmup,
            play,
            question,
            sample,
            known,
        )
        if play.wanted.any():
            ahead.further(play, number)
    used = play.number.max()
    return question[:, :used], sample[:, :used], known[:, :used]


def _play_on(
    value: Floats,
    width: Floats,
    draws: Floats,
    profile: Ints,
    offset: Ints,
    price: Floats,
    limit: float,
    growth: Floats,
    batch: int,
    warmup: int,
    play: Play,
    question: Ints,
    sample: Ints,
    known: Ints,
) -> None:
    """One replication after the other, until it ends or wants to know more of a question."""
    near = len(value)
    num_replications, num_questions = play.pulls.shape
    has_width = width.size > 0
    has_draws = draws.size > 0
    for r in range(num_replications):
        pulls = play.pulls[r]
        arrived = play.arrived[r]
        now_value = play.value[r]
        now_width = play.width[r]
        far = play.far[r]
        while not play.ended[r]:
            t = play.number[r]
            since = play.since[r]
            if since > 0 and since % batch == 0:  # all of the round before has arrived
                for q in range(num_questions):
                    if arrived[q] != pulls[q]:
                        arrived[q] = pulls[q]
                        far[q] = 0
                        now_value[q] = value[0, pulls[q], r, q]
                        if has_width:
                            now_width[q] = width[0, pulls[q], r, q]
            best = -np.inf
            pick = -1
            for q in range(num_questions):
                score = now_value[q] + growth[t] * now_width[q]
                if has_draws:
                    place = (offset[r, q] + t) & (draws.shape[1] - 1)
                    score += draws[profile[arrived[q], r, q], place]
                if score > best:
                    best = score
                    pick = q
            depth = pulls[pick]
            if pick < 0 or play.spent[r] + price[depth, r, pick] > limit:
                play.ended[r] = True
                break
            warm = depth >= warmup
            flying = depth + 1 - arrived[pick] if warm else 0
            # what is in flight when a round ends is looked up when the next one begins
            due = flying > 0 and (since + 1) % batch != 0
            if due and flying >= near + far[pick]:
                play.wanted[r, pick] = True
                for q in range(num_questions):  # and those that will be soon
                    if far[q] == 0 and pulls[q] - arrived[q] >= near - 2:
                        play.wanted[r, q] = True
                break
            question[r, t] = pick
            sample[r, t] = depth
            known[r, t] = arrived[pick] if warm else 0
            play.spent[r] += price[depth, r, pick]
            play.number[r] = t + 1
            play.since[r] = since + warm
            pulls[pick] = depth + 1
            if not warm:
                arrived[pick] = depth + 1
            if not warm or (due and flying < near):
                now_value[pick] = value[flying, arrived[pick], r, pick]
                if has_width:
                    now_width[pick] = width[flying, arrived[pick], r, pick]
            elif due:
                now_value[pick] = play.far_value[r, pick, flying - near]
                now_width[pick] = play.far_width[r, pick, flying - near]
