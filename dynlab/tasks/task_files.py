"""Task files: found by name or path, and read into rows (JSONL, CSV or Parquet)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dynlab._util import shipped_files
from dynlab._util.cells import accepted_targets, is_listed
from dynlab._util.errors import InputError, one_of
from dynlab._util.table_files import (
    csv_header,
    format_of,
    json_objects,
    refuse_doubled,
    text_of_file,
)
from dynlab.tasks.task_names import listed

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")


def found(name_or_path: str | Path) -> Path:
    """The file of a built-in task, by its name, or the one that a path names.

    Raises:
        InputError: there is none.
    """
    given = Path(name_or_path)
    builtin = shipped_files.named("data/tasks", (".jsonl",))
    if str(name_or_path) in builtin:
        return builtin[str(name_or_path)]
    if given.is_file() and format_of(given) not in SUFFIXES:
        raise InputError(
            f"{given} ends in {given.suffix!r}: a task file is one of {', '.join(SUFFIXES)}"
        )
    if given.is_file():
        return given
    if format_of(given) in SUFFIXES or len(given.parts) > 1:
        what = "is a folder" if given.is_dir() else "does not exist"
        raise InputError(
            f"task file {given} {what}: give a {', '.join(SUFFIXES)} file or one of"
            f" {', '.join(builtin)}"
        )
    raise one_of("task", name_or_path, [*builtin, *listed()])


def read_rows(path: Path) -> tuple[dict[str, Any], Iterator[tuple[str, Mapping[str, Any]]]]:
    """The header and the rows, each with the words for where it stands."""
    if format_of(path) == ".parquet":
        return {}, iter(_parquet_rows(path))
    try:
        text = text_of_file(path)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if format_of(path) == ".csv":
        return {}, iter(_csv_rows(path, text))
    rows = list(_json_rows(path, text))
    if rows and set(rows[0][1]) == {"task"}:
        header = rows.pop(0)[1]["task"]
        if not isinstance(header, dict):
            raise InputError(f'{path}: the header must be {{"task": {{…}}}}, not {header!r}')
        return header, iter(rows)
    return {}, iter(rows)


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        for number, row in json_objects(text):
            where = f"{path}, line {number}"
            if not isinstance(row, dict):
                raise InputError(f"{where} is a {type(row).__name__}: give one JSON object a line")
            yield where, row
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno} is not JSON ({error}): give one object a line"
        ) from error


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    names, mark = csv_header(text)
    refuse_doubled(names, path)
    reader = csv.DictReader(io.StringIO(text), strict=True, delimiter=mark)
    try:
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row:
                raise InputError(
                    f"{where} has more cells than the {len(names)} columns: put texts with"
                    f" {mark!r} in quotes"
                )
            lists = {name: _listed(row[name]) for name in ("choices", "aliases") if name in row}
            yield where, row | lists
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num} is not CSV ({error})") from error


def _listed(cell: str) -> list[str]:
    """The texts in a cell of CSV: between bars, or as Python writes a list.

    >>> _listed("red|blue"), _listed("['red', 'blue']"), _listed("")
    (['red', 'blue'], ['red', 'blue'], [])
    """
    if is_listed(cell):
        return accepted_targets(cell)
    return cell.split("|") if cell else []


def _parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        refuse_doubled(pq.read_schema(path).names, path)
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is not a Parquet file: {str(error).splitlines()[0]}") from error
    for number, row in enumerate(table.to_pylist(), start=1):
        yield f"{path}, row {number}", row
