from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab._util.values import Sample
from dynlab.strategies.attempts import OPTIONS
from dynlab.strategies.integrated import Integrated
from dynlab.strategies.parallel import Parallel
from dynlab.strategies.recursive import Recursive
from dynlab.strategies.registry import STRATEGIES, by_name
from dynlab.strategies.sequential import Sequential


def test_parallel_samples_have_no_parents():
    assert {Parallel().parents(i) for i in range(10)} == {()}


def test_a_sequential_sample_is_shown_all_earlier():
    assert [Sequential().parents(i) for i in range(4)] == [(), (0,), (0, 1), (0, 1, 2)]


def test_a_sample_waits_for_those_it_is_shown_alone():
    assert [Sequential(who="last", num_shown=2).parents(i) for i in range(5)] == [
        (),
        (0,),
        (0, 1),
        (1, 2),
        (2, 3),
    ]
    assert Sequential(who="random", num_shown=2).parents(4) == (0, 1, 2, 3)


def test_an_integrated_chain_is_made_of_the_independent_samples():
    assert [Integrated(width=3).parents(i) for i in range(5)] == [(), (), (), (0, 1, 2), (0, 1, 2)]


# width 2, chain 2, what later chains are made of → the parents of samples 0 … 9, laid out by hand
ROUNDS = {
    "independents": [(), (), (0, 1), (0, 1), (), (), (4, 5), (4, 5), (), ()],
    "chain": [(), (), (0, 1), (0, 1), (), (), (2, 3), (2, 3), (), ()],
    "both": [(), (), (0, 1), (0, 1), (), (), (2, 3, 4, 5), (2, 3, 4, 5), (), ()],
}


@pytest.mark.parametrize("later", ROUNDS)
def test_rounds_of_independent_and_chained_samples(later):
    strategy = Integrated(width=2, chain=2, later=later)
    assert [strategy.parents(i) for i in range(10)] == ROUNDS[later]
    assert [
        Integrated(width=2, chain=2, later=later, voting="chained").votes(i) for i in range(8)
    ] == 2 * [0, 0, 1, 1]


def test_the_last_of_a_number_of_rounds_goes_on():
    strategy = Integrated(width=1, chain=1, rounds=2, later="both")
    assert [strategy.parents(i) for i in range(7)] == [(), (0,), (), (1, 2), (1, 2), (1, 2), (1, 2)]
    assert [Integrated(width=1, chain=1, rounds=1).parents(i) for i in range(4)] == [
        (),
        (0,),
        (0,),
        (0,),
    ]


def test_a_chain_that_shows_the_last_few_waits_for_these_alone():
    assert Integrated(width=4, who="last", num_shown=2).parents(6) == (2, 3)
    assert Integrated(width=4, who="random", num_shown=2).parents(6) == (0, 1, 2, 3)
    assert Integrated(width=2, chain=2, later="both", who="last", num_shown=3).parents(6) == (
        3,
        4,
        5,
    )


def test_rsa_makes_populations_and_the_last_votes():
    strategy = Recursive(width=3, rounds=3, num_shown=2)
    assert [strategy.parents(i) for i in range(9)] == 3 * [()] + 3 * [(0, 1, 2)] + 3 * [(3, 4, 5)]
    assert [strategy.votes(i) for i in range(10)] == 6 * [False] + 4 * [True]
    shown = {tuple(s.sample_index for s in strategy.chosen(ARRIVED[:3], lot)) for lot in range(40)}
    assert shown == {
        (0, 1),
        (0, 2),
        (1, 2),
    }  # two of three without replacement, all pairs, as drawn


def test_which_samples_vote():
    assert [Sequential(voting="chained").votes(i) for i in range(3)] == [False, True, True]
    assert [Integrated(width=2, voting="chained").votes(i) for i in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert all(
        by_name(name).votes(i)
        for name in ("parallel", "sequential", "integrated")
        for i in range(9)
    )


# ——— who is shown, and in which order ———


def sample(index, answer, text):
    return Sample("q", "integrated", 0, index, answer, text)


ARRIVED = [
    sample(0, "b", "long text"),
    sample(1, "a", "text"),
    sample(2, "", "longest of texts"),
    sample(3, "b", "tex"),
    sample(4, "a", "t"),
    sample(5, "a", "also long"),
]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"who": "last", "num_shown": 2}, [4, 5]),
        ({"who": "last", "num_shown": 9}, [0, 1, 2, 3, 4, 5]),
        ({"who": "distinct"}, [0, 1, 2]),
        ({"order": "shortest-first"}, [4, 3, 1, 0, 5, 2]),
        ({"order": "leader-first"}, [1, 4, 5, 0, 2, 3]),
        ({"order": "leader-last"}, [0, 2, 3, 1, 4, 5]),
        ({"who": "distinct", "order": "leader-last"}, [0, 2, 1]),
        ({"who": "last", "num_shown": 3, "order": "leader-first"}, [4, 5, 3]),
    ],
)
@pytest.mark.parametrize("name", ["sequential", "integrated"])
def test_who_is_shown_and_in_which_order(name, parameters, expected):
    strategy = by_name(name, **parameters)
    assert [shown.sample_index for shown in strategy.chosen(ARRIVED, 7)] == expected
    assert [
        shown.sample_index for shown in strategy.chosen(ARRIVED, 8)
    ] == expected  # nothing of this is drawn


