"""The store of a recording while it is sampled: an SQLite file beside the output that nothing paid for leaves again.

`OUT.parquet` has its store in `OUT.parquet.sqlite`. A call is sent only after what it may cost at worst is on disk, and
a sample counts only after its row, raw response included, is (write-ahead log, full synchronisation); the same key is
never stored twice. Each call is in one of three states: `reserved` (sent, and what it costs is unknown as yet, or for
ever), `settled` (answered, and counted), `released` (turned down before any work on it).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dynlab.errors import DynlabError, InputError
from dynlab.ledger import Spending, cost
from dynlab.locking import Lock
from dynlab.pricing import Price
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
CREATE TABLE IF NOT EXISTS calls (
    call INTEGER PRIMARY KEY,
    question_id TEXT NOT NULL, strategy TEXT NOT NULL, stream INTEGER NOT NULL, sample_index INTEGER NOT NULL,
    num_samples INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'released')),
    prompt_tokens INTEGER, completion_tokens INTEGER, picousd INTEGER,  -- at worst; of a settled call, as they were
    reported TEXT,  -- the usage as the provider reported it
    reason TEXT  -- why it failed, last
);
CREATE TABLE IF NOT EXISTS notes (
    kind TEXT NOT NULL, place INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, place)
) WITHOUT ROWID;
"""
_Statement = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class Totals:
    """What the calls of a store have cost (`spent`), and what those may have cost whose cost is unknown."""

    spent: Spending
    reserved: Spending


def store_path(out: str | Path) -> Path:
    """Where the store of a recording lies: store_path('a.parquet') → a.parquet.sqlite."""
    return Path(f"{out}.sqlite")


