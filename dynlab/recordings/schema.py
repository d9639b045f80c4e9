"""The columns of a recording: their types, and a frame that is made to have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
_MOST = 2**31 - 1  # what the counts' columns hold


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
    frame = frame[[name for name in SCHEMA if name in frame.columns]].reset_index(drop=True)
    if "target" in frame:
        frame = _with_aliases(frame, where)
    # a frame is put together once, from finished columns: setting them one by one is slow
    columns: dict[str, Any] = {str(name): column for name, column in frame.items()}
    for name, column in columns.items():
        if name in TEXTS:
            columns[name] = _texts(column, unknown="" if name == "answer" else None)
        elif name in ("stream", "sample_index", *COUNTS):
            columns[name] = _whole(column, name, where)
        elif name in AMOUNTS:
            columns[name] = _amount(column, name, where)
        elif name in ("correct", "votes"):
            columns[name] = _boolean(column, name, where)
        elif name in _INDICES:
            listed = [
                value if value is NO_INDICES else _indices(value)
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
    if _ascending(made):  # as in every file that dynlab wrote: nothing to sort, no key twice
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


def _with_aliases(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The frame with one target a row: of several accepted ones the first, and `correct` beside it.

    A list, or its text, holds aliases. An empty cell, 'None' and 'nan' are unknown, not wrong.
    """
    frame["target"] = frame["target"].astype(object)
    kinds = {*map(type, frame["target"])}
    if any(issubclass(kind, Mapping) for kind in kinds):
        named = next(each for each in frame["target"] if isinstance(each, Mapping))
        raise InputError(f"{where}: 'target' is {named!r}: give a text, or a list of texts")
    if any(is_listed(value) for value in frame["target"]):
        accepted = frame["target"].map(accepted_targets)
        marks = pd.Series(
            [
                text_of(answer) in texts if texts else None
                for answer, texts in zip(frame["answer"], accepted, strict=True)
            ],
            frame.index,
            dtype=object,
        )
        if "correct" in frame:
            known = frame["correct"].astype(object)
            marks = known.where(known.notna(), marks)
        frame["correct"] = marks
        frame["target"] = accepted.map(lambda texts: texts[0] if texts else None)
    frame.loc[frame["target"].isin(UNKNOWN), "target"] = None
    return frame


def _alike(answer: pd.Series, target: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Answers and targets without the decimals of whole ones (`5.0`) that others lack (`5`)."""
    known = {*answer.unique(), *target.unique()}
    plain = {
        each: each.removesuffix(".0")
        for each in known
        if isinstance(each, str) and each.endswith(".0") and each.removesuffix(".0") in known
    }
    return (answer.replace(plain), target.replace(plain)) if plain else (answer, target)


def _ascending(frame: pd.DataFrame) -> bool:
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
    if (frame["question_id"].isna() | (frame["question_id"] == "")).any():
        raise InputError(f"{where} has rows without a question_id; every sample needs one")
    refuse_two_spellings(frame["question_id"], where)


def _refuse_doubled(frame: pd.DataFrame, where: str) -> None:
    """Refuses keys that stand twice."""
    again = frame.duplicated(list(KEY))
    if again.any():
        key = ", ".join(f"{name}={frame.loc[again, name].iloc[0]}" for name in KEY)
        raise InputError(
            f"{where} has {int(again.sum())} samples more than once (first: {key}); keep one row of"
            " each key"
        )


def _indices(value: Any) -> list[int] | None:
    """A list of indices, also from its text in a CSV file; None where it is missing.

    >>> _indices("[0, 1]")
    [0, 1]
    """
    if value is None:  # most are
        return None
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        return list(value.tolist())
    if isinstance(value, str):
        return [int(number) for number in re.findall(r"\d+", value)] if value.strip() else None
    return [int(number) for number in value] if isinstance(value, Sequence | np.ndarray) else None


def _texts(column: pd.Series, unknown: str | None) -> pd.Series:
    """Values as texts; what is missing is `unknown`."""
    if isinstance(column.dtype, pd.CategoricalDtype):  # a text is one object in all of its rows
        known = pd.Series(column.dtype.categories.to_numpy(dtype=object))
        texts = np.append(_texts(known, unknown).to_numpy(), [unknown])[column.cat.codes]
        return pd.Series(texts, column.index, dtype=object)
    texts = column.to_numpy(dtype=object).copy()
    gone = column.isna().to_numpy()
    if not isinstance(column.dtype, pd.StringDtype):
        found = texts[~gone]
        texts[~gone] = [value if type(value) is str else text_of(value) for value in found]
    texts[gone] = unknown
    return pd.Series(texts, column.index, dtype=object)


def _whole(column: pd.Series, name: str, where: str) -> pd.Series:
    """Counts and indices; what is an integer column already needs a look at its range alone."""
    required = name in ("stream", "sample_index")
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":  # the usual case, fast
        values = column.to_numpy()
        if values.min() >= 0 and values.max() <= _MOST:
            return column.astype("int64" if required else "Int64")
    whole = pd.api.types.is_integer_dtype(column) and not (required and column.hasnans)
    if whole and column.between(0, _MOST).all():
        return column.astype("int64" if required else "Int64")
    numbers = pd.to_numeric(column, errors="coerce")
    bad = (
        (numbers.isna() & (column.notna() | required))
        | (numbers < 0)
        | (numbers % 1 > 0)
        | (numbers > _MOST)
    )
    if bad.any():
        raise InputError(
            f"{where}: {name} must be whole numbers from 0 on, to {_MOST}; found"
            f" {column[bad].iloc[0]!r}"
        )
    return numbers.astype("int64" if required else "Int64")


def _amount(column: pd.Series, name: str, where: str) -> pd.Series:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":  # the usual case, fast
        values = column.to_numpy()
        if not (np.isinf(values) | ((values < 0) & (name not in LOGPROBS))).any():
            return column.astype("float64")
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    unknown = column.isna()
    if not pd.api.types.is_numeric_dtype(column):
        unknown |= column.astype(str).str.lower().isin(["", "nan", "none", "null"])
    bad = (numbers.isna() & ~unknown) | np.isinf(numbers) | ((numbers < 0) & (name not in LOGPROBS))
    if bad.any():
        least = "" if name in LOGPROBS else " from 0 on"
        raise InputError(
            f"{where}: {name} must be finite numbers{least}; found {column[bad].iloc[0]!r}"
        )
    return numbers


def _boolean(column: pd.Series, name: str, where: str) -> pd.Series:
    if pd.api.types.is_bool_dtype(column):
        return column.astype("boolean")
    words = {
        "true": True,
        "1": True,
        "1.0": True,
        "false": False,
        "0": False,
        "0.0": False,
        "nan": None,
        "none": None,
        "": None,
        "<na>": None,
    }
    texts = column.map(lambda value: str(value).lower())
    unknown = ~texts.isin(list(words))
    if unknown.any():
        raise InputError(
            f"{where}: {name} must be true or false; found {column[unknown].iloc[0]!r}"
        )
    return texts.map(words).astype("boolean")
