"""An SQLite file in which many writes share one commit; each has a future, done once on disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dynlab._util.errors import DynlabError

Statement = tuple[str, Sequence[Any]]


class Journal:
    """A database with one writer: write-ahead log, full synchronisation, statements in the order
    they came in.
    """

    def __init__(self, path: Path, tables: str):
        self.path = path
        self._pending: list[tuple[Sequence[Statement], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._reader: sqlite3.Connection | None = None
        try:
            self._writer.executescript(
                f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {tables}"
            )
            self._reader = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False
            )  # waits for no commit
        except sqlite3.Error:
            self.close()
            raise

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, as they are on disk."""
        return list(self.rows(query, values))

    def rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The same, one after another: what is written meanwhile is not among them."""
        assert self._reader is not None
        yield from self._reader.execute(query, values)

    def enqueue(self, *statements: Statement) -> asyncio.Future[None]:
        """Writes statements in one transaction; done once they are on disk.

        What is enqueued while the disk is busy shares one commit; nothing is on disk before what
        was enqueued earlier. The future fails with a DynlabError where the disk does not take them.
        """
        done = asyncio.get_running_loop().create_future()
        done.add_done_callback(
            lambda it: it.cancelled() or it.exception()
        )  # who waits is told, and nobody need wait
        self._pending.append((statements, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return done

    async def flush(self) -> None:
        """Returns when everything enqueued so far is on disk."""
        if self._writing is not None:
            await self._writing

    def commit(self, statements: Iterable[Statement]) -> None:
        """Writes statements in one transaction, at once."""
        with self._transaction(statements):
            self._writer.execute("COMMIT")

    @contextmanager
    def _transaction(self, statements: Iterable[Statement]) -> Iterator[None]:
        """Runs statements in a transaction that the block commits; an error takes all back."""
        self._writer.execute("BEGIN")
        try:
            for statement in statements:
                self._writer.execute(*statement)
            yield
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Closes the file. A second call does nothing."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()

    async def _write(self) -> None:
        try:
            while self._pending:
                batch, self._pending = self._pending, []
                try:
                    with self._transaction(one for statements, _ in batch for one in statements):
                        # in a thread, since it waits for the disk; each statement there would wait
                        # for Python's lock
                        await asyncio.to_thread(self._writer.execute, "COMMIT")
                except Exception as error:
                    failure = DynlabError(
                        f"{self.path} does not take samples ({error}): is the disk full?"
                    )
                    for _, done in batch:
                        if not done.done():
                            done.set_exception(failure)
                else:
                    for _, done in batch:
                        if not done.done():
                            done.set_result(None)
        finally:
            self._writing = None
