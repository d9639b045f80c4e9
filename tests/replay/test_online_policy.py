from __future__ import annotations

import random
from functools import cache

import pytest
from helpers.live import played

from dynlab.policies import registry
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.counts import Told
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import run
from dynlab.replay.online_policy import OnlinePolicy

LIVE = [name for name in registry.names("allocator") if name != "sequential-halving"]
PAIRED = [  # every two of seed, unit and whether arrivals are dealt meet
    (seed, unit, (seed + number) % 2 == 1)
    for seed in range(3)
    for number, unit in enumerate(("samples", "tokens"))
]
DRAWING = ("okg-pets", "okg-beta", "beta-greedy", "beta-sqrt")  # or integrating: a pick takes long
NAMES = ("uniform", "ucb", "priced", "thompson")
RULES = registry.names("stopping rule")


@pytest.fixture(scope="module")
def in_order(random_pool):
    """A made-up recording's samples in their recorded order, as one replication draws them."""

    @cache
    def streams(num_questions, num_samples, seed):
        frame = random_pool(num_questions, num_samples, seed)
        return streams_of(load(frame.assign(strategy="sequential", stream=0)))

    return streams


def replayed(policy, streams, limit, seed, unit="samples"):
    """The first pulls of `replay.run`: in another unit than samples its own limit is never met."""
    draws = next(draws_of(streams, 1, seed, unit, policy.profiles))
    trace = run(policy, draws, limit if unit == "samples" else 1e12, seed)
    return list(zip(trace.question[0], trace.sample[0], trace.arrived[0], strict=True))[:limit]


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        pytest.param(name, batch, marks=[pytest.mark.slow] * (batch != 5 or name in DRAWING))
        for name in LIVE
        for batch in (5, 1, 40)
    ],
)
def test_the_order_of_arrival_changes_no_pick(name, batch, in_order):
    streams = in_order(9, 90, seed=batch)
    for seed, unit, dealt in PAIRED:
        policy = Policy(registry.allocator(name), batch=batch, warmup=1 + seed)
        deal = random.Random(seed).randrange if dealt else None
        picks = played(OnlinePolicy(policy, 9, 80, seed), streams, unit, deal)
        assert [(pick.question, pick.sample, pick.arrived) for pick in picks] == replayed(
            policy, streams, 80, seed, unit
        )


@pytest.mark.parametrize("stopping", RULES)
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_rules_stop_live_where_they_stop_in_replay(name, stopping, in_order):
    turn = RULES.index(stopping) + NAMES.index(name)
    for seed in range(3):
        streams = in_order(8, 130, seed=seed)
        batch = (1, 6)[(seed + turn) % 2]  # both with each rule, allocator and seed
        policy = Policy(registry.allocator(name), registry.stopping_rule(stopping), batch=batch)
        picks = played(
            OnlinePolicy(policy, 8, 120, seed), streams, deal=random.Random(seed).randrange
        )
        assert [(pick.question, pick.sample, pick.arrived) for pick in picks] == replayed(
            policy, streams, 120, seed
        )


@pytest.mark.parametrize("name", ["ucb", "uniform"])
@pytest.mark.parametrize("rounds", [True, False])
def test_at_the_end_all_that_was_told_counts_also_after_a_sample_that_never_came(name, rounds):
    decider = OnlinePolicy(Policy(registry.allocator(name), warmup=3), 2, 6, rounds=rounds)
    picks = [decider.ask() for _ in range(6)]
    for pick in picks:
        if (pick.question, pick.sample) != (1, 0):
            decider.tell(pick.question, pick.sample, Told("ab"[pick.sample // 2]))
    counts = decider.finish()
    assert counts.arrived.tolist() == decider.pulls.tolist() == [3, 2]
    assert counts.answers[1] == {"a": 0, "b": 1} and counts.counts == [[2, 1], [1, 1]]
