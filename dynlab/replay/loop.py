"""Replay: the one loop moves along recorded streams as a policy decides, R replications at once.

What a policy would have been told by the model, it is told by the recording; so one run answers
every budget on the way, exactly and for free. Replications differ in the order of a pool's samples
(or in the stream drawn of ordered ones) and in how ties fall, both a function of the seed and the
replication's number alone: all policies of a comparison meet the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dynlab.policies.policy import Policy
from dynlab.policies.votes import walk_start
from dynlab.recordings.streams import Flags, Floats, Ints, Streams
from dynlab.replay.draws import Draws
from dynlab.replay.engine import Tables, pull
from dynlab.replay.planning import at_every
from dynlab.replay.replications import summed
from dynlab.replay.rounds import in_rounds
from dynlab.replay.trace import Trace, depth

_FURTHER = 1.25  # times a budget: pulls that go so far mostly spend it in other units, too
FIRST = 1e9  # the index of a question that has not had its warm-up


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
    """Plays one policy on the draws until the budget is spent.

    Args:
        limit: the budget over all questions, in the draws' price.
    """
    ties = draws.ties(seed)
    tables = _tables(policy, draws, limit, seed, ties)
    adaptive = policy.allocator.adaptive
    if adaptive and policy.batch > 1:
        question, sample, arrived = in_rounds(
            policy.allocator, draws, tables, ties, policy.batch, policy.warmup, seed
        )
    else:
        question, sample = pull(tables)
        arrived = np.where(sample < policy.warmup, 0, sample) * adaptive
    return Trace(question, sample, arrived, _closed(tables, question))


def _tables(policy: Policy, draws: Draws, limit: float, seed: int, ties: Floats) -> Tables:
    """Everything that decides the pulls: the allocator's index, warm-up and stopping rule in it."""
    seen = draws.tally.seen
    depths = np.arange(len(ties))[:, None, None]
    replication = draws.first + np.arange(ties.shape[1])[:, None]
    index = draws.index(policy.allocator, seed)
    opening = policy.warmup if policy.allocator.adaptive else 0
    closed: Flags = depths >= draws.tally.lengths
    if policy.stopping is not None:
        stopped = np.maximum.accumulate(policy.stopping.stops(draws.tally), axis=0)
        closed = closed | (stopped & (depths >= policy.warmup))
    value = index.value.copy()
    value[:opening] = FIRST - depths[:opening] + ties[:opening] / 2
    value[closed] = -np.inf
    width: Floats = np.zeros((0, 0, 0))
    if index.width is not None:
        width = index.width.copy()
        width[:opening] = 0.0
    bank: Floats = np.zeros((0, 0), np.float32)  # as random indices are: one loop compiled, not two
    profile = seen.profile
    if index.draws is not None:  # the warm-up is not random: it walks through a row of zeros
        bank = np.concatenate([index.draws, np.zeros((1, index.draws.shape[1]), index.draws.dtype)])
        profile = np.where(depths < opening, len(index.draws), profile)
    offset = walk_start(seed, replication, np.arange(ties.shape[2]))
    return Tables(value, width, bank, profile, offset, draws.price, limit * (1 + 1e-9))


def _closed(tables: Tables, question: Ints) -> Flags:
    """[R] whether no question was eligible after these pulls [R, T]."""
    _, num_replications, num_questions = tables.value.shape
    rows = np.arange(num_replications)[:, None]
    columns = np.arange(num_questions)
    # −1, behind the end, is counted in a column of its own
    bins = (rows * (num_questions + 1) + question + 1).ravel()
    counts = np.bincount(bins, minlength=num_replications * (num_questions + 1))
    pulls = counts.reshape(num_replications, -1)[:, 1:]
    return np.asarray(np.isneginf(tables.value[pulls, rows, columns]).all(axis=1))


def _totals(trace: Trace, draws: Draws) -> Floats:
    """[R, T] what the pulls cost up to each, in the draws' unit; ∞ behind the end."""
    rows = np.arange(len(trace.question))[:, None]
    prices = draws.price[trace.sample, rows, trace.question]
    return np.asarray(np.cumsum(np.where(trace.question >= 0, prices, np.inf), axis=1))


def _all_spent(trace: Trace, total: Floats) -> Floats:
    """[R] what all pulls cost: total [R, T] up to each."""
    return np.asarray(np.where(trace.question >= 0, total, 0).max(axis=1, initial=0))


def _reaches(trace: Trace, draws: Draws, limit: float) -> bool:
    """Whether pulls that were decided in another unit spend a limit in the draws' own, too."""
    if trace.closed.all():
        return True
    beyond = _all_spent(trace, _totals(trace, draws)) > limit * (1 + 1e-9)
    return bool((trace.closed | beyond).all())


