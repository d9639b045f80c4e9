"""Weighted votes: how confident a response was counts, not only what it answered.

Confidence is exp(mean log-probability of the response's tokens), in (0, 1]: the probability of the
response, normalised by its length. A vote is a table: the chance that it is right at every depth of
every question.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from dynlab._util.errors import InputError
from dynlab.policies.base import Vote
from dynlab.policies.registry import register
from dynlab.policies.votes import Tally
from dynlab.recordings.streams import Flags, Floats, Ints


@register
@dataclass(frozen=True)
class ConfidenceInformed(Vote):
    """CISC (2502.06233): each sample weighs softmax(confidence / temperature).

    An answer has the weight of all its samples. Confidence is the length-normalised probability of
    the response, one of the paper's four. Deviations: the paper tunes the temperature per model on
    held-out questions, here it is a parameter; a response without a log-probability has the mean of
    its question's.

    Args:
        temperature: above 0; large ones make the vote a plurality.
    """

    name: ClassVar[str] = "cisc"
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise InputError(f"the temperature of cisc must be above 0; not {self.temperature}")

    def right(self, tally: Tally) -> Floats:
        """Weights add up, since all samples of a question share the softmax's denominator."""
        weight = np.exp((confidence(tally, self.name) - 1) / self.temperature)
        _, num_replications, num_questions = tally.seen.pulls.shape
        totals = np.zeros((num_replications, num_questions, tally.answer_right.shape[1]))
        rows, columns = np.arange(num_replications)[:, None], np.arange(num_questions)
        chance = np.zeros(tally.seen.pulls.shape)
        for n, code in enumerate(tally.codes):
            totals[rows, columns, np.maximum(code, 0)] += np.where(code >= 0, weight[n], 0.0)
            chance[n + 1] = heaviest_right(totals, tally.answer_right)
        return chance


@register
@dataclass(frozen=True)
class ConfidenceFiltered(Vote):
    """DeepConf offline (2508.15260): the most confident share of the samples votes.

    Each votes with its confidence. Deviations: the paper's confidence of a trace comes from the k
    most likely tokens at every position (its mean, or that of its least confident stretch), here
    from the response's own tokens; samples without an answer are filtered out before; a response
    without a log-probability has the mean of its question's.

    Args:
        keep: η, the share kept: samples of at least the 1 − η quantile of confidence. The paper has
            0.1 and 0.9.
    """

    name: ClassVar[str] = "deepconf"
    keep: float = field(default=0.9, metadata={"range": (0.05, 1.0, 0.05)})

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise InputError(f"the share that deepconf keeps must be in (0, 1]; not {self.keep}")

    def right(self, tally: Tally) -> Floats:
        """At every depth the quantile is taken anew."""
        known = np.where(tally.codes >= 0, confidence(tally, self.name), np.nan)
        chance = np.zeros(tally.seen.pulls.shape)
        for n in range(1, len(chance)):
            ordered = np.sort(known[:n], axis=0)  # NaN, which does not vote, comes last
            place = (1 - self.keep) * np.maximum((~np.isnan(ordered)).sum(axis=0) - 1, 0)
            below = np.floor(place).astype(int)
            low, high = (
                np.take_along_axis(ordered, at[None], axis=0)[0]
                for at in (below, np.minimum(below + 1, n - 1))
            )
            least = low + (place - below) * np.nan_to_num(high - low)
            weight = np.where(known[:n] >= least - 1e-12, known[:n], 0.0)
            chance[n] = heaviest_right(
                summed(tally.codes[:n], weight, tally.answer_right.shape[1]), tally.answer_right
            )
        return chance


def confidence(tally: Tally, name: str) -> Floats:
    """[N, R, Q] exp(mean log-probability); 0 for samples that do not vote.

    Raises:
        InputError: none is recorded.
    """
    votes = tally.codes >= 0
    if np.isnan(tally.logprob[votes]).any():
        raise InputError(
            f"{name} needs the column mean_logprob, and it is not recorded; "
            f"record with log-probabilities, or leave {name} out"
        )
    return np.asarray(np.exp(np.where(votes, tally.logprob, -np.inf)))


def summed(codes: Ints, weight: Floats, num_answers: int) -> Floats:
    """[..., K] weight of each answer: codes and weights [n, ...], negative codes do not vote.

    >>> summed(np.array([0, 1, 1, -1]), np.array([0.9, 0.2, 0.3, 1.0]), 2).tolist()
    [0.9, 0.5]
    """
    flat = codes.reshape(len(codes), -1)
    bins = np.arange(flat.shape[1]) * (num_answers + 1) + np.where(flat < 0, num_answers, flat)
    total = np.bincount(bins.ravel(), weight.ravel(), minlength=flat.shape[1] * (num_answers + 1))
    return np.asarray(total.reshape(*codes.shape[1:], num_answers + 1)[..., :-1])


def heaviest_right(totals: Floats, right: Flags) -> Floats:
    """[R, Q] chance that the heaviest answer is right, ties by expectation: totals [R, Q, K]."""
    most = totals.max(axis=-1, keepdims=True)
    tied = (totals >= most * (1 - 1e-12)) & (totals > 0)
    return np.asarray((tied & right).sum(axis=-1) / np.maximum(tied.sum(axis=-1), 1))
