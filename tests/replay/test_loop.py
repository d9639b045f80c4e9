from __future__ import annotations

import time

import numpy as np
import pytest
from helpers.plain_loop import (
    entropy,
    margin,
    okg_beta,
    plain_loop,
    posterior,
    strategic,
    strategic_entropy,
    uab,
    ucb,
    vote_gain,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from dynlab.analysis.verbs import compare
from dynlab.policies import registry
from dynlab.policies.policy import Policy
from dynlab.policies.ucb import UCB
from dynlab.policies.votes import tie_break
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import replay, run
from dynlab.replay.oracle import oracle

SCORES = {
    "uniform": (lambda v1, v2, n, *_: -n, {}),
    "ucb": (ucb, {}),
    "ucb entropy": (
        lambda *a: entropy(*a) + 0.5 * np.sqrt(a[3] / a[2]),
        {"uncertainty": "entropy", "exploration": 0.5},
    ),
    "ucb margin": (lambda *a: margin(*a) + np.sqrt(a[3] / a[2]), {"uncertainty": "margin"}),
    "ucb posterior": (
        lambda *a: posterior(*a) + np.sqrt(a[3] / a[2]),
        {"uncertainty": "posterior"},
    ),
    "entropy-greedy": (entropy, {}),
    "margin-greedy": (margin, {}),
    "beta-greedy": (posterior, {}),
    "beta-sqrt": (lambda *a: posterior(*a) / np.sqrt(a[2]), {}),
    "okg-beta": (okg_beta, {}),
    "uab": (uab, {}),
    "strategic": (strategic, {}),
    "strategic-entropy": (strategic_entropy, {}),
    "vote-gain": (vote_gain, {}),
}


def drawn_answers(draws, replication):
    codes = draws.tally.codes[:, replication]
    return [
        [None if code < 0 else int(code) for code in codes[:, q] if code != -2]
        for q in range(codes.shape[1])
    ]


def ties_of(seed, draws, replication):
    depths, _, num_questions = draws.tally.seen.pulls.shape
    numbers = tie_break(
        seed,
        np.int64(draws.first + replication),
        np.arange(num_questions)[:, None],
        np.arange(depths),
    )
    return numbers.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("name", SCORES)
def test_every_allocator_pulls_what_the_plain_loop_pulls(name, batch, random_pool):
    score, options = SCORES[name]
    policy = Policy(registry.allocator(name.split()[0], **options), batch=batch)
    streams = streams_of(load(random_pool(15, 12, seed=4)))
    for unit, budget in (("samples", 8.3), ("tokens", 6.0)):
        limit = budget * streams.per_sample(unit) * streams.num_questions
        for draws in draws_of(streams, 5, 3, unit, policy.profiles):
            trace = run(policy, draws, limit, seed=3)
            for r in range(5):
                pulled = [
                    (q, n)
                    for q, n in zip(trace.question[r], trace.sample[r], strict=True)
                    if q >= 0
                ]
                prices = draws.price[:, r].T.tolist()
                warmup = policy.warmup if policy.allocator.adaptive else 0
                expected = plain_loop(
                    drawn_answers(draws, r),
                    limit,
                    score,
                    ties_of(3, draws, r),
                    warmup,
                    prices,
                    batch if policy.allocator.adaptive else 1,
                    draws.tally.logprob[0, r].tolist(),
                )
                assert pulled == expected


@pytest.mark.slow
@given(
    st.integers(0, 2**31),
    st.sampled_from(registry.names("allocator")),
    st.sampled_from(["samples", "tokens"]),
)
@settings(max_examples=25, deadline=None)
def test_spending_never_passes_the_budget(seed, name, unit):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, 6)
    rows = [
        {
            "question_id": f"q{q}",
            "sample_index": i,
            "answer": rng.choice(["a", "b", ""]),
            "target": "a",
            "completion_tokens": int(rng.integers(1, 50)),
            "mean_logprob": -rng.exponential(0.2),
        }
        for q in range(6)
        for i in range(lengths[q])
    ]
    import pandas as pd

    streams = streams_of(load(pd.DataFrame(rows)))
    budgets = np.array([2.0, 3.0, 4.25])
    curve = replay(
        streams, [Policy(registry.allocator(name))], budgets, unit=unit, replications=8, seed=seed
    )[0]
    spent = curve.spent[unit].mean(axis=1)
    assert (spent <= budgets * streams.per_sample(unit) + 1e-6).all()
    assert (curve.spent["samples"] <= streams.lengths.max(axis=1)).all()


def test_ordered_streams_are_never_permuted(make_pool):
    frame = make_pool({"q1": "aabb", "q2": "bbba"}, completion_tokens=1)
    frame["strategy"] = "sequential"
    frame["stream"] = 0
    draws = next(draws_of(streams_of(load(frame)), 5, 0, "samples"))
    assert (draws.tally.codes == draws.tally.codes[:, :1]).all()
    assert draws.tally.codes[:, 0, 0].tolist() == [0, 0, 1, 1]


def test_ordered_streams_are_drawn_whole(make_pool):
    tables = []
    for stream, letter in enumerate("ab"):
        table = make_pool({"q1": letter * 3, "q2": letter * 3})
        table["stream"], table["strategy"] = stream, "integrated"
        tables.append(table)
    import pandas as pd

    codes = next(draws_of(streams_of(load(pd.concat(tables))), 200, 0, "samples")).tally.codes
    assert (codes == codes[:1]).all()  # whole streams
    pairs = {(int(a), int(b)) for a, b in codes[0]}
    assert pairs == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.slow
def test_a_pool_is_permuted_uniformly(make_pool):
    codes = next(
        draws_of(streams_of(load(make_pool({"q": "abcd"}))), 4000, 1, "samples")
    ).tally.codes[:, :, 0]
    shares = [(codes == code).mean(axis=1) for code in range(4)]
    assert np.abs(np.array(shares) - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 4000)


def test_a_question_that_has_run_out_is_reported(make_pool):
    frame = make_pool({"q1": "ab", "q2": "abababab"})
    curve = compare(frame, "ucb", [2, 4, 5], replications=5).curves
    assert curve["spent_samples"].tolist() == [2, 4, 5]
    assert curve["exhausted"].tolist() == [0.5, 0.5, 1.0]


def test_a_curve_ends_where_its_budget_cannot_be_spent(make_pool):
    frame = make_pool({"q1": "ab", "q2": "abababab"})
    assert compare(frame, budgets=[2, 5, 6, 9], replications=5).curves.groupby("allocator")[
        "budget"
    ].max().tolist() == [5, 5]


def test_depth_counts_the_rounds_of_a_bandit(random_pool):
    frame = random_pool(10, 8)
    depth = {
        batch: (
            compare(frame, f"uniform, ucb(batch={batch})", [2, 4], replications=3).curves.set_index(
                ["allocator", "budget"]
            )["depth"]
        )
        for batch in (1, 5)
    }
    assert depth[1]["uniform"].tolist() == [1, 1]
    assert depth[1]["ucb"].tolist() == [1, 21]  # 10 × 2 pulls after the warm-up, one at a time
    assert depth[5]["ucb"].tolist() == [1, 5]  # the same in rounds of 5


def rounds(make_pool, **columns):
    """Two questions of 9 samples: 2 independent ones, 2 chained ones, and so on; a chain is made of
    its own round.
    """
    frame = make_pool({"q1": "abcabcabc", "q2": "abcabcabc"}, **columns)
    frame["strategy"] = "integrated"
    frame["awaited"] = 2 * [[], [], [0, 1], [0, 1], [], [], [4, 5], [4, 5], []]
    return frame


def test_rounds_asked_at_once_are_as_deep_as_one(make_pool):
    table = compare(rounds(make_pool), "uniform", [2, 3, 5, 9], replications=2).curves
    assert table["depth"].tolist() == [1, 2, 2, 2]


@pytest.mark.parametrize(
    ("rule", "depths"),
    [
        (
            "esc",
            # windows of 5: two levels of calls; then 5, 6 and 7, of which 6 and 7 wait for 5
            [2, 4],
        ),
        (
            "doubling",
            [2, 4],
        ),  # {0, 1}, {2, 3}, {4 … 7}: the last round holds two independent and two chained samples
        ("adaptive-consistency", [4, 8]),  # one at a time
    ],
)
def test_depth_counts_a_rules_rounds_and_chains(make_pool, rule, depths):
    table = compare(rounds(make_pool), f"uniform+{rule}", [4, 8], replications=2).curves
    assert table["depth"].tolist() == depths


def test_depth_of_batches_counts_only_what_waits_within_a_batch(make_pool):
    # one question: warm-up of 2, then rounds of 4: {2, 3, 4, 5} at once (their parents are there),
    # {6, 7, 8} at once
    frame = rounds(make_pool)
    one = frame[frame["question_id"] == "q1"]
    table = compare(one, "ucb(batch=4)", [2, 6, 9], replications=2).curves
    assert table["depth"].tolist() == [1, 2, 3]
    # warm-up of 1, then {1, 2, 3, 4}: 2 and 3 wait for 1; then {5, 6, 7, 8}: 6 and 7 wait for 5
    policies = "uniform(warmup=1), ucb(batch=4, warmup=1)"
    table = compare(one, policies, [1, 5, 9], replications=2).curves.query("allocator == 'ucb'")
    assert table["depth"].tolist() == [1, 3, 5]


