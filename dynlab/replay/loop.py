"""Replay: the one loop. It moves along recorded streams as a policy decides, for R replications at
once.

What a policy would have been told by the model, it is told by the recording; so one run answers
every budget on the way, exactly and for free. Replications differ in the order of a pool's samples
(or in the stream drawn of ordered ones) and in how ties fall, both a function of the seed and the
replication's number alone: all policies of a comparison meet the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dynlab.policies.base import generator
from dynlab.policies.policy import Policy
from dynlab.policies.votes import tie_break, tied, walk_start
from dynlab.recordings.critical_path import in_turn
from dynlab.recordings.streams import Flags, Floats, Ints, Streams
from dynlab.replay.draws import Draws, draws_of
from dynlab.replay.engine import Tables, pull
from dynlab.replay.planning import at_every
from dynlab.replay.rounds import in_rounds

FIRST = 1e9  # the index of a question that has not had its warm-up


@dataclass(frozen=True)
class Trace:
    """The pulls of R replications in order: which question, and its how-manieth sample. −1 behind
    the end.
    """

    question: Ints  # [R, T]
    sample: Ints  # [R, T]
    arrived: Ints  # [R, T] samples of that question that had arrived when the pull was decided
    closed: (
        Flags  # [R] whether it ended because no question was eligible any more, not by its budget
    )


@dataclass(frozen=True)
class Curve:
    """A policy's result at C checkpoints, per question and averaged over replications."""

    budgets: Floats  # [C] per question, in multiples of a sample's mean price
    accuracy: Floats  # [C, Q]
    spent: Mapping[str, Floats]  # unit → [C, Q]
    exhausted: Floats  # [C, Q] share of replications in which the question's samples have run out
    depth: Floats  # [C] mean over replications
    unspent: Floats  # [C] share of replications that ended before the budget did


def run(policy: Policy, draws: Draws, limit: float, seed: int) -> Trace:
    """Plays one policy on the draws until the budget `limit` (in the draws' price, over all
    questions) is spent.
    """
    seen, lengths = draws.tally.seen, draws.tally.lengths
    depths, num_replications, num_questions = seen.pulls.shape
    depth = np.arange(depths)[:, None, None]
    replication, number = (
        draws.first + np.arange(num_replications)[:, None],
        np.arange(num_questions),
    )
    ties = tie_break(seed, replication, number, depth)  # [D, R, Q]
    index = policy.allocator.index(seen, generator(seed))
    opening = policy.warmup if policy.allocator.adaptive else 0
    closed: Flags = depth >= lengths
    if policy.stopping is not None:
        stopped = np.maximum.accumulate(policy.stopping.stops(draws.tally), axis=0)
        closed = closed | (stopped & (depth >= policy.warmup))
    value = tied(index.value, ties)
    value[:opening] = FIRST - depth[:opening] + ties[:opening] / 2
    value[closed] = -np.inf
    width: Floats = np.zeros((0, 0, 0))
    if index.width is not None:
        width = tied(index.width, ties)
        width[:opening] = 0.0
    bank: Floats = np.zeros((0, 0))
    profile = seen.profile
    if index.draws is not None:  # the warm-up is not random: it walks through a row of zeros
        bank = np.concatenate([index.draws, np.zeros((1, index.draws.shape[1]), index.draws.dtype)])
        profile = np.where(depth < opening, len(index.draws), profile)
    offset = walk_start(seed, replication, number)
    tables = Tables(value, width, bank, profile, offset, draws.price, limit * (1 + 1e-9))
    adaptive = policy.allocator.adaptive
    if adaptive and policy.batch > 1:
        question, sample, arrived = in_rounds(
            policy.allocator, draws, tables, ties, policy.batch, policy.warmup, seed
        )
        return Trace(question, sample, arrived, _closed(tables, question))
    pulled, sample = pull(tables)
    arrived = np.where(sample < policy.warmup, 0, sample) * adaptive
    return Trace(pulled, sample, arrived, _closed(tables, pulled))


