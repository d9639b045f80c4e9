"""Four sums with their targets, and a model that is always right."""

from __future__ import annotations

from dynlab._util.values import Question
from dynlab.tasks.task import Task

KEY = "sk-very-secret-0123456789"
TASK = Task(
    "sums",
    tuple(Question(f"q{i}", f"{i} + 1?", str(i + 1)) for i in range(4)),
    form="completion",
    answer="integer",
    reasoned=False,
    max_tokens=8,
    stop=("\n",),
)


def right(call):
    """The right answer to the last question of a prompt."""
    return f" {int(call.words.rpartition('Question: ')[2].split()[0]) + 1}"
