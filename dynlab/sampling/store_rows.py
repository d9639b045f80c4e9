"""The tables of a store, and their rows: samples, calls and notes as SQLite keeps them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.values import Sample, Usage
from dynlab.models.prices import Price
from dynlab.sampling.budget import Spending, cost
from dynlab.sampling.journal import Statement

Key = tuple[str, str, int, int]  # question id, strategy, stream, sample index

WAITING = "waits for its batch"  # the reason of a reserved call that a provider's batch will answer
EARLIER = "reserved by the card of the recording"  # of one that the recording alone tells of

TABLES = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS questions (question_id TEXT PRIMARY KEY, question TEXT NOT NULL) \
WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS samples (
    question_id TEXT, strategy TEXT, stream INTEGER, sample_index INTEGER, response TEXT NOT NULL,
    PRIMARY KEY (question_id, strategy, stream, sample_index)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    call INTEGER PRIMARY KEY,
    question_id TEXT NOT NULL, strategy TEXT NOT NULL, stream INTEGER NOT NULL, \
sample_index INTEGER NOT NULL,
    num_samples INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'released')),
    prompt_tokens INTEGER, completion_tokens INTEGER, picousd INTEGER,  -- at worst; \
of a settled call, as they were
    reported TEXT,  -- the usage as the provider reported it
    reason TEXT  -- why it failed, last
);
CREATE TABLE IF NOT EXISTS notes (
    kind TEXT NOT NULL, place INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, place)
) WITHOUT ROWID;
"""

STATES = """
SELECT state, count(*), count(prompt_tokens + completion_tokens), \
sum(prompt_tokens + completion_tokens), count(picousd), sum(picousd) FROM calls GROUP BY state
"""


@dataclass(frozen=True)
class Totals:
    """What the calls of a store have cost (`spent`), and what those may have cost whose cost is
    unknown.
    """

    spent: Spending = Spending()
    reserved: Spending = Spending()

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]]) -> Totals:
        """The totals that the rows of `STATES` tell."""
        found = {
            state: Spending(
                calls,
                tokens if num_tokens == calls else None,
                picousd if num_picousd == calls else None,
            )
            for state, calls, num_tokens, tokens, num_picousd, picousd in rows
        }
        return cls(found.get("settled", Spending()), found.get("reserved", Spending()))


@dataclass(frozen=True)
class WaitingCall:
    """A call that a provider's batch will answer: its number, samples, and what is reserved."""

    call: int
    num_samples: int
    worst: Spending


def inserted(sample: Sample, reasoning: str | None) -> Statement:
    """The statement that stores a sample, with the reasoning that came before its text."""
    values = vars(sample) | {"usage": vars(sample.usage), "reasoning": reasoning}
    key = [values.pop(name) for name in ("question_id", "strategy", "stream", "sample_index")]
    return "INSERT INTO samples VALUES (?, ?, ?, ?, ?)", (
        *key,
        json.dumps(values, ensure_ascii=True),
    )


def call_row(row: tuple[Any, ...]) -> Statement:
    """The statement that stores a call."""
    return f"INSERT INTO calls VALUES ({', '.join('?' * len(row))})", row


def settled(call: int, sample: Sample, price: Price | None) -> Statement:
    """A call for a sample that came without one, at its recorded cost."""
    usage = sample.usage
    picousd = cost(usage, price).picousd if usage.cost_usd is None else round(usage.cost_usd * 1e12)
    tokens = (usage.prompt_tokens, usage.completion_tokens)
    return call_row(
        (call, *sample.key, 1, "settled", *tokens, picousd, None, "drawn before calls were counted")
    )


def taken_over(next_call: Callable[[], int], reserved: Spending) -> Iterator[Statement]:
    """The reserved calls that a recording's card tells of; what all cost at worst stands at the
    first, as tokens of answers.
    """
    amounts = (None if reserved.tokens is None else 0, reserved.tokens, reserved.picousd)
    for _ in range(reserved.calls):
        yield call_row((next_call(), "", "", 0, 0, 0, "reserved", *amounts, None, EARLIER))
        amounts = (0, 0, 0)


def sample_of(row: tuple[Any, ...]) -> Sample:
    """The sample of a row."""
    values: dict[str, Any] = json.loads(row[4])
    del values["reasoning"]
    values |= {"usage": Usage(**values["usage"]), "parents": tuple(values["parents"])}
    return Sample(*row[:4], **values)


def dumps(value: Any) -> str:
    """JSON, the same text for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def refuse_difference(where: Path, pairs: Mapping[str, tuple[Any, Any]]) -> None:
    """Raises an InputError that names the first field whose (recorded, given) values differ."""
    for name, (recorded, given) in pairs.items():
        if recorded != given:
            raise InputError(
                f"{where} was recorded with {name} = {recorded}, given now is {given}: "
                "give the recorded setting to continue it, or another --out"
            )