def curve(policy: Policy, trace: Trace, draws: Draws, limits: Floats) -> dict[str, Floats]:
    """Sums over replications at each checkpoint: arrays [C, Q] ([C] for depth and unspent).

    Args:
        trace: To the last limit, or beyond: pulls that none of them affords count for nothing.
        limits: [C] ascending budgets over all questions; a checkpoint is the last state whose
            spending is within it.
    """
    _, num_replications, num_questions = draws.price.shape
    rows = np.arange(num_replications)[:, None]
    pulled = trace.question >= 0
    total = _totals(trace, draws)
    ends = limits * (1 + 1e-9)
    segment = np.searchsorted(ends, total)  # the first checkpoint that affords the pull
    bins = (segment * num_replications + rows) * num_questions + trace.question
    counts = np.bincount(bins[pulled], minlength=(len(ends) + 1) * num_replications * num_questions)
    counts = counts.reshape(-1, num_replications, num_questions)
    at = np.cumsum(counts[:-1], axis=0)  # [C, R, Q] pulls
    place = (
        at * (num_replications * num_questions) + rows * num_questions + np.arange(num_questions)
    )

    def summed_up(table: Floats) -> Floats:
        """[C, Q] over replications: table [D, R, Q], by flat places, in a third of the time."""
        return np.asarray(table.reshape(-1).take(place).sum(axis=1, dtype=float))

    chooses = policy.vote or policy.stopping
    right = chooses.right(draws.tally) if chooses else draws.tally.right
    length = draws.tally.lengths
    unspent = trace.closed & (_all_spent(trace, total) < limits[:, None] * (1 - 1e-9))
    sums = {unit: summed_up(table) for unit, table in draws.spent.items()}
    return {
        **sums,
        "accuracy": summed_up(right),
        "exhausted": (at >= length).sum(axis=1).astype(float),
        "depth": depth(policy, trace, draws, at).sum(axis=1, dtype=float),
        "unspent": unspent.sum(axis=1).astype(float),
    }


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
    found = replay_in_units(
        streams,
        policies,
        {unit: budgets},
        replications=replications,
        seed=seed,
        done=done,
        drawn=drawn,
    )
    return found[unit]


def replay_in_units(
    streams: Streams,
    policies: Sequence[Policy],
    budgets: Mapping[str, Floats],
    *,
    replications: int = 200,
    seed: int = 0,
    done: Callable[[int], object] = lambda replications: None,
    drawn: Iterable[Draws] | None = None,
) -> dict[str, list[Curve]]:
    """`replay` in several units at once, in hardly more time than in one.

    Args:
        budgets: unit → as those of `replay`.
        drawn: as for `replay`, in one of the units.
    """
    grids: dict[str, Floats] = {unit: np.asarray(own, float) for unit, own in budgets.items()}
    limits: dict[str, Floats] = {
        unit: own * streams.per_sample(unit) * streams.num_questions for unit, own in grids.items()
    }
    found = summed(
        partial(_played, budgets=grids, limits=limits, seed=seed),
        policies,
        streams,
        unit=next(iter(grids)),
        replications=replications,
        seed=seed,
        profiles=any(policy.profiles for policy in policies),
        done=done,
        drawn=drawn,
    )

    def curves(unit: str) -> list[Curve]:
        tables = [{name: own for (of, name), own in each.items() if of == unit} for each in found]
        return [averaged(grids[unit], own, replications) for own in tables]

    return {unit: curves(unit) for unit in grids}


def _played(
    policy: Policy,
    draws: Draws,
    budgets: Mapping[str, Floats],
    limits: Mapping[str, Floats],
    seed: int,
) -> dict[tuple[str, str], Floats]:
    """By unit and name, `curve` at every budget.

    An allocator that plans for its budget is played anew for each, and one that may read prices in
    each unit. Any other decides alike in all units, so that pulls in one serve those in which they
    go far enough.
    """
    found: dict[tuple[str, str], Floats] = {}
    trace: Trace | None = None
    for unit in budgets:
        own = draws.in_unit(unit)
        if policy.allocator.plans:
            sums = _planned(policy, own, budgets[unit], limits[unit], seed)
        else:
            limit = float(limits[unit][-1])
            if trace is None or policy.reads_prices or not _reaches(trace, own, limit):
                shared = len(limits) > 1 and not policy.reads_prices
                trace = run(policy, own, limit * _FURTHER if shared else limit, seed)
            sums = curve(policy, trace, own, limits[unit])
        found |= {(unit, name): table for name, table in sums.items()}
    return found


def _planned(
    policy: Policy, draws: Draws, budgets: Floats, limits: Floats, seed: int
) -> dict[str, Floats]:
    """`curve` from one run a budget."""

    def play(c: int) -> dict[str, Floats]:
        own = replace(policy, allocator=policy.allocator.planned(float(budgets[c])))
        return curve(own, run(own, draws, float(limits[c]), seed), draws, limits[[c]])

    return at_every(budgets, play)


def averaged(budgets: Floats, sums: dict[str, Floats], replications: int) -> Curve:
    """The curve of sums over replications, as `curve` gives them."""
    mean = {name: values / replications for name, values in sums.items()}
    spent = {unit: mean[unit] for unit in ("samples", "tokens", "usd")}
    return Curve(
        budgets, mean["accuracy"], spent, mean["exhausted"], mean["depth"], mean["unspent"]
    )
