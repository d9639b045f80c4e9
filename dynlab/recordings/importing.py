"""Samples of other tools as recordings: what was said is made keys, and a recording of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util.cells import accepted_targets, text_of
from dynlab._util.errors import InputError
from dynlab._util.remote_files import fetched, is_address
from dynlab.recordings.formats import format_named, guessed
from dynlab.recordings.formats.base import BROKEN, Format, Row
from dynlab.recordings.joining import with_requests, with_task
from dynlab.recordings.recording import write
from dynlab.tasks.answers import Kind, extract, normalise
from dynlab.tasks.choices import letters_meant
from dynlab.tasks.task import Task, load_task

_BATCH = "openai-batch"  # whose output alone does not say which requests asked the same question


def import_recording(
    path: str | Path,
    form: str | None,
    out: str | Path,
    *,
    kind: Kind = "text",
    task: str | Path | Task | None = None,
    requests: str | Path | None = None,
) -> Path:
    """Writes what another tool has sampled as a recording (.parquet).

    Answers and targets are taken out of what was said and normalised in the same way. A question's
    samples count as exchangeable, so they must have been drawn independently, from one prompt.

    Args:
        path: The tool's file, by its path or its address.
        form: The name of its format, such as 'inspect' or 'lm-eval'; None tells it by what stands
            in the file.
        out: The recording to write.
        kind: What answers are: 'text', 'choice', 'integer', 'number' or 'expression'.
        task: Whose questions were asked: it reads and judges the answers instead of `kind`.
        requests: The input of a batch, by which equal requests are known.

    Raises:
        InputError: An unknown format or kind, a file that is not of that format, or samples without
            answers.
    """
    if Path(out).suffix != ".parquet":
        raise InputError(
            f"a recording is written as Parquet: give the path of a .parquet file; not {str(out)!r}"
        )
    path = fetched(str(path)) if is_address(path) else Path(path)
    questions = load_task(task) if isinstance(task, str | Path) else task
    try:
        form = form or guessed(path)
        tool = format_named(form)
        rows = _rows(tool, path, form)
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); give a file of samples") from None
    rows = _joined(rows, form, questions, requests)
    if kind == "text" and any(row.get("choices") and not row.get("keyed") for row in rows):
        warnings.warn(
            f"{path} has 'choices', and answers are read as texts: give --kind choice where they"
            " are letters or options",
            stacklevel=2,
        )
    frame = pd.DataFrame([_keyed(row, kind) for row in rows]).dropna(axis="columns", how="all")
    if "sample_index" not in frame:
        frame["sample_index"] = frame.groupby("question_id").cumcount()
    _refuse_several_targets(frame, path)
    if "correct" in frame and not all(row.get("keyed") for row in rows) and _disputed(frame):
        # a judge that contradicts itself: answers are compared with targets
        frame = frame.drop(columns="correct")
    card = {"design": "fixed"} | tool.card(path) | {"imported": form, "source": path.name}
    reported = tool.report(path)
    return write(frame, card | ({"reported": reported} if reported else {}), out)


def _rows(tool: Format, path: Path, form: str) -> list[Row]:
    """The samples of a file.

    Raises:
        OSError: It cannot be read.
        InputError: It is not of that format, or holds none.
    """
    try:
        rows = list(tool.read(path))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, *BROKEN) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"has another shape ({error})"
        raise InputError(f"{path} is not of the form {form!r}, {tool.tool}: it {what}") from None
    if not rows:
        raise InputError(f"{path} holds no samples")
    return rows


def _joined(
    rows: list[Row], form: str, task: Task | None, requests: str | Path | None
) -> list[Row]:
    """The rows with what the batch's input and the task say of them."""
    if form == _BATCH and task is None and requests is None:
        raise InputError(
            "a batch's output does not say which requests asked the same question: give the"
            " batch's input by --requests FILE, or the task by --task NAME_OR_FILE"
        )
    if requests is not None:
        rows = with_requests(rows, Path(requests))
    return rows if task is None else with_task(rows, task)


def _keyed(row: Row, kind: Kind) -> Row:
    """The row with the keys of its answer and target."""
    row = dict(row)
    choices = accepted_targets(row.pop("choices", None))
    if not row.pop("keyed", False):
        row["answer"], row["target"] = _keys(
            row["answer"], row["target"], kind, str(row["question_id"]), choices
        )
    return row


def _keys(
    answer: Any, target: Any, kind: Kind, question: str, choices: Sequence[str]
) -> tuple[str | None, str | None]:
    """The keys of an answer and of the target; an accepted alias counts as the first of them.

    Raises:
        InputError: A target is none of its kind: nothing could be right.
    """
    key = None if answer is None else normalise(extract(text_of(answer), kind, choices), kind)
    accepted = []
    for text in accepted_targets(target):
        right = normalise(extract(text, kind, choices), kind)
        if not right:
            index = letters_meant(text, len(choices) or 26) if kind == "choice" else ""
            raise InputError(
                f"question {question!r}: the target {text!r} is no answer of kind {kind!r}; "
                + (index or "give the kind of the answers, or targets that can be read")
            )
        accepted.append(right)
    if not accepted:
        return key, None
    return accepted[0] if key in accepted else key, accepted[0]


def _refuse_several_targets(frame: pd.DataFrame, path: Path) -> None:
    """Refuses samples of one question that name different targets.

    Raises:
        InputError: There are such.
    """
    if "target" not in frame:
        return
    targets = frame.dropna(subset=["target"]).groupby("question_id")["target"].unique()
    for question, several in targets[targets.map(len) > 1].items():
        raise InputError(
            f"{path}: question {str(question)!r} has the targets {several[0]!r} and"
            f" {several[1]!r}: give each question one, or its accepted answers as a list"
        )


def _disputed(frame: pd.DataFrame) -> bool:
    """Whether the same answer to the same question was marked both right and wrong."""
    marks = frame[frame["answer"] != ""].groupby(["question_id", "answer"])["correct"].nunique()
    return bool((marks > 1).any())
