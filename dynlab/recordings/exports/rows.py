"""Rows of a recording as values that JSON knows, without what is unknown, and whose they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pandas as pd

from dynlab.recordings.recording import Recording

Values = dict[str, Any]


def json_rows(frame: pd.DataFrame) -> Iterator[Values]:
    """A dict a row, of the columns that it knows."""
    known = frame.notna().to_numpy()
    columns = [column.to_numpy(dtype=object) for _, column in frame.items()]
    for at in range(len(frame)):
        yield {
            str(name): _plain(columns[number][at])
            for number, name in enumerate(frame.columns)
            if known[at, number]
        }


def without(row: Values, left_out: Collection[str]) -> Values:
    """The row without some of its columns."""
    return {name: value for name, value in row.items() if name not in left_out}


def named_in(recording: Recording, column: str) -> str:
    """The values of a column, commas between, or else what the card says; '' if neither does."""
    if column in recording.frame and recording.frame[column].notna().any():
        return ", ".join(sorted(recording.frame[column].dropna().unique()))
    return str(recording.card.get(column) or "")


def _plain(value: Any) -> Any:
    """A numpy scalar as Python's."""
    return value.item() if isinstance(value, np.generic) else value
