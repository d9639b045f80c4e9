from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.policies.registry import names, stopping_rule, sweep
from dynlab.policies.stopping import (
    AdaptiveConsistency,
    BestOfInfinity,
    DirichletConsistency,
    Doubling,
    EarlyStopping,
)
from dynlab.policies.uncertainty import doubt_table
from dynlab.policies.votes import tally


def stop_depths(rule, codes, right=None):
    """[R] the first depth at which the rule stops, for codes [R, N] of one question."""
    table = tally(
        np.array(codes, np.int32).T[:, :, None], np.array([right or [True] * 10]), profiles=True
    )
    stops = rule.stops(table)[:, :, 0]
    depth = np.where(stops.any(axis=0), stops.argmax(axis=0), len(stops) - 1)
    return depth, rule.right(table)[depth, np.arange(len(depth)), 0]


def test_adaptive_consistency_stops_at_the_published_counts():
    confident = 1 - doubt_table(60) >= 0.95
    smallest = [
        next(v1 for v1 in range(v2, 40) if v1 + v2 <= 60 and confident[v1 + v2, v2])
        for v2 in range(11)
    ]
    assert smallest == [4, 6, 8, 9, 11, 12, 14, 15, 17, 18, 19]


def test_adaptive_consistency_draws_at_most_forty():
    depth, _ = stop_depths(AdaptiveConsistency(), [[0, 1] * 30])
    assert depth.tolist() == [40]


# Where AC(max_gens=40, 'beta') of PyPI's AdaptiveConsistency 1.0.0 stopped on these streams (40: it
# did not before).
RELEASED = [
    ("aaaaaaaaaaaaaaaabaabaaaaaaabaaaaaaaaaaaa", 4),
    ("abaaaaaaaaaaaaaaaaaabaaaaaaaaaababaaaaaa", 7),
    ("aababaaaaacaaacacaabbaabacaaacababacaaaa", 10),
    ("acbaaaaaacaaaaaabbbacbbacaaaaaaaaaaaaaca", 8),
    ("baaaaabcbaaaaababbabbaaaaaaabbabbbaaaaac", 13),
    ("baabbaabbcaabbbcccbababbbaaaacbabbaccaab", 40),
    ("cabccaacaababacabaaaaabaacccaaaaabaacaab", 21),
    ("acabacbcacbbcbbbcababcabacbbbbbabbcabbba", 38),
    ("baacabcbbcbbcbbbbababcbacaccbbaacbbbbbba", 19),
    ("abaaababaaaaabbaaababbbbbaaaaaabaaaabaaa", 12),
    ("ccaaaaabcacccbacaaccaacacacababcaacbabbc", 40),
]


def test_it_stops_where_the_released_package_does():
    depth, _ = stop_depths(
        AdaptiveConsistency(), [["abc".index(letter) for letter in drawn] for drawn, _ in RELEASED]
    )
    assert depth.tolist() == [stop for _, stop in RELEASED]


def test_the_dirichlet_form_is_the_careful_one():
    same, _ = stop_depths(DirichletConsistency(), [[0] * 9])
    assert same.tolist() == [4]
    orders = np.random.default_rng(0).choice(3, (300, 40), p=[0.6, 0.3, 0.1])
    dirichlet, beta = (
        stop_depths(rule, orders)[0] for rule in (DirichletConsistency(), AdaptiveConsistency())
    )
    assert (dirichlet >= beta).all() and (dirichlet > beta).any()


@pytest.mark.slow
def test_the_dirichlet_form_stops_by_draws_of_the_dirichlet():
    rng = np.random.default_rng(1)
    order = [0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]
    depth, _ = stop_depths(DirichletConsistency(0.9), [order])
    chances = []
    for n in range(1, len(order) + 1):
        counts = np.bincount(order[:n])
        alphas = np.append(counts[counts > 0] + 1.0, 1.0)
        chances.append(
            (rng.standard_gamma(alphas, (200_000, alphas.size)).argmax(axis=1) == 0).mean()
        )
    assert depth[0] == 1 + next(i for i, chance in enumerate(chances) if chance >= 0.9)
    assert np.abs(np.array(chances) - 0.9).min() > 0.004  # no draw's luck decides


def test_best_of_infinity_has_the_published_counts():
    stops = [
        stop_depths(BestOfInfinity(factor), [[0] * 20])[0][0]
        for factor in (2, 5, 7, 10, 30, 100, 300)
    ]
    assert stops == [1, 2, 2, 3, 4, 6, 8]


def test_best_of_infinity_draws_at_most_a_hundred():
    depth, _ = stop_depths(BestOfInfinity(), [[0, 1] * 60])
    assert depth.tolist() == [100]


