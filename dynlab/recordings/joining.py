"""What imported samples do not say themselves, joined to them: which question a request of a batch
asked, and what a task knows of a question.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError
from dynlab._util.values import Question
from dynlab.recordings.formats.base import Row, lines_of
from dynlab.tasks.task import Task

_NUMBERED = re.compile(r"(.+?)[-_/:#.@]\d+", re.DOTALL)
_PROMPTS = ("messages", "prompt", "input")  # what a request's body may call what it asks


def with_requests(rows: Iterable[Row], path: Path) -> list[Row]:
    """The rows of a batch, grouped by what their requests asked: equal prompts are one question.

    A question is named by its requests' `custom_id` without the number of the sample, where that
    is theirs alone, else by the first of them.

    Args:
        rows: With the `custom_id` of each request as `question_id`.
        path: The batch's input: JSON lines with `custom_id` and `body`.

    Raises:
        InputError: It is no such file, or a row's request does not stand in it.
    """
    asked: dict[str, list[str]] = {}
    texts: dict[str, str | None] = {}
    try:
        for line in lines_of(path):
            body = line["body"]
            prompt = next(body[name] for name in _PROMPTS if name in body)
            asked.setdefault(json.dumps(prompt, sort_keys=True), []).append(line["custom_id"])
            texts[line["custom_id"]] = _last_text(prompt)
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); give the batch's input") from None
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        raise InputError(
            f"{path} is no input of a batch: give JSON lines with custom_id and body"
        ) from None
    stems = [{stem_of(request) for request in requests} for requests in asked.values()]
    shared = Counter(stem for group in stems for stem in group)
    named: dict[str, str] = {}
    for requests, group in zip(asked.values(), stems, strict=True):
        stem = min(group)
        alone = len(group) == 1 and shared[stem] == 1
        named |= dict.fromkeys(requests, stem if alone else requests[0])
    joined = []
    for row in rows:
        request = row["question_id"]
        if request not in named:
            raise InputError(f"{path} has no request {request!r}: give the input of this batch")
        joined.append(row | {"question_id": named[request], "question": texts[request]})
    return joined


def with_task(rows: Iterable[Row], task: Task) -> list[Row]:
    """The rows with questions, targets and answers as the task has them, which also judges them.

    A row belongs to the question of its id, with or without the number of the sample behind it, or
    to the one whose text stands in what it was asked.

    Raises:
        InputError: A row that belongs to none.
    """
    known = {question.id: question for question in task.questions}
    joined = []
    for row in rows:
        question = _question_of(row, known)
        said = row.get("text") or text_of(row["answer"] or "")
        answer = task.final_answer(said, question)
        joined.append(
            row
            | {
                "dataset": task.name,
                "question_id": question.id,
                "question": question.question,
                "answer": answer,
                "target": question.target,
                "correct": task.is_right(answer, question),
                "keyed": True,
            }
        )
    return joined


def stem_of(request: str) -> str:
    """An id without the number behind it: stem_of('q7-12') → 'q7'."""
    numbered = _NUMBERED.fullmatch(request)
    return numbered[1] if numbered else request


def _question_of(row: Row, known: Mapping[str, Question]) -> Question:
    given = text_of(row["question_id"])
    for name in (given, stem_of(given)):
        if name in known:
            return known[name]
    asked = row.get("question") or ""
    held = [question for question in known.values() if question.question in asked]
    if len(held) != 1:
        raise InputError(
            f"no question of the task is {given!r}: give the task whose questions were asked"
            f" (its first is {next(iter(known))!r})"
        )
    return held[0]


def _last_text(prompt: Any) -> str | None:
    """The text of a prompt, or of the last of its messages."""
    if isinstance(prompt, str):
        return prompt
    content = prompt[-1]["content"] if isinstance(prompt[-1], Mapping) else None
    return content if isinstance(content, str) else None
