"""Whether a recording is whole: what it holds is compared with what it says of itself.

A recording that comes from others is data: it is read, no path or name in it is followed, and
nothing of it is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dynlab import recordings
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.redaction import scrubbed
from dynlab._util.values import GREEDY
from dynlab.recordings.recording import Recording
from dynlab.recordings.schema import KEY
from dynlab.recordings.writing import digest_of
from dynlab.sampling.store_verification import store_problems
from dynlab.tasks.task import Task

_MOST = 20  # problems that are told


@dataclass(frozen=True)
class Findings:
    """What was found: problems, one line each (none: all is well), and what the file holds in one
    line.
    """

    problems: tuple[str, ...]
    summary: str


def verify(path: str | Path) -> Findings:
    """Verifies a recording (.parquet, .csv, .jsonl, or a shipped one's name) or a store (.sqlite).

    Raises:
        InputError: there is no such file.
    """
    if str(path).endswith(".sqlite"):
        return _capped(*store_problems(Path(path)))
    try:
        recording = recordings.load(path)
    except InputError as error:
        if not Path(path).is_file():
            raise
        return Findings((scrubbed(error),), "")
    frame = recording.frame
    problems = [*_types(recordings.located(path)), *_parents(frame), *_counts(recording)]
    problems += [*_amounts(recording), *_votes(frame), *_answers(recording)]
    stated = recording.card.get("digest")
    if stated is not None and stated != digest_of(frame):
        problems.append(
            "its content is not what its digest says: rows were changed after it was written"
        )
    told = (
        "its digest agrees"
        if stated
        else "it has no digest, as files of earlier versions have none"
    )
    return _capped(
        problems,
        f"{len(frame)} samples of {frame['question_id'].nunique()} questions are whole; {told}",
    )


def _capped(problems: list[str], summary: str) -> Findings:
    more = len(problems) - _MOST
    shown = [*problems[:_MOST], f"and {more} more problems"] if more > 0 else problems
    return Findings(tuple(scrubbed(DynlabError(problem)) for problem in shown), summary)


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    yield from frame.itertuples()


def _name(row: Any) -> str:
    return f"{row.question_id!r}, {row.strategy}, stream {row.stream}, sample {row.sample_index}"


def _types(path: Path) -> Iterator[str]:
    """The columns of a Parquet file are of the kinds that the format says."""
    if path.suffix != ".parquet":
        return
    for column in pq.read_schema(path):
        expected = recordings.SCHEMA.get(column.name)
        if expected is not None and _kind(column.type) not in (_kind(expected), "null"):
            yield f"column {column.name} is of type {column.type}, not {expected}"


def _kind(type_: pa.DataType) -> str:
    kinds = ("boolean", "integer", "floating", "string", "large_string", "list", "null")
    return next(
        (kind.removeprefix("large_") for kind in kinds if getattr(pa.types, f"is_{kind}")(type_)),
        str(type_),
    )


def _parents(frame: pd.DataFrame) -> Iterator[str]:
    """Parents come earlier in their stream, and are there."""
    if "parents" not in frame:
        return
    keys = set(zip(*(frame[name] for name in KEY), strict=True))
    for row in _rows(frame.loc[[bool(parents) for parents in frame["parents"]], [*KEY, "parents"]]):
        for parent in row.parents:
            if not 0 <= parent < row.sample_index:
                yield f"{_name(row)} is shown sample {parent}, which is not an earlier one"
            elif (row.question_id, row.strategy, row.stream, parent) not in keys:
                yield f"{_name(row)} is shown sample {parent}, which is not there"


def _counts(recording: Recording) -> Iterator[str]:
    """The card's counts are those of the rows."""
    frame, card = recording.frame, recording.card
    greedy = frame["strategy"] == GREEDY
    found = {
        "questions": frame["question_id"].nunique(),
        "samples": int((~greedy).sum()),
        "greedy": int(greedy.sum()),
    }
    for name, number in found.items():
        if name in card and card[name] != number:
            yield f"it holds {number} {name}, its card says {card[name]}"


def _amounts(recording: Recording) -> Iterator[str]:
    """A row's cost is its tokens at the card's price, where it states one; no more was billed."""
    frame, stated = recording.frame, recording.card.get("price")
    if not isinstance(stated, dict) or "cost_usd" not in frame:
        return
    try:
        usd = {name: float(stated[name]) for name in ("prompt", "completion")}
        usd |= {name: float(stated[name]) for name in stated if name == "reasoning"}
    except (KeyError, TypeError, ValueError):
        yield "the price in its card is not numbers: prompt, completion, maybe reasoning"
        return
    reasoning = frame["reasoning_tokens"].fillna(0) if "reasoning_tokens" in frame else 0
    costs = (
        frame["prompt_tokens"] * usd["prompt"]
        + frame["completion_tokens"] * usd["completion"]
        + reasoning * (usd.get("reasoning", usd["completion"]) - usd["completion"])
    ) / 1e6
    known = frame["cost_usd"].notna() & costs.notna()
    wrong = known & ~np.isclose(costs.astype(float), frame["cost_usd"], rtol=1e-9, atol=1e-15)
    for row in _rows(frame[wrong]):
        yield (
            f"{_name(row)} has cost_usd {row.cost_usd}, its tokens at the card's price cost"
            f" {costs[row.Index]}"
        )
    if "billed_usd" in frame:
        for row in _rows(frame[frame["billed_usd"] > frame["cost_usd"] * (1 + 1e-9)]):
            yield (
                f"{_name(row)} was billed {row.billed_usd} USD, more than its cost of"
                f" {row.cost_usd}"
            )


def _votes(frame: pd.DataFrame) -> Iterator[str]:
    """A failed sample has no answer and no vote."""
    if "finish_reason" not in frame or "votes" not in frame:
        return
    failed = frame["finish_reason"].fillna("").str.startswith("error: ")
    for row in _rows(frame[failed & (frame["votes"].fillna(True) | (frame["answer"] != ""))]):
        yield (
            f"{_name(row)} failed ({row.finish_reason}) and has an answer or a vote all the same"
        )


def _answers(recording: Recording) -> Iterator[str]:
    """Where the task is built in and the text was kept, the answer is what the text gives."""
    frame, task = recording.frame, _task(_dataset(recording.card))
    if task is None or "text" not in frame:
        return
    questions = {question.id: question for question in task.questions}
    for row in _rows(frame[frame["text"].notna()]):
        question = questions.get(str(row.question_id))
        votes = getattr(row, "votes", True)
        if question is None or votes is pd.NA or not votes or row.question != question.question:
            continue
        answer = task.final_answer(str(row.text), question)
        if answer != row.answer:
            yield f"{_name(row)} has the answer {row.answer!r}, its text gives {answer!r}"


def _task(name: str | None) -> Task | None:
    """A built-in task, a generated one where its generator is installed, or one of the hub where it
    is cached; None for others.
    """
    from dynlab._util.hub import cache_only
    from dynlab.tasks.task import load_task, names
    from dynlab.tasks.task_names import loader

    if name is None or not (name in names() or loader(name)):
        return None
    try:
        with cache_only():  # a check needs no network
            return load_task(name)
    except InputError:
        return None


def _dataset(card: Mapping[str, Any]) -> str | None:
    """The task that a card names, its own or that of the first recording merged into it."""
    merged = card.get("merged")
    first = merged[0] if isinstance(merged, list) and merged else card
    settings = first.get("settings") if isinstance(first, Mapping) else None
    return str(settings.get("dataset")) if isinstance(settings, Mapping) else None
