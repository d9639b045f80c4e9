"""Recordings read a block of whole questions at a time, so that texts need not fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dynlab._util.table_files import format_of
from dynlab.recordings.parquet_files import card_in, frames_in, read_parquet
from dynlab.recordings.recording import Recording, load, located, recording_of
from dynlab.recordings.schema import KEY, SCHEMA, in_order, validated
from dynlab.recordings.writing import BLOCK_ROWS

# what recordings are compared, counted and named by
_OVERVIEW = {*KEY, "dataset", "model", "question", "answer", "target", "correct"}
_OVERVIEW |= {"completion_tokens", "source"}


@dataclass(frozen=True)
class FileBlocks:
    """The blocks of a file that dynlab wrote, and nothing else of it."""

    path: Path

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for frame in frames_in(self.path, BLOCK_ROWS):
            yield validated(frame, str(self.path))


@dataclass(frozen=True)
class Blocks:
    """A recording in blocks: `for frame in blocks` gives the rows of some whole questions, texts
    and all, in the order of their keys.

    Args:
        overview: The recording; of a file, a few of its columns alone.
        columns: That a block has.
        path: The file that is read anew each time; None: the overview holds all.
    """

    overview: Recording
    columns: tuple[str, ...]
    path: Path | None = None

    def __iter__(self) -> Iterator[pd.DataFrame]:
        if self.path is None:
            return _parted(self.overview.frame, BLOCK_ROWS)
        return iter(FileBlocks(self.path))


def blocks_of(source: str | Path | Recording) -> Blocks:
    """A recording in blocks; one that dynlab did not write as Parquet is read as a whole.

    Raises:
        InputError: as `load`.
    """
    if isinstance(source, str | Path):
        path = located(source)
        if (overview := _overview(source, path)) is not None:
            names = tuple(name for name in SCHEMA if name in pq.read_schema(path).names)
            return Blocks(overview, names, path)
    whole = load(source)
    if isinstance(source, Recording):  # which may have been put together by hand
        whole = replace(whole, frame=validated(whole.frame, whole.name))
    return Blocks(whole, tuple(whole.frame.columns))


def in_step(parts: Sequence[Blocks]) -> Iterator[pd.DataFrame]:
    """Blocks of several recordings' rows, those of a question together, sorted by question.

    Rows are those of the first part, then of the second, …; a column that a part lacks is unknown.
    """
    columns = [name for name in SCHEMA if any(name in part.columns for part in parts)]
    coming = [iter(part) for part in parts]
    held = [next(each) for each in coming]
    while held:
        # up to here no part has a question any more that was not read
        last = min(frame["question_id"].iloc[-1] for frame in held)
        cuts = [int(np.searchsorted(_ids(frame), last, side="right")) for frame in held]
        own = [frame.iloc[:cut] for frame, cut in zip(held, cuts, strict=True) if cut]
        yield pd.concat(own, ignore_index=True).reindex(columns=columns)
        held = [frame.iloc[cut:] for frame, cut in zip(held, cuts, strict=True)]
        held = [
            next(each, frame) if frame.empty else frame
            for each, frame in zip(coming, held, strict=True)
        ]
        left = [not frame.empty for frame in held]
        coming = [each for each, more in zip(coming, left, strict=True) if more]
        held = [frame for frame, more in zip(held, left, strict=True) if more]


def _overview(source: str | Path, path: Path) -> Recording | None:
    """The columns of a file that it is known by; None where blocks of it would not be those of the
    whole: dynlab did not write it, or its rows are out of order.
    """
    if format_of(path) != ".parquet":
        return None
    # `load` says what is wrong
    with suppress(pa.ArrowException, ValueError, TypeError, OSError):
        names, card = pq.read_schema(path).names, card_in(path)
        if "digest" in card and len(set(names)) == len(names) and {*KEY, "answer"} <= {*names}:
            frame, _ = read_parquet(path, only=_OVERVIEW)
            if len(frame) and in_order(frame):
                return recording_of(frame, card, source, path)
    return None


def _parted(frame: pd.DataFrame, num_rows: int) -> Iterator[pd.DataFrame]:
    ids = _ids(frame)
    first = 0
    while first < len(frame):
        last = ids[min(first + num_rows, len(frame)) - 1]
        beyond = int(np.searchsorted(ids, last, side="right"))
        yield frame.iloc[first:beyond].reset_index(drop=True)
        first = beyond


def _ids(frame: pd.DataFrame) -> np.ndarray:
    return frame["question_id"].to_numpy(dtype=object)
