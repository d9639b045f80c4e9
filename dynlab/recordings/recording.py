"""Recordings: the samples of one model on one task, on disk as Parquet; CSV and JSONL are read too.

A recording is a table with one row a sample, keyed by (question_id, strategy, stream,
sample_index), and a card (a small dict: design, model, sampling settings, date, …) kept in the
Parquet file's metadata.
"""

from __future__ import annotations

import io
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dynlab._util.errors import InputError, one_of
from dynlab._util.remote_files import fetched, is_address, shown
from dynlab._util.shipped_files import named
from dynlab._util.table_files import (
    csv_header,
    format_of,
    is_file_name,
    json_objects,
    refuse_doubled,
    stem_of,
    text_of_file,
)
from dynlab._util.values import GREEDY
from dynlab.recordings.parquet_files import read_parquet
from dynlab.recordings.schema import AMOUNTS, COUNTS, TEXTS, validated
from dynlab.recordings.writing import digest_of, write_blocks

SIMULATED = "simulated"  # what a card, the column `source` and the name of such a recording say
_MARK = f"{SIMULATED}--"
_FORMATS = (".parquet", ".csv", ".jsonl", ".json")
# of a card, shown with a recording
_FACTS = ("model", "weights", "weights_license", "server", "date")


@dataclass(frozen=True)
class Recording:
    """Samples and their card; `frame` has the columns of `SCHEMA` that are known, sorted by key.

    The name of a simulated recording begins with `simulated--`, so that whatever is made of it says
    so: figures, tables and pages carry the names of their recordings.
    """

    frame: pd.DataFrame
    card: Mapping[str, Any] = field(default_factory=dict)
    name: str = "recording"
    source: str = ""  # the path or the name that it was loaded from

    def __post_init__(self) -> None:
        if self.simulated:
            object.__setattr__(self, "name", simulated_name(self.name))

    @property
    def simulated(self) -> bool:
        """Whether a model of samples drew it, by its card or, in a format without one, its rows."""
        if self.card.get(SIMULATED) is not None:
            return True
        source = self.frame["source"].iloc[:1] if "source" in self.frame else ()
        return any(str(each).startswith(f"{SIMULATED} from ") for each in source)

    @property
    def design(self) -> str:
        """`fixed` (planned before any answer was seen) or `adaptive` (a live run's order)."""
        return str(self.card.get("design", "fixed"))

    @cached_property
    def greedy(self) -> pd.DataFrame:
        """A question's greedy answer, the first where several were drawn: looked for once."""
        return self.frame[self.frame["strategy"] == GREEDY].drop_duplicates("question_id")

    def _repr_html_(self) -> str:
        """The card's key facts and a row of counts a strategy; names and values are escaped."""
        facts = [
            f"{name} {self.card[name]}" for name in _FACTS if self.card.get(name) not in (None, "")
        ]
        kind = f"{SIMULATED}, " * self.simulated + f"{self.design} design"
        head = f"<b>{escape(self.name)}</b>: {escape(' · '.join([kind, *facts]))}"
        table = self.counts().to_html(float_format="{:.3f}".format, na_rep="", border=0)
        return f"<p>{head}</p>{table}"

    def counts(self) -> pd.DataFrame:
        """A row a strategy: questions, samples, shares of no and of right answers, mean tokens."""
        rows = {}
        for strategy, own in self.frame.groupby("strategy", observed=True):
            tokens = (
                own["completion_tokens"] if "completion_tokens" in own else pd.Series(dtype="Int64")
            )
            right = right_of(own)
            rows[strategy] = {
                "questions": own["question_id"].nunique(),
                "samples": len(own),
                "no answer": (own["answer"] == "").mean(),
                "right": float(right.mean()) if right.notna().any() else np.nan,
                "completion tokens": float(tokens.mean()) if tokens.notna().any() else np.nan,
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")


def simulated_name(name: str) -> str:
    """The name of a recording that was drawn from a model.

    >>> simulated_name("mine"), simulated_name("simulated--mine")
    ('simulated--mine', 'simulated--mine')
    """
    return name if name.startswith(_MARK) else f"{_MARK}{name}"


def shipped() -> list[str]:
    """Names of the recordings that come with dynlab, sorted."""
    return list(named("data/recordings", (".parquet",)))


def load(
    source: str | Path | pd.DataFrame | Recording | list[dict[str, Any]], *, texts: bool = True
) -> Recording:
    """A recording from a path, the name of a shipped one, a DataFrame, or a list of dicts.

    Files are .parquet, .csv, .jsonl or .json (an array of samples), text files also packed (.gz).
    They may lie anywhere: `hf://datasets/OWNER/NAME/FILE`, `s3://…`, whatever fsspec can read.

    Args:
        source: What to load.
        texts: Whether to read the column `text` of a Parquet file, which is most of it and which
            no number is computed from.

    Raises:
        InputError: no such file or name, not readable, empty, a required column missing, or
            duplicate keys.
    """
    if isinstance(source, Recording):
        return source
    if isinstance(source, pd.DataFrame):
        return Recording(
            validated(source, "the DataFrame"), {}, str(source.attrs.get("name", "recording"))
        )
    if isinstance(source, list) and source and all(isinstance(row, Mapping) for row in source):
        return load(pd.DataFrame(source))
    if not isinstance(source, str | Path):
        raise InputError(
            "a recording is a path, the name of a shipped one, a DataFrame or a list of dicts, a"
            f" sample each; not {reprlib.repr(source)}"
        )
    path = located(source)
    return recording_of(*_read(path, texts), source, path)


def recording_of(
    frame: pd.DataFrame, card: Mapping[str, Any], source: str | Path, path: Path
) -> Recording:
    """What was read of a file, as a recording that is named after it."""
    named = shown(str(source)) if is_address(source) else str(source)
    return Recording(validated(frame, named), card, stem_of(path), named)


def write(frame: pd.DataFrame, card: Mapping[str, Any], path: str | Path) -> Path:
    """Writes a recording as Parquet: rows sorted by key, card in the metadata, all or nothing.

    Raises:
        InputError: the folder cannot be written to, or the frame is not a recording.
    """
    return write_blocks([frame], lambda _: card, Path(path))


def digest(frame: pd.DataFrame) -> str:
    """A fingerprint of a recording's rows, the same however they are stored."""
    return digest_of(validated(frame, "the recording"))


def located(source: str | Path) -> Path:
    """The file of a recording, by its path, its address or, where it comes with dynlab, its name.

    Raises:
        InputError: there is no such file or name.
    """
    if is_address(source):
        return fetched(str(source))
    path = Path(source)
    if path.is_file():
        return path
    known = named("data/recordings", (".parquet",))
    if str(source) in known:
        return known[str(source)]
    if path.is_dir():
        raise InputError(f"{source} is a folder; give one recording of it ({', '.join(_FORMATS)})")
    if is_file_name(source):
        raise InputError(f"no file {source}; give the path of a recording ({', '.join(_FORMATS)})")
    raise one_of("recording", source, known)


def _read(path: Path, texts: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    form = format_of(path)
    expected = {
        ".csv": "a CSV table",
        ".jsonl": "JSON objects, one a line",
        ".json": "an array of JSON objects",
    }.get(form, "a Parquet file")
    try:
        if form == ".csv":
            kinds = dict.fromkeys(TEXTS, str)
            unknown = {column: [""] for column in (*COUNTS, *AMOUNTS)}
            text = text_of_file(path)
            names, mark = csv_header(text)
            refuse_doubled(names, path)
            how: dict[str, Any] = {"dtype": kinds, "keep_default_na": False, "na_values": unknown}
            how |= {"sep": mark, "decimal": "," if mark == ";" else "."}
            return _narrowed(pd.read_csv(io.StringIO(text), **how)), {}
        if form in (".jsonl", ".json"):
            rows = [row for _, row in json_objects(text_of_file(path))]
            if not all(isinstance(row, dict) for row in rows):
                raise ValueError("a value that is not an object")
            return pd.DataFrame(rows), {}
        refuse_doubled(pq.read_schema(path).names, path)
        return read_parquet(path, texts=texts)
    except (pa.ArrowException, ValueError, OSError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path} is not {expected} ({reason}); give a recording in {', '.join(_FORMATS)}"
        ) from None


def _narrowed(frame: pd.DataFrame) -> pd.DataFrame:
    """A CSV table whose whole numbers, widened by a missing value (3.0), are whole again."""
    for columns, whole in (
        (["question_id"], r"-?\d+\.0"),
        (["answer", "target"], r"-?\d+(?:\.0)?"),
    ):
        held = [column for column in columns if column in frame]
        texts = pd.concat([frame[column] for column in held]) if held else pd.Series(dtype=str)
        if texts[texts != ""].str.fullmatch(whole).all():
            for column in held:
                frame[column] = frame[column].str.removesuffix(".0")
    return frame


def right_of(frame: pd.DataFrame) -> pd.Series:
    """Whether each row's answer is right: by `correct` if known, else by target, else unknown."""
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
