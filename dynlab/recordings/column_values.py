"""Columns of a recording as they come, in the types that they have in a recording."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError

_MOST = 2**31 - 1  # what a column of whole numbers holds


def indices(value: Any) -> list[int] | None:
    """A list of indices, also from its text in a CSV file; None where it is missing.

    >>> indices("[0, 1]")
    [0, 1]
    """
    if value is None:  # most are
        return None
    if isinstance(value, list):  # as a file has them: without a look at what else they could be
        return [int(number) for number in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        return list(value.tolist())
    if isinstance(value, str):
        return [int(number) for number in re.findall(r"\d+", value)] if value.strip() else None
    return [int(number) for number in value] if isinstance(value, Sequence | np.ndarray) else None


def texts(column: pd.Series, unknown: str | None) -> pd.Series:
    """Values as texts; what is missing is `unknown`."""
    if isinstance(column.dtype, pd.CategoricalDtype):  # a text is one object in all of its rows
        known = pd.Series(column.dtype.categories.to_numpy(dtype=object))
        named = np.append(texts(known, unknown).to_numpy(), [unknown])[column.cat.codes]
        return pd.Series(named, column.index, dtype=object)
    values = column.to_numpy(dtype=object).copy()
    gone = column.isna().to_numpy()
    if not isinstance(column.dtype, pd.StringDtype):
        found = values[~gone]
        values[~gone] = [value if type(value) is str else text_of(value) for value in found]
    values[gone] = unknown
    return pd.Series(values, column.index, dtype=object)


def whole(column: pd.Series, where: str, *, is_required: bool) -> pd.Series:
    """Counts and indices; what is an integer column already needs a look at its range alone."""
    if pd.api.types.is_integer_dtype(column) and not (is_required and column.hasnans):
        is_plain = isinstance(column.dtype, np.dtype)
        values = column.to_numpy() if is_plain else column.to_numpy(na_value=0)
        if values.min() >= 0 and values.max() <= _MOST:
            return column.astype("int64" if is_required else "Int64")
    numbers = pd.to_numeric(column, errors="coerce")
    bad = (
        (numbers.isna() & (column.notna() | is_required))
        | (numbers < 0)
        | (numbers % 1 > 0)
        | (numbers > _MOST)
    )
    if bad.any():
        raise InputError(
            f"{where}: {column.name} must be whole numbers from 0 on, to {_MOST}; found"
            f" {column[bad].iloc[0]!r}"
        )
    return numbers.astype("int64" if is_required else "Int64")


def amount(column: pd.Series, where: str, *, is_signed: bool) -> pd.Series:
    """Finite numbers, from 0 on unless they are signed."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":  # the usual case, fast
        values = column.to_numpy()
        if not (np.isinf(values) | ((values < 0) & (not is_signed))).any():
            return column.astype("float64")
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    unknown = column.isna()
    if not pd.api.types.is_numeric_dtype(column):
        unknown |= column.astype(str).str.lower().isin(["", "nan", "none", "null"])
    bad = (numbers.isna() & ~unknown) | np.isinf(numbers) | ((numbers < 0) & (not is_signed))
    if bad.any():
        least = "" if is_signed else " from 0 on"
        raise InputError(
            f"{where}: {column.name} must be finite numbers{least}; found {column[bad].iloc[0]!r}"
        )
    return numbers


def boolean(column: pd.Series, where: str) -> pd.Series:
    """True, false or unknown, also from their words in a CSV file."""
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
            f"{where}: {column.name} must be true or false; found {column[unknown].iloc[0]!r}"
        )
    return texts.map(words).astype("boolean")
