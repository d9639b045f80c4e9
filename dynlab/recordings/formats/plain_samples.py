"""Plain JSON lines: a line a sample, with `id`, `answer` or `response`, and what else is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError
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
_MEANT = {"answer": "answer", "target": "target", "gold": "target", "targets": "target"}


def _read(path: Path) -> Iterator[Row]:
    """A row a line."""
    for line in lines_of(path):
        answer = line["answer"] if "answer" in line else line["response"]
        question = line["question_id"] if "question_id" in line else line["id"]
        if question is None:
            raise ValueError("a line whose id is null")
        for name in line:
            if name not in ("answer", "target") and name.casefold() in _MEANT:
                raise InputError(
                    f"{path} has a column {name!r}: rename it {_MEANT[name.casefold()]!r}"
                )
        yield {
            **{name: line[name] for name in _KEPT if name in line},
            "question_id": text_of(question),
            "answer": "" if answer is None else answer,
            "target": line.get("target"),
        }


FORMAT = Format(
    "JSON lines with id, answer or response, and target",
    signs("id answer", "id response", "question_id answer", "question_id response"),
    _read,
)
