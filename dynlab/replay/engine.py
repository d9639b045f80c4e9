"""The inner loop of replay: an argmax a pull, from index tables, compiled by numba."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.recordings.streams import Floats, Ints
from dynlab.replay.compiling import compiled


@dataclass(frozen=True)
class Tables:
    """Everything that decides the pulls of R replications.

    The score of question q in replication r after d pulls of it and t pulls over all questions is
    value[d, r, q] + √(ln t)·width[d, r, q] + draws[profile[d, r, q], (offset[r, q] + t) mod M]; −∞
    = not eligible.
    """

    value: Floats  # [D, R, Q]
    width: Floats  # [D, R, Q], or [0, 0, 0]: no such term
    draws: Floats  # [U, M] with M a power of two, or [0, 0]: no such term
    profile: Ints  # [D, R, Q], or [0, 0, 0]
    offset: Ints  # [R, Q] where the walk through the draws begins
    price: Floats  # [N, R, Q] of the next sample, in the budget's unit
    limit: float  # the budget over all questions


def pull(tables: Tables) -> tuple[Ints, Ints]:
    """The pulls in order until the next one would pass the limit or none is eligible.

    Returns:
        Question and sample index of each pull, both [R, T], −1 behind the end of a replication.
    """
    num_replications = len(tables.offset)
    longest = most_pulls(tables)
    growth = np.sqrt(np.log(np.maximum(np.arange(longest), 1)))
    question = np.full((num_replications, longest), -1, np.int32)
    sample = np.full((num_replications, longest), -1, np.int32)
    t = tables
    used = int(
        compiled(_by_replication)(
            t.value,
            t.width,
            t.draws,
            t.profile,
            t.offset,
            t.price,
            t.limit,
            growth,
            question,
            sample,
        )
    )
    return question[:, :used], sample[:, :used]


def most_pulls(tables: Tables) -> int:
    """How many pulls a replication has at most: those that its budget pays for."""
    num_samples, _, num_questions = tables.price.shape
    longest = int(num_samples * num_questions)
    cheapest = tables.price[tables.price > 0]
    if cheapest.size:
        free = int((tables.price == 0).sum(axis=(0, 2)).max())  # these pulls spend nothing
        longest = min(longest, int(tables.limit / cheapest.min()) + 1 + free)
    return longest


def _by_replication(
    value: Floats,
    width: Floats,
    draws: Floats,
    profile: Ints,
    offset: Ints,
    price: Floats,
    limit: float,
    growth: Floats,
    question: Ints,
    sample: Ints,
) -> int:
    """One replication after the other; how many pulls the longest of them has."""
    # Why no scan: an argmax over Q questions at each of up to N·Q pulls costs N·Q². But between two
    # pulls only one question's line changes, and all scores are straight lines in √(ln t). So a
    # kinetic tournament (Basch, Guibas & Hershberger 1999) knows the largest: a binary tree over
    # the questions in which every match keeps its winner and the √(ln t) at which it, or a match
    # below it, may turn out otherwise. A pull plays the matches on one path anew, and those that
    # are due: about log Q. Random indices change at every step and are all looked through.
    _, num_replications, num_questions = value.shape
    has_width = width.size > 0
    has_draws = draws.size > 0
    mask = draws.shape[1] - 1
    winner = np.arange(2 * num_questions) - num_questions  # leaves: Q … 2Q − 1
    due = np.full(2 * num_questions, np.inf)
    again = np.zeros(2 * num_questions, np.int64)
    now_width = np.zeros(num_questions)
    now_profile = np.zeros(num_questions, np.int64)
    used = 0
    for r in range(num_replications):
        pulls = np.zeros(num_questions, np.int64)
        values = value[:, r].copy()  # one replication's tables fit the processor's cache
        prices = price[:, r].copy()
        widths = width[:, r].copy() if has_width else values
        now_value = values[0].copy()
        if has_width:
            now_width[:] = widths[0]
        if has_draws:
            now_profile[:] = profile[0, r]
        due[1:num_questions] = -np.inf
        spent = 0.0
        for t in range(question.shape[1]):
            scale = growth[t]
            if has_draws:
                best = -np.inf
                pick = -1
                for q in range(num_questions):
                    score = now_value[q] + scale * now_width[q]
                    score += draws[now_profile[q], (offset[r, q] + t) & mask]
                    if score > best:
                        best = score
                        pick = q
            else:
                last = 0
                to_see = 1
                again[0] = 1
                while last < to_see:  # matches that are due, parents first
                    node = again[last]
                    if node >= num_questions or due[node] > scale:
                        to_see -= 1
                        again[last] = again[to_see]
                        continue
                    again[to_see] = 2 * node
                    again[to_see + 1] = 2 * node + 1
                    last += 1
                    to_see += 2
                for place in range(last - 1, -1, -1):
                    node = again[place]
                    one = winner[2 * node]
                    two = winner[2 * node + 1]
                    ahead = now_value[one] + scale * now_width[one]
                    behind = now_value[two] + scale * now_width[two]
                    if behind > ahead or (behind == ahead and two < one):
                        one, two = two, one
                        ahead, behind = behind, ahead
                    winner[node] = one
                    due[node] = min(due[2 * node], due[2 * node + 1])
                    closing = now_width[two] - now_width[one]
                    if closing > 0 and ahead - behind < np.inf:
                        # early by more than rounding can move it; √(ln t) stays below 9
                        steep = abs(now_width[one]) + abs(now_width[two])
                        hair = abs(now_value[one]) + abs(now_value[two]) + 9 * steep
                        gap = max(0.0, ahead - behind - 1e-12 * hair)
                        due[node] = min(due[node], scale + gap / closing)
                pick = winner[1]
                best = now_value[pick] + scale * now_width[pick]
            if best == -np.inf:
                break
            depth = pulls[pick]
            cost = prices[depth, pick]
            if spent + cost > limit:
                break
            spent += cost
            question[r, t] = pick
            sample[r, t] = depth
            used = max(used, t + 1)
            pulls[pick] = depth + 1
            now_value[pick] = values[depth + 1, pick]
            if has_width:
                now_width[pick] = widths[depth + 1, pick]
            if has_draws:
                now_profile[pick] = profile[depth + 1, r, pick]
            node = (pick + num_questions) // 2
            while node > 0:
                due[node] = -np.inf
                node //= 2
    return used
