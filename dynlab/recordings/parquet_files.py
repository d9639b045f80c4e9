"""Parquet files as frames, in little more memory than what is asked for of them takes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynlab.recordings.schema import NO_INDICES, TEXTS

CARD = b"dynlab"  # the card's name in a file's metadata
LONG = ("text",)  # columns that no number or table is made from


def read_parquet(
    path: Path, *, texts: bool = True, only: Collection[str] | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The columns of a Parquet file, and its card.

    Args:
        texts: Whether to read those of `LONG`.
        only: The columns that are read; None: all.
    """
    schema = pq.read_schema(path)
    names = [name for name in schema.names if only is None or name in only]
    names = [name for name in names if texts or name not in LONG]
    repeating = _repeating(schema, names)
    return _frame(pq.read_table(path, columns=names, read_dictionary=repeating)), card_in(path)


def card_in(path: Path) -> dict[str, Any]:
    """The card of a Parquet file; {} where it has none."""
    card = json.loads((pq.read_schema(path).metadata or {}).get(CARD, b"{}"))
    return card if isinstance(card, dict) else {}


def frames_in(path: Path, num_rows: int) -> Iterator[pd.DataFrame]:
    """The rows of a Parquet file that is sorted by question, so many at a time and a little more:
    those of a question are never parted.
    """
    schema = pq.read_schema(path)
    repeating = _repeating(schema, set(schema.names) - set(LONG))
    held = schema.empty_table()
    with pq.ParquetFile(path, read_dictionary=repeating) as file:
        for batch in file.iter_batches(batch_size=num_rows):
            table = pa.Table.from_batches([batch])
            held = pa.concat_tables([held, table]) if len(held) else table
            ids = held["question_id"].cast(pa.string())
            start = pc.index(ids, ids[-1]).as_py()  # the last question may go on
            if start:
                yield _frame(held.slice(0, start))
                held = held.slice(start)
    if len(held):
        yield _frame(held)


def _repeating(schema: pa.Schema, names: Iterable[str]) -> list[str]:
    """Columns whose values are read once each: a text is one object in all of its rows."""
    return [name for name in names if name in TEXTS and pa.types.is_string(schema.field(name).type)]


def _frame(table: pa.Table) -> pd.DataFrame:
    # without what pandas noted of types and index: columns are made what they must be anyway
    table = table.replace_schema_metadata(None)
    lists = [field.name for field in table.schema if pa.types.is_list(field.type)]
    listed = {name: _lists(table[name]) for name in lists}
    frame: pd.DataFrame = table.drop_columns(lists).to_pandas(split_blocks=True, self_destruct=True)
    for name, values in listed.items():
        frame[name] = pd.Series(values, frame.index, dtype=object)
    return frame


def _lists(column: pa.ChunkedArray) -> list[Any]:
    """The lists of a column; where all are empty, one for all."""
    if not pc.max(pc.list_value_length(column)).as_py():
        return [NO_INDICES if known else None for known in column.is_valid().to_pylist()]
    return list(column.to_pylist())
