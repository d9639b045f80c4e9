"""The inner loop of replay: an argmax a pull, from index tables, compiled by numba."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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
    draws: Floats  # [U, M] with M a power of two, or [0, 0]: no such term; float32
    profile: Ints  # [D, R, Q], or [0, 0, 0]; int32
    offset: Ints  # [R, Q] where the walk through the draws begins
    price: Floats  # [N, R, Q] of the next sample, in the budget's unit
    limit: float  # the budget over all questions


class Workspace(NamedTuple):
    """What the compiled loop writes to within one replication; every replication begins it anew."""

    # Why it is made here: a loop that makes arrays, fills them or assigns slices has numba compile
    # its own allocation and error messages, too, which takes longer than to compile the loop.
    value: Floats  # [D, Q] one replication's tables: they fit the processor's cache
    width: Floats  # [D, Q], or [0, 0]
    price: Floats  # [N, Q]
    pulls: Ints  # [Q]
    now_value: Floats  # [Q] of the question's next sample
    now_width: Floats  # [Q]
    now_profile: Ints  # [Q]
    winner: Ints  # [2Q] of each match of the tournament; the leaves are Q … 2Q − 1
    due: Floats  # [2Q] the √(ln t) at which it may turn out otherwise
    again: Ints  # [2Q] the matches that are due

    @classmethod
    def of(cls, tables: Tables) -> Workspace:
        """With nothing in it but the leaves of the tournament."""
        depths, _, num_questions = tables.value.shape
        growing = depths if tables.width.size else 0
        return cls(
            np.empty((depths, num_questions)),
            np.empty((growing, num_questions)),
            np.empty((len(tables.price), num_questions)),
            np.empty(num_questions, np.int64),
            np.empty(num_questions),
            np.zeros(num_questions),
            np.zeros(num_questions, np.int64),
            np.arange(-num_questions, num_questions, dtype=np.int64),
            np.full(2 * num_questions, np.inf),
            np.zeros(2 * num_questions, np.int64),
        )


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
            float(t.limit),
            growth,
            Workspace.of(t),
            question,
            sample,
        )
    )
    return question[:, :used], sample[:, :used]


def most_pulls(tables: Tables) -> int:
    """How many pulls a replication has at most: those that its budget pays for."""
    num_samples, _, num_questions = tables.price.shape
    longest = int(num_samples * num_questions)
    cheapest, free = tables.price.min(initial=np.inf), 0
    if cheapest == 0:
        cheapest = tables.price.min(initial=np.inf, where=tables.price > 0)
        free = int((tables.price == 0).sum(axis=(0, 2)).max())  # these pulls spend nothing
    if cheapest < np.inf:
        longest = min(longest, int(tables.limit / cheapest) + 1 + free)
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
    work: Workspace,
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
    num_depths, num_replications, num_questions = value.shape
    num_samples = len(price)
    has_width = width.size > 0
    has_draws = draws.size > 0
    mask = draws.shape[1] - 1
    values, widths, prices, pulls, now_value, now_width, now_profile, winner, due, again = work
    used = 0
    for r in range(num_replications):
        for d in range(num_depths):
            for q in range(num_questions):
                values[d, q] = value[d, r, q]
                if has_width:
                    widths[d, q] = width[d, r, q]
        for n in range(num_samples):
            for q in range(num_questions):
                prices[n, q] = price[n, r, q]
        for q in range(num_questions):
            pulls[q] = 0
            now_value[q] = values[0, q]
            if has_width:
                now_width[q] = widths[0, q]
            if has_draws:
                now_profile[q] = profile[0, r, q]
            if q > 0:
                due[q] = -np.inf  # every match; the leaves stay at ∞
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
