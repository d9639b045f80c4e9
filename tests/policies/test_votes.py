from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynlab.policies.votes import tally, tie_break, winner_chance

drawn = st.lists(st.sampled_from([-1, 0, 1, 2, 3]), min_size=1, max_size=12)


@pytest.mark.slow
@given(drawn, st.lists(st.booleans(), min_size=4, max_size=4))
def test_tally_agrees_with_counting_at_every_depth(answers, right):
    result = tally(np.array(answers, np.int32)[:, None, None], np.array([right]), profiles=True)
    for n in range(len(answers) + 1):
        counts = Counter(a for a in answers[:n] if a >= 0)
        top = [*sorted(counts.values(), reverse=True), 0, 0]
        leaders = [a for a in counts if counts[a] == top[0]]
        seen = result.seen
        assert (seen.pulls[n, 0, 0], seen.votes[n, 0, 0]) == (n, sum(counts.values()))
        assert (seen.first[n, 0, 0], seen.second[n, 0, 0]) == (top[0], top[1])
        assert seen.distinct[n, 0, 0] == len(counts)
        assert seen.surprise[n, 0, 0] == pytest.approx(sum(c * np.log(c) for c in counts.values()))
        expected = sum(right[a] for a in leaders) / len(leaders) if leaders else 0.0
        assert result.right[n, 0, 0] == pytest.approx(expected)
        profile = seen.profiles[seen.profile[n, 0, 0]]
        assert [c for c in profile if c] == sorted(counts.values(), reverse=True)


def test_tied_vote_scores_its_expectation():
    assert winner_chance(np.array([2, 2, 2]), np.array([True, True, False])) == pytest.approx(2 / 3)
    assert winner_chance(np.array([0, 0]), np.array([True, True])) == 0


def test_plurality_of_two_samples_is_worth_one_sample():
    # Breaking ties by code order would score far above the single-sample accuracy.
    rng = np.random.default_rng(0)
    codes = (rng.random((2, 1, 20000)) > 0.55).astype(np.int32)
    result = tally(codes, np.tile([True, False], (20000, 1)))
    assert result.right[2].mean() == pytest.approx((codes == 0).mean(), abs=1e-6)


def test_tie_break_is_uniform_and_depends_on_each_part():
    numbers = tie_break(7, np.arange(50)[:, None, None], np.arange(40)[:, None], np.arange(30))
    assert len(np.unique(numbers)) == numbers.size
    assert numbers.mean() == pytest.approx(0.5, abs=0.005)
    assert np.corrcoef(numbers[:-1].ravel(), numbers[1:].ravel())[0, 1] == pytest.approx(
        0, abs=0.02
    )
    assert np.corrcoef(numbers[..., :-1].ravel(), numbers[..., 1:].ravel())[0, 1] == pytest.approx(
        0, abs=0.02
    )
    assert tie_break(7, np.int64(1), np.int64(2), np.int64(3)) != tie_break(
        8, np.int64(1), np.int64(2), np.int64(3)
    )
