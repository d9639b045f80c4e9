"""Files of rows: which format a path names, its text, and the objects of a JSON file."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError

PACKED = ".gz"


def format_of(path: Path) -> str:
    """The suffix that tells the format, in small letters and without that of a packed file.

    >>> format_of(Path("A.CSV")), format_of(Path("a.jsonl.gz")), format_of(Path("a.v2.parquet"))
    ('.csv', '.jsonl', '.parquet')
    """
    return Path(_unpacked(path.name)).suffix.casefold()


def stem_of(path: Path) -> str:
    """The name without the suffixes of its format: stem_of(Path("a/coins.csv.gz")) → 'coins'."""
    return Path(_unpacked(path.name)).stem


def is_file_name(source: str | Path) -> bool:
    """Whether a text names a file, by its folder or its ending; the dot of a version makes none.

    >>> [is_file_name(each) for each in ("a.csv.gz", "runs/a", "gsm--qwen2.5-coder-1.5b")]
    [True, True, False]
    """
    path = Path(source)
    return path.name != str(source) or re.match(r"\.\D", path.suffix) is not None


def text_of_file(path: Path) -> str:
    """A text file's text, unpacked if it is packed, without a byte order mark.

    Raises:
        OSError: It cannot be read, or is not the packed file that its name says.
        UnicodeDecodeError: It is not UTF-8.
    """
    content = path.read_bytes()
    if path.name.casefold().endswith(PACKED):
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise OSError(0, f"it is no whole packed file: {error}") from None
    return content.decode("utf-8-sig")


def json_objects(text: str) -> Iterator[tuple[int, Any]]:
    """The values of a JSON file with the number of their line: one a line, or all in one array.

    Lines end at a newline alone: texts may hold what `str.splitlines` also splits at (U+2028).

    Raises:
        json.JSONDecodeError: A line, or the array, is not JSON; its `lineno` and its words count
            from the file's first line.

    >>> list(json_objects('{"a": 1}\\n\\n{"a": 2}\\n')), list(json_objects('[{"a": 1}]'))
    ([(1, {'a': 1}), (3, {'a': 2})], [(1, {'a': 1})])
    """
    if re.match(r"\s*\[\s*\{", text):
        yield from enumerate(_parsed(text, 1), start=1)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, _parsed(line, number)


def csv_header(text: str) -> tuple[list[str], str]:
    """The names in the first line of a table of text, and what stands between them.

    A comma, or where there is none a semicolon or a tab, as spreadsheets write them.

    >>> csv_header("id;question;target\\n1;2 + 2?;4")
    (['id', 'question', 'target'], ';')
    """
    line = text.lstrip("\n\r").partition("\n")[0].rstrip("\r")
    mark = next((mark for mark in ",;\t" if mark in line), ",")
    return next(csv.reader([line], delimiter=mark), []), mark


def refuse_doubled(columns: Iterable[object], where: object) -> None:
    """Refuses a table in which a column stands twice: only one of them would be read.

    Raises:
        InputError: One does.
    """
    for name, count in Counter(str(column) for column in columns).items():
        if name and count > 1:
            raise InputError(f"{where} has {count} columns {name!r}: keep one of them")


def _parsed(text: str, first_line: int) -> Any:
    """The value of a JSON text that begins at a line of its file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        error.lineno += first_line - 1
        error.args = (f"{error.msg}: line {error.lineno} column {error.colno}",)
        raise
    except RecursionError:
        deep = json.JSONDecodeError("nested too deeply", "", 0)
        deep.lineno = first_line
        raise deep from None


def _unpacked(name: str) -> str:
    return name[: -len(PACKED)] if name.casefold().endswith(PACKED) else name
