"""How long a run still takes: simulated runs in virtual time, whose end is known to the second."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from itertools import pairwise

import numpy as np
import pytest

from dynlab._util.durations import Countdown
from dynlab.sampling.latencies import CallClock, latencies_of
from dynlab.sampling.time_left import in_flight_of_rounds, seconds_left

WIDTH = 16


def simulated(seconds, questions=None, round_size=None):
    """A run of calls at fixed concurrency in virtual time, looked at once a second while calls are
    begun.

    Returns:
        Four rows, an entry a second: what was left in truth; shown now; by the rate since the
        beginning; by tqdm's average of the last rates. NaN where nothing was said yet.
    """
    now = [0.0]
    clock = CallClock(clock=lambda: now[0])
    questions = questions or ["q"] * len(seconds)
    running, ended, counted, looked, queued = [], 0, Countdown(), [], []
    queue = deque(range(len(seconds)))
    first = 0  # of the next round
    smoothed, weight, last = 0.0, 0.0, (0.0, 0)  # tqdm's moving average of seconds a sample
    while queue or running:
        if not running:
            first = len(seconds) if round_size is None else queue[0] + round_size
        while queue and len(running) < WIDTH and queue[0] < first:
            place = queue.popleft()
            heapq.heappush(running, (now[0] + seconds[place], clock.begin(), place))
        for second in np.arange(np.floor(now[0]) + 1, np.floor(running[0][0]) + 1):
            now[0] = second
            left = seconds_left(
                clock.latencies,
                len(queue),
                clock.ages,
                clock.in_flight,
                round_size,
                clock.relative(Counter(questions[place] for place in queue)),
            )
            if ended > last[1]:
                smoothed = 0.3 * (second - last[0]) / (ended - last[1]) + 0.7 * smoothed
                weight, last = 0.3 + 0.7 * weight, (second, ended)
            rates = (second / ended, smoothed / weight) if ended else (np.nan, np.nan)
            shown = counted.aim(left, second)
            by_rates = [rate * (len(seconds) - ended) for rate in rates]
            looked.append([second, np.nan if shown is None else shown, *by_rates])
            queued.append(bool(queue))
        now[0], call, place = heapq.heappop(running)
        clock.end(call, questions[place])
        ended += 1
    table = np.array(looked).T
    table[0] = now[0] - table[0]
    return table[:, np.array(queued)]


def error(left, shown):
    """The mean factor by which an estimate is off."""
    told = np.isfinite(shown)
    return float(np.exp(np.abs(np.log(shown[told] / left[told])).mean()))


def jump(shown):
    """The largest share of itself by which an estimate changes within a second, but for time."""
    known = shown[np.isfinite(shown)]
    return max(
        abs(after - (before - 1)) / before for before, after in pairwise(known) if before > 10
    )


def heavy(num, seed, sigma=1.0):
    """Lognormal seconds of mean 8: with sigma = 1 one in a hundred is above 50."""
    return np.random.default_rng(seed).lognormal(np.log(8) - sigma**2 / 2, sigma, num)


def of_seeds(sigma, **settings):
    """Means over three runs of error and jump, a row each: shown, by rate, by tqdm."""
    tables = [simulated(heavy(400, seed, sigma), **settings) for seed in range(3)]
    return np.mean(
        [[(error(left, each), jump(each)) for each in others] for left, *others in tables], axis=0
    )


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.6, 1.0])
def test_heavy_tailed_calls_are_foreseen_nearer_than_by_rates_and_without_jumps(sigma):
    shown, *rates = of_seeds(sigma)
    assert shown[0] < 1.35 and shown[1] < 0.1
    for rate in rates:
        assert shown[0] < rate[0] and shown[1] < rate[1] / 4


@pytest.mark.slow
def test_rounds_that_wait_for_their_longest_call_are_foreseen_without_jumps():
    shown, by_rate, by_tqdm = of_seeds(0.6, round_size=WIDTH)
    assert shown[0] < 1.1 * by_rate[0] and shown[0] < by_tqdm[0]
    assert shown[1] < 0.1 < by_rate[1] / 4


@pytest.mark.slow
def test_questions_that_take_longer_count_for_more():
    questions = [f"q{number % 80}" for number in range(480)]  # six sweeps, from short to long
    seconds = np.array([1 + number % 80 / 4 for number in range(480)])
    left, shown, by_rate, by_tqdm = simulated(seconds, questions)
    later = left < 0.7 * left.max()  # each question was answered once by then
    for old in (by_rate, by_tqdm):
        assert error(left[later], shown[later]) < error(left[later], old[later])
    assert error(left[later], shown[later]) < 1.1 and jump(shown) < 0.15


def test_what_is_on_its_way_counts_by_its_age():
    ended = latencies_of([1.0, 2.0, 3.0, 4.0])
    assert ended.mean == pytest.approx(2.5, rel=0.02)
    assert ended.longest(1) == pytest.approx(2.5, rel=0.02)
    assert ended.longest(50) == pytest.approx(4.0, rel=0.02)
    assert ended.longest_left([0.0]) == pytest.approx(2.5, rel=0.02)
    assert ended.longest_left([2.5]) == pytest.approx(1.0, rel=0.05)  # 3 or 4 by now
    assert latencies_of([1.0, 2.0, 3.0], ages=[9.0]).mean > 4  # not 2: one is longer than 9


def test_nothing_is_said_before_half_of_the_calls_in_flight_have_ended():
    assert latencies_of([]) is None and latencies_of([1.0], ages=[1.0] * 3) is None
    assert seconds_left(None, 10, [], 4) is None
    assert seconds_left(latencies_of([2.0, 2.0]), 0, [], 4) == 0.0


def test_calls_of_equal_length_are_foreseen_exactly():
    even = latencies_of([2.0] * 9)
    assert seconds_left(even, 8, [], 4, round_size=4) == pytest.approx(4.0, rel=0.02)
    assert seconds_left(even, 8, [0.5, 1.5], 2, round_size=2) == pytest.approx(9.5, rel=0.02)
    assert seconds_left(even, 0, [0.5, 1.5], 2) == pytest.approx(1.5, rel=0.02)
    assert in_flight_of_rounds(even, 8, 8) == pytest.approx(8, rel=0.02)
    uneven = latencies_of([1.0] * 50 + [3.0] * 50)  # mean 2; a round of many takes 3
    assert in_flight_of_rounds(uneven, 16, 16) == pytest.approx(16 * 2 / 3, rel=0.02)


def test_what_is_shown_goes_down_with_the_clock_and_moves_slowly():
    shown = Countdown()
    assert shown.aim(None, 0.0) is None
    assert shown.aim(100.0, 10.0) == 100.0
    assert shown.aim(99.0, 11.0) == pytest.approx(99.0)
    assert 98 < shown.aim(300.0, 12.0) < 120