@pytest.mark.slow
def test_a_silent_response_is_paid_for_all_the_same(make_pool):
    silent = rounds(
        make_pool, votes=[False, False, True, True, False, False, True, True, False] * 2
    )
    answers = silent.assign(answer=silent["answer"].where(silent["votes"], "")).drop(
        columns="votes"
    )
    for allocator in ("uniform", "ucb", "thompson", "priced"):
        given, blank = (
            compare(frame, allocator, [2, 4, 6, 9], replications=20).curves
            for frame in (silent, answers)
        )
        assert given.equals(blank)  # as if it had given no answer
        assert given["spent_samples"].tolist() == [2, 4, 6, 9][: len(given)]
    assert compare(silent, "uniform", [2], replications=2).curves["accuracy"].tolist() == [0.0]


def test_depth_of_a_chain_is_its_length(make_pool):
    frame = make_pool({"q1": "aaaa", "q2": "aaaa"})
    frame["strategy"] = "sequential"
    assert compare(frame, "uniform", [2, 4], replications=3).curves["depth"].tolist() == [2, 4]
    frame["strategy"] = "integrated"
    frame["parents"] = [[], [], [0, 1], [0, 1]] * 2
    assert compare(frame, "uniform", [2, 4], replications=3).curves["depth"].tolist() == [1, 2]


def test_with_a_large_batch_repeats_are_allowed_within_a_round(make_pool):
    frame = make_pool({"q1": "abababab", "q2": "aaaaaaaa"})
    frame["strategy"] = "sequential"  # keeps the order
    draws = next(draws_of(streams_of(load(frame)), 1, 0, "samples"))
    trace = run(Policy(UCB(exploration=0.1), batch=4), draws, 8, 0)
    assert trace.question[0].tolist()[4:] == [
        0,
        0,
        0,
        0,
    ]  # the disputed question gets the whole round
    assert trace.arrived[0].tolist()[4:] == [2, 2, 2, 2]


def test_thompson_draws_follow_the_dirichlet():
    from dynlab.policies.thompson import Thompson
    from dynlab.policies.votes import Votes

    empty = np.zeros(1, int)
    profiles = np.array([[0, 0, 0], [3, 1, 0]], np.int16)
    zero = empty.astype(float)
    seen = Votes(empty, empty, empty, empty, empty, zero, zero, zero, zero, empty, profiles)
    draws = Thompson(num_draws=8192).index(seen, np.random.default_rng(0)).draws
    assert np.abs(draws[0]).max() == 0  # nothing seen: all mass on the one unseen answer
    direct = 1 - np.random.default_rng(1).dirichlet([4, 2, 1], 8192).max(axis=1)
    for quantile in (0.1, 0.5, 0.9):
        assert np.quantile(draws[1], quantile) == pytest.approx(
            np.quantile(direct, quantile), abs=0.015
        )


def test_the_oracle_bounds_every_policy_and_matches_brute_force(random_pool):
    streams = streams_of(load(random_pool(8, 6)))
    budgets = np.array([2.0, 3.0, 4.0])
    bound = oracle(streams, budgets, replications=40)
    for name in registry.names("allocator"):
        curve = replay(streams, [Policy(registry.allocator(name))], budgets, replications=40)[0]
        assert (curve.accuracy.mean(axis=1) <= bound.accuracy.mean(axis=1) + 1e-9).all()
    draws = next(draws_of(streams, 40, 0, "samples"))
    solved = []
    for r in range(40):
        firsts = [
            next((n for n in range(7) if draws.tally.right[n, r, q] > 0), None) for q in range(8)
        ]
        order = sorted(n for n in firsts if n is not None)
        solved.append(sum(total <= 2 * 8 for total in np.cumsum(order)) / 8)
    assert bound.accuracy.mean(axis=1)[0] == pytest.approx(np.mean(solved))


@pytest.mark.benchmarks
def test_replay_speed_against_the_plain_loop(pool, capsys):
    """Prints seconds and ratios; asserts the ratio alone, since machines differ."""
    streams = streams_of(load(pool()))
    policy = Policy(registry.allocator("ucb"))
    budgets = np.array([2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 80.0])
    replay(streams, [policy], budgets, replications=2)  # compile, or load what was compiled before
    seconds = []
    for _ in range(3):
        start = time.process_time()
        replay(streams, [policy], budgets, replications=200)
        seconds.append(time.process_time() - start)
    draws = next(draws_of(streams, 1, 0, "samples"))
    answers, ties = drawn_answers(draws, 0), ties_of(0, draws, 0)
    start = time.process_time()
    pulled = len(plain_loop(answers, 1200, ucb, ties))
    plain = pulled / (time.process_time() - start)
    ours = 200 * 198 * 80 / min(seconds)
    with capsys.disabled():
        print(f"\nreplay 198 × 80 × 200: {min(seconds):.2f} s of one core; {ours:,.0f} pulls/s")
        print(f"plain loop: {1e6 / plain:.0f} µs a pull; ratio {ours / plain:,.0f}")
    assert ours / plain >= 100
