"""The store of a recording while it is sampled: an SQLite file beside the output that no sample leaves again.

`OUT.parquet` has its store in `OUT.parquet.sqlite`. A sample counts only after its row, raw response included, is
on disk (write-ahead log, full synchronisation); the same key is never stored twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dynlab.errors import DynlabError, InputError
from dynlab.types import Sample, Usage

Key = tuple[str, str, int, int]

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS questions (question_id TEXT PRIMARY KEY, question TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS samples (
    question_id TEXT, strategy TEXT, stream INTEGER, sample_index INTEGER, response TEXT NOT NULL,
    PRIMARY KEY (question_id, strategy, stream, sample_index)
) WITHOUT ROWID;
"""


def store_path(out: str | Path) -> Path:
    """Where the store of a recording lies: store_path('a.parquet') → a.parquet.sqlite."""
    return Path(f"{out}.sqlite")


class Store:
    """The samples of one recording on disk; one process at a time may hold it.

    Args:
        path: The SQLite file; it is made if it is not there.
        settings: What decides how samples are drawn; a store that was made with others is refused.
        questions: The wording of each question by its id; a store with another wording of one is refused.

    Raises:
        InputError: another process holds it, it was made with other settings, or it cannot be opened.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any], questions: Mapping[str, str]):
        self.path = Path(path)
        self._pending: list[tuple[tuple[Any, ...], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._lock = _hold(self.path)
        try:
            self._database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._database.executescript(_TABLES)
            if not self.keys():  # nothing was drawn yet with the settings that may stand there
                self._database.executescript("DELETE FROM settings; DELETE FROM questions;")
            self._agree("settings", {name: _dumps(value) for name, value in settings.items()})
            self._agree("questions", questions)
        except sqlite3.Error as error:
            self.close()
            raise InputError(f"{self.path} cannot be used as a store ({error}): give another --out") from None
        except BaseException:
            self.close()
            raise

    def keys(self) -> set[Key]:
        """The keys of all samples that are on disk."""
        return set(self._database.execute("SELECT question_id, strategy, stream, sample_index FROM samples"))

    def samples(self) -> list[Sample]:
        """All samples that are on disk, sorted by key."""
        return [_sample(row) for row in self._database.execute("SELECT * FROM samples ORDER BY 1, 2, 3, 4")]

    def load(self, samples: Iterable[Sample]) -> None:
        """Stores many samples at once, as from a recording that is continued."""
        self._commit([_row(sample, None) for sample in samples])

    async def add(self, sample: Sample, reasoning: str | None = None) -> None:
        """Stores a sample and returns once it is on disk; samples that come while the disk is busy share one commit.

        Raises:
            DynlabError: the disk does not take it.
        """
        done = asyncio.get_running_loop().create_future()
        self._pending.append((_row(sample, reasoning), done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await done

    async def settle(self) -> None:
        """Returns when everything added so far is on disk."""
        if self._writing is not None:
            await self._writing

    def close(self) -> None:
        """Closes the file and lets go of it. A second call does nothing."""
        if hasattr(self, "_database"):
            self._database.close()
        if self._lock is not None:
            _lock_path(self.path).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _write(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            try:
                await asyncio.to_thread(self._commit, [row for row, _ in batch])
            except Exception as error:
                failure = DynlabError(f"{self.path} does not take samples ({error}): is the disk full?")
                for _, done in batch:
                    if not done.done():
                        done.set_exception(failure)
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)
        self._writing = None

    def _commit(self, rows: list[tuple[Any, ...]]) -> None:
        self._database.execute("BEGIN")
        try:
            self._database.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?)", rows)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _agree(self, table: str, given: Mapping[str, str]) -> None:
        recorded = dict(self._database.execute(f"SELECT * FROM {table}"))
        what = {"settings": "{}", "questions": "question {!r}"}[table]
        refuse_difference(
            self.path, {what.format(name): (recorded[name], given[name]) for name in given if name in recorded}
        )
        new = [(name, value) for name, value in given.items() if name not in recorded]
        if new:
            self._database.execute("BEGIN")
            self._database.executemany(f"INSERT INTO {table} VALUES (?, ?)", new)
            self._database.execute("COMMIT")


def refuse_difference(where: Path, pairs: Mapping[str, tuple[Any, Any]]) -> None:
    """Raises an InputError that names the first field whose (recorded, given) values differ."""
    for name, (recorded, given) in pairs.items():
        if recorded != given:
            raise InputError(
                f"{where} was recorded with {name} = {recorded}, given now is {given}: "
                "give the recorded setting to continue it, or another --out"
            )


def _row(sample: Sample, reasoning: str | None) -> tuple[Any, ...]:
    values = asdict(sample) | {"reasoning": reasoning}
    key = [values.pop(name) for name in ("question_id", "strategy", "stream", "sample_index")]
    return (*key, json.dumps(values, ensure_ascii=True))


def _sample(row: tuple[Any, ...]) -> Sample:
    values: dict[str, Any] = json.loads(row[4])
    del values["reasoning"]
    values |= {"usage": Usage(**values["usage"]), "parents": tuple(values["parents"])}
    return Sample(*row[:4], **values)


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + "-lock")


def _hold(path: Path) -> int | None:
    """An exclusive advisory lock on the store, which ends with the process; None where the system has none."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return None
    lock = _lock_path(path)
    while True:
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; give an --out in a writable folder") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise InputError(
                f"{path} is being written by another process (pid {holder}): wait for it, or give another --out"
            ) from None
        if lock.exists() and os.fstat(handle).st_ino == lock.stat().st_ino:
            break
        os.close(handle)  # the holder before us removed the file between our opening and our locking it
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle
