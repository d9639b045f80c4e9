"""SHA-256 of files, and what does not have the one that it should."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from dynlab._util.errors import InputError


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; remembered while the file's size and time stay the
    same.
    """
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@cache
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, expected: str, name: str = "") -> None:
    """Removes a file that is not what it should be, and says so; `name` is what it is called.

    Raises:
        InputError: Its checksum is another.
    """
    got = sha256(path)
    if got != expected:
        path.unlink()
        raise InputError(
            f"wrong checksum of {name or path.name}: expected SHA-256 {expected}, got {got}; "
            "the file has been removed, call again to download it afresh"
        )
