"""The golden example: three questions worked by hand through every metric.

      draws      tokens each   vote after 1, 2, 3, 4 samples (a is right; ½ = tied)
q1    a a a a    10            1   1   1   1
q2    b a a a    20            0   ½   1   1
q3    b b a −    30            0   0   0   0
"""

from __future__ import annotations

import numpy as np
import pytest

from dynlab.analysis.budgets import dense_grid
from dynlab.analysis.metrics import difference, first_reach, pareto
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.rows import CURVES, SAVINGS
from dynlab.analysis.verbs import compare, savings
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.oracle import oracle
from dynlab.reports.tables import table as shown


@pytest.fixture
def golden(make_pool):
    frame = make_pool({"q1": "aaaa", "q2": "baaa", "q3": "bba-"})
    frame["strategy"] = (
        "sequential"  # an ordered stream is not permuted, so all can be worked by hand
    )
    frame["completion_tokens"] = frame["question_id"].map({"q1": 6, "q2": 16, "q3": 26})
    frame["prompt_tokens"] = 4
    frame["cost_usd"] = frame["question_id"].map({"q1": 0.1, "q2": 0.2, "q3": 0.3})
    return frame


def column(table, name, **where):
    for key, value in where.items():
        table = table[table[key] == value]
    return table[name].tolist()


def test_accuracy_spending_depth_and_exhaustion_of_the_golden_example(golden):
    table = compare(golden, budgets=[2, 3, 4], replications=7).curves
    assert column(table, "accuracy", allocator="uniform") == pytest.approx([1 / 2, 2 / 3, 2 / 3])
    assert column(table, "spent_samples", allocator="uniform") == pytest.approx([2, 3, 4])
    assert column(table, "spent_tokens", allocator="uniform") == pytest.approx([40, 60, 80])
    assert column(table, "spent_usd", allocator="uniform") == pytest.approx([0.4, 0.6, 0.8])
    assert column(table, "depth", allocator="uniform") == [2, 3, 4]
    assert column(table, "exhausted", allocator="uniform") == pytest.approx([0, 0, 1])
    assert set(table["tokens_kind"]) == {"total"}


def test_ucb_gives_the_first_extra_sample_to_the_disputed_question(golden):
    # After the warm-up only q2 is disputed: u = 0, ½, 0 and equal bonuses. Then q2: ⅓ + √(ln 7/3) >
    # √(ln 7/2).
    table = compare(golden, "ucb", [2, 7 / 3, 8 / 3], replications=7).curves
    assert column(table, "accuracy") == pytest.approx([1 / 2, 2 / 3, 2 / 3])
    assert column(table, "spent_tokens") == pytest.approx([40, 140 / 3, 160 / 3])
    assert column(table, "depth") == [
        2,
        3,
        4,
    ]  # a warm-up of two chained samples, then one round a pull


def test_budgets_in_tokens_and_usd_are_multiples_of_the_mean_price(golden):
    for unit in ("tokens", "usd"):
        table = compare(golden, "uniform", [2, 3, 4], unit=unit, replications=7).curves
        assert column(table, "accuracy") == pytest.approx([1 / 2, 2 / 3, 2 / 3])
        assert column(table, f"spent_{unit}") == pytest.approx(
            [40, 60, 80] if unit == "tokens" else [0.4, 0.6, 0.8]
        )


def test_interval_over_questions_of_the_golden_example(golden):
    # Per-question accuracies 1, ½, 0: all three resampled alike has chance 1/27 = 3.7 % > 2.5 % at
    # either end.
    row = compare(golden, "uniform", 2, replications=3).curves.iloc[0]
    assert (row["low"], row["high"]) == (0, 1)


def test_saving_of_the_golden_example(golden):
    # Grid 2, 2.25, 2.5, …: ucb reaches ⅔ with 7 pulls, first affordable at 2.5. B = 3: 1 − 2.5/3; B
    # = 4: 1 − 2.5/4.
    table = savings(golden, "ucb", [2, 3, 4], replications=7)
    assert table["saving"].tolist() == pytest.approx([0, 1 / 6, 3 / 8])
    assert table["reached"].tolist() == [True, True, True]
    assert table["flat"].tolist() == [True, False, False]


def test_oracle_of_the_golden_example(golden):
    streams = streams_of(load(golden))
    # q1 needs 1 sample, q2 two (its target is then among the leaders), q3 can't be solved.
    bound = oracle(streams, np.array([0.3, 0.4, 1.0, 4.0]), replications=3)
    assert bound.accuracy.mean(axis=1) == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3])
    tokens = oracle(
        streams, np.array([0.16, 0.2, 0.8, 1.0]), unit="tokens", replications=3
    )  # 10 and 40 of 60·B
    assert tokens.accuracy.mean(axis=1) == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3])


