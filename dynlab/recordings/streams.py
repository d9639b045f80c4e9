"""Streams: the recorded samples of every question as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab._util.values import GREEDY
from dynlab.recordings.arrays import ABSENT as ABSENT
from dynlab.recordings.arrays import MISSING as MISSING
from dynlab.recordings.arrays import Flags as Flags
from dynlab.recordings.arrays import Floats as Floats
from dynlab.recordings.arrays import Ints as Ints
from dynlab.recordings.arrays import coded, cost_of, right_answers, tokens_of, with_means
from dynlab.recordings.critical_path import paths, waits_of
from dynlab.recordings.recording import SIMULATED, Recording, simulated_name

UNITS = ("samples", "tokens", "usd")


@dataclass(frozen=True)
class Streams:
    """The streams of one strategy of a recording; a pool is one exchangeable stream (S = 1)."""

    name: str
    strategy: str
    question_ids: tuple[str, ...]  # Q
    answers: tuple[tuple[str, ...], ...]  # [Q][K] the answers behind the codes, by first appearance
    codes: Ints  # [Q, S, N] answer codes; MISSING, ABSENT
    tokens: Floats  # [Q, S, N] tokens of each call; NaN = unknown
    cost_usd: Floats  # [Q, S, N] list price of each call; NaN = unknown
    # [Q, S, N] mean log-probability of each response's tokens (its question's mean where one lacks)
    logprob: Floats
    # [A, N] longest path of calls that ends in a sample when the first A have arrived; 1 = no wait
    path: Ints
    right: Flags  # [Q, K]: this answer is right
    exchangeable: bool  # may be permuted
    # False: `right` marks the plurality of all samples, so that accuracy is self-consistency
    has_target: bool
    tokens_kind: str  # 'total' (prompt + completion), 'completion' or 'unknown'
    imputed: float  # share of samples that took a mean of their question's token counts

    @property
    def num_questions(self) -> int:
        """Q."""
        return len(self.codes)

    @property
    def nbytes(self) -> int:
        """Of its arrays."""
        tables = (self.codes, self.tokens, self.cost_usd, self.logprob, self.path, self.right)
        return sum(table.nbytes for table in tables)

    @property
    def measure(self) -> str:
        """What accuracy is: without targets, the agreement with the plurality of all samples.

        Of simulated samples it says so.
        """
        measure = "accuracy" if self.has_target else "self-consistency rate"
        simulated = self.name == simulated_name(self.name)
        return f"{SIMULATED} {measure}" if simulated else measure

    @property
    def lengths(self) -> Ints:
        """[Q, S] samples of each stream."""
        return np.asarray((self.codes != ABSENT).sum(axis=-1))

    def per_sample(self, unit: str) -> float:
        """The mean over questions of a question's mean price per sample; a budget of B is B of it.

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


def strategies_of(recording: Recording) -> list[str]:
    """The strategies that a recording holds samples of, parallel first; greedy answers are none."""
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
        InputError: adaptive design, or an unknown strategy.
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
    own = recording.frame["strategy"] == strategy
    frame = recording.frame if own.all() else recording.frame[own]
    exchangeable = strategy == "parallel"
    # not numpy's `unique`, whose texts all take as much memory as the longest
    question, ids = pd.factorize(frame["question_id"].to_numpy(), sort=True)
    stream = (
        np.zeros(len(frame), int) if exchangeable else _ranks(question, frame["stream"].to_numpy())
    )
    position = _positions(question, stream)
    shape = (len(ids), int(stream.max()) + 1, int(position.max()) + 1)
    at = (question, stream, position)

    answers, code = coded(frame, question, len(ids))
    codes = np.full(shape, ABSENT, np.int32)
    codes[at] = code
    right, has_target = right_answers(frame, question, code, answers, recording.name)
    spent, kind, imputed = tokens_of(frame, question)
    tokens, cost = np.full(shape, np.nan), np.full(shape, np.nan)
    tokens[at], cost[at] = spent, cost_of(frame, question, price, recording.name)
    logprob = np.full(shape, np.nan)
    if "mean_logprob" in frame:
        logprob[at] = with_means(
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
    """The place of each row in its stream; the frame is sorted, so its rows come in order."""
    return np.asarray(
        pd.DataFrame({"q": question, "s": stream}).groupby(["q", "s"]).cumcount().to_numpy()
    )
