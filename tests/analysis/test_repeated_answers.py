"""How often shown answers are repeated, against numbers laid out by hand."""

import pandas as pd
import pytest

from dynlab.analysis.chained_samples import COLUMNS
from dynlab.analysis.repeated_answers import repeated_answers, repeats
from dynlab.plots.chained_samples import plot_repeats
from dynlab.recordings.recording import write
from dynlab.reports.chained_samples import NOTHING, of_repeats


def samples(question, answers, strategy="parallel"):
    return pd.DataFrame(
        {
            "question_id": question,
            "strategy": strategy,
            "stream": 0,
            "sample_index": range(len(answers)),
            "role": "independent",
            "parents": [[]] * len(answers),
            "answer": ["" if answer == "-" else answer for answer in answers],
            "target": "1",
        }
    )


def stream(question, answers, parents, number=0):
    """An integrated stream: sample i is shown `parents[i]`."""
    made = samples(question, answers, "integrated")
    roles = ["chained" if shown else "independent" for shown in parents]
    return made.assign(stream=number, role=roles, parents=parents)


@pytest.fixture
def frame():
    parts = [
        samples("a", "1123"),  # of them 1 and 2 are shown by the stream below
        stream("a", "12213", [[], [], [0, 1], [0, 1], [0, 1]]),
        samples("b", "-123"),  # no answer repeats nothing
        stream("b", "1--", [[], [], [0, 1]]),
        stream("b", "3434", [[], [], [0, 1], [2]], number=1),  # each its own attempts
    ]
    return pd.concat(parts, ignore_index=True)


def test_shares_are_of_the_answers_that_each_sample_was_shown(frame):
    table = repeats(frame)
    assert table["question_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert table["chained"].tolist() == [1, 1, 0, 0, 1, 0]
    assert table["sample"].tolist() == pytest.approx([3 / 4] * 3 + [1 / 4] * 3)


def test_a_recording_is_told_by_means_over_its_questions(frame, tmp_path):
    path = write(frame, {"design": "fixed"}, tmp_path / "r.parquet")
    table = repeated_answers(path)
    assert list(table) == COLUMNS and set(table["num_questions"]) == {2}
    value = table.set_index("measure")["value"]
    assert value["chained"] == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert value["sample"] == pytest.approx((3 / 4 + 1 / 4) / 2)
    words = str(of_repeats(table))
    assert "shown 0.50 of the time" in words and "them 0.50 of the time" in words
    labels = [text.get_text() for text in plot_repeats(table).get_yticklabels()]
    assert labels == ["r"]


def test_without_chains_there_is_nothing_to_repeat(frame, tmp_path):
    alone = frame[frame["strategy"] == "parallel"]
    path = write(alone, {"design": "fixed"}, tmp_path / "r.parquet")
    assert repeated_answers(path).empty and of_repeats(repeated_answers(path)) is NOTHING