def test_greedy_baseline_of_the_golden_example(golden):
    import pandas as pd

    greedy = golden[golden["sample_index"] == 0].assign(strategy="greedy", answer=["a", "a", "b"])
    frame = pd.concat([golden, greedy])
    comparison = compare(frame, budgets=[2], replications=3)
    row = comparison.curves.set_index("allocator").loc["greedy"]
    assert row["accuracy"] == pytest.approx(2 / 3)
    assert row["spent_tokens"] == pytest.approx(20)
    gap = comparison.greedy_vs_vote().iloc[0]
    assert gap["difference"] == pytest.approx(1 / 2 - 2 / 3)
    assert (gap["low"], gap["high"]) == pytest.approx((-0.5, 0.0))


def test_without_targets_the_measure_is_the_self_consistency_rate(make_pool):
    frame = make_pool({"q1": "aab", "q2": "bbb"}, target=None)
    table = compare(frame, "uniform", [3], replications=3).curves
    assert table.attrs["measure"] == "self-consistency rate"
    assert table["accuracy"].tolist() == [1.0]


def test_budgets_beyond_what_is_recorded_are_named_beside_the_table(make_pool):
    found = compare([make_pool({"q1": "aabb", "q2": "abba"})], ["uniform"], [2, 8], replications=3)
    assert found.curves["budget"].tolist() == [2]
    assert found.notes == ["Budgets left out: 8, more than is recorded."]
    assert found.notes[0] in found._repr_html_() and found.notes[0] in str(found.report())


def test_every_table_of_a_recording_without_targets_says_so_in_a_column(make_pool):
    known, unknown = make_pool({"q1": "aabb"}), make_pool({"q1": "aabb"}, target=None)
    known.attrs["name"], unknown.attrs["name"] = "known", "unknown"
    both = compare([known, unknown], ["ucb"], [2, 3], replications=3)
    for frame in (both.curves, both.savings(), both.differences()):
        measures = frame.groupby("recording")["measure"].unique().map(list).to_dict()
        assert measures == {"known": ["accuracy"], "unknown": ["self-consistency rate"]}
    assert "unknown (self-consistency rate)" in str(shown(both.curves))
    assert "unknown (self-consistency rate)" in both.to_latex()
    assert both.notes == ["Accuracy of unknown is the self-consistency rate: there are no targets."]
    alone = compare([known], ["ucb"], [2, 3], replications=3)
    assert alone.curves.columns.tolist() == CURVES and alone.savings().columns.tolist() == SAVINGS


def test_unreached_saving_ends_at_the_grid_and_is_flagged():
    reach, reached = first_reach(
        np.array([[0.1, 0.2], [0.1, 0.4]]), np.array([2.0, 4.0]), np.array([0.3, 0.3])
    )
    assert reach.tolist() == pytest.approx([4.0, 2 + 2 * 2 / 3])
    assert reached.tolist() == [False, True]


def test_first_reach_takes_the_first_crossing_of_a_curve_that_falls_again():
    reach, _ = first_reach(
        np.array([[0.1, 0.5, 0.2, 0.6]]), np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5])
    )
    assert reach.tolist() == [2.0]


def test_savings_grid_goes_in_quarters_to_four_then_in_ones():
    grid = dense_grid(2, np.array([4.0, 8.0]), longest=80)
    assert grid[:9].tolist() == [2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4]
    assert np.diff(grid[8:]).max() == 1 and grid[-1] == 16


def test_paired_interval_is_that_of_the_differences():
    rng = np.random.default_rng(0)
    one = rng.random(200)
    other = (
        one - 0.1
    )  # a constant difference: no spread at all, however wide either accuracy's own interval
    gap = difference(one, other, question_resamples(200))
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.1, 0.1, 0.1))


def test_interval_agrees_with_the_normal_approximation():
    values = np.random.default_rng(1).random((1, 400))
    from dynlab.analysis.metrics import estimates

    found = estimates(values, question_resamples(400))[0]
    half = 1.96 * values.std() / np.sqrt(400)
    assert found.high - found.value == pytest.approx(half, rel=0.1)
    assert found.value - found.low == pytest.approx(half, rel=0.1)


def test_pareto_front_keeps_what_nothing_beats():
    assert pareto(np.array([3.0, 1, 2, 2]), np.array([0.6, 0.5, 0.4, 0.55])).tolist() == [
        True,
        True,
        False,
        True,
    ]
