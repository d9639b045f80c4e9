"""Recordings: the samples of one model on one task, on disk as Parquet (CSV and JSONL are read
too).

A recording is a table with one row a sample, keyed by (question_id, strategy, stream,
sample_index), and a card (a small dict: design, model, sampling settings, date, …) kept in the
Parquet file's metadata.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dynlab._util.errors import InputError, one_of
from dynlab._util.files import replacing
from dynlab._util.shipped_files import named

KEY = ("question_id", "strategy", "stream", "sample_index")
REQUIRED = ("question_id", "sample_index", "answer")
SCHEMA: dict[str, pa.DataType] = {
    "dataset": pa.string(),
    "model": pa.string(),
    "question_id": pa.string(),
    "question": pa.string(),
    "strategy": pa.string(),
    "stream": pa.int32(),
    "sample_index": pa.int32(),
    "role": pa.string(),
    "parents": pa.list_(pa.int32()),
    "awaited": pa.list_(pa.int32()),
    "answer": pa.string(),
    "target": pa.string(),
    "correct": pa.bool_(),
    "votes": pa.bool_(),
    "text": pa.string(),
    "finish_reason": pa.string(),
    "mean_logprob": pa.float32(),
    "prompt_tokens": pa.int32(),
    "completion_tokens": pa.int32(),
    "reasoning_tokens": pa.int32(),
    "cached_tokens": pa.int32(),
    "cost_usd": pa.float64(),
    "billed_usd": pa.float64(),
    "latency_s": pa.float32(),
    "source": pa.string(),
    "picked": pa.int32(),
    "arrived": pa.int32(),
}
_COUNTS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
_AMOUNTS = ("mean_logprob", "cost_usd", "billed_usd", "latency_s")
_INDICES = ("parents", "awaited")
_TEXTS = ("question_id", "strategy", "answer", "target", "dataset", "model", "question", "text")
_MOST = 2**31 - 1  # what the counts' columns hold
_CARD = b"dynlab"
_FACTS = (
    "model",
    "weights",
    "weights_license",
    "server",
    "date",
)  # of a card, shown with a recording


@dataclass(frozen=True)
class Recording:
    """Samples and their card. `frame` has the columns of `SCHEMA` that the file has, sorted by key."""

    frame: pd.DataFrame
    card: Mapping[str, Any] = field(default_factory=dict)
    name: str = "recording"
    source: str = ""  # the path or the name that it was loaded from

    @property
    def design(self) -> str:
        """`fixed` (numbers planned before any answer was seen) or `adaptive` (a live run's order)."""
        return str(self.card.get("design", "fixed"))

    def _repr_html_(self) -> str:
        """The card's key facts and a row of counts a strategy; names and values are escaped."""
        facts = [
            f"{name} {self.card[name]}" for name in _FACTS if self.card.get(name) not in (None, "")
        ]
        head = (
            f"<b>{escape(self.name)}</b>: {escape(' · '.join([f'{self.design} design', *facts]))}"
        )
        return f"<p>{head}</p>{self.counts().to_html(float_format='{:.3f}'.format, na_rep='', border=0)}"

    def counts(self) -> pd.DataFrame:
        """A row a strategy: questions, samples, the shares without an answer and with the right
        one, mean tokens.
        """
        rows = {}
        for strategy, own in self.frame.groupby("strategy", observed=True):
            known = own["target"].notna() if "target" in own else pd.Series(False, own.index)
            tokens = (
                own["completion_tokens"] if "completion_tokens" in own else pd.Series(dtype="Int64")
            )
            rows[strategy] = {
                "questions": own["question_id"].nunique(),
                "samples": len(own),
                "no answer": (own["answer"] == "").mean(),
                "right": (own["answer"] == own["target"])[known].mean() if known.any() else np.nan,
                "completion tokens": float(tokens.mean()) if tokens.notna().any() else np.nan,
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")


def shipped() -> list[str]:
    """Names of the recordings that come with dynlab, sorted."""
    return list(named("data/recordings", (".parquet",)))


def load(source: str | Path | pd.DataFrame | Recording) -> Recording:
    """A recording from a path (.parquet, .csv, .jsonl), the name of a shipped one, or a DataFrame.

    Raises:
        InputError: no such file or name, not readable, empty, a required column missing, or
            duplicate keys.
    """
    if isinstance(source, Recording):
        return source
    if isinstance(source, pd.DataFrame):
        return Recording(
            _validated(source, "the DataFrame"), {}, str(source.attrs.get("name", "recording"))
        )
    path = located(source)
    frame, card = _read(path)
    return Recording(
        _validated(frame, str(source)), card, path.name.removesuffix(path.suffix), str(source)
    )


def write(frame: pd.DataFrame, card: Mapping[str, Any], path: str | Path) -> Path:
    """Writes a recording as Parquet: rows sorted by key, card in the metadata, all or nothing.

    Raises:
        InputError: the folder cannot be written to, or the frame is not a recording.
    """
    path = Path(path)
    frame = _validated(frame, str(path))
    card = dict(card) | {"digest": digest(frame)}
    table = _table(frame).replace_schema_metadata(
        {_CARD: json.dumps(card, sort_keys=True).encode()}
    )
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=12)
    return path


def digest(frame: pd.DataFrame) -> str:
    """A fingerprint of a recording's rows, the same however they are stored."""
    body = json.dumps(_table(_validated(frame, "the recording")).to_pydict(), default=str)
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


def _table(frame: pd.DataFrame) -> pa.Table:
    fields = [(name, kind) for name, kind in SCHEMA.items() if name in frame.columns]
    return pa.Table.from_pandas(
        frame[[name for name, _ in fields]], pa.schema(fields), preserve_index=False
    )


def located(source: str | Path) -> Path:
    """The file of a recording that is given by its path or, where it comes with dynlab, by its
    name.

    Raises:
        InputError: there is no such file or name.
    """
    path = Path(source)
    if path.is_file():
        return path
    known = named("data/recordings", (".parquet",))
    if str(source) in known:
        return known[str(source)]
    if path.is_dir():
        raise InputError(
            f"{source} is a folder; give one recording of it (.parquet, .csv or .jsonl)"
        )
    if path.suffix or os.sep in str(source):
        raise InputError(f"no file {source}; give the path of a .parquet, .csv or .jsonl recording")
    raise one_of("recording", source, known)


def _read(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    try:
        if path.suffix == ".csv":
            texts = dict.fromkeys(_TEXTS, str)
            unknown = {column: [""] for column in (*_COUNTS, *_AMOUNTS)}
            return (
                _narrowed(pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=unknown)),
                {},
            )
        if path.suffix == ".jsonl":
            rows = [
                json.loads(line)
                for line in path.read_text(encoding="utf-8").splitlines()
                if line.strip()
            ]
            if not all(isinstance(row, dict) for row in rows):
                raise ValueError("a line that is not an object")
            return pd.DataFrame(rows), {}
        table = pq.read_table(path)
        card = json.loads((table.schema.metadata or {}).get(_CARD, b"{}"))
        return table.to_pandas(), card if isinstance(card, dict) else {}
    except (pa.ArrowException, ValueError, OSError, AttributeError) as error:
        expected = {".csv": "a CSV table", ".jsonl": "JSON objects, one a line"}.get(
            path.suffix, "a Parquet file"
        )
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path} is not {expected} ({reason}); give a recording in .parquet, .csv or .jsonl"
        ) from None


