"""Time of policies: the depth of a replay at recorded latencies."""

from dataclasses import replace

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis import compare
from dynlab.analysis.times import mean_latencies
from dynlab.plots.curves import plot_curves
from dynlab.recordings.recording import load

HOW = {"replications": 4, "seed": 1}


@pytest.fixture
def pool(make_pool):
    """Two questions, whose calls take 1 s and 3 s; a greedy answer that takes half a second."""
    pool = make_pool({"q1": "aabaab", "q2": "abbbba"})
    return pool.assign(latency_s=np.where(pool["question_id"] == "q1", 1.0, 3.0))


def test_seconds_are_calls_in_a_row_at_the_mean_of_the_recorded_ones(pool):
    comparison = compare(pool, ["uniform", "ucb", "ucb(batch=4)"], [2, 4], **HOW)
    times = comparison.times().set_index(["allocator", "batch", "budget"])
    assert mean_latencies(load(pool)) == {"parallel": 2.0}
    # nothing waits for a parallel sample; each of UCB's four picks after the warm-up does
    assert times.loc[("uniform", 1, 4), "spent_seconds"] == 2.0
    assert (
        times.loc[("ucb", 1, 4), "depth"] == 5 and times.loc[("ucb", 1, 4), "spent_seconds"] == 10
    )
    assert times.loc[("ucb", 4, 4), "spent_seconds"] == 4.0
    said = comparison.report()
    assert "1 (uniform), 5 (UCB, batch 1), 2 (UCB, batch 4) calls; at 2 s a call," in said
    assert "that is 2 s (uniform), 10 s (UCB, batch 1), 4 s (UCB, batch 4)" in said


@pytest.mark.parametrize("why", ["not recorded", "of a shared machine"])
def test_where_no_time_of_a_call_alone_is_recorded_depth_alone_is_told(pool, why):
    given = pool.drop(columns="latency_s")
    if why == "of a shared machine":
        given = replace(load(pool), card={"server": "llama.cpp"})
    comparison = compare(given, ["uniform", "ucb"], [2, 4], **HOW)
    assert comparison.times()["spent_seconds"].isna().all()
    assert comparison.report().count("5 (UCB) calls.") == 1
    with pytest.raises(InputError, match="is not recorded"):
        plot_curves(comparison.times(), unit="seconds")
    with pytest.raises(InputError, match="Comparison.times"):
        plot_curves(comparison.curves, unit="seconds")


@pytest.mark.slow
def test_a_figure_counts_depth_or_seconds(pool):
    times = compare(pool, ["uniform", "ucb"], [2, 4], **HOW).times()
    for unit, most in (("depth", 5), ("seconds", 10)):
        axes = plot_curves(times, unit=unit)
        assert (
            max(line.get_xdata().max() for line in axes.lines if len(line.get_xdata()) > 1) == most
        )
        assert unit in axes.get_xlabel()
