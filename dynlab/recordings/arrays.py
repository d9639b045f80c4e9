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


def voting(frame: pd.DataFrame) -> Flags:
    """Which rows give an answer that votes."""
    votes = np.asarray(frame["answer"].to_numpy() != "")
    if "votes" in frame:
        votes &= frame["votes"].fillna(True).to_numpy(dtype=bool)
    return votes


def coded(
    frame: pd.DataFrame, question: Ints, num_questions: int
) -> tuple[tuple[tuple[str, ...], ...], Ints]:
    """Each question's answers by first appearance, and each row's code (MISSING: no vote)."""
    votes = voting(frame)
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


def tokens_of(frame: pd.DataFrame, question: Ints) -> tuple[Floats, str, float]:
    """Tokens of each row (prompt + completion of every call), their kind, and the share imputed.

    An unknown count is the mean of its question's other samples: of prompts, of those that show
    attempts as it does or does not.
    """
    if "completion_tokens" not in frame or frame["completion_tokens"].isna().all():
        return np.full(len(frame), np.nan), "unknown", 0.0
    completion = _floats(frame["completion_tokens"])
    unknown = np.isnan(completion)
    if unknown.any():
        completion = with_means(completion, question)
    share = float(unknown.mean())
    prompt = frame["prompt_tokens"] if "prompt_tokens" in frame else pd.Series(pd.NA, frame.index)
    if prompt.isna().all():
        return completion, "completion", share
    missing = prompt.isna().to_numpy(dtype=bool)
    prompts = _floats(prompt)
    if missing.any():
        prompts = with_means(prompts, _prompts_of(frame, question))
    return completion + prompts, "total", float((unknown | missing).mean())


def _prompts_of(frame: pd.DataFrame, question: Ints) -> Ints:
    """A number a row that tells prompts of like length apart: chained ones show attempts."""
    chained = frame["role"].eq("chained") if "role" in frame else pd.Series(False, frame.index)
    return np.asarray(2 * question + chained.to_numpy(dtype=int))


def with_means(values: Floats, question: Ints) -> Floats:
    """The values of rows, unknown ones replaced by their question's mean, else by all questions'.

    >>> with_means(np.array([1.0, 3.0, np.nan, np.nan]), np.array([0, 0, 0, 1])).tolist()
    [1.0, 3.0, 2.0, 2.0]
    """
    known = pd.Series(values)
    means = known.groupby(question).transform("mean").fillna(known.mean())
    return np.asarray(known.fillna(means).to_numpy(dtype=float))


def cost_of(
    frame: pd.DataFrame, question: Ints, price: tuple[float, float] | None, name: str
) -> Floats:
    """USD of each row: by the price per million tokens, else as recorded, else NaN: unknown."""
    if price is None:
        return (
            frame["cost_usd"].to_numpy(dtype=float)
            if "cost_usd" in frame
            else np.full(len(frame), np.nan)
        )
    for column in ("prompt_tokens", "completion_tokens"):
        if column not in frame or frame[column].isna().all():
            raise InputError(
                f"{name}: a price needs {column}, and no sample's is known; drop --price"
            )
    if not (len(price) == 2 and np.isfinite(price).all() and min(price) >= 0):
        raise InputError(
            "a price is two numbers from 0 on, USD per million prompt and completion tokens; not"
            f" {price}"
        )
    prompts = with_means(_floats(frame["prompt_tokens"]), _prompts_of(frame, question))
    completions = with_means(_floats(frame["completion_tokens"]), question)
    return (price[0] * prompts + price[1] * completions) / 1e6


def _floats(column: pd.Series) -> Floats:
    return np.asarray(column.to_numpy(dtype=float, na_value=np.nan))
