"""Whether the store of a recording is whole; it is opened for reading alone."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.values import Usage


def store_problems(path: Path) -> tuple[list[str], str]:
    """The problems of a store, and what it holds; it is opened for reading alone."""
    if not path.is_file():
        raise InputError(
            f"no file {path}; give the path of a recording (.parquet) or of a store (.sqlite)"
        )
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = [
                f"SQLite: {line}"
                for (line,) in database.execute("PRAGMA integrity_check(20)")
                if line != "ok"
            ]
            tables = {
                name
                for (name,) in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            }
            if "samples" not in tables:
                return ["it is no store: it has no table of samples"], ""
            samples = database.execute("SELECT * FROM samples").fetchall()
            database.row_factory = sqlite3.Row
            calls = (
                [dict(row) for row in database.execute("SELECT * FROM calls")]
                if "calls" in tables
                else None
            )
    except sqlite3.Error as error:
        return [f"it cannot be read as a store ({error})"], ""
    found += _stored(samples)
    if calls is None:
        return (
            found,
            (
                f"{len(samples)} samples are whole; it is of an earlier version, which did not"
                " count calls"
            ),
        )
    found += _called(samples, calls)
    states = Counter(call["state"] for call in calls)
    spent, reserved = (_total(calls, state) for state in ("settled", "reserved"))
    return (
        found,
        (
            f"{len(samples)} samples are whole; {len(calls)} calls: {states['settled']} settled,"
            f" {states['reserved']} reserved, {states['released']} released; spent {spent};"
            f" reserved {reserved}"
        ),
    )


def _stored(samples: list[Any]) -> Iterator[str]:
    keys = {tuple(row[:4]) for row in samples}
    for *key, response in samples:
        try:
            values = json.loads(response)
            parents, usage = values["parents"], Usage(**values["usage"])
            known = [n for n in (usage.prompt_tokens, usage.completion_tokens) if n is not None]
            if not all(type(n) is int and n >= 0 for n in known):
                yield f"{key} has tokens that are no counts: {known}"
            if not isinstance(values["answer"], str) or not isinstance(values["text"], str):
                yield f"{key} has an answer or a text that is no text"
        except (ValueError, KeyError, TypeError) as error:
            yield f"{key} cannot be read ({type(error).__name__})"
            continue
        for parent in parents:
            if (*key[:3], parent) not in keys or not parent < key[3]:
                yield f"{key} is shown sample {parent}, which is not an earlier one that is there"


def _called(samples: list[Any], calls: list[dict[str, Any]]) -> Iterator[str]:
    """Every call is in a known state with amounts to match, and no settled one is without its
    samples.
    """
    keys = {tuple(row[:4]) for row in samples}
    for call in calls:
        name = f"call {call['call']}"
        amounts = [call[column] for column in ("prompt_tokens", "completion_tokens", "picousd")]
        if call["state"] not in ("settled", "reserved", "released"):
            yield f"{name} is neither settled nor reserved nor released: {call['state']!r}"
        if any(
            amount is not None and (type(amount) is not int or amount < 0)
            for amount in (*amounts, call["picousd"])
        ):
            yield f"{name} has amounts that are no counts: {(*amounts, call['picousd'])}"
        first = (call["question_id"], call["strategy"], call["stream"], call["sample_index"])
        if call["state"] == "settled" and first not in keys:
            yield f"{name} is settled, and its sample {first} is not there"


def _total(calls: list[dict[str, Any]], state: str) -> str:
    chosen = [call for call in calls if call["state"] == state]
    tokens = [call[name] for call in chosen for name in ("prompt_tokens", "completion_tokens")]
    known = sum(count for count in tokens if isinstance(count, int))
    usd = [call["picousd"] for call in chosen if isinstance(call["picousd"], int)]
    return f"{known} tokens" + (f", {sum(usd) / 1e12:.6f} USD" if usd else "")
