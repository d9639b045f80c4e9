"""One process at a time: an advisory lock beside a file, which says who holds it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dynlab._util.errors import InputError


class Lock:
    """An exclusive advisory lock on a file that ends with the process; it does nothing where the
    system has none.

    Raises:
        InputError: another process holds it, or the folder cannot be written to.
    """

    def __init__(self, path: Path):
        self.path = path.with_name(path.name + "-lock")
        self._handle = _hold(path, self.path)

    def release(self) -> None:
        """Lets go of it. A second call does nothing."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


def _hold(path: Path, lock: Path) -> int | None:
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return None
    while True:
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(
                f"cannot write {path}: {error.strerror}; give an --out in a writable folder"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise InputError(
                f"{path} is being written by another process (pid {holder}): wait for it, or give"
                " another --out"
            ) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), lock.stat()):
                break
        os.close(
            handle
        )  # the holder before us removed the file between our opening and our locking it
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle
