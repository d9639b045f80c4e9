"""Words about figures: their numbers are those of the frame, and what speaks against the paper is
said.
"""

import math

import numpy as np
import pandas as pd
import pytest
from helpers import frames

from dynlab.analysis.verbs import compare
from dynlab.policies import priced, registry
from dynlab.reports import curves as curve_reports
from dynlab.reports import savings as savings_reports
from dynlab.reports.wording import pooled

TWO = ("capitals--small", "opposites--small")


def greedy_frame(difference=0.05, low=0.01, high=0.09):
    return pd.DataFrame(
        [
            {
                "recording": name,
                "at": 16,
                "greedy": 0.5,
                "vote": 0.5 + difference,
                "difference": difference,
                "low": low,
                "high": high,
            }
            for name in TWO
        ]
    )


def test_a_pooled_interval_is_what_the_interval_of_a_mean_of_independent_estimates_would_be():
    rng = np.random.default_rng(0)
    spread, centre = np.array([0.02, 0.05, 0.03]), np.array([0.1, 0.3, 0.2])
    frame = pd.DataFrame(
        {"v": centre, "low": centre - 1.96 * spread, "high": centre + 1.96 * spread}
    )
    mean, low, high = pooled(frame, "v")
    means = rng.normal(centre, spread, (200_000, 3)).mean(axis=1)
    assert mean == pytest.approx(0.2)
    assert (low, high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=3e-4)


def test_curves_are_read_in_three_bullets_with_the_frame_s_numbers():
    curves = frames.curves(TWO)
    text = curve_reports.of_curves(curves, greedy_frame())
    assert text.count("\n- ") == 2 and text.startswith("- ")
    at = curves.groupby(["allocator", "budget"])["accuracy"].mean()
    assert f"from {at['uniform', 2]:.3f} to {at['uniform', 16]:.3f} (mean of 2 recordings)" in text
    assert f"UCB {at['ucb', 8] - at['uniform', 8]:+.3f}" in text
    assert "vote − greedy is +0.050" in text and "the vote is ahead in 2" in text


def test_one_budget_is_not_read_as_a_gain():
    curves = frames.curves()
    told = str(curve_reports.of_curves(curves[curves["budget"] == curves["budget"].max()]))
    assert "**One budget.** At " in told and "goes from" not in told


def test_a_vote_that_loses_to_greedy_is_said_to_lose():
    text = curve_reports.of_greedy(greedy_frame(-0.05, -0.09, -0.01))
    assert "ahead in 0, behind in 2 (capitals · small, opposites · small)" in text


def test_without_greedy_answers_the_question_stays_open():
    assert "stays open" in curve_reports.of_curves(frames.curves(), None)


@pytest.mark.parametrize(
    ("saving", "said"),
    [
        (0.6, "is found in samples"),
        (0.1, "is not found in samples"),
        (0.3, "is neither shown nor excluded in samples"),
    ],
)
def test_the_paper_s_headline_is_reported_as_found(saving, said):
    savings = frames.savings().assign(saving=saving, low=saving - 0.05, high=saving + 0.05)
    assert said in savings_reports.of_savings(savings)


def test_cells_in_which_uniform_does_better_are_named():
    savings = frames.savings(TWO)
    worse = savings.assign(saving=-0.4, low=-0.6, high=-0.1).where(
        savings["recording"] == TWO[0], savings
    )
    assert "below zero in 3 (capitals · small)" in savings_reports.of_savings(worse)


def test_flat_cells_do_not_enter_a_mean():
    savings = frames.savings(TWO, flat=(TWO[1],))
    steep = savings[~savings["flat"] & (savings["at"] == 16)]["saving"].item()
    assert savings_reports.headlines(savings, pd.DataFrame())[0].endswith(
        f": {100 * steep:.0f} % [{100 * steep - 20:.0f} %, {100 * steep + 10:.0f} %]."
    )


def test_a_headline_says_how_often_uniform_s_accuracy_was_never_reached():
    (line,) = savings_reports.headlines(
        frames.savings(TWO, unreached=[(TWO[0], 16)]), pd.DataFrame()
    )
    assert line.endswith("(mean of 2 recordings); 1 of 2 never reached it.")


def test_headlines_name_both_units_and_the_greedy_baseline():
    savings = pd.concat([frames.savings(TWO, unit=unit) for unit in ("samples", "tokens")])
    lines = savings_reports.headlines(savings, greedy_frame())
    assert [("samples" in line, "tokens" in line, "greedy" in line) for line in lines] == [
        (True, False, False),
        (True, True, False),
        (True, False, True),
    ]
    assert savings_reports.headlines(pd.DataFrame(), pd.DataFrame()) == ()


def test_stopping_is_read_at_each_curve_s_own_end():
    curves = frames.curves(methods=("uniform", "esc"))
    cut = curves[(curves["stopping"] != "esc") | (curves["budget"] <= 8)]
    assert "uniform 16, ESC 7.2" in curve_reports.of_stopping(cut)


def test_a_paired_difference_is_the_difference_of_the_two_curves_and_tighter_than_either(
    random_pool,
):
    pool = random_pool(40, 30)
    options = {"replications": 40, "seed": 3}
    comparison = compare(pool, budgets=(4, 8), **options)
    gaps = comparison.differences().set_index("at")
    curves = comparison.curves.set_index(["allocator", "budget"])
    for budget in (4, 8):
        own, base = curves.loc[("ucb", budget)], curves.loc[("uniform", budget)]
        gap = gaps.loc[budget]
        assert gap["difference"] == pytest.approx(own["accuracy"] - base["accuracy"])
        assert gap["low"] <= gap["difference"] <= gap["high"]
        assert gap["high"] - gap["low"] < math.hypot(
            own["high"] - own["low"], base["high"] - base["low"]
        )


def test_there_is_no_difference_beyond_what_is_recorded(random_pool):
    assert list(compare(random_pool(6, 5), replications=5).differences(at=(4, 8))["at"]) == [4]


def test_what_a_sample_is_worth_is_read_as_ratios_of_the_frame():
    worth = priced.worth([registry.allocator("beta-sqrt")])
    at = worth.set_index(["votes", "n"])["index"]
    text = curve_reports.of_worth(worth)
    assert text.count("beta-sqrt") == 3
    assert f"agreement: {at['tied', 4] / at['all agree', 4]:.3g} times" in text
    assert f"one of 16: {at['tied', 4] / at['tied', 16]:.3g} times" in text


def test_what_is_left_to_gain_is_read_as_means_without_flat_cells():
    rows = [
        ("r", "priced", 8, 0.2, False),
        ("s", "priced", 8, 0.4, False),
        ("t", "priced", 8, 0.9, True),
        ("r", "learned", 8, 0.5, False),
    ]
    frame = pd.DataFrame(rows, columns=["recording", "method", "at", "saving", "flat"]).assign(
        unit="tokens"
    )
    words = savings_reports.of_headroom(frame)
    assert "**priced** saves in tokens, on average: 30 % at B = 8." in words
    assert "**learned** saves in tokens, on average: 50 % at B = 8." in words
    assert "nothing" in savings_reports.of_headroom(frame[frame["flat"]]).lower()
