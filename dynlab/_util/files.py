"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynlab._util.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


_ROUNDING = 1e-12  # far below any share, amount or price of a token in USD


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`; it takes its place when the block ends without an error, else
    it is removed.

    Raises:
        InputError: the folder cannot be written to, or the path is a folder itself.
    """
    path = not_a_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix
        )
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror}; give an output folder that is writable"
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def not_a_folder(path: str | Path) -> Path:
    """The path of a file that is to be written, refused where a folder lies there."""
    if Path(path).is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the path of a file")
    return Path(path)


def not_an_input(path: str | Path, inputs: Iterable[str | Path]) -> Path:
    """The path of a file that is to be written, refused where it is one that is read.

    Raises:
        InputError: It is one of `inputs`.
    """
    if any(Path(each).exists() and Path(path).resolve() == Path(each).resolve() for each in inputs):
        raise InputError(f"{path} is what is read: give another --out, or it would be overwritten")
    return Path(path)


def write_csv(table: pd.DataFrame, path: str | Path) -> Path:
    """Writes a table as CSV with LF line ends, the same bytes for the same numbers on every
    machine.

    Processors sum in different orders: what is left of a zero by that is written as 0.
    """
    path = Path(path)
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format=_written, lineterminator="\n")
    return path


def _written(number: Any) -> str:
    return "0" if abs(number) < _ROUNDING else f"{number:.9g}"