def _closed(tables: Tables, question: Ints) -> Flags:
    """[R] whether no question was eligible after these pulls [R, T]."""
    _, num_replications, num_questions = tables.value.shape
    rows, columns = np.arange(num_replications)[:, None], np.arange(num_questions)
    bins = (
        rows * (num_questions + 1) + question + 1
    ).ravel()  # −1, behind the end, goes to a column of its own
    pulls = np.bincount(bins, minlength=num_replications * (num_questions + 1)).reshape(
        num_replications, -1
    )[:, 1:]
    return np.asarray(np.isneginf(tables.value[pulls, rows, columns]).all(axis=1))


def curve(policy: Policy, trace: Trace, draws: Draws, limits: Floats) -> dict[str, Floats]:
    """Sums over replications at each checkpoint: arrays [C, Q] ([C] for depth and unspent).

    Args:
        limits: [C] ascending budgets over all questions; a checkpoint is the last state whose
            spending is within it.
    """
    _, num_replications, num_questions = draws.price.shape
    rows, columns = np.arange(num_replications)[:, None], np.arange(num_questions)
    pulled = trace.question >= 0
    prices = np.where(pulled, draws.price[trace.sample, rows, trace.question], np.inf)
    total = np.cumsum(prices, axis=1)  # [R, T]
    ends = limits * (1 + 1e-9)
    segment = np.searchsorted(
        ends, total, side="left"
    )  # the first checkpoint that affords the pull
    bins = (segment * num_replications + rows) * num_questions + trace.question
    counts = np.bincount(bins[pulled], minlength=(len(ends) + 1) * num_replications * num_questions)
    at = np.cumsum(
        counts.reshape(-1, num_replications, num_questions)[:-1], axis=0
    )  # [C, R, Q] pulls
    here = (at, rows, columns)
    chooses = policy.vote or policy.stopping
    right = chooses.right(draws.tally) if chooses else draws.tally.right
    length = draws.tally.lengths
    all_spent = np.where(pulled, total, 0).max(axis=1, initial=0)
    unspent = trace.closed & (all_spent < limits[:, None] * (1 - 1e-9))
    sums = {unit: table[here].sum(axis=1) for unit, table in draws.spent.items()}
    return {
        **sums,
        "accuracy": right[here].sum(axis=1, dtype=float),
        "exhausted": (at >= length).sum(axis=1).astype(float),
        "depth": _depth(policy, trace, draws, at).sum(axis=1, dtype=float),
        "unspent": unspent.sum(axis=1).astype(float),
    }


def _depth(policy: Policy, trace: Trace, draws: Draws, at: Ints) -> Ints:
    """[C, R] the longest path of calls that had to wait for one another, when `at` [C, R, Q]
    samples are drawn.
    """
    num_samples, num_replications, num_questions = draws.price.shape
    if not policy.allocator.adaptive:
        samples = np.arange(1, num_samples + 1)
        rounds = policy.stopping.rounds(samples) if policy.stopping else np.zeros_like(samples)
        return np.asarray(in_turn(draws.path, rounds)[at].max(axis=2))
    rows = np.arange(num_replications)[:, None]
    drawn = at.sum(axis=2)
    together = (
        policy.warmup * num_questions
    )  # later pulls have a round of their own, unless there is a batch
    part = trace.question.shape[1] if policy.batch > 1 else together
    sample, arrived = trace.sample[:, :part], trace.arrived[:, :part]
    first = sample < policy.warmup  # the warm-up waits for nothing but its own parents
    chain = draws.path[arrived, sample]
    depth = np.maximum.accumulate(np.where(first, chain, 0), axis=1)
    since = np.cumsum(~first, axis=1)  # pulls after the warm-up, this one included
    own = (
        np.maximum(since - 1, 0) // policy.batch * (1 + chain.max(initial=0))
    )  # so large that no round passes the next
    longest = (
        np.maximum.accumulate(own + np.where(first, 0, chain), axis=1) - own
    )  # of the round so far
    ended = np.pad(longest[:, :-1], ((0, 0), (1, 0)))[:, : since.shape[1]] * (
        ~first & ((since - 1) % policy.batch == 0)
    )
    depth = depth + np.cumsum(ended, axis=1) + longest
    depth = np.concatenate([np.zeros((len(rows), 1), int), depth], axis=1)
    inside = np.minimum(drawn, depth.shape[1] - 1)
    return np.asarray(depth[rows.T, inside] + drawn - inside)


