"""Measures of votes and chains against numbers laid out by hand."""

import pandas as pd
import pytest
from recipe.measures import chain_shares, sample_shares, vote, vote_shares, with_intervals

from dynlab.recordings.recording import Recording


def frame(rows, strategy, **columns):
    names = ["question_id", "stream", "role", "answer", "correct"]
    return pd.DataFrame(rows, columns=names).assign(strategy=strategy, **columns)


def test_a_tied_vote_scores_its_expectation():
    assert vote(["", "", "5"], [False, False, True]) == 1.0
    assert vote(["", ""], [False, False]) == 0.0
    assert vote(["1", "2", "3"], [False, True, False]) == pytest.approx(1 / 3)


def test_sample_shares_are_per_question():
    sampled = [("a", 0, "independent", answer, answer == "1") for answer in ("1", "1", "2", "3")]
    sampled += [("b", 0, "independent", answer, answer == "7") for answer in ("7", "8", "8", "")]
    greedy = [("a", 0, "independent", "2", False), ("b", 0, "independent", "7", True)]
    table = sample_shares(pd.concat([frame(sampled, "parallel"), frame(greedy, "greedy")]))
    assert table.loc["a"].to_dict() == {"sample": 0.5, "greedy": 0.0}
    assert table.loc["b"].to_dict() == {"sample": 0.25, "greedy": 1.0}


def stream(question, number, attempts, chained):
    rows = [(question, number, "independent", answer, answer == "1") for answer in attempts]
    return rows + [(question, number, "chained", answer, answer == "1") for answer in chained]


def test_cases_say_where_the_right_answer_stood():
    rows = (
        stream("a", 0, "1123", "11") + stream("a", 1, "1223", "12") + stream("b", 0, "2345", "22")
    )
    table = chain_shares(frame(rows, "integrated"))
    assert table["case"].tolist() == ["leading", "present", "absent"]
    assert table["chained"].tolist() == [1.0, 0.5, 0.0]
    assert table["shown"].tolist() == [1.0, 0.0, 0.0]


def test_differences_are_paired_over_questions():
    samples = pd.DataFrame(
        {"sample": [0.5, 0.25], "vote": [1.0, 0.0], "greedy": [0.0, 1.0]}, index=["a", "b"]
    )
    rows = (
        stream("a", 0, "1123", "11") + stream("a", 1, "1223", "12") + stream("b", 0, "2345", "21")
    )
    table = with_intervals(samples, chain_shares(frame(rows, "integrated"))).set_index("measure")
    assert table.loc["chained", "value"] == pytest.approx((0.75 + 0.5) / 2)
    difference = table.loc["chained − sample"]
    assert (difference["low"], difference["high"]) == (
        0.25,
        0.25,
    )  # both questions gain as much: no spread
    assert table.loc["vote − greedy", "low"] == -1 and table.loc["vote − greedy", "high"] == 1
    assert table.loc["chained, right answer present", ["value", "num_questions"]].tolist() == [
        0.5,
        1,
    ]


def test_votes_meet_at_equal_calls_and_tokens():
    """Samples cost 10 tokens, chained ones 30: four and four cost 160, as sixteen samples."""
    rows = []
    for q, right in (("a", "1111" * 4), ("b", "1222" * 4)):
        rows += [(q, "parallel", 0, i, x, x == "1", 10) for i, x in enumerate(right)]
        rows += [(q, "integrated", 0, i, "1", True, 10 if i < 4 else 30) for i in range(8)]
    names = [
        "question_id",
        "strategy",
        "stream",
        "sample_index",
        "answer",
        "correct",
        "completion_tokens",
    ]
    table = vote_shares(
        *[Recording(pd.DataFrame(rows, columns=names).assign(target="1"), {}, "r")] * 2
    )
    assert table["samples that 4 + 4 cost"].tolist() == [16, 16]
    assert table["4 + 4"].tolist() == [1, 1] and table["vote"].tolist() == [1, 0]
    assert table["independent, equal tokens"].tolist() == [1, 0]
    assert table.loc["a", "8 independent"] == 1 and 0 < table.loc["b", "8 independent"] < 0.2
