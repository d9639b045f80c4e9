"""The columns of a recording, and a frame that is made to have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dynlab._util.cells import (
    UNKNOWN,
    accepted_targets,
    is_listed,
    refuse_two_spellings,
    text_of,
)
from dynlab._util.errors import InputError
from dynlab._util.table_files import refuse_doubled
from dynlab._util.target_names import tell_ignored
from dynlab.recordings import column_values

KEY = ("question_id", "strategy", "stream", "sample_index")
REQUIRED = ("question_id", "sample_index", "answer")
SCHEMA: dict[str, pa.DataType] = {
    "dataset": pa.string(),
    "model": pa.string(),
    "question_id": pa.string(),
    "question": pa.string(),
    "strategy": pa.string(),
    "stream": pa.int32(),
    "sample_index": pa.int32(),
    "role": pa.string(),
    "parents": pa.list_(pa.int32()),
    "awaited": pa.list_(pa.int32()),
    "answer": pa.string(),
    "target": pa.string(),
    "correct": pa.bool_(),
    "votes": pa.bool_(),
    "text": pa.string(),
    "finish_reason": pa.string(),
    "mean_logprob": pa.float32(),
    "lowest_logprob": pa.float32(),
    "first_logprob": pa.float32(),
    "last_logprob": pa.float32(),
    "prompt_tokens": pa.int32(),
    "completion_tokens": pa.int32(),
    "reasoning_tokens": pa.int32(),
    "cached_tokens": pa.int32(),
    "cost_usd": pa.float64(),
    "billed_usd": pa.float64(),
    "latency_s": pa.float32(),
    "source": pa.string(),
    "picked": pa.int32(),
    "arrived": pa.int32(),
}
COUNTS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
LOGPROBS = ("mean_logprob", "lowest_logprob", "first_logprob", "last_logprob")
AMOUNTS = (*LOGPROBS, "cost_usd", "billed_usd", "latency_s")
_INDICES = ("parents", "awaited")
NO_INDICES: list[int] = []  # one for all samples of a large recording that are shown nothing
TEXTS = ("question_id", "strategy", "answer", "target", "dataset", "model", "question", "text")


def validated(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The frame with the right types and defaults, sorted by key, without unknown columns.

    Raises:
        InputError: empty, a required column is missing, a value has the wrong type, or a key stands
            twice.
    """
    if frame.empty:
        raise InputError(f"{where} holds no samples; a recording needs at least one row")
    refuse_doubled(frame.columns, where)
    frame = _plain(frame)
    _refuse_names([str(name) for name in frame.columns], where)
    frame = frame.reset_index(drop=True)
    # a frame is put together once, from finished columns: setting them one by one is slow
    columns: dict[str, Any] = {name: frame[name] for name in SCHEMA if name in frame.columns}
    if "target" in columns:
        columns |= _with_aliases(columns, where)
    for name, column in columns.items():
        if name in TEXTS:
            columns[name] = column_values.texts(column, unknown="" if name == "answer" else None)
        elif name in ("stream", "sample_index", *COUNTS):
            columns[name] = column_values.whole(column, where, is_required=name not in COUNTS)
        elif name in AMOUNTS:
            columns[name] = column_values.amount(column, where, is_signed=name in LOGPROBS)
        elif name in ("correct", "votes"):
            columns[name] = column_values.boolean(column, where)
        elif name in _INDICES:
            listed = [
                value if value is NO_INDICES else column_values.indices(value)
                for value in column.to_numpy(dtype=object)
            ]
            columns[name] = pd.Series(listed, frame.index, dtype=object)
    named = [name or "parallel" for name in columns.get("strategy", [None] * len(frame))]
    columns["strategy"] = pd.Series(named, frame.index, dtype=object)
    columns.setdefault("stream", 0)
    if "target" in columns:
        columns["answer"], columns["target"] = _alike(columns["answer"], columns["target"])
    made = pd.DataFrame(columns, copy=False)
    _refuse_unnamed(made, where)
    if in_order(made):  # as in every file that dynlab wrote: nothing to sort, no key twice
        return made
    _refuse_doubled(made, where)
    return made.sort_values(list(KEY), kind="stable", ignore_index=True)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with keys as columns, also those of its index, and Arrow's types as Python's."""
    if keys := [name for name in frame.index.names if name in SCHEMA]:
        frame = frame.reset_index(keys)
    arrow = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.ArrowDtype)]
    return frame.astype(dict.fromkeys(arrow, object)) if arrow else frame


def _refuse_names(columns: Sequence[str], where: str) -> None:
    """Refuses a frame that lacks a column, or has one under nearly its name."""
    for column in SCHEMA:
        near = [name for name in columns if name.strip().casefold() == column]
        if column not in columns and near:
            raise InputError(f"{where} has a column {near[0]!r}: rename it {column!r}")
        if column in REQUIRED and column not in columns:
            meant = get_close_matches(column, columns, n=1)
            raise InputError(
                f"{where} has no column {column!r}; a recording needs {', '.join(REQUIRED)}, and"
                f" it has {', '.join(columns)}"
                + "".join(f": is {name!r} meant? Rename it {column!r}" for name in meant)
            )
    is_known = "target" in columns or "correct" in columns
    tell_ignored(columns, where, read=SCHEMA, is_known=is_known)


def _with_aliases(columns: Mapping[str, pd.Series], where: str) -> dict[str, pd.Series]:
    """One target a row: of several accepted ones the first, and `correct` beside it.

    A list, or its text, holds aliases. An empty cell, 'None' and 'nan' are unknown, not wrong.
    """
    index = columns["target"].index
    targets = columns["target"].to_numpy(dtype=object)
    if any(issubclass(kind, Mapping) for kind in {*map(type, targets)}):
        named = next(each for each in targets if isinstance(each, Mapping))
        raise InputError(f"{where}: 'target' is {named!r}: give a text, or a list of texts")
    if not any(map(is_listed, targets)):
        gone = columns["target"].isin(UNKNOWN)
        return {"target": columns["target"].astype(object).mask(gone, None)} if gone.any() else {}
    accepted = [accepted_targets(target) for target in targets]
    marks = [
        text_of(answer) in texts if texts else None
        for answer, texts in zip(columns["answer"], accepted, strict=True)
    ]
    correct = pd.Series(marks, index, dtype=object)
    if "correct" in columns:
        known = columns["correct"].astype(object)
        correct = known.where(known.notna(), correct)
    first = pd.Series([texts[0] if texts else None for texts in accepted], index, dtype=object)
    return {"target": first.mask(first.isin(UNKNOWN), None), "correct": correct}


def _alike(answer: pd.Series, target: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Answers and targets without the decimals of whole ones (`5.0`) that others lack (`5`)."""
    plain = plain_forms({*answer.unique(), *target.unique()})
    return (answer.replace(plain), target.replace(plain)) if plain else (answer, target)