def replay(
    streams: Streams,
    policies: Sequence[Policy],
    budgets: Floats,
    *,
    unit: str = "samples",
    replications: int = 200,
    seed: int = 0,
    done: Callable[[int], object] = lambda replications: None,
    drawn: Iterable[Draws] | None = None,
) -> list[Curve]:
    """Every policy's curve on the same draws.

    Args:
        budgets: [C] ascending; per question, in multiples of the mean price of a sample (so 8 in
            `tokens` is what 8 samples of every question cost on average).
        done: told the number of replications that a policy has just been played on, for a progress
            bar.
        drawn: what `draws_of` gave for these arguments, where it was kept.

    Raises:
        InputError: the unit's prices are not known.
    """
    limits: Floats = np.asarray(budgets, float) * streams.per_sample(unit) * streams.num_questions
    sums: list[dict[str, Floats]] = [{} for _ in policies]
    profiles = any(policy.profiles for policy in policies)
    for draws in drawn or draws_of(streams, replications, seed, unit, profiles):
        for policy, total in zip(policies, sums, strict=True):
            part = _played(policy, draws, np.asarray(budgets, float), limits, seed)
            total.update({name: total.get(name, 0.0) + values for name, values in part.items()})
            done(draws.price.shape[1])
    return [_averaged(np.asarray(budgets, float), total, replications) for total in sums]


def _played(
    policy: Policy, draws: Draws, budgets: Floats, limits: Floats, seed: int
) -> dict[str, Floats]:
    """`curve` at every budget; an allocator that `plans` for its budget is played anew
    for each.
    """
    if not policy.allocator.plans:
        return curve(policy, run(policy, draws, float(limits[-1]), seed), draws, limits)

    def play(c: int) -> dict[str, Floats]:
        own = replace(policy, allocator=policy.allocator.planned(float(budgets[c])))
        return curve(own, run(own, draws, float(limits[c]), seed), draws, limits[[c]])

    return at_every(budgets, play)


def _averaged(budgets: Floats, sums: dict[str, Floats], replications: int) -> Curve:
    mean = {name: values / replications for name, values in sums.items()}
    spent = {unit: mean[unit] for unit in ("samples", "tokens", "usd")}
    return Curve(
        budgets, mean["accuracy"], spent, mean["exhausted"], mean["depth"], mean["unspent"]
    )


def oracle(
    streams: Streams,
    budgets: Floats,
    *,
    unit: str = "samples",
    replications: int = 200,
    seed: int = 0,
) -> Curve:
    """The hindsight oracle, a bound and never a policy: it knows the target and the order of the
    draws.

    The smallest n of each question at which the target is among the leaders, credited 1; cheapest
    first, no warm-up.
    """
    limits = np.asarray(budgets, float) * streams.per_sample(unit) * streams.num_questions
    sums: dict[str, Floats] = {}
    for draws in draws_of(streams, replications, seed, unit):
        reachable = draws.tally.right > 0
        smallest = np.where(reachable.any(axis=0), reachable.argmax(axis=0), 0)  # [R, Q]
        rows, columns = np.arange(len(smallest))[:, None], np.arange(smallest.shape[1])
        cost = np.where(smallest > 0, draws.spent[unit][smallest, rows, columns], np.inf)
        order = np.argsort(cost, axis=1, kind="stable")
        total = np.empty_like(cost)
        np.put_along_axis(
            total, order, np.cumsum(np.take_along_axis(cost, order, axis=1), axis=1), axis=1
        )
        chosen = total <= limits[:, None, None] * (1 + 1e-9)  # [C, R, Q]
        at = np.where(chosen, smallest, 0)
        part = {name: table[at, rows, columns].sum(axis=1) for name, table in draws.spent.items()}
        part |= {
            "accuracy": chosen.sum(axis=1).astype(float),
            "exhausted": np.zeros(part["samples"].shape),
            "depth": at.max(axis=2).sum(axis=1).astype(float),
            "unspent": np.zeros(len(limits)),
        }
        sums = {name: sums.get(name, 0.0) + values for name, values in part.items()}
    return _averaged(np.asarray(budgets, float), sums, replications)
