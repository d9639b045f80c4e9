"""Who gets the budget: what is spent adds up, regret is the oracle's lead, questions go by how they
end.
"""

import numpy as np
import pytest

from dynlab.analysis import spending
from dynlab.analysis.difficulty import difficulty_of
from dynlab.analysis.verbs import compare
from dynlab.reports import spending as spending_reading

HOW = {"replications": 10, "seed": 3}


POLICIES = ["uniform", "ucb", "priced", "oracle"]


@pytest.fixture
def runs(random_pool):
    return compare(random_pool(15, 12), POLICIES, [2, 4, 6], **HOW)


def test_spending_by_difficulty_adds_up_to_the_budget(runs):
    spent = spending.by_difficulty(runs, at=4)
    for name, rows in spent.groupby("allocator"):
        total = (rows["questions"] * rows["spent"]).sum()
        assert total == pytest.approx(15 * 4) if name != "oracle" else total < 15 * 4
        assert rows["questions"].sum() == 15
    uniform = spent[spent["allocator"] == "uniform"]
    assert (uniform["spent"] == 4).all() and (uniform["low"] == 4).all()


def test_regret_is_the_oracle_s_accuracy_minus_the_policy_s(runs):
    accuracy = runs.curves.pivot_table(index="budget", columns="allocator", values="accuracy")
    for name in ("uniform", "ucb"):
        found = spending.regret(runs).query("allocator == @name").set_index("budget")["regret"]
        np.testing.assert_allclose(found, accuracy["oracle"] - accuracy[name])


def test_questions_are_sorted_by_how_the_vote_of_all_samples_ends(make_pool):
    drawn = {"q1": "aaab", "q2": "abcd", "q3": "bbac", "q4": "bcde", "q5": "----", "q6": "bcdb"}
    target = {"q1": "a", "q2": "x", "q3": "a", "q4": "x", "q5": "a", "q6": "b"}
    comparison = compare(make_pool(drawn, target), POLICIES, [2, 4], **HOW)
    streams = comparison.replays[0].streams
    found = difficulty_of(streams)
    assert dict(zip(streams.question_ids, found.outcome, strict=True)) == {
        "q1": "settled, right",
        "q2": "open, wrong",
        "q3": "settled, wrong",
        "q4": "open, wrong",
        "q5": "no answer",
        "q6": "settled, right",
    }
    assert found.leading[2] == "b" and found.easy[0] == 0.75
    table = spending.by_outcome(comparison, at=4)
    uniform = table[table["allocator"] == "uniform"].set_index("outcome")
    assert uniform["questions"].to_dict() == {
        "settled, right": 2,
        "open, wrong": 2,
        "settled, wrong": 1,
        "no answer": 1,
    }
    assert (uniform["spent"] == 1).all() and uniform.loc["settled, wrong", "accuracy"] == 0
    wrong = spending.misled(comparison, at=4)
    assert wrong[["question_id", "target", "leading", "share", "drawn"]].to_numpy().tolist() == [
        ["q3", "a", "b", 0.5, 4]
    ]


@pytest.mark.slow
def test_misled_questions_are_told_in_their_words():
    comparison = compare("capitals--smollm2-135m", POLICIES, [2, 4], replications=2)
    worst = spending.misled(comparison, at=4).iloc[0]
    assert worst["question"].startswith("What is the capital of") and worst["target"]


def test_the_allocation_over_time_has_the_hardest_question_on_top_and_adds_up(runs):
    drawn = spending.over_time(runs)
    for name in ("uniform", "ucb", "priced"):
        own = drawn[drawn["allocator"] == name]
        assert own["easy"].is_monotonic_increasing and len(own) == 15
        np.testing.assert_allclose(own[["2", "4", "6"]].sum(), [30, 60, 90])


def test_without_targets_agreement_stands_in_and_the_words_say_so(random_pool):
    run = compare(random_pool(15, 12).drop(columns="target"), POLICIES, [2, 4, 6], **HOW)
    assert run.measure == "self-consistency rate"
    outcome = difficulty_of(run.replays[0].streams).outcome
    assert set(outcome) <= {"settled, right", "open, right", "no answer"}
    assert "without targets" in spending_reading.of_outcomes(spending.by_outcome(run, at=4))
    assert "in agreement" in spending_reading.of_difficulty(spending.by_difficulty(run, at=4))


def test_words_tell_the_numbers_of_their_frames(runs):
    regret = spending.regret(runs)
    last = regret[(regret["budget"] == 6) & (regret["allocator"] == "ucb")].iloc[0]
    text = spending_reading.of_regret(regret)
    assert f"UCB {last['regret']:+.3f} [{last['low']:+.3f}, {last['high']:+.3f}]" in text
    drawn = spending.over_time(runs)
    top = drawn[drawn["allocator"] == "uniform"]["6"].nlargest(2).sum() / 90
    assert f"tenth (2 questions) holds of all samples: uniform {top:.0%}".replace("%", " %") in (
        spending_reading.of_allocation(drawn)
    )
