from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare, savings
from dynlab.policies import registry
from dynlab.policies.dirichlet import mode_chance
from dynlab.policies.elimination import Elimination
from dynlab.policies.knowledge_gradient import MonteCarloKnowledgeGradient
from dynlab.policies.parsing import Defaults, parse_policy
from dynlab.policies.policy import Policy
from dynlab.policies.sequential_halving import SequentialHalving
from dynlab.policies.uncertainty_aware import UncertaintyAware
from dynlab.policies.votes import Votes
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import replay, run
from dynlab.replay.planning import STEP


def votes(**fields):
    """Votes of U questions, one for each profile."""
    profiles = np.array(fields.pop("profiles", [[0]]), np.int16)
    zero = np.zeros(len(profiles), int)
    given = dict.fromkeys(("pulls", "votes", "first", "second", "distinct"), zero)
    given |= dict.fromkeys(("surprise", "gained", "spent", "probe"), zero.astype(float))
    return Votes(**{**given, "profile": np.arange(len(profiles)), "profiles": profiles, **fields})


# Mean and standard deviation over 300 calls of the index that PETS' released allocator computes for
# a question
# (github.com/ZDCSlab/PETS, 92c34a6, budget_allocation/FillintheBlank_offline.py: M options, 500
# draws).
RELEASED = [
    (4, [1, 0, 0], 0.2005, 0.0282),
    (4, [2, 0, 0], 0.1243, 0.0255),
    (4, [2, 1, 0], 0.1552, 0.0302),
    (4, [3, 1, 0], 0.1020, 0.0255),
    (4, [8, 1, 0], 0.0066, 0.0068),
    (32, [1, 0, 0], 0.1574, 0.0253),
    (32, [2, 0, 0], 0.1797, 0.0299),
    (32, [2, 1, 0], 0.1769, 0.0303),
    (32, [4, 1, 0], 0.1334, 0.0295),
    (32, [5, 4, 1], 0.1243, 0.0335),
    (32, [12, 1, 0], 0.0039, 0.0029),
]


@pytest.mark.parametrize(("buckets", "counts", "mean", "deviation"), RELEASED)
def test_okg_pets_has_the_index_and_the_noise_of_the_released_code(
    buckets, counts, mean, deviation
):
    rule = MonteCarloKnowledgeGradient(buckets, num_values=4096)
    draws = rule.index(votes(profiles=[counts]), np.random.default_rng(0)).draws[0]
    assert draws.mean() == pytest.approx(mean, abs=0.006)
    assert draws.std() == pytest.approx(deviation, rel=0.12)


def test_without_noise_okg_pets_is_the_best_next_answer_s_gain():
    profiles = [[3, 2, 0, 0], [2, 2, 1, 0], [1, 1, 1, 1]]
    rule = MonteCarloKnowledgeGradient(buckets=6, num_draws=0)
    found = rule.index(votes(profiles=profiles), np.random.default_rng(0)).draws[:, 0]
    for counts, value in zip(profiles, found, strict=True):
        seen = np.array([c for c in counts if c] + [0] * (6 - np.count_nonzero(counts)))
        after = [np.sort(seen + np.eye(6, dtype=int)[m])[::-1] for m in range(6)]
        now, *then = (
            mode_chance(state[None], unseen=int((state == 0).sum()))[0] for state in (seen, *after)
        )
        assert value == pytest.approx(max(then) - now, abs=1e-6)


def test_uab_allocates_as_the_released_code_and_as_the_best_integer_programme(make_pool):
    nll = [0.02, 0.05, 0.11, 0.2, 0.35, 0.6, 1.1]
    frame = make_pool({f"q{i}": "ab" * 20 for i in range(7)})
    frame["mean_logprob"] = -np.repeat(nll, 40)
    streams = streams_of(load(frame))
    policy = parse_policy("uab")
    assert policy.warmup == 1
    pulls = {}
    for budget in (47, 10):
        trace = run(policy, next(draws_of(streams, 1, 0, "samples")), budget, 0)
        pulls[budget] = np.bincount(trace.question[0][trace.question[0] >= 0], minlength=7).tolist()
    # allocate_extra_budget(nll, 40, base_n=1, tau=0.2) of github.com/manhitv/UAB (77a302a), and the
    # probe
    assert pulls[47] == [1 + extra for extra in UAB_RELEASED]
    p = np.exp(-np.array(nll) / 0.2)

    def covered(extra):
        return np.sum(1 - (1 - p) ** (1 + np.array(extra)))

    best = max(covered(extra) for extra in product(range(4), repeat=7) if sum(extra) == 3)
    assert covered(np.array(pulls[10]) - 1) == pytest.approx(best)


def test_uab_without_log_probabilities_says_what_is_missing(make_pool):
    with pytest.raises(InputError, match="uab needs the column mean_logprob"):
        compare(make_pool({"q": "abab"}), "uab", [2], replications=2).savings()


