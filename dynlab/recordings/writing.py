"""Recordings written a block of whole questions at a time, so that texts need not fit in memory."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynlab._util.cells import refuse_two_spellings
from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab._util.values import GREEDY
from dynlab.recordings.parquet_files import CARD
from dynlab.recordings.schema import KEY, SCHEMA, decimals_of, plain_forms, validated

ROWS = 2**16  # of a row group
BLOCK_ROWS = 2**14  # of a block, at least
_IN_MEMORY = 2**25  # bytes; a recording whose packed rows are larger goes by way of the disk
_ANSWERS = ("answer", "target")
Counts = Mapping[str, int]


def counts_of(frame: pd.DataFrame) -> dict[str, int]:
    """Questions, samples without the greedy ones, and greedy ones, as a card tells them."""
    greedy = frame["strategy"] == GREEDY
    return {
        "questions": frame["question_id"].nunique(),
        "samples": int((~greedy).sum()),
        "greedy": int(greedy.sum()),
    }


def write_blocks(
    blocks: Iterable[pd.DataFrame], card_of: Callable[[Counts], Mapping[str, Any]], path: Path
) -> Path:
    """Writes a recording that comes in blocks, in the order of its keys; all or nothing.

    The file is the same however its rows are parted into blocks. A digest covers one column after
    another, and stands in the file before them: so blocks are kept in a temporary file meanwhile.

    Args:
        blocks: Rows of whole questions each; every block has the same columns.
        card_of: Makes the card, given the counts of all rows.
        path: The recording.

    Raises:
        InputError: the folder cannot be written to, or the rows are no recording.
    """
    with (
        replacing(path) as temporary,
        tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(path.parent)) as file,
    ):
        spool = _Spool(path, file)
        for block in blocks:
            if len(block):
                spool.add(validated(block, str(path)))
        spool.finish()
        card = dict(card_of(spool.counts)) | {"digest": _digest(spool.names, spool.column)}
        metadata = {CARD: json.dumps(card, sort_keys=True).encode()}
        how: dict[str, Any] = {"compression": "zstd", "compression_level": 12}
        with pq.ParquetWriter(temporary, spool.schema.with_metadata(metadata), **how) as writer:
            for table in _row_groups(spool.tables()):
                writer.write_table(table)
    return path


def digest_of(frame: pd.DataFrame) -> str:
    """The fingerprint of rows that `validated` has made."""
    table = table_of(frame)
    return _digest(table.column_names, lambda name: table[name].chunks)


def table_of(frame: pd.DataFrame) -> pa.Table:
    """Rows as Arrow's, in the types and the order of `SCHEMA`."""
    fields = [(name, kind) for name, kind in SCHEMA.items() if name in frame.columns]
    names = [name for name, _ in fields]
    table = pa.Table.from_pandas(frame[names], pa.schema(fields), preserve_index=False)
    return table.replace_schema_metadata(None)


def _digest(names: Iterable[str], column: Callable[[str], Iterable[pa.Array]]) -> str:
    """The hash of JSON's {name: [values], …}, which is never held as a whole."""
    told = hashlib.blake2b(digest_size=16)
    for at, name in enumerate(names):
        told.update(f"{', ' if at else '{'}{json.dumps(name)}: [".encode())
        apart = ""
        for chunk in column(name):
            for first in range(0, len(chunk), ROWS):
                values = chunk.slice(first, ROWS).to_pylist()
                told.update((apart + json.dumps(values, default=str)[1:-1]).encode())
                apart = ", "
        told.update(b"]")
    told.update(b"}")
    return told.hexdigest()


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of `ROWS` rows, the last one shorter."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        while sum(map(len, held)) >= ROWS:
            whole = pa.concat_tables(held)
            yield whole.slice(0, ROWS).combine_chunks()
            held = [whole.slice(ROWS)]
    if sum(map(len, held)):
        yield pa.concat_tables(held).combine_chunks()


class _Spool:
    """Blocks of a recording in a temporary file, read again a column or a block at a time.

    What `validated` can tell of all rows alone is seen to here: the order of blocks, ids in two
    spellings, answers with decimals.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file
        self._writer: pa.RecordBatchFileWriter | None = None
        self._counts: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._last: tuple[Any, ...] = ()
        self._decimals: set[str] = set()
        self._plain: dict[str, str] = {}
        self.schema = pa.schema([])

    @property
    def counts(self) -> Counts:
        """Of all rows."""
        return dict(self._counts)

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return list(self.schema.names)

    def add(self, frame: pd.DataFrame) -> None:
        """Takes a block that `validated` has made."""
        table = table_of(frame)
        if self._writer is None:
            self.schema = table.schema
            how = pa.ipc.IpcWriteOptions(compression="zstd")
            self._writer = pa.ipc.new_file(self._file, self.schema, options=how)
        first, last = (tuple(frame[name].iloc[at] for name in KEY) for at in (0, -1))
        if table.schema != self.schema or first <= self._last or first[0] in self._ids:
            raise ValueError("blocks of a recording: one is out of order, or has other columns")
        self._last = last
        self._ids.update(frame["question_id"].unique())
        self._counts.update(counts_of(frame))
        if "target" in frame:
            self._decimals |= decimals_of(frame["answer"]) | decimals_of(frame["target"])
        self._writer.write_table(table, max_chunksize=ROWS)

    def finish(self) -> None:
        """No block comes any more."""
        if self._writer is None:
            raise InputError(f"{self._path} holds no samples; a recording needs at least one row")
        self._writer.close()
        refuse_two_spellings(self._ids, self._path)
        if self._decimals:  # plain forms of them may stand in any block
            plain = pa.array({each.removesuffix(".0") for each in self._decimals})
            known = set(self._decimals)
            for name in self.names:
                for chunk in self.column(name) if name in _ANSWERS else ():
                    known.update(chunk.filter(pc.is_in(chunk, plain)).unique().to_pylist())
            self._plain = plain_forms(known)

    def column(self, name: str) -> Iterator[pa.Array]:
        """The chunks of a column; nothing else is read."""
        for batch in self._batches([self.names.index(name)]):
            yield self._mended(name, batch.column(0))

    def tables(self) -> Iterator[pa.Table]:
        """All columns of some rows at a time."""
        for batch in self._batches(None):
            columns = [self._mended(*each) for each in zip(self.names, batch.columns, strict=True)]
            yield pa.table(columns, schema=self.schema)

    def _batches(self, fields: list[int] | None) -> Iterator[pa.RecordBatch]:
        self._file.seek(0)
        reader = pa.ipc.open_file(self._file, options=pa.ipc.IpcReadOptions(included_fields=fields))
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)

    def _mended(self, name: str, values: pa.Array) -> pa.Array:
        """Answers without the decimals that others lack."""
        if name not in _ANSWERS or not self._plain:
            return values
        return pa.array([self._plain.get(each, each) for each in values.to_pylist()], pa.string())
