"""Examining: measures against numbers laid out by hand, and a whole run on a real server with a
model that babbles.
"""

from __future__ import annotations

import importlib.util

import pandas as pd
import pytest
from helpers.tiny_gguf import write_tiny_gguf
from recipe import examining
from recipe.examining import examine, examined, of_chains, of_samples, of_votes, placebo, vote
from recipe.families import puzzle_task
from recipe.teaching import prompt

from dynlab._util.errors import InputError
from dynlab.recordings.recording import Recording


def frame(rows, strategy, **columns):
    names = ["question_id", "stream", "role", "answer", "correct"]
    return pd.DataFrame(rows, columns=names).assign(strategy=strategy, **columns)


def test_a_vote_counts_answers_only_and_a_tie_its_expectation():
    assert vote(["", "", "5"], [False, False, True]) == 1.0
    assert vote(["", ""], [False, False]) == 0.0
    assert vote(["1", "2", "3"], [False, True, False]) == pytest.approx(1 / 3)


def test_samples_and_greedy_answers_are_shares_per_question():
    sampled = [("a", 0, "independent", answer, answer == "1") for answer in ("1", "1", "2", "3")]
    sampled += [("b", 0, "independent", answer, answer == "7") for answer in ("7", "8", "8", "")]
    greedy = [("a", 0, "independent", "2", False), ("b", 0, "independent", "7", True)]
    table = of_samples(pd.concat([frame(sampled, "parallel"), frame(greedy, "greedy")]))
    assert table.loc["a"].to_dict() == {"sample": 0.5, "greedy": 0.0}
    assert table.loc["b"].to_dict() == {"sample": 0.25, "greedy": 1.0}


def stream(question, number, attempts, chained):
    rows = [(question, number, "independent", answer, answer == "1") for answer in attempts]
    return rows + [(question, number, "chained", answer, answer == "1") for answer in chained]


def test_chains_are_told_apart_by_where_the_right_answer_stood():
    rows = (
        stream("a", 0, "1123", "11") + stream("a", 1, "1223", "12") + stream("b", 0, "2345", "22")
    )
    table = of_chains(frame(rows, "integrated"))
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
    table = examined(samples, of_chains(frame(rows, "integrated"))).set_index("measure")
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


def test_a_placebo_is_asked_word_for_word_as_a_chain_is_but_with_another_questions_attempts():
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


def test_votes_are_compared_at_equal_calls_and_at_equal_tokens():
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
    table = of_votes(
        *[Recording(pd.DataFrame(rows, columns=names).assign(target="1"), {}, "r")] * 2
    )
    assert table["samples that 4 + 4 cost"].tolist() == [16, 16]
    assert table["4 + 4"].tolist() == [1, 1] and table["vote"].tolist() == [1, 0]
    assert table["independent, equal tokens"].tolist() == [1, 0]
    assert table.loc["a", "8 independent"] == 1 and 0 < table.loc["b", "8 independent"] < 0.2


@pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"
)
def test_a_model_is_recorded_once_and_examined(tmp_path):
    model = f"local/{write_tiny_gguf(tmp_path / 'tiny.gguf')}"
    how = {
        "families": ["sums"],
        "num_questions": 2,
        "num_samples": 2,
        "num_streams": 1,
        "num_chained": 1,
    }
    table = examine(model, tmp_path / "out", progress=False, max_tokens=4, **how)
    assert {"placebo", "chained − placebo", "4 + 4 − 8 independent"} <= set(table["measure"])
    assert "untaught" not in set(table["measure"])
    assert (
        set(table["family"]) == {"sums"}
        and (table.set_index("measure").loc["sample", "num_questions"] == 2).all()
    )
    before = (tmp_path / "out" / "sums-integrated.parquet").read_bytes()
    again = examine(model, tmp_path / "out", progress=False, max_tokens=4, **how)
    assert (
        again.equals(table)
        and (tmp_path / "out" / "sums-integrated.parquet").read_bytes() == before
    )
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "out" / "examined.csv"), table, check_dtype=False
    )


@pytest.mark.parametrize("change", [{"num_chained": 0}, {"num_streams": 0}, {"num_samples": 0}])
def test_counts_that_cannot_be_examined_are_refused_before_anything_is_drawn(
    tmp_path, monkeypatch, change
):
    monkeypatch.setattr(examining, "record", lambda *given, **more: pytest.fail("drawn"))
    with pytest.raises(InputError, match=f"{next(iter(change))} is 0"):
        examining.examine("local/none", tmp_path, **change)
