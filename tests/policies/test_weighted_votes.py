from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.policies import registry
from dynlab.policies.votes import tally
from dynlab.policies.weighted_votes import ConfidenceFiltered, ConfidenceInformed


def drawn(codes, confidence, right):
    """The tally of one question's samples in order, with their confidences."""
    table = tally(np.array(codes, np.int32)[:, None, None], np.array([right]))
    return replace(table, logprob=np.log(np.array(confidence, float))[:, None, None])


def test_cisc_worked_by_hand():
    # weights exp(c/0.5): 0.2 → 1.49, 0.9 → 6.05, 0.3 → 1.82; answer 0 has 1.49 then 3.31, answer 1
    # has 6.05
    table = drawn([0, 1, 0, -1], [0.2, 0.9, 0.3, 1.0], [True, False])
    assert ConfidenceInformed(temperature=0.5).right(table)[:, 0, 0].tolist() == [0, 1, 0, 0, 0]
    assert ConfidenceInformed(temperature=5.0).right(table)[:, 0, 0].tolist() == [0, 1, 0, 1, 1]


def test_deepconf_worked_by_hand():
    # the upper half of four is 0.9 and 0.8: one vote each, the weight decides; the two others would
    # have won
    table = drawn([0, 0, 1, 2], [0.5, 0.4, 0.9, 0.8], [True, False, False])
    assert ConfidenceFiltered(keep=0.5).right(table)[:, 0, 0].tolist() == [0, 1, 1, 0, 0]
    # all of them: 0.9 against 0.9 is a tie, with the fourth answer behind
    assert ConfidenceFiltered(keep=1.0).right(table)[:, 0, 0].tolist() == [0, 1, 1, 0.5, 0.5]


def test_equal_confidences_make_both_votes_a_plurality():
    rng = np.random.default_rng(0)
    codes = rng.integers(-1, 4, (9, 20, 5)).astype(np.int32)
    table = tally(codes, rng.random((5, 4)) < 0.4)
    table = replace(table, logprob=np.full(codes.shape, -0.3))
    for vote in (ConfidenceInformed(), ConfidenceFiltered()):
        np.testing.assert_allclose(vote.right(table), table.right, atol=1e-6)


def test_votes_agree_with_a_plain_recount():
    rng = np.random.default_rng(1)
    codes = rng.integers(-1, 3, (7, 6, 4)).astype(np.int32)
    logprob = -rng.exponential(0.3, codes.shape)
    right = rng.random((4, 3)) < 0.5
    table = replace(tally(codes, right), logprob=logprob)
    cisc, deepconf = ConfidenceInformed(0.2).right(table), ConfidenceFiltered(0.6).right(table)
    for n, r, q in np.ndindex(8, 6, 4):
        voting = [
            (c, np.exp(p))
            for c, p in zip(codes[:n, r, q], logprob[:n, r, q], strict=True)
            if c >= 0
        ]
        if not voting:
            assert cisc[n, r, q] == deepconf[n, r, q] == 0
            continue
        softmax, kept = {}, {}
        least = np.quantile([p for _, p in voting], 0.4)
        for code, p in voting:
            softmax[code] = softmax.get(code, 0) + np.exp(p / 0.2)
            kept[code] = kept.get(code, 0) + p * (p >= least - 1e-12)
        assert cisc[n, r, q] == right[q, max(softmax, key=softmax.get)]
        assert deepconf[n, r, q] == right[q, max(kept, key=kept.get)]


def test_weighted_votes_are_rows_like_any_allocator_s(random_pool):
    table = compare(
        random_pool(20, 10),
        ["uniform", *registry.names("vote")],
        [2, 4, 8],
        replications=20,
    ).curves
    rows = table.set_index(["allocator", "budget"])
    for name in registry.names("vote"):
        assert rows.loc[name, "spent_samples"].tolist() == [2, 4, 8]  # allocation is uniform
        assert rows.loc[name, "depth"].tolist() == [1, 1, 1]
        assert rows.loc[name, "accuracy"].tolist() != rows.loc["uniform", "accuracy"].tolist()


def test_weighted_votes_need_log_probabilities(make_pool, random_pool):
    with pytest.raises(InputError, match="cisc needs the column mean_logprob"):
        compare(make_pool({"q": "abab"}), "cisc", [2], replications=2).savings()
    with pytest.raises(InputError, match="deepconf chooses by a vote of its own"):
        compare(random_pool(4, 6), "deepconf+esc", [2], replications=2)
    with pytest.raises(InputError, match="did you mean 'cisc'"):
        registry.vote("cics")