class Store:
    """The samples of one recording on disk, and the calls that were made for them; one process at a time may hold it.

    Args:
        path: The SQLite file; it is made if it is not there.
        settings: What decides how samples are drawn; a store that was made with others is refused.
        questions: The wording of each question by its id; a store with another wording of one is refused.

    Raises:
        InputError: another process holds it, it was made with other settings, or it cannot be opened.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any], questions: Mapping[str, str]):
        self.path = Path(path)
        self._pending: list[tuple[Sequence[_Statement], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._lock = Lock(self.path)
        try:
            self._database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._database.executescript(_TABLES)
            self._reading = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False
            )  # reads never wait for a commit
            (self._num_calls,) = self._database.execute("SELECT coalesce(max(call), 0) FROM calls").fetchone()
            self._places: dict[str, int] = dict(
                self._database.execute("SELECT kind, max(place) + 1 FROM notes GROUP BY kind")
            )
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

    # ——— what is there ———

    def keys(self) -> set[Key]:
        """The keys of all samples that are on disk."""
        return set(self._database.execute("SELECT question_id, strategy, stream, sample_index FROM samples"))

    def samples(self) -> list[Sample]:
        """All samples that are on disk, sorted by key."""
        return [_sample(row) for row in self._database.execute("SELECT * FROM samples ORDER BY 1, 2, 3, 4")]

    def sample(self, key: Key) -> Sample:
        """A sample that is on disk."""
        query = "SELECT * FROM samples WHERE (question_id, strategy, stream, sample_index) = (?, ?, ?, ?)"
        return _sample(self._reading.execute(query, key).fetchone())

    def totals(self) -> Totals:
        """What was spent, and what is reserved for calls whose cost is unknown."""
        found = {"settled": Spending(), "reserved": Spending()}
        query = """SELECT state, count(*), sum(prompt_tokens + completion_tokens), sum(picousd),
            count(prompt_tokens + completion_tokens), count(picousd) FROM calls WHERE state != 'released' GROUP BY state"""
        for state, calls, tokens, picousd, num_tokens, num_picousd in self._database.execute(query):
            found[state] = Spending(
                calls, tokens if num_tokens == calls else None, picousd if num_picousd == calls else None
            )
        return Totals(found["settled"], found["reserved"])

    def notes(self, kind: str) -> list[Any]:
        """The notes of a kind, in the order in which they were made."""
        query = "SELECT value FROM notes WHERE kind = ? ORDER BY place"
        return [json.loads(value) for (value,) in self._database.execute(query, (kind,))]

    # ——— at once ———

    def load(self, samples: Iterable[Sample]) -> None:
        """Stores many samples at once, as from a recording that is continued."""
        self._commit([_inserted(sample, None) for sample in samples])

    def account(self, price: Price | None) -> None:
        """Gives every sample that has no call a settled one, and every call without a price its price.

        So samples of a store that did not count calls, or of a recording that is continued, count as spent.
        """
        known = set(
            self._database.execute("SELECT question_id, strategy, stream, sample_index, num_samples FROM calls")
        )
        covered = {(*key, first + i) for *key, first, num in known for i in range(num)}
        rows = [_settled(self._next_call(), s, price) for s in self.samples() if s.key not in covered]
        if price is not None:
            query = "SELECT call, prompt_tokens, completion_tokens FROM calls WHERE picousd IS NULL"
            for call, *tokens in self._database.execute(query).fetchall():
                rows.append(
                    ("UPDATE calls SET picousd = ? WHERE call = ?", (cost(Usage(*tokens), price).picousd, call))
                )
        self._commit(rows)

    # ——— while it runs: each returns a future that is done once it is on disk ———

    def reserve(
        self, key: Key, num_samples: int, worst: Usage, picousd: int | None
    ) -> tuple[int, asyncio.Future[None]]:
        """Reserves what a call may cost at worst; its number, and when it may be sent. Reservations keep their order."""
        call = self._next_call()
        row = (call, *key, num_samples, "reserved", worst.prompt_tokens, worst.completion_tokens, picousd, None, None)
        return call, self._enqueue(_call(row))

    def mark(self, call: int, state: str, reason: str | None = None) -> asyncio.Future[None]:
        """Says that a call was turned down (`released`), is sent again or stays unknown (`reserved`), and why."""
        return self._enqueue(
            ("UPDATE calls SET state = ?, reason = coalesce(?, reason) WHERE call = ?", (state, reason, call))
        )

    def settle(
        self,
        call: int,
        drawn: Iterable[tuple[Sample, str | None]],
        usage: Usage,
        picousd: int | None,
        reported: str | None = None,
        reason: str | None = None,
    ) -> asyncio.Future[None]:
        """Stores what a call brought, (sample, reasoning) each, and what it cost, all in one transaction.

        Where its tokens are unknown its reservation stays.
        """
        tokens = (usage.prompt_tokens, usage.completion_tokens, picousd)
        if None in tokens[:2]:
            update: _Statement = (
                "UPDATE calls SET reported = ?, reason = ? WHERE call = ?",
                (reported, reason or "usage unknown", call),
            )
        else:
            update = (
                "UPDATE calls SET state = 'settled', prompt_tokens = ?, completion_tokens = ?, picousd = ?, "
                "reported = ?, reason = ? WHERE call = ?",
                (*tokens, reported, reason, call),
            )
        return self._enqueue(update, *(_inserted(sample, reasoning) for sample, reasoning in drawn))

    def add(self, sample: Sample, reasoning: str | None = None) -> asyncio.Future[None]:
        """Stores a sample that no call brought: one that cannot be had."""
        return self._enqueue(_inserted(sample, reasoning))

    def note(self, kind: str, *values: Any) -> asyncio.Future[None]:
        """Appends notes (JSON values) of a kind, in one transaction; what is enqueued later is never on disk earlier."""
        place = self._places.get(kind, 0)
        self._places[kind] = place + len(values)
        return self._enqueue(
            *(("INSERT INTO notes VALUES (?, ?, ?)", (kind, place + i, _dumps(v))) for i, v in enumerate(values))
        )

    async def flush(self) -> None:
        """Returns when everything enqueued so far is on disk."""
        if self._writing is not None:
            await self._writing

    def close(self) -> None:
        """Closes the file and lets go of it. A second call does nothing."""
        for name in ("_reading", "_database"):
            if hasattr(self, name):
                getattr(self, name).close()
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next_call(self) -> int:
        self._num_calls += 1
        return self._num_calls

    def _enqueue(self, *statements: _Statement) -> asyncio.Future[None]:
        done = asyncio.get_running_loop().create_future()
        done.add_done_callback(
            lambda future: future.cancelled() or future.exception()
        )  # who waits is told; nobody need
        self._pending.append((statements, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return done

    async def _write(self) -> None:
        """Writes what is pending; what comes while the disk is busy shares one commit."""
        while self._pending:
            batch, self._pending = self._pending, []
            try:
                await asyncio.to_thread(self._commit, [one for statements, _ in batch for one in statements])
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

    def _commit(self, statements: Iterable[_Statement]) -> None:
        self._database.execute("BEGIN")
        try:
            for statement in statements:
                self._database.execute(*statement)
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
        self._commit([(f"INSERT INTO {table} VALUES (?, ?)", row) for row in new])


def refuse_difference(where: Path, pairs: Mapping[str, tuple[Any, Any]]) -> None:
    """Raises an InputError that names the first field whose (recorded, given) values differ."""
    for name, (recorded, given) in pairs.items():
        if recorded != given:
            raise InputError(
                f"{where} was recorded with {name} = {recorded}, given now is {given}: "
                "give the recorded setting to continue it, or another --out"
            )


def _inserted(sample: Sample, reasoning: str | None) -> _Statement:
    values = asdict(sample) | {"reasoning": reasoning}
    key = [values.pop(name) for name in ("question_id", "strategy", "stream", "sample_index")]
    return "INSERT INTO samples VALUES (?, ?, ?, ?, ?)", (*key, json.dumps(values, ensure_ascii=True))


def _call(row: Sequence[Any]) -> _Statement:
    return f"INSERT INTO calls VALUES ({', '.join('?' * len(row))})", row


def _settled(call: int, sample: Sample, price: Price | None) -> _Statement:
    usage = sample.usage
    known = cost(usage, price).picousd
    picousd = known if usage.cost_usd is None else round(usage.cost_usd * 1e12)
    tokens = (usage.prompt_tokens, usage.completion_tokens)
    return _call((call, *sample.key, 1, "settled", *tokens, picousd, None, "drawn before calls were counted"))


def _sample(row: tuple[Any, ...]) -> Sample:
    values: dict[str, Any] = json.loads(row[4])
    del values["reasoning"]
    values |= {"usage": Usage(**values["usage"]), "parents": tuple(values["parents"])}
    return Sample(*row[:4], **values)


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
