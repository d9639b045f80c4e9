"""How right samples are along sequential streams, against numbers laid out by hand."""

import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.stream_places import PLACES, along_streams
from dynlab.plots.chained_samples import plot_places
from dynlab.recordings.recording import write
from dynlab.reports.chained_samples import NO_STREAMS, of_places


def samples(question, answers, strategy="sequential", stream=0):
    """Samples whose right answer is 1; X: cut off by the limit of tokens; -: no answer either."""
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
            "answer": ["" if answer in "X-" else answer for answer in answers],
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
        samples("b", "11-X11", "parallel"),  # two thirds
        samples("b", "2X"),  # broken off
        samples("c", "1-", "parallel"),  # no streams, so that it does not count
    ]
    return pd.concat(parts, ignore_index=True)


def written(frame, folder):
    return write(frame, {"design": "fixed"}, folder / "r.parquet")


def test_each_group_of_places_is_held_against_independent_samples(frame, tmp_path):
    table = along_streams(written(frame, tmp_path))
    assert list(table) == PLACES
    assert table["places"].tolist() == ["1", "2", "3 to 4", "5"]
    assert table["last"].tolist() == [1, 2, 4, 5]
    assert table["num_questions"].tolist() == [2, 2, 1, 1]
    assert table["num_samples"].tolist() == [3, 3, 4, 2]
    expected = [(1 / 2 - 2 / 3) / 2, (-1 / 2 - 2 / 3) / 2, 3 / 4 - 1 / 2, -1 / 2]
    assert table["difference"].tolist() == pytest.approx(expected)
    assert table["low"].tolist()[:2] == pytest.approx([-2 / 3, -2 / 3])  # all of question b
    assert table["high"].tolist()[:2] == pytest.approx([0.5, -0.5])
    assert table["cut"].tolist() == pytest.approx([0, 1 / 3, 0, 0])
    assert table["no_answer"].tolist() == pytest.approx([0, 1 / 3, 0, 0])
    assert table["cut_alone"].tolist() == pytest.approx([1 / 10] * 4)
    assert table["no_answer_alone"].tolist() == pytest.approx([2 / 10] * 4)


def test_words_and_picture_tell_every_group(frame, tmp_path):
    table = along_streams(written(frame, tmp_path))
    words = str(of_places(table))
    assert "+0.250 [+0.250, +0.250] at 3 to 4; -0.500" in words
    assert "at 5 (of independent ones), 0 % give no answer (20 %) and 0 % end at" in words
    assert "the limit of tokens (10 %)." in words
    figure = plot_places(table)
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "sequential"]
    assert list(line.get_xdata()) == [1, 2, 4, 5]
    assert list(line.get_ydata()) == pytest.approx(table["difference"].tolist())


def test_places_are_counted_from_a_streams_first_sample(frame, tmp_path):
    counted = frame.assign(sample_index=frame["sample_index"] + 3)
    counted["parents"] = [[each + 3 for each in shown] for shown in frame["parents"]]
    tables = [along_streams(written(each, tmp_path)) for each in (frame, counted)]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("targets", "design", "said"),
    [(["a"], "fixed", "'b' has no target"), (["a", "b"], "adaptive", "is of adaptive design")],
)
def test_what_a_comparison_refuses_is_refused(frame, tmp_path, targets, design, said):
    frame["target"] = frame["target"].where(frame["question_id"].isin(targets))
    path = write(frame, {"design": design}, tmp_path / "r.parquet")
    with pytest.raises(InputError, match=said):
        along_streams(path)


@pytest.mark.parametrize("unknown", ["parallel", "sequential"])
def test_how_samples_ended_is_not_said_where_it_is_not_known(frame, tmp_path, unknown):
    frame["finish_reason"] = frame["finish_reason"].where(frame["strategy"] != unknown)
    table = along_streams(written(frame, tmp_path))
    assert table["cut_alone" if unknown == "parallel" else "cut"].isna().all()
    assert "limit" not in of_places(table)
    without = along_streams(written(frame.drop(columns="finish_reason"), tmp_path))
    assert without[["cut", "cut_alone"]].isna().all(axis=None)
    columns = ["difference", "low", "high", "no_answer"]
    pd.testing.assert_frame_equal(table[columns], without[columns])


@pytest.mark.parametrize("lacking", ["sequential", "parallel", "target"])
def test_without_both_kinds_and_targets_there_is_nothing_to_say(frame, tmp_path, lacking):
    rest = frame[frame["strategy"] != lacking].drop(columns=lacking, errors="ignore")
    table = along_streams(written(rest, tmp_path))
    assert table.empty and list(table) == PLACES and of_places(table) is NO_STREAMS
