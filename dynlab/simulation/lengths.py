"""How long responses and prompts are, and what that has to do with difficulty and being right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.recordings.arrays import Flags, Floats, Ints
from dynlab.simulation.likelihood import SURE, maximum
from dynlab.simulation.parts import Intervals

_EFFECTS = ("log_mean", "easy", "right", "chained")


@dataclass(frozen=True)
class Lengths:
    """Tokens of responses are lognormal, with an effect of the question that its samples share.

    log tokens = log_mean + easy · p + right · [right] + chained · [chained] + u + e, where p is the
    question's chance of a right sample, u ~ N(0, question_sd²) and e ~ N(0, sample_sd²).

    Args:
        log_mean: Of a wrong independent sample of a question that is never answered right.
        easy: By how much responses to a question with p = 1 are longer, in logs.
        right: By how much right samples are longer than wrong ones of the same question.
        chained: By how much samples that were shown others are longer.
        question_sd: Spread over questions, in logs.
        sample_sd: Spread of a question's samples, in logs.
        longest: The most tokens of a response, as recorded.
    """

    log_mean: float
    easy: float
    right: float
    chained: float
    question_sd: float
    sample_sd: float
    longest: int

    def of_questions(self, chances: Floats, rng: np.random.Generator) -> Floats:
        """[Q] what a question's responses have in common, in logs."""
        shared = rng.normal(0, self.question_sd, len(chances))
        return np.asarray(self.log_mean + self.easy * chances + shared)

    def draw(
        self, common: Floats, right: Flags, rng: np.random.Generator, *, chained: bool = False
    ) -> Ints:
        """[Q] tokens of one sample of each question."""
        logs = common + self.right * right + self.chained * chained
        tokens = np.exp(logs + rng.normal(0, self.sample_sd, len(common)))
        return np.clip(np.rint(tokens), 1, self.longest).astype(int)


@dataclass(frozen=True)
class Prompts:
    """Tokens of prompts: lognormal over questions; a chained one grows by the attempts it shows.

    Args:
        log_mean: Mean log of a question's own prompt.
        log_sd: Spread over questions, in logs.
        shown: Prompt tokens for each token of the responses that a chained prompt shows.
    """

    log_mean: float
    log_sd: float
    shown: float

    def draw(self, num_questions: int, rng: np.random.Generator) -> Ints:
        """[Q] tokens of each question's own prompt."""
        tokens = np.exp(rng.normal(self.log_mean, self.log_sd, num_questions))
        return np.maximum(np.rint(tokens), 1).astype(int)

    def chained(self, own: Ints, shown: Ints) -> Ints:
        """[Q] tokens of prompts that show responses of so many tokens."""
        return np.rint(own + self.shown * shown).astype(int)


def fit_lengths(
    tokens: Floats, question: Ints, easy: Floats, right: Flags, chained: Flags
) -> tuple[Lengths, Intervals]:
    """The mixed model of largest likelihood, a random intercept for each question.

    Given λ = question_sd² / sample_sd², the coefficients are least squares of every question's
    values less 1 − 1 / √(1 + n λ) of their mean; λ maximises what is left.

    Args:
        tokens: [S] of responses, above 0.
        question: [S] their questions, numbered from 0.
        easy: [S] the chance of a right sample of their question, as estimated.
        right: [S] whether they are right.
        chained: [S] whether they were shown others.
    """
    design = np.column_stack([np.ones(len(tokens)), easy, right, chained]).astype(float)
    counts = np.bincount(question).astype(float)
    held = counts[question]
    means = np.column_stack(
        [np.bincount(question, column)[question] / held for column in (*design.T, np.log(tokens))]
    )
    values = np.column_stack([design, np.log(tokens)])

    def solved(at: Floats) -> tuple[float, Floats, Floats, float]:
        """Log-likelihood, coefficients, their covariance and sample_sd², by log λ."""
        ratio = float(np.exp(at[0]))
        x = values - (1 - 1 / np.sqrt(1 + held * ratio))[:, None] * means
        cross = np.linalg.pinv(x[:, :-1].T @ x[:, :-1])  # a column may be all zeros
        found = cross @ (x[:, :-1].T @ x[:, -1])
        variance = max(float(np.mean((x[:, -1] - x[:, :-1] @ found) ** 2)), 1e-12)
        spread = np.log1p(counts * ratio).sum()
        return -(len(x) * np.log(variance) + spread) / 2, found, cross * variance, variance

    best = maximum(lambda at: solved(at)[0], [0.0], [-9.0], [9.0])
    _, found, covariance, variance = solved(best.at)
    sample_sd = float(np.sqrt(variance))
    question_sd = sample_sd * float(np.exp(best.at[0] / 2))
    half = SURE * np.sqrt(np.diag(covariance))
    intervals = {
        name: (float(value - width), float(value + width))
        for name, value, width in zip(_EFFECTS, found, half, strict=True)
    }
    low, high = best.interval(0)
    intervals["question_sd"] = (sample_sd * np.exp(low / 2), sample_sd * np.exp(min(high, 80) / 2))
    share = SURE / np.sqrt(2 * max(len(tokens) - len(counts), 1))
    intervals["sample_sd"] = (sample_sd * np.exp(-share), sample_sd * np.exp(share))
    effects = dict(zip(_EFFECTS, map(float, found), strict=True))
    longest = int(tokens.max())
    return Lengths(
        **effects, question_sd=question_sd, sample_sd=sample_sd, longest=longest
    ), intervals


def fit_prompts(own: Floats, extra: Floats, shown: Floats) -> tuple[Prompts, Intervals]:
    """Means, spread, and the slope of what chained prompts have more through the origin.

    Args:
        own: [Q] tokens of the questions' own prompts.
        extra: [S] by how much the prompts of chained samples are longer than their question's own.
        shown: [S] tokens of the responses that they show.
    """
    logs = np.log(np.maximum(own, 1))
    slope = float((extra @ shown) / max(float(shown @ shown), 1e-12)) if len(shown) else 0.0
    mean, spread = float(logs.mean()), float(logs.std())
    half = SURE * spread / np.sqrt(len(logs))
    share = SURE / np.sqrt(2 * max(len(logs) - 1, 1))
    intervals = {
        "log_mean": (mean - half, mean + half),
        "log_sd": (spread * np.exp(-share), spread * np.exp(share)),
    }
    return Prompts(mean, spread, max(slope, 0.0)), intervals
