from __future__ import annotations

import random
import time

import numpy as np
import pytest

from dynlab.policies import registry
from dynlab.policies.policy import Policy
from dynlab.policies.stopping import EarlyStopping
from dynlab.policies.votes import tally
from dynlab.replay.counts import Counts, Told
from dynlab.replay.online_policy import OnlinePolicy

FIELDS = ("pulls", "votes", "first", "second", "distinct", "surprise", "gained", "spent")


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_a_tally_after_every_sample(seed):
    rng = random.Random(seed)
    drawn = [[rng.choice("abcd-") for _ in range(40)] for _ in range(5)]
    order = [sorted(set(answers) - {"-"}, key=answers.index) for answers in drawn]
    codes = np.array(
        [
            [known.index(a) if a != "-" else -1 for a in each]
            for each, known in zip(drawn, order, strict=True)
        ]
    ).T
    expected = tally(codes[:, None, :].astype(np.int32), np.ones((5, 4), bool), profiles=True).seen
    counts = Counts(5)
    for n in range(40):
        for q in range(5):
            counts.add(q, Told(None if drawn[q][n] == "-" else drawn[q][n]))
        seen = counts.seen(range(5), counts.arrived, profiles=True)
        for name in FIELDS:
            assert getattr(seen, name).tolist() == getattr(expected, name)[n + 1, 0].tolist(), name
        for q in range(5):
            profile = expected.profiles[expected.profile[n + 1, 0, q]]
            assert [c for c in seen.profiles[q] if c] == [c for c in profile if c]


def test_an_unknown_price_is_the_questions_mean():
    counts = Counts(2)
    for price in (None, 4.0, 8.0, None, 6.0):
        counts.add(0, Told("a", price))
    assert counts.spent.tolist() == [4 + 8 + 6 + 6, 0]


def test_the_plurality_wins_unless_a_rule_says_so():
    counts = Counts(1)
    for answer in "bbaaaaa":
        counts.add(0, Told(answer, logprob=-5.0 if answer == "a" else -0.01))
    assert list(counts.answers[0]) == ["b", "a"]
    assert counts.chances(0).tolist() == [0, 1]
    assert counts.chances(0, registry.vote("cisc")).tolist() == [
        1,
        0,
    ]  # two sure ones outweigh five unsure ones
    assert counts.chances(0, EarlyStopping(window=7)).tolist() == [0, 1]
    counts.add(0, Told("b"))
    for _ in range(2):
        counts.add(0, Told("b"))
    assert counts.chances(0).tolist() == [0.5, 0.5]
    assert counts.chances(0, EarlyStopping(window=2)).tolist() == [
        1,
        0,
    ]  # the last window is of one mind
    assert Counts(1).chances(0).tolist() == []


@pytest.mark.slow
def test_deciding_costs_the_same_however_much_was_decided():
    """Seconds of late picks against early ones, in one run."""
    decider, moments = OnlinePolicy(Policy(registry.allocator("ucb"), batch=64), 500, 12_000, 0), []
    rng = random.Random(0)
    while True:
        picks = []
        while (pick := decider.ask()) is not None:
            picks.append(pick)
        if not picks:
            break
        moments.append((len(decider.picks), time.process_time()))
        for pick in picks:
            decider.tell(pick.question, pick.sample, Told(rng.choice("ab")))
    third = len(moments) // 3
    early, late = moments[third][1] - moments[1][1], moments[-1][1] - moments[-third][1]
    assert late < 3 * early
