"""What `record` says of its recording at the end."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from dynlab.cli.recordings import tell
from dynlab.recordings.recording import write

ERROR = "error: the server says 400"


def written(path, *answers, **card):
    """A recording of two samples a question; a sample without an answer could not be had."""
    rows = [
        {
            "question_id": f"q{number // 2}",
            "strategy": "parallel",
            "stream": 0,
            "sample_index": number % 2,
            "answer": answer,
            "votes": bool(answer),
            "text": f"Answer: {answer}" if answer else None,
            "finish_reason": "stop" if answer else ERROR,
        }
        for number, answer in enumerate(answers)
    ]
    return write(pd.DataFrame(rows), card, path / "a.parquet")


def test_samples_that_could_not_be_had_are_told_with_their_reason(tmp_path, capsys):
    assert tell(written(tmp_path, "1", "", "2", "")) == 0
    said = capsys.readouterr()
    assert said.err == "2 of 4 samples could not be had: the server says 400\n" and not said.out


def test_a_question_without_a_vote_fails(tmp_path, capsys):
    assert tell(written(tmp_path, "1", "1", "", "")) == 1
    assert "1 of 2 questions have no sample that votes" in capsys.readouterr().err


def test_calls_of_unknown_cost_are_told(tmp_path, capsys):
    path = written(tmp_path, "1", "1", reserved={"calls": 2})
    assert tell(path) == 0
    assert capsys.readouterr().err == "reserved, since what it cost is unknown: 2 calls\n"


@pytest.mark.parametrize("answers", [("1", "1"), ("1", "")])
def test_no_text_is_read(answers, tmp_path, monkeypatch):
    path, read = written(tmp_path, *answers), []
    table = pq.read_table

    def noted(*args, columns=None, **options):
        read.extend(columns or ["all"])
        return table(*args, columns=columns, **options)

    monkeypatch.setattr(pq, "read_table", noted)
    tell(path)
    assert set(read) == {"question_id", "strategy", "finish_reason", "votes"}
