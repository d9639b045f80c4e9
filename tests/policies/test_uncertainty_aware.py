from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from helpers.vote_states import votes

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.policies.parsing import parse_policy
from dynlab.policies.uncertainty_aware import UncertaintyAware
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import run

UAB_RELEASED = [1, 2, 3, 6, 11, 17, 0]


def test_uab_allocates_as_the_released_code(make_pool):
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


def test_uab_temperature_is_a_parameter():
    seen = votes(pulls=np.array([1]), probe=np.array([-0.2]))
    found = [UncertaintyAware(t).index(seen, np.random.default_rng(0)).value[0] for t in (0.2, 0.4)]
    assert np.exp(found) == pytest.approx(
        [np.exp(-1) * (1 - np.exp(-1)), np.exp(-0.5) * (1 - np.exp(-0.5))]
    )
