"""What holds for every policy: whatever is registered is tested here, a file of yours included."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from helpers.live import played

from dynlab.policies import registry
from dynlab.policies.base import generator
from dynlab.policies.parsing import as_policy, parse_policy
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import replay, run
from dynlab.replay.online_policy import OnlinePolicy

ALLOCATORS = registry.names("allocator")
LIVE = [name for name in ALLOCATORS if not registry.allocator(name).tabular]
RULES = registry.names("stopping rule")
VOTES = registry.names("vote")
UNPRICED = [
    name
    for name in [*ALLOCATORS, *(f"uniform+{rule}" for rule in RULES)]
    if not parse_policy(name).reads_prices
]


def drawn(frame, policy, replications=4):
    (draws,) = draws_of(streams_of(load(frame)), replications, 0, "samples", policy.profiles)
    return draws


def pulls(frame, policy, budget=6):
    policy = replace(policy, allocator=policy.allocator.planned(float(budget)))
    trace = run(policy, drawn(frame, policy), budget * frame["question_id"].nunique(), 0)
    return trace.question.tolist(), trace.sample.tolist()


def locked(part):
    """Makes every array of a state refuse to be written to."""
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return part


def other_targets(frame):
    targets = dict(zip(sorted(set(frame["question_id"])), "bca" * len(frame), strict=False))
    return frame.assign(target=frame["question_id"].map(targets))


def relabelled(frame):
    names = {"a": "zebra", "b": "a", "c": "b"}
    return frame.replace({"answer": names, "target": names})


@pytest.mark.parametrize("name", [*ALLOCATORS, *VOTES])
def test_text_form_is_the_name_and_reads_back(name):
    policy = parse_policy(f"{name}(warmup=5, batch=3)")
    assert parse_policy(name).text == parse_policy(name).name == name
    assert policy.text == f"{name}(warmup=5, batch=3)" and parse_policy(policy.text) == policy


@pytest.mark.parametrize("name", ALLOCATORS)
def test_index_leaves_its_input_alone_and_repeats(name, random_pool):
    policy = parse_policy(name)
    seen = locked(drawn(random_pool(8, 6), policy).tally.seen)
    one, other = (policy.allocator.index(seen, generator(7)) for _ in range(2))
    assert one.value.shape == seen.pulls.shape
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@pytest.mark.parametrize("name", UNPRICED)
def test_what_says_that_it_reads_no_prices_reads_none(name, random_pool):
    policy = parse_policy(name)
    draws = drawn(random_pool(12, 8), policy)
    seen = replace(draws.tally.seen, spent=np.full(draws.tally.seen.spent.shape, np.nan))
    unknown = replace(draws, tally=replace(draws.tally, seen=seen), known_index=[])
    one, other = (run(policy, each, 60, 0) for each in (draws, unknown))
    np.testing.assert_array_equal(one.question, other.question)


@pytest.mark.parametrize("name", ALLOCATORS)
def test_targets_decide_no_pull(name, random_pool):
    frame, policy = random_pool(20, 10), parse_policy(name)
    assert pulls(frame, policy) == pulls(other_targets(frame), policy)


@pytest.mark.parametrize("name", ALLOCATORS)
def test_other_labels_decide_no_pull(name, random_pool):
    frame, policy = random_pool(20, 10), parse_policy(name)
    assert pulls(frame, policy) == pulls(relabelled(frame), policy)


@pytest.mark.parametrize("name", ALLOCATORS)
def test_budget_is_spent_exactly_and_seeds_repeat(name, random_pool):
    policy, budgets = parse_policy(name), np.array([2, 4.5, 8])
    streams = streams_of(load(random_pool(10, 8)))
    one, other = (replay(streams, [policy], budgets, replications=10)[0] for _ in range(2))
    spent = one.spent["samples"].mean(axis=1)
    if policy.allocator.eliminates:
        assert (spent <= budgets + 1e-9).all()
    else:
        assert spent.tolist() == pytest.approx(budgets.tolist())
    np.testing.assert_array_equal(one.accuracy, other.accuracy)


@pytest.mark.parametrize("name", LIVE)
def test_a_live_run_picks_what_replay_pulls(name, random_pool):
    frame = random_pool(7, 40).assign(strategy="sequential", stream=0)
    streams = streams_of(load(frame))
    policy = Policy(registry.allocator(name).planned(8.0), batch=3)
    trace = run(policy, next(draws_of(streams, 1, 5, "samples", policy.profiles)), 56, 5)
    picks = played(OnlinePolicy(policy, 7, 56, 5), streams)
    pulled = trace.question[0] >= 0
    assert [pick.question for pick in picks] == trace.question[0][pulled].tolist()
    assert [pick.arrived for pick in picks] == trace.arrived[0][pulled].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_a_rule_reads_neither_targets_nor_labels(name, random_pool):
    frame, policy = random_pool(20, 45), as_policy(registry.stopping_rule(name))
    expected = pulls(frame, policy, 30)
    assert pulls(other_targets(frame), policy, 30) == expected
    assert pulls(relabelled(frame), policy, 30) == expected


@pytest.mark.parametrize("name", RULES)
def test_a_rule_leaves_its_input_alone_and_reads_back(name, random_pool):
    policy = parse_policy(f"uniform+{name}")
    draws = drawn(random_pool(8, 6), policy)
    locked(draws.tally.seen)
    rule, tally = policy.stopping, locked(draws.tally)
    assert rule.stops(tally).shape == rule.right(tally).shape == tally.seen.pulls.shape
    for setting in registry.sweep(name):
        assert parse_policy(f"uniform+{setting.text}").stopping == setting
        assert len(rule.grid) < 2 or setting.parameters[rule.swept] in rule.grid


@pytest.mark.parametrize("name", VOTES)
def test_a_vote_is_a_chance_that_labels_do_not_move(name, random_pool):
    policy, frame = parse_policy(name), random_pool(12, 9)
    one, other = (
        policy.vote.right(locked(drawn(table, policy).tally))
        for table in (frame, relabelled(frame))
    )
    np.testing.assert_allclose(one, other)
    assert ((one >= 0) & (one <= 1)).all() and (one[0] == 0).all()
