"""Plain JSON lines: a line a sample, with `id`, `answer` or `response`, and what else is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError
from dynlab._util.target_names import tell_ignored
from dynlab.recordings.formats.base import Format, Row, lines_of, signs

_KEPT = (
    "model",
    "dataset",
    "sample_index",
    "mean_logprob",
    "prompt_tokens",
    "completion_tokens",
    "cost_usd",
    "latency_s",
    "correct",
)
_READ = ("answer", "target")


def _read(path: Path) -> Iterator[Row]:
    """A row a line."""
    columns: dict[str, None] = {}  # in their order
    for line in lines_of(path):
        columns |= dict.fromkeys(line)
        answer = line["answer"] if "answer" in line else line["response"]
        question = line["question_id"] if "question_id" in line else line["id"]
        if question is None:
            raise ValueError("a line whose id is null")
        for name in line:
            if name != "answer" and name.casefold() == "answer":
                raise InputError(f"{path} has a column {name!r}: rename it 'answer'")
        yield {
            **{name: line[name] for name in _KEPT if name in line},
            "question_id": text_of(question),
            "answer": "" if answer is None else answer,
            "target": line.get("target"),
            "choices": line.get("choices"),
        }
    tell_ignored(columns, str(path), read=_READ, is_known="target" in columns)


FORMAT = Format(
    "JSON lines with id, answer or response, and target",
    signs("id answer", "id response", "question_id answer", "question_id response"),
    _read,
)
