"""Samples of other tools as recordings: what was said is made keys, and a recording of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util.cells import accepted_targets, text_of
from dynlab._util.errors import InputError, one_of
from dynlab.recordings.recording import write
from dynlab.recordings.sample_forms import FORMS, lm_eval_report
from dynlab.tasks.answers import Kind, extract, normalise
from dynlab.tasks.choices import letters_meant


def import_recording(path: str | Path, form: str, out: str | Path, *, kind: Kind = "text") -> Path:
    """Writes what another tool has sampled as a recording (.parquet).

    Answers and targets are taken out of what was said and normalised in the same way. A question's
    samples count as exchangeable, so they must have been drawn independently, from one prompt.

    Args:
        path: The tool's file.
        form: 'inspect', 'lm-eval' or 'samples'.
        out: The recording to write.
        kind: What answers are: 'text', 'choice', 'integer' or 'expression'.

    Raises:
        InputError: An unknown form or kind, a file that is not of that form, or samples without
            answers.
    """
    if Path(out).suffix != ".parquet":
        raise InputError(
            f"a recording is written as Parquet: give the path of a .parquet file; not {str(out)!r}"
        )
    if form not in FORMS:
        raise one_of("form of samples", form, FORMS)
    path = Path(path)
    try:
        rows = list(FORMS[form](path))
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); give a file of samples") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"has another shape ({error})"
        raise InputError(f"{path} is not of the form {form!r}: it {what}") from None
    if not rows:
        raise InputError(f"{path} holds no samples")
    for row in rows:
        row["answer"], row["target"] = _keys(
            row["answer"], row["target"], kind, str(row["question_id"])
        )
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    if "sample_index" not in frame:
        frame["sample_index"] = frame.groupby("question_id").cumcount()
    if "correct" in frame and _disputed(frame):
        frame = frame.drop(
            columns="correct"
        )  # a judge that contradicts itself: answers are compared with targets
    card: dict[str, Any] = {"design": "fixed", "imported": form, "source": path.name}
    if form == "lm-eval":
        card["reported"] = lm_eval_report(path)
    return write(frame, card, out)


def _keys(answer: Any, target: Any, kind: Kind, question: str) -> tuple[str | None, str | None]:
    """The keys of an answer and of the target; an accepted alias counts as the first of them.

    Raises:
        InputError: A target is none of its kind: nothing could be right.
    """
    key = None if answer is None else normalise(extract(text_of(answer), kind), kind)
    accepted = []
    for text in accepted_targets(target):
        right = normalise(extract(text, kind), kind)
        if not right:
            index = letters_meant(text) if kind == "choice" else ""
            raise InputError(
                f"question {question!r}: the target {text!r} is no answer of kind {kind!r}; "
                + (index or "give the kind of the answers, or targets that can be read")
            )
        accepted.append(right)
    if not accepted:
        return key, None
    return accepted[0] if key in accepted else key, accepted[0]


def _disputed(frame: pd.DataFrame) -> bool:
    """Whether the same answer to the same question was marked both right and wrong."""
    marks = frame[frame["answer"] != ""].groupby(["question_id", "answer"])["correct"].nunique()
    return bool((marks > 1).any())
