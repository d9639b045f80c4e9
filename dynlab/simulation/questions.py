"""Questions that a model draws, and the samples that they come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.recordings.arrays import Ints
from dynlab.simulation.chains import NONE, RIGHT, repeated, states_of
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.parts import log_odds
from dynlab.simulation.wrong_answers import Urn
from dynlab.strategies.base import Strategy


@dataclass(frozen=True, eq=False)
class DrawnStream:
    """A stream of every question."""

    codes: Ints  # [Q, N] 0 right, −1 no answer, wrong answers from 1 on
    parents: tuple[tuple[int, ...], ...]  # [N] what each sample was shown
    tokens: Ints | None  # [Q, N] of responses; None: the model does not know
    prompts: Ints | None  # [Q, N] of prompts; None: the model does not know


class SimulatedQuestions:
    """Q questions with their difficulty, and the wrong answers that they have given so far.

    Args:
        model: What they are drawn from.
        num_questions: Q.
        most: Samples that each is going to have.
        rng: Of all draws.
        even: Whether difficulty is spread evenly over its distribution, not drawn at random.
    """

    def __init__(
        self,
        model: RecordingModel,
        num_questions: int,
        most: int,
        rng: np.random.Generator,
        *,
        even: bool = False,
    ) -> None:
        self._model, self._rng = model, rng
        self.chances = model.right.draw(
            num_questions, rng, even=even
        )  # [Q] of a right independent sample
        self._odds = log_odds(self.chances)
        none = model.none.draw(num_questions, rng) if model.none else np.zeros(num_questions)
        self._none = none  # [Q] that a sample which is not right has no answer
        self._urn = Urn(model.wrong, self.chances, most)
        if model.lengths is not None:
            self._length = model.lengths.of_questions(self.chances, rng)
        if model.prompts is not None:
            self._prompt = model.prompts.draw(num_questions, rng)

    def stream(self, strategy: Strategy, num_samples: int) -> DrawnStream:
        """The next stream of every question.

        Args:
            strategy: Which earlier samples each one is shown.
            num_samples: Its length, N.
        """
        lengths, own = self._model.lengths, self._model.prompts
        parents = tuple(strategy.parents(index) for index in range(num_samples))
        codes = np.zeros((len(self.chances), num_samples), int)
        tokens, prompts = np.zeros_like(codes), np.zeros_like(codes)
        for index, shown in enumerate(map(list, parents)):
            codes[:, index] = self._next(codes[:, shown])
            if lengths is not None:
                right, chained = codes[:, index] == RIGHT, bool(shown)
                tokens[:, index] = lengths.draw(self._length, right, self._rng, chained=chained)
            if own is not None:
                prompts[:, index] = own.chained(self._prompt, tokens[:, shown].sum(axis=1))
        return DrawnStream(
            codes, parents, None if lengths is None else tokens, None if own is None else prompts
        )

    def _next(self, shown: Ints) -> Ints:
        """[Q] the next sample of every question that is shown samples of these codes [Q, M]."""
        chains, rng = self._model.chains, self._rng
        chances, copied = self.chances, np.zeros(len(self.chances), int)
        if shown.shape[1] and chains is not None:
            chances = chains.chances(self._odds, states_of(shown))
            copied = np.where(rng.random(len(shown)) < chains.repeat, repeated(shown, rng), 0)
        right = rng.random(len(chances)) < chances
        none = ~right & (rng.random(len(chances)) < self._none)
        wrong = np.where(copied > 0, copied, self._urn.draw(~right & ~none & (copied == 0), rng))
        return np.where(right, RIGHT, np.where(none, NONE, wrong))
