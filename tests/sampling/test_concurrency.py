import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynlab.sampling.concurrency import Pace


def rounds(pace, num, slower=False):
    """Full rounds of calls that begin together and end together."""
    for _ in range(num):
        begun = []
        while not pace.full:
            begun.append(pace.begin())
        for each in begun:
            pace.end(each, slower=slower)


def test_it_starts_at_what_was_asked_for_and_never_goes_above():
    pace = Pace(8)
    rounds(pace, 20)
    assert pace.limit == 8


def test_a_round_that_is_told_to_slow_down_halves_the_limit_once():
    pace = Pace(64)
    rounds(pace, 1, slower=True)
    assert pace.limit == 32
    rounds(pace, 1, slower=True)
    assert pace.limit == 16


def test_a_round_that_goes_well_raises_the_limit_by_one():
    pace = Pace(64)
    rounds(pace, 2, slower=True)
    for limit in (16, 17, 18, 19):
        assert pace.limit == pytest.approx(limit, abs=1)
        rounds(pace, 1)
    rounds(pace, 100)
    assert pace.limit == 64


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200), st.integers(1, 20))
def test_between_one_and_the_most_calls_are_let_begin_whatever_happens(events, most):
    pace, flying = Pace(most), []
    for begins, slower in events:
        if begins and not pace.full:
            flying.append(pace.begin())
        elif flying:
            pace.end(flying.pop(0), slower=slower)
        assert 1 <= pace.limit <= most and pace.in_flight == len(flying)
    while flying:
        pace.end(flying.pop())
    assert not pace.full
