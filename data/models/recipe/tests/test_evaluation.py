"""Examining: measures against numbers laid out by hand, and a whole run on a real server with a
model that babbles.
"""

from __future__ import annotations

import importlib.util

import pandas as pd
import pytest
from helpers.tiny_gguf import write_tiny_gguf
from recipe.evaluation import Design, evaluate, placebo
from recipe.families import puzzle_task
from recipe.lessons import prompt

from dynlab._util.errors import InputError


def test_a_placebo_shows_another_questions_attempts():
    task = puzzle_task("sums", "dev", 3, 0)
    rows = [
        (q.id, 0, role, "1", False, i, f"{q.id}'s {role} {i}")
        for q in task.questions
        for i, role in enumerate(("independent", "independent", "chained"))
    ]
    names = ["question_id", "stream", "role", "answer", "correct", "sample_index", "text"]
    beside = placebo(task, pd.DataFrame(rows, columns=names).assign(strategy="integrated"))
    for i, (question, own) in enumerate(zip(beside.questions, task.questions, strict=True)):
        other = task.questions[(i + 1) % 3].id
        shown = [f"{other}'s independent 0", f"{other}'s independent 1"]
        assert prompt(question.question) == prompt(own.question, shown)
        assert (question.id, question.target) == (own.id, own.target)


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"
)
def test_a_model_is_recorded_once_and_evaluated(tmp_path):
    model = f"local/{write_tiny_gguf(tmp_path / 'tiny.gguf')}"
    how = {
        "families": ["sums"],
        "design": Design(num_questions=2, num_samples=2, num_streams=1, num_chained=1),
        "max_tokens": 4,
        "progress": False,
    }
    table = evaluate(model, tmp_path / "out", **how)
    assert {"placebo", "chained − placebo", "chained − shown"} <= set(table["measure"])
    assert "untaught" not in set(table["measure"])
    assert (
        set(table["family"]) == {"sums"}
        and (table.set_index("measure").loc["sample", "num_questions"] == 2).all()
    )
    before = (tmp_path / "out" / "sums-integrated.parquet").read_bytes()
    again = evaluate(model, tmp_path / "out", **how)
    assert (
        again.equals(table)
        and (tmp_path / "out" / "sums-integrated.parquet").read_bytes() == before
    )
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "out" / "evaluation.csv"), table, check_dtype=False
    )


@pytest.mark.parametrize("name", ["num_chained", "num_streams", "num_samples"])
def test_counts_of_zero_are_refused(name):
    with pytest.raises(InputError, match=f"{name} is 0"):
        Design(**{name: 0})
