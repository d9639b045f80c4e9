from __future__ import annotations

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.policies.parsing import parse_policy
from dynlab.policies.policy import Policy
from dynlab.policies.sequential_halving import SequentialHalving
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import replay, run
from dynlab.replay.planning import STEP

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