def _validated(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The frame with the right types and defaults, sorted by key; columns that dynlab does not know
    are dropped.
    """
    if frame.empty:
        raise InputError(f"{where} holds no samples; a recording needs at least one row")
    for column in REQUIRED:
        if column not in frame.columns:
            raise one_of(
                f"columns in {where}: {column!r} is missing; column",
                column,
                map(str, frame.columns),
            )
    frame = frame[[name for name in SCHEMA if name in frame.columns]].copy()
    for column in _TEXTS:
        if column in frame.columns:
            missing = frame[column].isna()
            frame[column] = frame[column].map(_as_text).astype(object)
            frame.loc[missing, column] = "" if column == "answer" else None
    if "target" in frame:
        frame.loc[frame["target"] == "", "target"] = (
            None  # an empty cell of a CSV file: unknown, not wrong
        )
    if "strategy" not in frame:
        frame["strategy"] = "parallel"
    frame["strategy"] = frame["strategy"].fillna("parallel").replace("", "parallel")
    if "stream" not in frame:
        frame["stream"] = 0
    for column in ("stream", "sample_index", *_COUNTS):
        if column in frame.columns:
            frame[column] = _whole(frame[column], column, where)
    for column in _AMOUNTS:
        if column in frame.columns:
            frame[column] = _amount(frame[column], column, where)
    for column in ("correct", "votes"):
        if column in frame.columns:
            frame[column] = _boolean(frame[column], column, where)
    for column in _INDICES:
        if column in frame.columns:
            frame[column] = frame[column].map(_indices)
    if (frame["question_id"].isna() | (frame["question_id"] == "")).any():
        raise InputError(f"{where} has rows without a question_id; every sample needs one")
    again = frame.duplicated(list(KEY))
    if again.any():
        key = ", ".join(f"{name}={frame.loc[again, name].iloc[0]}" for name in KEY)
        raise InputError(
            f"{where} has {int(again.sum())} samples more than once (first: {key}); keep one row of"
            " each key"
        )
    return frame.sort_values(list(KEY), kind="stable", ignore_index=True)


def _as_text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # an integer column that pandas widened because of a missing value
    return str(value)


def _narrowed(frame: pd.DataFrame) -> pd.DataFrame:
    """A CSV table whose columns of whole numbers, widened by a missing value (3.0), are whole
    again.
    """
    for column in ("question_id", "answer", "target"):
        texts = frame[column] if column in frame else pd.Series(dtype=str)
        if texts[texts != ""].str.fullmatch(r"-?\d+\.0").all():
            frame[column] = texts.str.removesuffix(".0")
    return frame


def _indices(value: Any) -> list[int] | None:
    """A list of indices, also from its text in a CSV file; None where it is missing: _indices("[0,
    1]") → [0, 1].
    """
    if isinstance(value, str):
        return [int(number) for number in re.findall(r"\d+", value)] if value.strip() else None
    return [int(number) for number in value] if isinstance(value, Sequence | np.ndarray) else None


def _whole(column: pd.Series, name: str, where: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    required = name in ("stream", "sample_index")
    bad = (
        (numbers.isna() & (column.notna() | required))
        | (numbers < 0)
        | (numbers % 1 > 0)
        | (numbers > _MOST)
    )
    if bad.any():
        raise InputError(
            f"{where}: {name} must be whole numbers from 0 on, to {_MOST}; found"
            f" {column[bad].iloc[0]!r}"
        )
    return numbers.astype("int64" if required else "Int64")


def _amount(column: pd.Series, name: str, where: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    unknown = column.isna() | column.astype(str).str.lower().isin(["", "nan", "none", "null"])
    bad = (
        (numbers.isna() & ~unknown) | np.isinf(numbers) | ((numbers < 0) & (name != "mean_logprob"))
    )
    if bad.any():
        least = "" if name == "mean_logprob" else " from 0 on"
        raise InputError(
            f"{where}: {name} must be finite numbers{least}; found {column[bad].iloc[0]!r}"
        )
    return numbers


def _boolean(column: pd.Series, name: str, where: str) -> pd.Series:
    words = {
        "true": True,
        "1": True,
        "1.0": True,
        "false": False,
        "0": False,
        "0.0": False,
        "nan": None,
        "none": None,
        "": None,
        "<na>": None,
    }
    texts = column.map(lambda value: str(value).lower())
    unknown = ~texts.isin(list(words))
    if unknown.any():
        raise InputError(
            f"{where}: {name} must be true or false; found {column[unknown].iloc[0]!r}"
        )
    return texts.map(words).astype("boolean")


def right_of(frame: pd.DataFrame) -> pd.Series:
    """Whether each row's answer is right: by `correct` where it is known, else by the target, else
    unknown (NA).
    """
    target = frame["target"] if "target" in frame else pd.Series(None, frame.index, dtype=object)
    equal = (frame["answer"] == target).astype("boolean").where(target.notna())
    return frame["correct"].fillna(equal) if "correct" in frame else equal


def text_or_none(value: object) -> str | None:
    """A cell as text, None where it is missing: text_or_none(nan) → None."""
    return (
        None
        if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))
        else str(value)
    )
