import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynlab.sampling.concurrency import ConcurrencyLimit


def rounds(concurrency, num, slower=False):
    """Full rounds of calls that begin together and end together."""
    for _ in range(num):
        begun = []
        while not concurrency.full:
            begun.append(concurrency.begin())
        for each in begun:
            concurrency.end(each, slower=slower)


def test_it_starts_at_what_was_asked_for_and_never_goes_above():
    concurrency = ConcurrencyLimit(8)
    rounds(concurrency, 20)
    assert concurrency.limit == 8


def test_a_round_that_is_told_to_slow_down_halves_the_limit_once():
    concurrency = ConcurrencyLimit(64)
    rounds(concurrency, 1, slower=True)
    assert concurrency.limit == 32
    rounds(concurrency, 1, slower=True)
    assert concurrency.limit == 16


def test_a_round_that_goes_well_raises_the_limit_by_one():
    concurrency = ConcurrencyLimit(64)
    rounds(concurrency, 2, slower=True)
    for limit in (16, 17, 18, 19):
        assert concurrency.limit == pytest.approx(limit, abs=1)
        rounds(concurrency, 1)
    rounds(concurrency, 100)
    assert concurrency.limit == 64


@pytest.mark.slow
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200), st.integers(1, 20))
def test_between_one_and_the_most_calls_are_let_begin_whatever_happens(events, most):
    concurrency, flying = ConcurrencyLimit(most), []
    for begins, slower in events:
        if begins and not concurrency.full:
            flying.append(concurrency.begin())
        elif flying:
            concurrency.end(flying.pop(0), slower=slower)
        assert 1 <= concurrency.limit <= most and concurrency.in_flight == len(flying)
    while flying:
        concurrency.end(flying.pop())
    assert not concurrency.full
