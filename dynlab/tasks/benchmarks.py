"""Benchmarks by name, `gsm8k`, `gpqa-diamond?seed=1`, `bbh/navigate`: taken from the hub once, at
the revision that the table names, and asked in one way.

`size` questions are drawn by `seed`, which also shuffles the options of each question where the
data set says only which one is right; both are part of the task's name.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from dynlab._util import shipped_files
from dynlab._util.errors import one_of
from dynlab._util.hub import fetched
from dynlab.tasks import task_queries
from dynlab.tasks.benchmark_table import BBH, BENCHMARKS, Benchmark
from dynlab.tasks.hub_rows import letter, questions_of, rows_of, split_options, target_of
from dynlab.tasks.task import Task

OPTIONS = ("size", "seed", "revision")


def benchmark(name: str, limit: int | None = None, form: str | None = None) -> Task:
    """The task of a name.

    Args:
        name: 'gsm8k', or with options: 'gpqa-diamond?size=50&seed=1'.
        limit: Keep the first `limit` questions.
        form: 'completion' puts worked examples before each question.

    Raises:
        InputError: The name or an option is unknown; the data set cannot be had (gated, offline) or
            has other columns than it had.
    """
    chosen, options = task_queries.parsed(name, OPTIONS)
    if chosen not in BENCHMARKS:
        what = "task of BIG-Bench Hard" if chosen.startswith(BBH) else "benchmark"
        raise one_of(what, chosen, [one for one in BENCHMARKS if (BBH in one) == (BBH in chosen)])
    said = BENCHMARKS[chosen]
    size = task_queries.whole(name, options, "size", 1)
    seed = task_queries.whole(name, options, "seed") or 0
    file = fetched(
        said.repo,
        said.file,
        kind="dataset",
        revision=options.get("revision", said.revision),
    )
    label = f"{said.file} of {said.repo}"
    rows = rows_of(file, label, said.columns)
    fields = [_fields(said, chosen, number, row, seed) for number, row in enumerate(rows, start=1)]
    questions = task_queries.drawn(questions_of(fields, said.answer, label), size, seed, name)
    return Task(
        name=task_queries.written(chosen, options),
        questions=tuple(questions[:limit]),
        answer=said.answer,
        demos=_demos(said.demos) if form == "completion" else (),
        max_tokens=said.max_tokens,
        origin=f"{said.repo}@{file.commit}/{said.file}",
    )


def _fields(
    said: Benchmark, name: str, number: int, row: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """A row as one of a task file."""
    id_ = str(row.get(said.id)) if said.id else f"{name.replace('/', '-')}-{number:04}"
    question, right = row.get(said.question), row.get(said.target)
    choices: list[Any] = []
    if said.wrong:
        choices = [right, *(row.get(column) for column in said.wrong)]
        # of its own for each question: the right letter is spread, whatever else is drawn
        random.Random(f"{seed} {id_}").shuffle(choices)
        right = letter(choices.index(right), choices)
    elif said.options:
        choices = list(row.get(said.options) or ())
        right = letter(right, choices)
    elif said.answer == "choice":
        question, choices = split_options(str(question))
    else:
        right = target_of(right, said.answer)
    fields = {"id": id_, "question": question, "target": right}
    return fields | ({"choices": choices} if choices else {})


def _demos(name: str) -> tuple[tuple[str, str], ...]:
    """Worked (question, solution) pairs of our own; a solution ends with `Answer: …`."""
    if not name:
        return ()
    path = shipped_files.folder("data/tasks") / "benchmark-examples.json"
    pairs = json.loads(path.read_text(encoding="utf-8"))[name]
    return tuple((pair["question"], pair["solution"]) for pair in pairs)
