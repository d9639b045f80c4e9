"""Replay in rounds of a batch: a pick raises n and t at once, votes stay as they were."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynlab.policies.base import Allocator, generator
from dynlab.policies.votes import tied
from dynlab.recordings.streams import Floats, Ints
from dynlab.replay.compiling import compiled
from dynlab.replay.draws import Draws
from dynlab.replay.engine import Tables

# of each pull its question, its sample index, how many samples had arrived: [R, T] each
Pulls = tuple[Ints, Ints, Ints]


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
    seen = draws.tally.seen
    depth = np.arange(len(tables.value))[:, None, None]

    def ahead(flying: int) -> tuple[Floats, Floats | None]:
        # a question has no more than N samples: deeper than this, none is left to be in flight
        rows = max(len(ties) - 1 - flying, 0)
        hair = ties[flying : flying + rows]
        value = np.full_like(tables.value, -np.inf)
        width = np.zeros_like(tables.width) if tables.width.size else None
        if not rows:
            return value, width
        if tables.draws.size:
            value[:rows] = tied(np.zeros_like(hair), hair)
        else:
            pulls = seen.pulls[:rows] + flying * (depth[:rows] >= warmup)
            index = allocator.index(seen.at((slice(rows),), pulls), generator(seed))
            value[:rows] = tied(index.value, hair)
            if width is not None and index.width is not None:
                width[:rows] = tied(index.width, hair)
        value[depth + flying >= draws.tally.lengths] = -np.inf
        return value, width

    if not tables.draws.size:
        one = (np.zeros(1, int),) * 3  # who needs the whole table refuses to look at one state
        allocator.index(seen.at(one, seen.pulls[one]), generator(seed))
    return _pulled(tables, ahead, batch, warmup)


def _pulled(
    tables: Tables, ahead: Callable[[int], tuple[Floats, Floats | None]], batch: int, warmup: int
) -> Pulls:
    """The pulls by tables for more and more samples in flight, until no question has more.

    Args:
        ahead: value and width as in `tables`, of questions with so many samples in flight beside
            those that arrived.
    """
    t = tables
    num_samples, num_replications, num_questions = t.price.shape
    longest = num_samples * num_questions
    growth = np.sqrt(np.log(np.maximum(np.arange(longest), 1)))
    values = t.value[None]
    widths = t.width[None]
    while True:
        more = [ahead(flying) for flying in range(len(values), min(2 * len(values), batch))]
        values = np.concatenate([values, *(value[None] for value, _ in more)])
        widths = np.concatenate([widths, *(width[None] for _, width in more if width is not None)])
        question = np.full((num_replications, longest), -1, np.int32)
        sample = np.full((num_replications, longest), -1, np.int32)
        known = np.zeros((num_replications, longest), np.int32)
        used = compiled(_by_replication)(
            values,
            widths,
            t.draws,
            t.profile,
            t.offset,
            t.price,
            t.limit,
            growth,
            batch,
            warmup,
            question,
            sample,
            known,
        )
        if used >= 0:
            return question[:, :used], sample[:, :used], known[:, :used]


def _by_replication(
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
    question: Ints,
    sample: Ints,
    known: Ints,
) -> int:
    """One replication after the other; −1: more is in flight than there are tables for.

    value, width: [K, D, R, Q] by samples in flight.
    """
    # Why a table for every number in flight: an index that has t and n alone for its pulls in
    # flight need not be computed within the loop, which has no allocator, only numbers.
    made, _, num_replications, num_questions = value.shape
    has_width = width.size > 0
    has_draws = draws.size > 0
    now_value = np.empty(num_questions)
    now_width = np.zeros(num_questions)
    used = 0
    for r in range(num_replications):
        pulls = np.zeros(num_questions, np.int64)
        arrived = np.zeros(num_questions, np.int64)
        now_value[:] = value[0, 0, r]
        if has_width:
            now_width[:] = width[0, 0, r]
        spent = 0.0
        since = 0
        for t in range(question.shape[1]):
            if since > 0 and since % batch == 0:  # all of the round before has arrived
                for q in range(num_questions):
                    if arrived[q] != pulls[q]:
                        arrived[q] = pulls[q]
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
            if pick < 0:
                break
            depth = pulls[pick]
            cost = price[depth, r, pick]
            if spent + cost > limit:
                break
            spent += cost
            used = max(used, t + 1)
            question[r, t] = pick
            sample[r, t] = depth
            pulls[pick] = depth + 1
            if depth < warmup:
                known[r, t] = 0
                arrived[pick] = depth + 1
            else:
                known[r, t] = arrived[pick]
                since += 1
            flying = depth + 1 - arrived[pick]
            if since % batch == 0 and flying > 0:
                continue  # it is looked up when the next round begins
            if flying >= made:
                return -1
            now_value[pick] = value[flying, arrived[pick], r, pick]
            if has_width:
                now_width[pick] = width[flying, arrived[pick], r, pick]
    return used