def test_subsets_and_orders_are_drawn_uniformly():
    subset, order = Integrated(who="random", num_shown=2), Integrated(order="shuffled")
    pairs = Counter(
        tuple(s.sample_index for s in subset.chosen(ARRIVED[:4], lot)) for lot in range(3000)
    )
    orders = Counter(
        tuple(s.sample_index for s in order.chosen(ARRIVED[:3], lot)) for lot in range(3000)
    )
    assert set(pairs) == set(combinations(range(4), 2)) and set(orders) == set(
        permutations(range(3))
    )
    assert all(abs(count - 500) < 5 * np.sqrt(500) for count in [*pairs.values(), *orders.values()])
    assert [s.sample_index for s in order.chosen(ARRIVED, 2)] == [
        0,
        3,
        5,
        4,
        2,
        1,
    ]  # recordings depend on it
    assert [s.sample_index for s in subset.chosen(ARRIVED, 2)] == [2, 3]


def test_a_tied_leader_is_drawn_by_lot():
    tied = [sample(0, "a", "x"), sample(1, "b", "x"), sample(2, "", "x"), sample(3, "", "x")]
    orders = Counter(
        tuple(s.sample_index for s in Integrated(order="leader-last").chosen(tied, i))
        for i in range(400)
    )
    assert set(orders) == {(1, 2, 3, 0), (0, 2, 3, 1)} and min(orders.values()) > 140
    silent = [sample(i, "", "x") for i in range(3)]
    assert Integrated(order="leader-last").chosen(silent, 0) == tuple(silent)


@pytest.mark.parametrize("order", OPTIONS["order"])
@pytest.mark.parametrize("who", OPTIONS["who"])
def test_those_shown_are_parents_each_once_and_never_none(who, order):
    strategy = Integrated(who=who, order=order, num_shown=2 if who in ("last", "random") else None)
    for lot in range(20):
        shown = strategy.chosen(ARRIVED, lot)
        assert shown and set(shown) <= set(ARRIVED) and len(set(shown)) == len(shown)
        assert shown == strategy.chosen(ARRIVED, lot)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_parents_are_earlier_samples_as_drawn(name):
    strategy = by_name(name)
    for index in range(20):
        parents = strategy.parents(index)
        assert list(parents) == sorted(set(parents))
        assert all(0 <= parent < index for parent in parents)


def test_strategies_of_the_same_parameters_are_equal():
    assert by_name("integrated", width=2) == Integrated(2) != Integrated(3)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("paralel", {}, "did you mean 'parallel'"),
        ("integrated", {"widht": 2}, "did you mean 'width'"),
        ("parallel", {"width": 2}, "parameter of strategy 'parallel'"),
        ("integrated", {"width": 0}, "width is 0"),
        ("integrated", {"width": 17}, "from 1 to 16"),
        ("integrated", {"width": True}, "width is True"),
        ("integrated", {"rounds": 2}, "give chain"),
        ("integrated", {"chain": 0}, "chain is 0"),
        ("integrated", {"order": "leader"}, "did you mean 'leader-"),
        ("integrated", {"later": "chains"}, "did you mean 'chain'"),
        ("integrated", {"finals_only": "yes"}, "give True or False"),
        ("sequential", {"who": "last", "num_shown": 0}, "num_shown is 0"),
        ("sequential", {"who": "random"}, "give num_shown"),
        ("sequential", {"num_shown": 2}, "give who = 'last' or 'random'"),
        ("sequential", {"shown": "list"}, "did you mean 'listed'"),
        ("rsa", {"voting": "all"}, "parameter of strategy 'rsa'"),
    ],
)
def test_unknown_names_and_impossible_parameters_are_refused(name, parameters, words):
    with pytest.raises(InputError, match=words):
        by_name(name, **parameters)