def test_a_question_whose_samples_agree_leaves_and_the_rest_stays_unspent(make_pool):
    frame = make_pool({"q1": "aaaaaaaa", "q2": "abababaa", "q3": "abcdabcd"})
    frame["strategy"] = "sequential"  # keeps the order
    draws = next(draws_of(streams_of(load(frame)), 1, 0, "samples"))
    trace = run(Policy(Elimination(samples=2, threshold=0.75)), draws, 20, 0)
    counts = np.bincount(trace.question[0][trace.question[0] >= 0], minlength=3)
    assert counts.tolist() == [
        2,
        8,
        8,
    ]  # q1 leaves at 2 of 2; the others have run out before they agree
    trace = run(Policy(Elimination(samples=2, threshold=0.5)), draws, 24, 0)
    assert (
        np.bincount(trace.question[0][trace.question[0] >= 0]).tolist() == [2, 2, 2]
        and trace.closed[0]
    )
    table = compare(frame, "strategic", [2, 4, 6, 8], replications=2).curves
    assert table["spent_samples"].tolist() == pytest.approx(
        [2, 4, 6, 20 / 3]
    )  # q1 left at 4 of 4, nothing else did


@pytest.mark.parametrize("settings", [{"samples": 0}, {"threshold": 0.0}, {"threshold": 1.2}])
def test_elimination_refuses_settings_that_cannot_work(settings):
    with pytest.raises(InputError, match="samples must be at least 1 and threshold"):
        Elimination(**settings)


UAB_RELEASED = [1, 2, 3, 6, 11, 17, 0]

# Considered visits of mctx's sequential halving (google-deepmind/mctx,
# mctx/_src/tests/seq_halving_test.py).
VISITS = [
    (8, 24, "00000000 1111 2222 33445566"),
    (8, 13, "00000000 1111 2"),
    (7, 24, "0000000 111222 33445566778"),
]


@pytest.mark.parametrize(("num_questions", "budget", "expected"), VISITS)
def test_halving_plans_the_visits_of_mctx(num_questions, budget, expected):
    phases = SequentialHalving(budget / num_questions).phases(num_questions)
    levels = [number for number, samples in phases for _ in range(samples)] + [2] * budget
    visits = [level for level, number in enumerate(levels) for _ in range(number)][:budget]
    assert visits == [int(digit) for digit in expected.replace(" ", "")]


def test_halving_keeps_the_questions_that_agree_least(make_pool):
    frame = make_pool(
        {"q1": "aaaaaaaaaa", "q2": "ababababab", "q3": "aaabaaabaa", "q4": "abcdabcdab"}
    )
    frame["strategy"] = "sequential"
    draws = next(draws_of(streams_of(load(frame)), 3, 0, "samples"))
    for trace in run(Policy(SequentialHalving(budget=6), warmup=1), draws, 24, 0).question:
        assert trace[:12].tolist().count(0) == 3  # 24 / (4·2) = 3 for each of four
        assert set(trace[12:].tolist()) == {
            1,
            3,
        }  # then 6 for each of the two with least agreement, in turn
        assert np.bincount(trace).tolist() == [3, 9, 3, 9]


def test_halving_is_played_anew_for_every_budget(random_pool):
    streams = streams_of(load(random_pool(12, 10)))
    policy = parse_policy("sequential-halving")
    grid = np.array([2.0, 4.0, 6.0])
    together = replay(streams, [policy], grid, replications=20)[0]
    for c, budget in enumerate(grid):
        alone = replay(streams, [policy], grid[[c]], replications=20)[0]
        np.testing.assert_allclose(together.accuracy[c], alone.accuracy[0])
        assert alone.budgets.tolist() == [budget]
    dense = replay(streams, [policy], np.array([2.0, 2.0 * STEP * 0.9, 4.0]), replications=20)[
        0
    ].accuracy
    share = (2 * STEP * 0.9 - 2) / 2
    np.testing.assert_allclose(
        dense[1], (1 - share) * together.accuracy[0] + share * together.accuracy[1]
    )


def test_halving_refuses_a_batch(random_pool):
    with pytest.raises(InputError, match="leave the batch at 1"):
        compare(random_pool(5, 6), "sequential-halving(batch=3)", [2, 4], replications=2).savings()


def test_a_paper_s_warm_up_holds_unless_another_is_given():
    assert [parse_policy(name).warmup for name in ("ucb", "okg-beta", "okg-pets")] == [2, 1, 1]
    assert parse_policy("okg-pets", Defaults(warmup=3)).warmup == 3


def test_every_rival_saves_against_uniform_somewhere_or_says_what_it_lacks(random_pool):
    table = savings(random_pool(30, 24), registry.names("allocator"), [4, 8], replications=10)
    assert set(table["allocator"]) == set(registry.names("allocator")) - {"uniform"}
    assert table["saving"].notna().all() and (table["saving"] < 1).all()


def test_uab_temperature_is_a_parameter():
    seen = votes(pulls=np.array([1]), probe=np.array([-0.2]))
    found = [UncertaintyAware(t).index(seen, np.random.default_rng(0)).value[0] for t in (0.2, 0.4)]
    assert np.exp(found) == pytest.approx(
        [np.exp(-1) * (1 - np.exp(-1)), np.exp(-0.5) * (1 - np.exp(-0.5))]
    )
