"""Measures of votes and chains against numbers laid out by hand; their pictures and words."""

import pandas as pd
import pytest

from dynlab.analysis.chained_samples import (
    chain_shares,
    chained_samples,
    sample_shares,
    vote,
    vote_shares,
    with_intervals,
)
from dynlab.plots.chained_samples import plot_accuracies, plot_cases, plot_gains
from dynlab.recordings.recording import Recording, write
from dynlab.reports.chained_samples import NOTHING, of_accuracies, of_cases, of_gains

NAMES = ["question_id", "stream", "role", "answer", "correct"]


def frame(rows, strategy, **columns):
    return pd.DataFrame(rows, columns=NAMES).assign(strategy=strategy, **columns)


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


def stream(question, number, attempts, chained, width=None):
    """A stream of integrated sampling in which '1' is right; chained samples are shown `width`
    attempts, by default all of them.
    """
    shown = list(range(width or len(attempts)))
    roles = ["independent"] * len(attempts) + ["chained"] * len(chained)
    rows = [
        (question, number, role, answer, answer == "1")
        for role, answer in zip(roles, attempts + chained, strict=True)
    ]
    parents = [[]] * len(attempts) + [shown] * len(chained)
    return frame(rows, "integrated", sample_index=range(len(rows)), parents=parents)


def test_cases_say_where_the_right_answer_stood():
    rows = [
        stream("a", 0, "1123", "11"),
        stream("a", 1, "1223", "12"),
        stream("b", 0, "2345", "22"),
    ]
    table = chain_shares(pd.concat(rows))
    assert table["case"].tolist() == ["leading", "present", "absent"]
    assert table["chained"].tolist() == [1.0, 0.5, 0.0]
    assert table["shown"].tolist() == [1.0, 0.0, 0.0]


def test_differences_are_paired_over_questions():
    samples = pd.DataFrame(
        {"sample": [0.5, 0.25], "vote": [1.0, 0.0], "greedy": [0.0, 1.0]}, index=["a", "b"]
    )
    rows = [
        stream("a", 0, "1123", "11"),
        stream("a", 1, "1223", "12"),
        stream("b", 0, "2345", "21"),
    ]
    table = with_intervals(samples, chain_shares(pd.concat(rows))).set_index("measure")
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


def test_each_sample_s_own_attempts_count():
    """Rounds: the second chain is shown other attempts than the first."""
    first = stream("a", 0, "12", "11")
    second = stream("a", 0, "22", "1").assign(sample_index=[4, 5, 6], parents=[[], [], [4, 5]])
    table = chain_shares(pd.concat([first, second]))
    assert table["case"].tolist() == ["leading", "absent"]
    assert table["shown"].tolist() == [0.5, 0.0]


def pool(question, answers, strategy="parallel"):
    rows = [(question, 0, "independent", answer, answer == "1") for answer in answers]
    own = frame(rows, strategy, sample_index=range(len(rows)))
    return own.assign(parents=[[]] * len(rows))


def recorded(width=None):
    """Two questions with samples and chains, and a third with samples alone."""
    parts = [pool("a", "1111" * 4), pool("b", "1222" * 4), pool("c", "22")]
    parts += [pool(question, "1", "greedy") for question in "abc"]
    parts += [stream(question, 0, "1222", "1111", width) for question in "ab"]
    whole = pd.concat(parts, ignore_index=True).assign(target="1")
    # samples cost 10 tokens, chained ones 30: four and four cost 160, as sixteen samples
    cost = whole["role"].map({"independent": 10, "chained": 30})
    return whole.assign(completion_tokens=cost)


def test_votes_meet_at_equal_calls_and_tokens():
    whole = recorded()
    own = Recording(whole[whole["question_id"] != "c"], {}, "r")
    table = vote_shares(own, own)
    assert table["samples that 4 + 4 cost"].tolist() == [16, 16]
    assert table["4 + 4"].tolist() == [1, 1] and table["vote"].tolist() == [1, 0]
    assert table["independent, equal tokens"].tolist() == [1, 0]
    assert table.loc["a", "8 independent"] == 1 and 0 < table.loc["b", "8 independent"] < 0.2


@pytest.mark.slow
def test_what_would_take_more_than_is_recorded_is_left_out():
    dear = recorded().assign(completion_tokens=lambda own: own["completion_tokens"] + 1)
    dear.loc[dear["role"] == "chained", "completion_tokens"] = 60
    measures = chained_samples(dear)["measure"]
    assert "4 + 4 − 8 independent" in set(measures)
    assert "independent, equal tokens" not in set(measures)
    untold = chained_samples(recorded().drop(columns="completion_tokens"))["measure"]
    assert "independent, equal tokens" not in set(untold)
    narrow = chained_samples(recorded(width=2))["measure"]
    assert "chained − shown" in set(narrow) and not narrow.str.contains("4 + 4", regex=False).any()


def test_only_questions_that_hold_chains_are_measured():
    table = chained_samples(recorded()).set_index("measure")
    assert set(table["num_questions"]) == {2}
    assert table.loc["sample", "value"] == pytest.approx((1 + 0.25) / 2)
    assert table.loc["chained − shown", "value"] == 1
    assert table.loc["chained, right answer present", "value"] == 1


@pytest.mark.slow
def test_greedy_answers_may_be_lacking():
    whole = recorded()
    measures = chained_samples(whole[whole["strategy"] != "greedy"])["measure"]
    assert not measures.str.contains("greedy").any() and "chained − sample" in set(measures)
    some = (whole["strategy"] != "greedy") | (whole["question_id"] == "a")
    table = chained_samples(whole[some]).set_index("measure")
    assert table.loc["vote − greedy", ["value", "num_questions"]].tolist() == [0, 1]


@pytest.mark.slow
def test_recordings_without_chains_or_targets_are_left_out():
    whole = recorded()
    plain = whole[whole["strategy"] != "integrated"]
    unjudged = whole.assign(target=None, correct=None)
    assert chained_samples([plain, unjudged]).empty
    assert of_gains(chained_samples([plain])) == NOTHING
    assert list(chained_samples([plain]).columns) == list(chained_samples(whole).columns)


@pytest.mark.slow
def test_controls_are_read_from_beside_a_recording(tmp_path):
    write(recorded(), {}, tmp_path / "mine.parquet")
    write(recorded(), {}, tmp_path / "controls" / "mine.placebo.parquet")
    table = chained_samples(tmp_path / "mine.parquet").set_index("measure")["value"]
    assert table["placebo"] == table["sample"]
    assert table["chained − placebo"] == 1 - table["sample"]


@pytest.mark.slow
def test_they_are_drawn_and_read_in_words():
    table = chained_samples(recorded())
    for draw in (plot_accuracies, plot_gains, plot_cases):
        assert draw(table)
    (said,) = (text.get_text() for text in plot_gains(table).figure.texts)
    assert "shown: the vote of the attempts; 4 + 4: the vote of four" in said
    assert ". Chained: one sample" in said and "placebo" not in said and "untaught" not in said
    less = table[table["measure"] != "chained − shown"].assign(recording="less")
    (told,) = (text.get_text() for text in plot_gains(pd.concat([table, less])).figure.texts)
    assert "No mark: such samples were not recorded." in told.replace("\n", " ")
    assert "No mark" not in said
    assert "one sample is right 0.62 of the time, one greedy answer 1.00" in of_accuracies(table)
    assert "**chained − shown**: above zero in recording, below zero in no" in of_gains(table)
    assert of_cases(table).startswith("- **chained − sample, right answer present**: above zero")
