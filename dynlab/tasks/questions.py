"""Rows as questions: their columns and targets, checked, with words for what to mend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from dynlab._util.cells import accepted_targets, is_listed, text_of
from dynlab._util.errors import InputError
from dynlab._util.target_names import tell_ignored
from dynlab._util.values import Question
from dynlab.tasks.answers import KINDS, clean, extract, normalise
from dynlab.tasks.choices import letters_meant

COLUMNS = ("id", "question", "target", "choices", "aliases")


def question_of(row: Mapping[str, Any], where: str) -> Question:
    """The question of a row.

    Args:
        row: Columns by name; others than those of a question are ignored.
        where: The words for where it stands.

    Raises:
        InputError: it is no question; the message says where and what to do.
    """
    for column in ("id", "question"):
        if column not in row:
            given = [str(name) for name in row]
            near = [name for name in given if name.strip().casefold() == column]
            near = near or get_close_matches(column, given, n=1)
            hint = f"rename {near[0]!r}" if near else f"name the columns {', '.join(COLUMNS)}"
            raise InputError(
                f"{where} has no column {column!r}, it has {', '.join(map(repr, given)) or 'none'}:"
                f" {hint}"
            )
        if not _string(row[column]).strip():
            raise InputError(f"{where}: {column!r} is empty")
    if "target" not in row:
        tell_ignored(row, where, read=COLUMNS, is_known=False)
    for column in set(COLUMNS) - set(row):
        if near := get_close_matches(
            column, [str(name) for name in row if name not in COLUMNS], n=1, cutoff=0.75
        ):
            raise InputError(
                f"{where} has a column {near[0]!r}: rename it if {column!r} is meant, or leave"
                " it out"
            )
    choices, aliases = (_strings(row.get(name), name, where) for name in ("choices", "aliases"))
    if len(choices) > 26:
        raise InputError(f"{where} has {len(choices)} choices: at most 26 have a letter")
    right: Any = row.get("target")
    if isinstance(right, Mapping):
        raise InputError(f"{where}: 'target' is {right!r}: give a text, or a list of texts")
    if is_listed(right):  # several that are accepted
        right = accepted_targets(right)
        accepted = _strings(list(right), "target", where)
        right, aliases = (accepted[0] if accepted else None), (*accepted[1:], *aliases)
    target = None if right in (None, "") or right != right else _string(right)
    if target is not None and not target.strip():
        raise InputError(
            f"{where}: 'target' is blank: leave it out where the right answer is not known"
        )
    return Question(_string(row["id"]), _string(row["question"]), target, choices, aliases)


def _string(value: object) -> str:
    """The text of a cell: 5.0, which is how a column with gaps stores 5, is '5'; nothing is ''."""
    return "" if value is None else clean(text_of(value))


def checked(question: Question, kind: object, path: Path) -> Question:
    """The question with a target of its kind; of a choice, its letter or, first, its text.

    Raises:
        InputError: the target is none of its kind.
    """
    if question.target is None or kind not in KINDS:
        return question
    index = ""
    if kind == "choice":
        index = letters_meant(question.target, len(question.choices) or 26)
        question = replace(question, target=extract(question.target, kind, question.choices))
    if kind != "expression" and not normalise(question.target or "", kind):
        options = f" among {', '.join(question.choices)}" if question.choices else ""
        raise InputError(
            f"{path}, question {question.id!r}: the target is no answer of kind {kind!r}{options}"
            + (f"; {index}" if index else "")
        )
    return question


def _strings(value: object, name: str, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple | np.ndarray):
        raise InputError(f"{where}: {name!r} must be a list of texts, not {value!r}")
    return tuple(_string(item).strip() for item in value)
