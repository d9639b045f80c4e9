from __future__ import annotations

import numpy as np
import pytest
from helpers.vote_states import votes

from dynlab.policies.dirichlet import mode_chance
from dynlab.policies.knowledge_gradient import MonteCarloKnowledgeGradient

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
def test_okg_pets_has_the_released_codes_noise(buckets, counts, mean, deviation):
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