def decimals_of(values: pd.Series) -> set[str]:
    """The values that end in `.0`."""
    return {each for each in values.unique() if isinstance(each, str) and each.endswith(".0")}


def plain_forms(known: Collection[str]) -> dict[str, str]:
    """Of the values that end in `.0`, the plain ones that are known too.

    >>> plain_forms({"5.0", "5", "2.0"})
    {'5.0': '5'}
    """
    return {
        each: each.removesuffix(".0")
        for each in known
        if isinstance(each, str) and each.endswith(".0") and each.removesuffix(".0") in known
    }


def in_order(frame: pd.DataFrame) -> bool:
    """Whether each row's key is beyond the one before it."""
    beyond = np.zeros(max(len(frame) - 1, 0), bool)
    equal = ~beyond
    for name in KEY:
        values = frame[name].to_numpy()
        beyond |= equal & (values[1:] > values[:-1])
        equal &= values[1:] == values[:-1]
    return bool(beyond.all())


def _refuse_unnamed(frame: pd.DataFrame, where: str) -> None:
    """Refuses rows without a question."""
    known = set(frame["question_id"])
    if known & {None, ""}:
        raise InputError(f"{where} has rows without a question_id; every sample needs one")
    refuse_two_spellings(known, where)


def _refuse_doubled(frame: pd.DataFrame, where: str) -> None:
    """Refuses keys that stand twice."""
    again = frame.duplicated(list(KEY))
    if again.any():
        key = ", ".join(f"{name}={frame.loc[again, name].iloc[0]}" for name in KEY)
        raise InputError(
            f"{where} has {int(again.sum())} samples more than once (first: {key}); keep one row of"
            " each key"
        )
