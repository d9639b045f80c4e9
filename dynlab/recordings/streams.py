"""Streams: the recorded samples of every question as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynlab._util.errors import InputError, one_of
from dynlab.recordings.critical_path import paths, waits_of
from dynlab.recordings.recording import Recording

ABSENT = -2  # behind a stream's end
MISSING = (
    -1
)  # a response without a parsable answer, or one that does not vote: paid for, never counted
GREEDY = "greedy"

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Streams:
    """The streams of one strategy of a recording. A pool is one exchangeable stream a question (S =
    1).
    """

    name: str
    strategy: str
    question_ids: tuple[str, ...]  # Q
    answers: tuple[tuple[str, ...], ...]  # [Q][K] the answers behind the codes, by first appearance
    codes: Ints  # [Q, S, N] answer codes; MISSING, ABSENT
    tokens: Floats  # [Q, S, N] tokens of each call; NaN = unknown
    cost_usd: Floats  # [Q, S, N] list price of each call; NaN = unknown
    # [Q, S, N] mean log-probability of each response's tokens (its question's mean where one lacks)
    logprob: Floats
    # [A, N] longest path of calls that ends in a sample when the first A have arrived (1 = waits
    # for none)
    path: Ints
    right: Flags  # [Q, K]: this answer is right
    exchangeable: bool  # may be permuted
    has_target: (
        bool  # False: `right` marks the plurality of all samples, so accuracy is self-consistency
    )
    tokens_kind: str  # 'total' (prompt + completion), 'completion' or 'unknown'
    imputed: float  # share of samples that took their question's mean completion tokens

    @property
    def num_questions(self) -> int:
        """Q."""
        return len(self.question_ids)

    @property
    def lengths(self) -> Ints:
        """[Q, S] samples of each stream."""
        return np.asarray((self.codes != ABSENT).sum(axis=-1))

    def per_sample(self, unit: str) -> float:
        """The mean over questions of a question's mean price per sample, in the unit; a budget of B
        is B times it.

        Raises:
            InputError: the recording does not know that price, or all is free.
        """
        prices = self.prices(unit)
        present = self.codes != ABSENT
        mean = float(np.mean(np.sum(prices * present, axis=(1, 2)) / present.sum(axis=(1, 2))))
        if mean == 0:
            raise InputError(
                f"{self.name}: no sample costs anything in {unit}; count another unit, such as"
                " samples"
            )
        return mean

    def prices(self, unit: str) -> Floats:
        """[Q, S, N] what a sample costs in the unit: 1, its tokens or its USD; 0 behind the end."""
        present = self.codes != ABSENT
        if unit not in UNITS:
            raise one_of("unit", unit, UNITS)
        prices = {"samples": present.astype(float), "tokens": self.tokens, "usd": self.cost_usd}[
            unit
        ]
        if np.isnan(prices[present]).any():
            what = {
                "tokens": "completion_tokens",
                "usd": "cost_usd; give a price by --price IN,OUT",
            }[unit]
            raise InputError(
                f"{self.name}: budgets in {unit} need the column {what}, or --unit samples"
            )
        return np.where(present, prices, 0.0)


UNITS = ("samples", "tokens", "usd")


def strategies_of(recording: Recording) -> list[str]:
    """The strategies that a recording holds samples of, without the greedy baseline, parallel
    first.
    """
    return sorted(
        set(recording.frame["strategy"].unique()) - {GREEDY},
        key=lambda name: (name != "parallel", name),
    )


def streams_of(
    recording: Recording, strategy: str | None = None, price: tuple[float, float] | None = None
) -> Streams:
    """The streams of one strategy (default: the first that the recording holds).

    Args:
        price: USD per million prompt and completion tokens, for a recording that has no `cost_usd`.

    Raises:
        InputError: adaptive design, unknown strategy, or token counts that are partly missing.
    """
    if recording.design != "fixed":
        raise InputError(
            f"{recording.name} is of {recording.design} design (a live run's order); comparisons on"
            " it are biased by optional stopping; give a recording of fixed design, or check the"
            " run by `dynlab replay RUN --check`"
        )
    held = strategies_of(recording)
    if not held:
        raise InputError(
            f"{recording.name} holds greedy answers only; record samples to compare policies on"
        )
    strategy = strategy or held[0]
    if strategy not in held:
        raise one_of(f"strategy of {recording.name}", strategy, held)
    frame = recording.frame[recording.frame["strategy"] == strategy]
    exchangeable = strategy == "parallel"
    ids, question = np.unique(frame["question_id"].to_numpy(dtype=str), return_inverse=True)
    stream = (
        np.zeros(len(frame), int) if exchangeable else _ranks(question, frame["stream"].to_numpy())
    )
    position = _positions(question, stream)
    shape = (len(ids), int(stream.max()) + 1, int(position.max()) + 1)
    at = (question, stream, position)

    answers, code = _coded(frame, question, len(ids))
    codes = np.full(shape, ABSENT, np.int32)
    codes[at] = code
    right, has_target = _right(frame, question, code, answers, recording.name)
    spent, kind, imputed = _tokens(frame, question, recording.name)
    tokens, cost = np.full(shape, np.nan), np.full(shape, np.nan)
    tokens[at], cost[at] = spent, _cost(frame, price, recording.name)
    logprob = np.full(shape, np.nan)
    if "mean_logprob" in frame:
        logprob[at] = _with_means(
            frame["mean_logprob"].to_numpy(dtype=float, na_value=np.nan), question
        )
    waits = {} if exchangeable else waits_of(frame, question, stream, position, recording.name)
    return Streams(
        recording.name,
        strategy,
        tuple(map(str, ids)),
        answers,
        codes,
        tokens,
        cost,
        logprob,
        paths(waits, shape[-1]),
        right,
        exchangeable,
        has_target,
        kind,
        imputed,
    )


def _ranks(question: Ints, stream: Ints) -> Ints:
    """Stream numbers of each question counted from 0: streams 2 and 5 become 0 and 1."""
    table = pd.DataFrame({"question": question, "stream": stream})
    return np.asarray(
        table.groupby("question")["stream"].rank(method="dense").to_numpy(dtype=int) - 1
    )


def _positions(question: Ints, stream: Ints) -> Ints:
    """The place of each row in its stream; the frame is sorted, so rows of a stream come in order."""
    return np.asarray(
        pd.DataFrame({"q": question, "s": stream}).groupby(["q", "s"]).cumcount().to_numpy()
    )


def _coded(
    frame: pd.DataFrame, question: Ints, num_questions: int
) -> tuple[tuple[tuple[str, ...], ...], Ints]:
    """Answers of each question by first appearance, and each row's code (MISSING where it does not
    vote).
    """
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


def _right(
    frame: pd.DataFrame, question: Ints, code: Ints, answers: Sequence[Sequence[str]], name: str
) -> tuple[Flags, bool]:
    """[Q, K] which answers are right: by `correct` where recorded, else by `target`, else the
    plurality of all.
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


