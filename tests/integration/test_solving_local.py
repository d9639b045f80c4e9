"""From end to end, offline: questions, a real llama.cpp server on a tiny model, answers, and the
replay.
"""

from __future__ import annotations

import importlib.util

import pytest
from helpers.tiny_gguf import write_tiny_gguf

import dynlab
from dynlab._util.options import RequestOptions
from dynlab._util.values import Question
from dynlab.online.run_audit import audit
from dynlab.tasks.task import Task

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"
)
TASK = Task(
    "letters",
    tuple(Question(f"q{i}", "letter " * (i + 1)) for i in range(5)),
    form="completion",
    reasoned=False,
    max_tokens=3,
    stop=("\n",),
)


@pytest.mark.slow
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_local_model_answers_questions_and_its_run_is_replayed(asynchronous, tmp_path):
    model = f"local/{write_tiny_gguf(tmp_path / 'tiny.gguf')}"
    solution = dynlab.solve(
        TASK,
        model,
        out=tmp_path / "answers.jsonl",
        strategy="integrated(width=2)",
        policy="ucb+cisc",
        budget=4,
        requests=RequestOptions(asynchronous=asynchronous, progress=False),
    )
    assert solution.totals["samples"] == 20 and solution.totals["tokens"] > 0
    assert solution.totals["cost_usd"] is None  # no price is known of it
    assert {row["samples"] for row in solution.rows} >= {2} or len(solution.rows) == 5
    assert "equal" in audit(solution.path)
