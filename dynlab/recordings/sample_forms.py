"""Files of samples of other tools: Inspect AI, lm-evaluation-harness, plain JSON lines.

The shapes are those of the tools (inspect.aisi.org.uk, "Log Files"; lm-evaluation-harness with
`--log_samples`):

- `inspect`: a log, packed (.eval) or in JSON, with `eval` and `samples`, each with `id, epoch,
  target, output, scores, model_usage`;
- `lm-eval`: `samples_TASK_….jsonl`, a line a document and filter, with `doc_id, target, resps,
  filtered_resps`;
- `samples`: a line a sample, with `id`, `answer` or `response`, and where known `target` and
  columns of a recording.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError
from dynlab._util.table_files import json_objects, text_of_file
from dynlab.recordings.inspect_logs import inspect_samples
from dynlab.recordings.schema import SCHEMA

_KEPT = (
    "model",
    "dataset",
    "mean_logprob",
    "prompt_tokens",
    "completion_tokens",
    "cost_usd",
    "latency_s",
    "correct",
)

_MEANT = {"answer": "answer", "target": "target", "gold": "target", "targets": "target"}

Row = dict[str, Any]


def _lm_eval(path: Path) -> Iterator[Row]:
    """A row a repeat of each document: of the first filter that keeps all, else what was said."""
    lines = _lines(path)
    names = list(dict.fromkeys(line.get("filter") for line in lines))
    partial = {
        line.get("filter")
        for line in lines
        if len(_repeats(line, "filtered_resps")) != len(_repeats(line, "resps"))
    }
    whole = [name for name in names if name not in partial]
    chosen = (whole or names or [None])[0]
    task = re.sub(r"_\d{4}-\d\d-\d\dT.*$", "", path.stem.removeprefix("samples_"))
    # its marks are of the one response that its filter left
    marked = chosen in whole and all(len(_repeats(line, "resps")) == 1 for line in lines)
    for line in lines:
        if line.get("filter") != chosen:
            continue
        said = _repeats(line, "resps")
        for index, response in enumerate(
            _repeats(line, "filtered_resps") if chosen in whole else said
        ):
            if not isinstance(response, str):
                raise InputError(
                    f"{path} holds log-likelihoods of given choices, which cannot be drawn again"
                    " and again: give the log of a task whose answers are generated"
                )
            answer = "" if response == "[invalid]" else response
            yield {
                "dataset": task,
                "question_id": text_of(line["doc_id"]),
                "sample_index": index,
                "answer": answer,
                "text": text_of(said[index]),
                "target": _lettered(line["target"], line.get("doc")),
                "correct": _mark(line) if marked else None,
            }


def _mark(line: Mapping[str, Any]) -> bool | None:
    """What lm-eval says of a line's answer, by its first metric; None if that is a share."""
    names = line.get("metrics") or ()
    value = line.get(names[0]) if names else None
    return bool(value) if value in (0, 1) else None


def lm_eval_report(path: Path) -> dict[str, float]:
    """What lm-eval itself says of a log, named as in its results: `exact_match,flexible-extract`.

    The mean over its documents, of each metric behind each filter.
    """
    marks: dict[str, list[float]] = {}
    for line in _lines(path):
        for name in line.get("metrics") or ():
            if isinstance(line.get(name), int | float):
                marks.setdefault(f"{name},{line.get('filter', 'none')}", []).append(line[name])
    return {name: math.fsum(values) / len(values) for name, values in marks.items()}


def _lettered(target: Any, document: Any) -> Any:
    """A target that is an index into the document's choices, counted from 0, is their letter."""
    choices = document.get("choices") if isinstance(document, dict) else None
    choices = choices.get("text") if isinstance(choices, dict) else choices
    if not isinstance(choices, list) or not re.fullmatch(r"\d{1,2}", str(target).strip()):
        return target
    index = int(target)
    known = str(target).strip() in [str(choice).strip() for choice in choices]
    return target if known or index >= len(choices) else chr(ord("A") + index)


def _repeats(line: Mapping[str, Any], column: str) -> list[Any]:
    """The responses of a document: [[a, b]], [a, b] or, of a single one, a → [a, b] or [a]."""
    responses = line.get(column, line["resps"])
    if isinstance(responses, str):
        return [responses]
    if len(responses) == 1 and isinstance(responses[0], list):
        return list(responses[0])
    return list(responses)


def _samples(path: Path) -> Iterator[Row]:
    """A row a line."""
    for line in _lines(path):
        answer = line["answer"] if "answer" in line else line["response"]
        row = {name: line[name] for name in _KEPT if name in line and name in SCHEMA}
        if "sample_index" in line:
            row["sample_index"] = line["sample_index"]
        question = line["question_id"] if "question_id" in line else line["id"]
        if question is None:
            raise ValueError("a line whose id is null")
        for name in line:
            if name not in ("answer", "target") and name.casefold() in _MEANT:
                raise InputError(
                    f"{path} has a column {name!r}: rename it {_MEANT[name.casefold()]!r}"
                )
        yield {
            **row,
            "question_id": text_of(question),
            "answer": "" if answer is None else answer,
            "target": line.get("target"),
        }


def _lines(path: Path) -> list[dict[str, Any]]:
    return [row for _, row in json_objects(text_of_file(path))]


FORMS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    "inspect": inspect_samples,
    "lm-eval": _lm_eval,
    "samples": _samples,
}
