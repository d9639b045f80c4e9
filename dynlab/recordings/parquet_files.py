"""Parquet files as frames, in little more memory than what is asked for of them takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynlab.recordings.schema import NO_INDICES, TEXTS

CARD = b"dynlab"  # the card's name in a file's metadata
LONG = ("text",)  # columns that no number or table is made from


def read_parquet(path: Path, *, texts: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The columns of a Parquet file, and its card; without `texts` those of `LONG` are not read."""
    schema = pq.read_schema(path)
    names = [name for name in schema.names if texts or name not in LONG]
    # what repeats, as ids and answers do, is held once: a text is one object in all of its rows
    repeating = [
        name for name in names if name in TEXTS and pa.types.is_string(schema.field(name).type)
    ]
    table = pq.read_table(path, columns=names, read_dictionary=repeating)
    card = json.loads((schema.metadata or {}).get(CARD, b"{}"))
    # without what pandas noted of types and index: columns are made what they must be anyway
    table = table.replace_schema_metadata(None)
    lists = [field.name for field in table.schema if pa.types.is_list(field.type)]
    listed = {name: _lists(table[name]) for name in lists}
    frame = table.drop_columns(lists).to_pandas(split_blocks=True, self_destruct=True)
    del table
    for name, values in listed.items():
        frame[name] = pd.Series(values, frame.index, dtype=object)
    return frame, card if isinstance(card, dict) else {}


def _lists(column: pa.ChunkedArray) -> list[Any]:
    """The lists of a column; where all are empty, one for all."""
    if not pc.max(pc.list_value_length(column)).as_py():
        return [NO_INDICES if known else None for known in column.is_valid().to_pylist()]
    return list(column.to_pylist())
