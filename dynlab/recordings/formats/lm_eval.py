"""Samples of lm-evaluation-harness: `samples_TASK_DATE.jsonl`, as `--log_samples` writes them.

A line a document and filter, with `doc_id, target, resps, filtered_resps`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError
from dynlab.recordings.formats.base import Format, Row, lines_of, mark_of, means, signs


def _read(path: Path) -> Iterator[Row]:
    """A row a repeat of each document: of the first filter that keeps all, else what was said."""
    lines = lines_of(path)
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
        if own := line.get("dynlab"):
            yield from _exported(own)
            continue
        said = _repeats(line, "resps")
        for index, response in enumerate(
            _repeats(line, "filtered_resps") if chosen in whole else said
        ):
            if not isinstance(response, str | None):
                raise InputError(
                    f"{path} holds log-likelihoods of given choices, which cannot be drawn again"
                    " and again: give the log of a task whose answers are generated"
                )
            answer = "" if response in (None, "[invalid]") else response
            yield {
                "dataset": task,
                "question_id": text_of(line["doc_id"]),
                "sample_index": index,
                "answer": answer,
                "text": "" if said[index] is None else text_of(said[index]),
                "target": _lettered(line["target"], line.get("doc")),
                "correct": _mark(line) if marked else None,
            }


def _exported(columns: Mapping[str, list[Any]]) -> Iterator[Row]:
    """The rows of a recording that a line was made from: a list a column."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True)) | {"keyed": True}


def _card(path: Path) -> Row:
    return next((line["dynlab_card"] for line in lines_of(path) if "dynlab_card" in line), {})


def _mark(line: Mapping[str, Any]) -> bool | None:
    """What lm-eval says of a line's answer, by its first metric; None if that is a share."""
    names = line.get("metrics") or ()
    return mark_of(line.get(names[0])) if names else None


def _report(path: Path) -> dict[str, float]:
    """What lm-eval itself says of a log, named as in its results: `exact_match,flexible-extract`.

    The mean over its documents, of each metric behind each filter.
    """
    marks: dict[str, list[float]] = {}
    for line in lines_of(path):
        for name in line.get("metrics") or ():
            if isinstance(line.get(name), int | float):
                marks.setdefault(f"{name},{line.get('filter', 'none')}", []).append(line[name])
    return means(marks)


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
    """The responses of a document: [[a, b]], [a, b] or, of a single one, a → [a, b] or [a].

    None stands for one that failed, also where there is none at all.
    """
    responses = line.get(column, line["resps"])
    if isinstance(responses, str | None):
        return [responses]
    if len(responses) == 1 and isinstance(responses[0], list):
        responses = responses[0]
    return list(responses) or [None]


FORMAT = Format(
    "samples of lm-evaluation-harness (--log_samples)",
    signs("doc_id resps"),
    _read,
    _report,
    _card,
)
