"""Rows of a data set's file as questions of a task: read, their columns checked, their targets
turned into answers of a kind.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from dynlab._util.errors import InputError
from dynlab._util.extras import require
from dynlab._util.hub import HubFile, short
from dynlab._util.values import Question
from dynlab.tasks.answers import KINDS, Kind, extract, normalise
from dynlab.tasks.extraction import marked
from dynlab.tasks.graders import as_grader
from dynlab.tasks.questions import checked, question_of
from dynlab.tasks.task_files import read_rows

Row = Mapping[str, Any]
_MOST_UNREADABLE = 0.05  # of a file's targets; with more it is not the file that was meant
_LISTED = re.compile(r"\n\s*Options:\s*\n", re.IGNORECASE)
_OPTION = re.compile(r"\(([A-Z])\)\s*(\S.*)")


def rows_of(file: HubFile, label: str, columns: Sequence[str]) -> list[Row]:
    """The rows of a file of the hub.

    Args:
        file: JSONL, CSV or Parquet.
        label: What messages call it.
        columns: Those that it must have.

    Raises:
        InputError: it cannot be read, is empty, or has other columns, which are named.
    """
    try:
        rows = [row for _, row in read_rows(file.path)[1]]
    except InputError as error:  # the file lies deep in the cache: the reader knows it by its name
        raise InputError(str(error).replace(str(file.path), label)) from None
    if not rows:
        raise InputError(f"{label} at revision {short(file.commit)} holds no rows")
    found = dict.fromkeys(key for row in rows for key in row)
    if missing := [name for name in columns if name not in found]:
        raise InputError(
            f"{label} at revision {short(file.commit)} has no column"
            f" {', '.join(map(repr, missing))}: it has {', '.join(map(repr, found))}; name those"
            " that are meant, or another revision"
        )
    return rows


def questions_of(fields: Sequence[dict[str, Any]], answer: str, label: str) -> tuple[Question, ...]:
    """Questions of rows with the columns of a task file; `answer` is their kind or grader.

    A question whose target is no answer of its kind is left out, with a warning: there are such in
    public data sets.

    Raises:
        InputError: a row is no question, two have one id, many targets cannot be read, or
            math-verify is needed and not installed.
    """
    if answer == "expression":  # told now, not after the first answer that is paid for
        require("what is answered by an expression", "math_verify", extra="math")
    kept: list[Question] = []
    left_out: list[str] = []
    complaint = ""
    for number, row in enumerate(fields, start=1):
        question = question_of(row, f"{label}, row {number}")
        try:
            kept.append(checked(question, answer, Path(label)))
        except InputError as error:
            left_out.append(question.id)
            complaint = complaint or str(error)
    if len(left_out) > _MOST_UNREADABLE * len(fields):
        raise InputError(complaint)
    if left_out:
        warnings.warn(
            f"{label}: left out, since the target is no answer of its kind: {', '.join(left_out)}",
            stacklevel=2,
        )
    ids = [question.id for question in kept]
    if len(set(ids)) < len(ids):
        again = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise InputError(f"{label}: the id {again!r} is used twice: name another column for it")
    return tuple(kept)


def target_of(value: Any, answer: str) -> Any:
    r"""The right answer that a cell holds: what stands after `####` or in the box of a solution.

    >>> target_of("She has 9 * 2 = 18.\n#### 18", "integer")
    '18'
    >>> target_of(r"So it is $\boxed{\frac{3}{4}}$.", "expression")
    '\\frac{3}{4}'
    """
    if isinstance(value, list | tuple):
        return [target_of(each, answer) for each in value]
    if isinstance(value, bool) or not isinstance(value, str):
        return value
    if answer in ("integer", "number", "expression"):
        kind = cast(Kind, answer)
        # a plain answer stays as it is written; a solution has a sign of its answer
        if marked(value, stated=False) is not None:
            return extract(value, kind, reasoned=True)
        return value.strip() if kind == "expression" else normalise(value, kind) or value
    if answer not in KINDS:  # a grader of ours: the target is a key
        return as_grader(answer).key(f"Answer: {value}", Question("", ""))
    return value


def letter(index: Any, options: Sequence[Any]) -> Any:
    """The letter of an option that is given by its index; anything else as it is."""
    if type(index) is int and 0 <= index < len(options):
        return chr(ord("A") + index)
    return index


def split_options(text: str) -> tuple[str, list[str]]:
    r"""A question and the options that its own text lists.

    >>> split_options("What is it?\nOptions:\n(A) red\n(B) blue")
    ('What is it?', ['red', 'blue'])
    """
    parts = _LISTED.split(text)
    if len(parts) != 2:
        return text, []
    lines = [line.strip() for line in parts[1].strip().split("\n")]
    found = [_OPTION.fullmatch(line) for line in lines]
    options = [match[2] for match in found if match]
    letters = "".join(match[1] for match in found if match)
    if len(options) != len(lines) or letters != "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(lines)]:
        return text, []
    return parts[0], options
