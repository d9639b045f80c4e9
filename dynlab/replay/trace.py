"""The pulls of a replay, and their depth: the longest path of calls that wait for one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.policies.policy import Policy
from dynlab.recordings.critical_path import in_turn
from dynlab.recordings.streams import Flags, Ints
from dynlab.replay.draws import Draws


@dataclass(frozen=True)
class Trace:
    """The pulls of R replications in order, T of the longest; −1 behind the end."""

    question: Ints  # [R, T]
    sample: Ints  # [R, T] index of the sample in its question's stream
    arrived: Ints  # [R, T] samples of that question that had arrived when the pull was decided
    closed: Flags  # [R] whether it ended for want of an eligible question, not by its budget


def depth(policy: Policy, trace: Trace, draws: Draws, at: Ints) -> Ints:
    """[C, R] the longest path of calls that had to wait for one another.

    Args:
        at: [C, R, Q] the samples drawn.
    """
    num_samples, num_replications, num_questions = draws.price.shape
    if not policy.allocator.adaptive:
        samples = np.arange(1, num_samples + 1)
        rounds = policy.stopping.rounds(samples) if policy.stopping else np.zeros_like(samples)
        return np.asarray(in_turn(draws.path, rounds)[at].max(axis=2))
    # Why not a walk over the pulls: a round waits for the longest path of the round before it, and
    # adds the longest path within itself, for each of R replications at every checkpoint. Running
    # maxima over whole arrays do the same: `own` lifts every round above all before it, so that one
    # running maximum gives the longest path of each round so far, and a running sum over the rounds
    # that have ended gives what they took.
    rows = np.arange(num_replications)[:, None]
    drawn = at.sum(axis=2)
    together = policy.warmup * num_questions
    # without a batch every later pull has a round of its own, and adds 1
    part = trace.question.shape[1] if policy.batch > 1 else together
    sample = trace.sample[:, :part]
    first = sample < policy.warmup  # the warm-up waits for nothing but its own parents
    chain = draws.path[trace.arrived[:, :part], sample]
    warmup = np.maximum.accumulate(np.where(first, chain, 0), axis=1)
    since = np.cumsum(~first, axis=1)  # pulls after the warm-up, this one included
    own = np.maximum(since - 1, 0) // policy.batch * (1 + chain.max(initial=0))
    longest = np.maximum.accumulate(own + np.where(first, 0, chain), axis=1) - own
    starts = ~first & ((since - 1) % policy.batch == 0)  # the first pull of a round
    before = np.pad(longest[:, :-1], ((0, 0), (1, 0)))[:, : since.shape[1]]
    total = warmup + np.cumsum(before * starts, axis=1) + longest
    total = np.concatenate([np.zeros((len(rows), 1), int), total], axis=1)
    inside = np.minimum(drawn, total.shape[1] - 1)
    return np.asarray(total[rows.T, inside] + drawn - inside)