def _tokens(frame: pd.DataFrame, question: Ints, name: str) -> tuple[Floats, str, float]:
    """Tokens of each row (ALGORITHMS: prompt + completion of every call), their kind, and the share
    imputed.
    """
    if "completion_tokens" not in frame or frame["completion_tokens"].isna().all():
        return np.full(len(frame), np.nan), "unknown", 0.0
    completion = frame["completion_tokens"].to_numpy(dtype=float, na_value=np.nan)
    unknown = np.isnan(completion)
    if unknown.any():
        completion = _with_means(completion, question)
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


def _with_means(values: Floats, question: Ints) -> Floats:
    """The values of rows, unknown ones replaced by their question's mean, or all questions'; NaN if
    none is known.

    >>> _with_means(np.array([1.0, 3.0, np.nan, np.nan]), np.array([0, 0, 0, 1])).tolist()
    [1.0, 3.0, 2.0, 2.0]
    """
    known = pd.Series(values)
    means = known.groupby(question).transform("mean").fillna(known.mean())
    return np.asarray(known.fillna(means).to_numpy(dtype=float))


def _cost(frame: pd.DataFrame, price: tuple[float, float] | None, name: str) -> Floats:
    """USD of each row: as recorded, else by the price per million tokens, else NaN (unknown, never
    0).
    """
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
