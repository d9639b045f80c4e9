"""The store of a recording while it is sampled: an SQLite file beside the output that nothing paid
for leaves again.

`OUT.parquet` has its store in `OUT.parquet.sqlite`. A call is sent only after what it may cost at
worst is on disk, and a sample counts only after its row, raw response included, is; the same key is
never stored twice. Each call is in one of three states: `reserved` (sent, and what it cost is
unknown as yet, or for ever), `settled` (answered, and counted), `released` (turned down before any
work on it).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.values import Sample, Usage
from dynlab.models.prices import Price
from dynlab.sampling.budget import Spending, cost
from dynlab.sampling.journal import Journal, Statement
from dynlab.sampling.key_set import KeySet
from dynlab.sampling.locking import StoreLock
from dynlab.sampling.store_rows import (
    EARLIER,
    STATES,
    TABLES,
    WAITING,
    Key,
    Totals,
    WaitingCall,
    call_row,
    dumps,
    inserted,
    refuse_difference,
    sample_of,
    settled,
    taken_over,
)

_KEY = "question_id, strategy, stream, sample_index"
_SORTED = "SELECT * FROM samples ORDER BY 1, 2, 3, 4"


def store_path(out: str | Path) -> Path:
    """Where the store of a recording lies: store_path('a.parquet') → a.parquet.sqlite."""
    return Path(f"{out}.sqlite")


class Store:
    """The samples of one recording on disk, and the calls that were made for them; one process at a
    time may hold it.

    Args:
        path: The SQLite file; it is made if it is not there.
        settings: What decides how samples are drawn; a store that was made with others is refused.
        questions: The wording of each question by its id; a store with another wording of one is
            refused.

    Raises:
        InputError: another process holds it, it was made with other settings, or it cannot be
            opened.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any], questions: Mapping[str, str]):
        self.path = Path(path)
        self._lock = StoreLock(self.path)
        self._journal: Journal | None = None
        try:
            self._journal = Journal(self.path, TABLES)
            self._num_calls = int(self._read("SELECT coalesce(max(call), 0) FROM calls")[0][0])
            self._places: dict[str, int] = dict(
                self._read("SELECT kind, max(place) + 1 FROM notes GROUP BY kind")
            )
            if not self._any and not self.waiting():  # nothing was drawn yet with what is there
                self._journal.commit(
                    [(f"DELETE FROM {table}", ()) for table in ("settings", "questions", "notes")]
                )
                self._places = {}
            self._agree("settings", {name: dumps(value) for name, value in settings.items()})
            self._agree("questions", questions)
        except sqlite3.Error as error:
            self.close()
            raise InputError(
                f"{self.path} cannot be used as a store ({error}): give another --out"
            ) from None
        except BaseException:
            self.close()
            raise

    # ——— what is there ———

    def keys(self) -> KeySet:
        """The keys of all samples that are on disk."""
        return KeySet(self._held.rows(f"SELECT {_KEY} FROM samples"))

    def samples(self) -> list[Sample]:
        """All samples that are on disk, sorted by key."""
        return list(self.iterate())

    def iterate(self) -> Iterator[Sample]:
        """The same, one after another."""
        yield from map(sample_of, self._held.rows(_SORTED))

    def sample(self, key: Key) -> Sample:
        """A sample that is on disk."""
        (row,) = self._read(f"SELECT * FROM samples WHERE ({_KEY}) = (?, ?, ?, ?)", key)
        return sample_of(row)

    def settings(self) -> dict[str, Any]:
        """What decides how samples are drawn, as it was first given."""
        rows = self._read("SELECT name, value FROM settings")
        return {name: json.loads(value) for name, value in rows}

    def totals(self) -> Totals:
        """What was spent, and what is reserved for calls whose cost is unknown."""
        return Totals.of(self._read(STATES))

    def waiting(self) -> dict[Key, WaitingCall]:
        """The calls that provider's batches will answer, by the keys of their first samples."""
        query = f"""
            SELECT {_KEY}, call, num_samples, prompt_tokens + completion_tokens, picousd FROM calls
            WHERE state = 'reserved' AND reason = ? ORDER BY call"""
        return {
            tuple(key): WaitingCall(call, num_samples, Spending(1, tokens, picousd))
            for *key, call, num_samples, tokens, picousd in self._read(query, [WAITING])
        }

    def notes(self, kind: str) -> list[Any]:
        """The notes of a kind, in the order in which they were made."""
        query = "SELECT value FROM notes WHERE kind = ? ORDER BY place"
        return [json.loads(note) for (note,) in self._read(query, [kind])]

    # ——— at once ———

    def load(self, samples: Iterable[Sample], reserved: Spending | None = None) -> None:
        """Stores many samples at once, as from a recording that is continued, and what its card
        says is reserved.
        """
        rows = (inserted(sample, None) for sample in samples)
        self._held.commit(chain(rows, taken_over(self._next_call, reserved or Spending())))

    def account(self, price: Price | None) -> None:
        """Gives every sample that has no call a settled one, and every call without a price its
        price.

        So samples of a store that did not count calls, or of a recording that is continued, count
        as spent; not those of unknown usage, where their recording's card told what is reserved.
        """
        self._held.commit(chain(self._uncounted(price), self._unpriced(price)))

    def _uncounted(self, price: Price | None) -> Iterator[Statement]:
        """A call for each sample that has none."""
        calls = self._held.rows(f"SELECT {_KEY}, num_samples FROM calls")
        counted = KeySet((*key, first + i) for *key, first, num in calls for i in range(num))
        told = self._read("SELECT EXISTS (SELECT 1 FROM calls WHERE reason = ?)", [EARLIER])[0][0]
        for row in self._held.rows(_SORTED):
            if row[:4] not in counted:
                sample = sample_of(row)
                if not told or cost(sample.usage, None).tokens is not None:
                    yield settled(self._next_call(), sample, price)

    def _unpriced(self, price: Price | None) -> Iterator[Statement]:
        """Its price for each call that has none."""
        query = "SELECT call, prompt_tokens, completion_tokens FROM calls WHERE picousd IS NULL"
        for call, *tokens in () if price is None else self._held.rows(query):
            picousd = cost(Usage(*tokens), price).picousd
            yield "UPDATE calls SET picousd = ? WHERE call = ?", (picousd, call)

    def release(self, calls: Iterable[int]) -> None:
        """Says of calls that waited for a batch that they were never sent."""
        update = "UPDATE calls SET state = 'released', reason = 'never sent' WHERE call = ?"
        self._held.commit([(update, [call]) for call in calls])

    # ——— while it runs: each returns a future that is done once it is on disk, and none overtakes
    # another ———

    def reserve(
        self,
        key: Key,
        num_samples: int,
        worst: Usage,
        picousd: int | None,
        reason: str | None = None,
    ) -> tuple[int, asyncio.Future[None]]:
        """Reserves what a call may cost at worst: its number, and when it may be sent.

        `reason` says for what it stays reserved where this run ends before it is answered.
        """
        call = self._next_call()
        tokens = (worst.prompt_tokens, worst.completion_tokens)
        return call, self._held.enqueue(
            call_row((call, *key, num_samples, "reserved", *tokens, picousd, None, reason))
        )

    def mark(self, call: int, state: str, reason: str | None = None) -> asyncio.Future[None]:
        """Says that a call was turned down (`released`), is sent again or stays unknown
        (`reserved`), and why.
        """
        update = "UPDATE calls SET state = ?, reason = coalesce(?, reason) WHERE call = ?"
        return self._held.enqueue((update, (state, reason, call)))

    def raise_to(self, call: int, most: Usage, picousd: int | None) -> asyncio.Future[None]:
        """Reserves more for a call that may have cost more than its worst case."""
        amounts = (most.prompt_tokens, most.completion_tokens, picousd)
        columns = "prompt_tokens = ?, completion_tokens = ?, picousd = ?"
        return self._held.enqueue((f"UPDATE calls SET {columns} WHERE call = ?", (*amounts, call)))

    def settle(
        self,
        call: int,
        drawn: Iterable[tuple[Sample, str | None]],
        usage: Usage,
        picousd: int | None,
        reported: str | None = None,
    ) -> asyncio.Future[None]:
        """Stores what a call brought, (sample, reasoning) each, and what it cost, in one
        transaction.

        Where its tokens are unknown, its reservation stays.
        """
        tokens = (usage.prompt_tokens, usage.completion_tokens)
        if None in tokens:
            update = "UPDATE calls SET reason = 'usage unknown', reported = ? WHERE call = ?"
            values: tuple[Any, ...] = (reported, call)
        else:
            update = (
                "UPDATE calls SET state = 'settled', prompt_tokens = ?, completion_tokens = ?,"
                " picousd = ?, reported = ?, reason = NULL WHERE call = ?"
            )
            values = (*tokens, picousd, reported, call)
        return self._held.enqueue(
            (update, values), *(inserted(sample, reasoning) for sample, reasoning in drawn)
        )

    def add(self, sample: Sample, reasoning: str | None = None) -> asyncio.Future[None]:
        """Stores a sample that no call brought: one that cannot be had."""
        return self._held.enqueue(inserted(sample, reasoning))

    def note(self, kind: str, *values: Any) -> asyncio.Future[None]:
        """Appends notes (JSON values) of a kind, in one transaction."""
        first = self._places.get(kind, 0)
        self._places[kind] = first + len(values)
        rows = [(kind, first + i, dumps(value)) for i, value in enumerate(values)]
        return self._held.enqueue(*(("INSERT INTO notes VALUES (?, ?, ?)", row) for row in rows))

    async def flush(self) -> None:
        """Returns when everything so far is on disk."""
        await self._held.flush()

    def close(self) -> None:
        """Closes the file and lets go of it. A second call does nothing."""
        if self._journal is not None:
            self._journal.close()
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file; where nothing was ever sent, there is nothing to keep, and it goes."""
        empty = not self._num_calls and not self._any
        if empty:
            self._held.close()
            self.path.unlink(missing_ok=True)
        self.close()

    @property
    def _any(self) -> bool:
        """Whether a sample is on disk."""
        return bool(self._read("SELECT EXISTS (SELECT 1 FROM samples)")[0][0])

    @property
    def _held(self) -> Journal:
        assert self._journal is not None
        return self._journal

    def _read(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return self._held.read(query, tuple(values))

    def _next_call(self) -> int:
        self._num_calls += 1
        return self._num_calls

    def _agree(self, table: str, given: Mapping[str, str]) -> None:
        recorded = dict(self._read(f"SELECT * FROM {table}"))
        what = {"settings": "{}", "questions": "question {!r}"}[table]
        both = [name for name in given if name in recorded]
        pairs = {what.format(name): (recorded[name], given[name]) for name in both}
        refuse_difference(self.path, pairs)
        new = [(name, value) for name, value in given.items() if name not in recorded]
        self._held.commit([(f"INSERT INTO {table} VALUES (?, ?)", row) for row in new])