@pytest.mark.slow
@pytest.mark.parametrize("name", names("stopping rule"))
def test_a_rule_swept_from_cautious_to_eager_draws_less_and_less(name):
    orders = np.random.default_rng(2).choice(4, (400, 40), p=[0.5, 0.25, 0.15, 0.1])
    drawn = [stop_depths(rule, orders)[0].mean() for rule in sweep(name)]
    assert len(drawn) == len(stopping_rule(name).grid) and drawn[0] > 1.5 * drawn[-1]
    assert all(one >= other for one, other in pairwise(drawn))
    assert all(rule.name == name for rule in sweep(name))


@pytest.mark.parametrize("name", names("stopping rule"))
def test_rules_compare_like_policies(name, random_pool):
    table = compare(
        random_pool(12, 16),
        [f"uniform+{name}", f"okg-beta+{name}"],
        [2, 8],
        replications=5,
    ).curves
    assert (table["spent_samples"] <= table["budget"] + 1e-9).all() and set(table["stopping"]) == {
        name
    }


def test_esc_over_all_orders_of_a_pool_agrees_with_enumeration():
    pool = [0, 0, 0, 1, 1, -1]
    orders = sorted(set(permutations(pool)))
    depth, right = stop_depths(EarlyStopping(window=2, most=6), orders, [True, False])
    for order, stopped, chance in zip(orders, depth, right, strict=True):
        expected, answer = 6, None
        for end in (2, 4, 6):
            if order[end - 2] == order[end - 1] != -1:
                expected, answer = end, order[end - 1]
                break
        assert stopped == expected
        assert chance == (
            1.0 if answer in (0, None) else 0.0
        )  # the plurality of the whole pool is 0


@pytest.mark.slow
def test_esc_needs_as_many_samples_as_the_closed_form_says():
    # E[n] = w·[Σ_{i<L/w−1} (i+1)·q·(1−q)^i + (L/w)·(1−q)^(L/w−1)], q = Σ p^w, for independent
    # draws.
    shares, w, last = np.array([0.6, 0.3, 0.1]), 5, 40
    q = (shares**w).sum()
    rounds = last // w
    expected = w * (
        sum((i + 1) * q * (1 - q) ** i for i in range(rounds - 1))
        + rounds * (1 - q) ** (rounds - 1)
    )
    codes = np.random.default_rng(0).choice(3, (20000, last), p=shares)
    depth, _ = stop_depths(EarlyStopping(), codes)
    assert depth.mean() == pytest.approx(expected, abs=4 * depth.std() / np.sqrt(len(depth)))


def test_esc_draws_whole_windows_alone():
    depth, _ = stop_depths(EarlyStopping(most=64), [[0, 1] * 40])
    assert depth.tolist() == [60]


def test_a_window_with_a_missing_answer_is_not_unanimous():
    depth, _ = stop_depths(EarlyStopping(window=2, most=4), [[-1, -1, 0, 0], [0, -1, 1, 1]])
    assert depth.tolist() == [4, 4]


def test_doubling_stops_at_powers_of_two_only():
    depth, _ = stop_depths(
        Doubling(), [[0] * 8, [0, 1, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]]
    )
    assert depth.tolist() == [2, 4, 8]


def test_a_stopped_question_gets_nothing_more(make_pool):
    frame = make_pool({"q1": "aaaaaaaa", "q2": "abababab"})
    frame["strategy"] = "sequential"
    table = compare(
        frame,
        "uniform+adaptive-consistency",
        [2, 4, 6, 8],
        replications=2,
    ).curves
    assert table["spent_samples"].tolist() == [2, 4, 6, 6]  # q1 stops after 4 of its 8


def test_unknown_rule_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'esc'"):
        stopping_rule("ecs")


def test_a_rule_is_set_behind_a_colon(random_pool):
    from dynlab._util.errors import InputError
    from dynlab.analysis.verbs import compare
    from dynlab.plots.style import methods
    from dynlab.policies.registry import names, stopping_rule, sweep

    for name in names("stopping rule"):
        assert [stopping_rule(f"{name}:{value:g}") for value in stopping_rule(name).grid] == sweep(
            name
        )
    pool = random_pool()
    eager, cautious = (
        compare(
            pool, [f"{name}+doubling:{at}" for name in ("uniform", "ucb")], replications=5
        ).curves
        for at in (0.5, 1)
    )
    assert set(eager["stopping"]) == {"doubling(threshold=0.5)"}
    at_8 = [table.loc[table["budget"] == 8, "spent_samples"].mean() for table in (eager, cautious)]
    assert not at_8[0] >= at_8[1]
    assert {look.label for look, _ in methods(eager[eager["allocator"] == "uniform"])} == {
        "doubling 0.5"
    }
    for wrong, said in (
        ("esc:a", "set by its window"),
        ("esc:-1", "above 0"),
        ("esk:2", "did you mean 'esc'"),
    ):
        with pytest.raises(InputError, match=said):
            stopping_rule(wrong)
