"""The loop of replay with a batch: within a round a pick raises n and t at once, while votes stay
as they were.

Compiled by numba where it is installed, as in `dynlab.replay.engine`; a test holds both loops
equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from dynlab.policies.base import Allocator, generator
from dynlab.policies.votes import tied
from dynlab.recordings.streams import Floats, Ints
from dynlab.replay.draws import Draws
from dynlab.replay.engine import Tables

LONGEST_AHEAD = 16  # samples of one question in flight that tables are made for
Pulls = tuple[
    Ints, Ints, Ints
]  # of each pull its question, its sample index, how many samples had come: [R, T] each


def in_rounds(
    allocator: Allocator,
    draws: Draws,
    tables: Tables,
    ties: Floats,
    batch: int,
    warmup: int,
    seed: int,
) -> Pulls:
    """`dynlab.replay.engine.pull` in rounds of `batch` pulls, after a warm-up that waits for
    nothing.

    Args:
        tables: As for `pull`.
        ties: [D, R, Q] the tie-breaking numbers.

    Raises:
        InputError: the allocator cannot decide in rounds.
    """
    seen, depth = draws.tally.seen, np.arange(len(tables.value))[:, None, None]

    def ahead(flying: int) -> tuple[Floats, Floats | None]:
        hair = ties[np.minimum(depth[:, 0, 0] + flying, len(ties) - 1)]
        value, width = tied(np.zeros_like(hair), hair), None
        if not tables.draws.size:
            index = allocator.index(
                replace(seen, pulls=seen.pulls + flying * (depth >= warmup)), generator(seed)
            )
            value, width = (
                tied(index.value, hair),
                (None if index.width is None else tied(index.width, hair)),
            )
        elif tables.width.size:
            width = np.zeros_like(hair)
        value[depth + flying >= draws.tally.lengths] = -np.inf
        return value, width

    if not tables.draws.size:
        one = (
            np.zeros(1, int),
        ) * 3  # a rule that needs the whole table refuses to look at one state
        allocator.index(seen.at(one, seen.pulls[one]), generator(seed))
    found = _by_loop(tables, ahead, batch, warmup) if find_spec("numba") else None
    return found or by_numpy(allocator, draws, tables, ties, batch, warmup, seed)


def _by_loop(
    tables: Tables, ahead: Callable[[int], tuple[Floats, Floats | None]], batch: int, warmup: int
) -> Pulls | None:
    """By the compiled loop; None where a question has more than `LONGEST_AHEAD` samples in flight.

    Args:
        ahead: value and width as in `tables`, of questions with so many samples in flight beside
            those that came.
    """
    t, (num_samples, num_replications, num_questions) = tables, tables.price.shape
    longest = num_samples * num_questions
    growth = np.sqrt(np.log(np.maximum(np.arange(longest), 1)))
    shape = (num_replications, longest)
    question, sample, known = (
        np.full(shape, -1, np.int32),
        np.full(shape, -1, np.int32),
        np.zeros(shape, np.int32),
    )
    values, widths = (
        np.empty((min(batch, LONGEST_AHEAD + 1), *table.shape)) for table in (t.value, t.width)
    )
    values[0], widths[0], made = t.value, t.width, 1
    while made < len(values):
        for flying in range(made, min(2 * made, len(values) - 1) + 1):
            values[flying], width = ahead(flying)
            if width is not None:
                widths[flying] = width
        made = min(2 * made, len(values) - 1) + 1
        used = _compiled()(
            values,
            widths,
            made,
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
    return None


def by_numpy(
    allocator: Allocator,
    draws: Draws,
    tables: Tables,
    ties: Floats,
    batch: int,
    warmup: int,
    seed: int,
) -> Pulls:
    """The same as `in_rounds`, one step of all replications at a time; a test holds both equal."""
    seen = draws.tally.seen
    num_samples, num_replications, num_questions = draws.price.shape
    rows, columns = np.arange(num_replications), np.arange(num_questions)
    pulls = np.zeros((num_replications, num_questions), np.int64)
    arrived, spent, since = (
        np.zeros_like(pulls),
        np.zeros(num_replications),
        np.zeros(num_replications, np.int64),
    )
    running = np.ones(num_replications, bool)
    width_table = tables.width if tables.width.size else np.zeros_like(tables.value)
    value, width = tables.value[0].copy(), width_table[0].copy()
    log: list[tuple[Ints, Ints, Ints]] = []
    for t in range(num_samples * num_questions):
        starts = running & (since % batch == 0) & (arrived != pulls).any(axis=1)
        if starts.any():
            fresh = (pulls[starts], rows[starts][:, None], columns)
            arrived[starts], value[starts], width[starts] = (
                pulls[starts],
                tables.value[fresh],
                width_table[fresh],
            )
        score = value + np.sqrt(np.log(max(t, 1))) * width
        if tables.draws.size:
            profile = tables.profile[arrived, rows[:, None], columns]
            score = score + tables.draws[profile, (tables.offset + t) & (tables.draws.shape[1] - 1)]
        pick = score.argmax(axis=1)
        depth = pulls[rows, pick]
        cost = tables.price[np.minimum(depth, num_samples - 1), rows, pick]
        running &= (score[rows, pick] > -np.inf) & (spent + cost <= tables.limit)
        if not running.any():
            break
        opening = depth < warmup
        log.append(
            (
                np.where(running, pick, -1),
                np.where(running, depth, -1),
                np.where(opening, 0, arrived[rows, pick]),
            )
        )
        spent += cost * running
        since += running & ~opening
        pulls[rows, pick] = after = depth + running
        known = np.where(opening, after, arrived[rows, pick])
        arrived[rows, pick] = known
        where = (known, rows, pick)
        hair = ties[after, rows, pick]
        in_flight, growing = tied(np.zeros_like(hair), hair), np.zeros_like(hair)
        if not tables.draws.size:
            index = allocator.index(seen.at(where, after), generator(seed))
            in_flight[:] = tied(index.value, hair)
            growing[:] = 0.0 if index.width is None else tied(index.width, hair)
        in_flight[after >= draws.tally.lengths[rows, pick]] = -np.inf
        value[rows, pick] = np.where(opening, tables.value[where], in_flight)
        width[rows, pick] = np.where(opening, width_table[where], growing)
    question, sample, known = (
        np.stack(column, axis=1).astype(np.int32) for column in zip(*log, strict=True)
    )
    return question, sample, known


def _by_replication(
    value: Floats,
    width: Floats,
    made: int,
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
    """One replication after the other, for numba. −1: more is in flight than tables are made for.

    value, width: [K, D, R, Q] by samples in flight, the first `made` of them filled.
    """
    _, _, num_replications, num_questions = value.shape
    has_width, has_draws = width.size > 0, draws.size > 0
    now_value, now_width = np.empty(num_questions), np.zeros(num_questions)
    used = 0
    for r in range(num_replications):
        pulls, arrived = np.zeros(num_questions, np.int64), np.zeros(num_questions, np.int64)
        now_value[:] = value[0, 0, r]
        if has_width:
            now_width[:] = width[0, 0, r]
        spent, since = 0.0, 0
        for t in range(question.shape[1]):
            if since > 0 and since % batch == 0:  # all of the round before has come
                for q in range(num_questions):
                    if arrived[q] != pulls[q]:
                        arrived[q] = pulls[q]
                        now_value[q] = value[0, pulls[q], r, q]
                        if has_width:
                            now_width[q] = width[0, pulls[q], r, q]
            best, pick = -np.inf, -1
            for q in range(num_questions):
                score = now_value[q] + growth[t] * now_width[q]
                if has_draws:
                    score += draws[
                        profile[arrived[q], r, q], (offset[r, q] + t) & (draws.shape[1] - 1)
                    ]
                if score > best:
                    best, pick = score, q
            if pick < 0:
                break
            depth = pulls[pick]
            cost = price[depth, r, pick]
            if spent + cost > limit:
                break
            spent += cost
            used = max(used, t + 1)
            question[r, t], sample[r, t] = pick, depth
            pulls[pick] = depth + 1
            if depth < warmup:
                known[r, t], arrived[pick] = 0, depth + 1
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


@cache
def _compiled() -> Callable[..., Any]:
    from numba import njit

    loop: Callable[..., Any] = njit(cache=True, nogil=True)(_by_replication)
    return loop
