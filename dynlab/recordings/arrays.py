"""The columns of a recording as arrays: answer codes, right answers, tokens, prices.

Axes: Q questions, K distinct answers of a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynlab._util.errors import InputError

ABSENT = -2  # behind a stream's end
MISSING = -1  # a response without a parsable answer, or one that does not vote: paid, not counted

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


def coded(
    frame: pd.DataFrame, question: Ints, num_questions: int
) -> tuple[tuple[tuple[str, ...], ...], Ints]:
    """Each question's answers by first appearance, and each row's code (MISSING: no vote)."""
    votes = frame["answer"].to_numpy() != ""
    if "votes" in frame:
        votes &= frame["votes"].fillna(True).to_numpy(dtype=bool)
    code = np.full(len(frame), MISSING, np.int32)
    seen: list[dict[str, int]] = [{} for _ in range(num_questions)]
    for row, (number, answer) in enumerate(
        zip(question.tolist(), frame["answer"].tolist(), strict=True)
    ):
        if votes[row]:
            code[row] = seen[number].setdefault(answer, len(seen[number]))
    return tuple(tuple(answers) for answers in seen), code


def right_answers(
    frame: pd.DataFrame, question: Ints, code: Ints, answers: Sequence[Sequence[str]], name: str
) -> tuple[Flags, bool]:
    """[Q, K] which answers are right, and whether that is known; else the plurality is right.

    It is known by `correct` where that is recorded, else by `target`.

    Raises:
        InputError: an answer is both right and not, or targets are lacking or several.
    """
    num_answers = max(1, *(len(known) for known in answers)) if answers else 1
    right = np.zeros((len(answers), num_answers), bool)
    voted = code >= 0
    if (
        "correct" in frame
        and frame.loc[voted, "correct"].notna().all()
        and frame["correct"].notna().any()
    ):
        flags = frame["correct"].fillna(False).to_numpy(dtype=bool)
        right[question[voted & flags], code[voted & flags]] = True
        disputed = voted & ~flags & right[question, np.maximum(code, 0)]
        if disputed.any():
            row = frame.iloc[int(np.argmax(disputed))]
            which = f"answer {row['answer']!r} of question {row['question_id']!r}"
            raise InputError(f"{name}: {which} is both correct and not; mend the column `correct`")
        return right, True
    known = frame["target"].notna() if "target" in frame else pd.Series(False, frame.index)
    if known.any():
        lacking = sorted(set(frame["question_id"]) - set(frame.loc[known, "question_id"]))
        if lacking:
            raise InputError(
                f"{name}: question {lacking[0]!r} has no target while others have ({len(lacking)}"
                " in all); give every question a target, or none for self-consistency rates"
            )
        targets = frame.loc[known].groupby("question_id")["target"].unique()
        several = targets[targets.map(len) > 1]
        if len(several):
            first, second = several.iloc[0][:2]
            raise InputError(
                f"{name}: question {several.index[0]!r} has several targets, {first!r} and"
                f" {second!r}; give it one, or a column `correct`"
            )
        equal = voted & (frame["answer"] == frame["target"]).to_numpy(dtype=bool)
        right[question[equal], code[equal]] = True
        return right, True
    counts = np.zeros(right.shape, int)
    np.add.at(counts, (question[voted], code[voted]), 1)
    leaders = counts.max(axis=1, keepdims=True)
    return (counts == leaders) & (leaders > 0), False


def tokens_of(frame: pd.DataFrame, question: Ints, name: str) -> tuple[Floats, str, float]:
    """Tokens of each row (prompt + completion of every call), their kind, and the share imputed."""
    if "completion_tokens" not in frame or frame["completion_tokens"].isna().all():
        return np.full(len(frame), np.nan), "unknown", 0.0
    completion = frame["completion_tokens"].to_numpy(dtype=float, na_value=np.nan)
    unknown = np.isnan(completion)
    if unknown.any():
        completion = with_means(completion, question)
    share = float(unknown.mean())
    prompt = frame["prompt_tokens"] if "prompt_tokens" in frame else pd.Series(pd.NA, frame.index)
    if prompt.isna().all():
        return completion, "completion", share
    if prompt.isna().any():
        raise InputError(
            f"{name}: prompt_tokens is missing for {int(prompt.isna().sum())} of {len(frame)}"
            " samples; record it for all of them, or leave it out for all (tokens then are"
            " completion tokens)"
        )
    return completion + prompt.to_numpy(dtype=float), "total", share


def with_means(values: Floats, question: Ints) -> Floats:
    """The values of rows, unknown ones replaced by their question's mean, else by all questions'.

    >>> with_means(np.array([1.0, 3.0, np.nan, np.nan]), np.array([0, 0, 0, 1])).tolist()
    [1.0, 3.0, 2.0, 2.0]
    """
    known = pd.Series(values)
    means = known.groupby(question).transform("mean").fillna(known.mean())
    return np.asarray(known.fillna(means).to_numpy(dtype=float))


def cost_of(frame: pd.DataFrame, price: tuple[float, float] | None, name: str) -> Floats:
    """USD of each row: by the price per million tokens, else as recorded, else NaN: unknown."""
    if price is None:
        return (
            frame["cost_usd"].to_numpy(dtype=float)
            if "cost_usd" in frame
            else np.full(len(frame), np.nan)
        )
    for column in ("prompt_tokens", "completion_tokens"):
        if column not in frame or frame[column].isna().any():
            raise InputError(
                f"{name}: a price needs {column} of every sample, and some are unknown; drop"
                " --price"
            )
    if not (len(price) == 2 and np.isfinite(price).all() and min(price) >= 0):
        raise InputError(
            "a price is two numbers from 0 on, USD per million prompt and completion tokens; not"
            f" {price}"
        )
    tokens = frame[["prompt_tokens", "completion_tokens"]].to_numpy(dtype=float)
    return np.asarray(tokens @ np.asarray(price) / 1e6)
