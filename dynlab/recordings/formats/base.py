"""What a format of samples is, and the names by which a file's format is recognised."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynlab._util.table_files import format_of, json_objects, text_of_file

# a sample: columns of a recording, with `answer` and `target` as they were said (a target may be a
# list of accepted ones); where `keyed` is true they are keys already, and are kept as they are
Row = dict[str, Any]

BROKEN = (zipfile.BadZipFile, zlib.error)  # what a packed file that is not whole raises


@dataclass(frozen=True)
class Format:
    """A tool's files of samples.

    Args:
        tool: Whose they are, and which of its files.
        signs: Sets of names: a file that holds all names of one of them has this format.
        read: The samples of a file.
        report: What the tool itself says of a file, by the names of its metrics.
        card: The card of the recording that a file was exported from, {} where it was not.
    """

    tool: str
    signs: tuple[frozenset[str], ...]
    read: Callable[[Path], Iterator[Row]]
    report: Callable[[Path], dict[str, float]] = lambda path: {}
    card: Callable[[Path], dict[str, Any]] = lambda path: {}


def signs(*names: str) -> tuple[frozenset[str], ...]:
    """Sets of names from texts: signs('eval samples', 'header.json') → ({eval, samples}, {…})."""
    return tuple(frozenset(text.split()) for text in names)


def names_in(path: Path) -> frozenset[str]:
    """What stands in a file by name: members of a ZIP file, columns of a Parquet file, keys of the
    first object of a JSON file; nothing where it is none of these.

    Raises:
        OSError: It cannot be read.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return frozenset(archive.namelist())
        if format_of(path) == ".parquet":
            import pyarrow.parquet as pq

            return frozenset(pq.read_schema(path).names)
        first = _first_object(text_of_file(path))
    except (ValueError, *BROKEN):  # also of pyarrow, and of what is no UTF-8
        return frozenset()
    return frozenset(first) if isinstance(first, Mapping) else frozenset()


def _first_object(text: str) -> Any:
    """The first value of JSON lines or of an array, or the value that all the text is."""
    try:
        return next((value for _, value in json_objects(text)), None)
    except json.JSONDecodeError:  # an object over several lines
        return json.loads(text)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines, or of an array."""
    return [row for _, row in json_objects(text_of_file(path))]


def mark_of(value: object) -> bool | None:
    """A tool's mark of one answer: 1 or True is right, 0 or False wrong, anything else unknown.

    >>> mark_of(1.0), mark_of(0), mark_of(0.5), mark_of("C")
    (True, False, None, None)
    """
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def means(values: Mapping[str, list[float]]) -> dict[str, float]:
    """The mean of each list: means({'acc': [1.0, 0.0]}) → {'acc': 0.5}."""
    import math

    return {name: math.fsum(each) / len(each) for name, each in values.items()}
