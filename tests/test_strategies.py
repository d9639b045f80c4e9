import pytest

from dynlab.errors import InputError
from dynlab.strategies import STRATEGIES, Integrated, Parallel, Sequential, by_name


def test_parallel_samples_have_no_parents():
    assert {Parallel().parents(i) for i in range(10)} == {()}


def test_a_sequential_sample_is_shown_all_earlier_ones_of_its_stream():
    assert [Sequential().parents(i) for i in range(4)] == [(), (0,), (0, 1), (0, 1, 2)]


def test_a_sequential_sample_is_shown_the_last_few_where_their_number_is_limited():
    assert [Sequential(num_shown=2).parents(i) for i in range(5)] == [(), (0,), (0, 1), (1, 2), (2, 3)]


def test_an_integrated_chain_is_made_of_the_independent_samples():
    assert [Integrated(width=3).parents(i) for i in range(5)] == [(), (), (), (0, 1, 2), (0, 1, 2)]


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_parents_are_earlier_samples_in_the_order_they_were_drawn(name):
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
        ("sequential", {"num_shown": 0}, "num_shown is 0"),
    ],
)
def test_unknown_names_and_impossible_parameters_are_refused(name, parameters, words):
    with pytest.raises(InputError, match=words):
        by_name(name, **parameters)
