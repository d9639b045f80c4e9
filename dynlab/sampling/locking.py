"""One process at a time: a lock beside a store, which says who holds it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from dynlab._util.errors import InputError


class StoreLock:
    """An exclusive lock on a store that ends with its process, however that ends.

    Folders that were made for it and stay empty go when it is released.

    Raises:
        InputError: another process holds it, or the folder cannot be written to.
    """

    def __init__(self, path: Path):
        self.path = path.with_name(path.name + "-lock")
        self._lock = FileLock(self.path, timeout=0, thread_local=False)
        self._made = [folder for folder in path.parents if not folder.exists()]  # innermost first
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise InputError(
                f"{path} is being written by another process (pid {_holder(self.path)}): wait for"
                " it, or give another --out"
            ) from None
        except OSError as error:
            raise InputError(
                f"cannot write {path}: {error.strerror}; give an --out in a writable folder"
            ) from None
        self.path.write_text(f"{os.getpid()}\n")

    def release(self) -> None:
        """Lets go of it. A second call does nothing."""
        if self._lock.is_locked:
            # removed while it is held: who opened it before that finds it without a name
            with suppress(OSError):
                self.path.unlink()
            self._lock.release()
            with suppress(OSError):
                for folder in self._made:
                    folder.rmdir()


def _holder(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace").strip()[:32] or "unknown"
    return "unknown"
