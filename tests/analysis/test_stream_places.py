"""How right samples are along sequential streams, against numbers laid out by hand."""

import pandas as pd
import pytest

from dynlab.analysis.stream_places import PLACES, along_streams
from dynlab.plots.chained_samples import plot_places
from dynlab.recordings.recording import write
from dynlab.reports.chained_samples import NO_STREAMS, of_places


def samples(question, answers, strategy="sequential", stream=0):
    """Samples whose right answer is 1, and X where the limit of tokens cut them off."""
    count = len(answers)
    parents = [[*range(place)] if strategy == "sequential" else [] for place in range(count)]
    return pd.DataFrame(
        {
            "question_id": question,
            "strategy": strategy,
            "stream": stream,
            "sample_index": range(count),
            "role": ["chained" if shown else "independent" for shown in parents],
            "parents": parents,
            "answer": ["" if answer == "X" else answer for answer in answers],
            "finish_reason": ["length" if answer == "X" else "stop" for answer in answers],
            "target": "1",
        }
    )


@pytest.fixture
def frame():
    parts = [
        samples("a", "1122", "parallel"),  # right half of the time
        samples("a", "12112"),  # five places
        samples("a", "12122", stream=1),
        samples("b", "111X", "parallel"),  # three quarters
        samples("b", "2X"),  # broken off
    ]
    return pd.concat(parts, ignore_index=True)


def written(frame, folder):
    return write(frame, {"design": "fixed"}, folder / "r.parquet")


def test_each_group_of_places_is_held_against_independent_samples(frame, tmp_path):
    table = along_streams(written(frame, tmp_path))
    assert list(table) == PLACES
    assert table[["first", "last"]].to_numpy().tolist() == [[1, 1], [2, 2], [3, 4], [5, 5]]
    assert table["num_questions"].tolist() == [2, 2, 1, 1]
    assert table["num_samples"].tolist() == [3, 3, 4, 2]
    expected = [(0.5 - 0.75) / 2, (-0.5 - 0.75) / 2, 3 / 4 - 1 / 2, -1 / 2]
    assert table["difference"].tolist() == pytest.approx(expected)
    assert table["low"].tolist()[:2] == pytest.approx([-0.75, -0.75])  # all of question b
    assert table["high"].tolist()[:2] == pytest.approx([0.5, -0.5])
    assert table["cut"].tolist() == pytest.approx([0, 1 / 3, 0, 0])
    assert table["cut_alone"].tolist() == pytest.approx([1 / 8] * 4)


def test_words_and_picture_say_where_samples_are_told_apart(frame, tmp_path):
    table = along_streams(written(frame, tmp_path))
    words = str(of_places(table))
    assert "places 3 to 4 +0.250 [+0.250, +0.250]; place 5 -0.500" in words
    assert "place 1 " not in words and "At place 5 0 % of the samples" in words
    figure = plot_places(table)
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "sequential"]
    assert list(line.get_xdata()) == [1, 2, 4, 5]
    assert list(line.get_ydata()) == pytest.approx(table["difference"].tolist())
    assert "first place has been shown nothing" in figure.texts[-1].get_text()


def test_how_samples_ended_is_not_said_where_it_is_not_known(frame, tmp_path):
    table = along_streams(written(frame.drop(columns="finish_reason"), tmp_path))
    assert table[["cut", "cut_alone"]].isna().all(axis=None) and "limit" not in of_places(table)


@pytest.mark.parametrize("lacking", ["streams", "targets"])
def test_without_streams_or_targets_there_is_nothing_to_say(frame, tmp_path, lacking):
    rest = frame[frame["strategy"] == "parallel"] if lacking == "streams" else frame
    rest = rest.drop(columns="target") if lacking == "targets" else rest
    table = along_streams(written(rest, tmp_path))
    assert table.empty and list(table) == PLACES and of_places(table) is NO_STREAMS
