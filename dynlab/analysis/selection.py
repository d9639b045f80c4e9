"""What the best of many settings is worth on questions that did not choose it (nested selection).

Cawley and Talbot 2010: choosing and judging on the same questions counts luck as skill.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynlab.analysis.resamples import question_resamples
from dynlab.recordings.streams import Floats

_SPLITS = 500  # random halves of the questions


def judged_on_half(gains: Sequence[Floats], seed: int) -> tuple[float, float, float]:
    """[mean, low, high] of the best cell of a random half of the questions, on the other half."""
    choose, judge, seen, judged = (np.zeros((gains[0].shape[0], _SPLITS)) for _ in range(4))
    for gain in gains:
        questions = gain.shape[1]
        # recordings of the same questions split alike
        rng = np.random.default_rng([seed, questions, _SPLITS])
        ranks = rng.permuted(np.tile(np.arange(questions), (_SPLITS, 1)), axis=1)
        first = ranks < questions // 2  # [S, Q]
        for half, plain, drawn in ((first, choose, seen), (~first, judge, judged)):
            share = half / half.sum(axis=1, keepdims=True)
            again = rng.multinomial(half.sum(axis=1), share) / half.sum(axis=1, keepdims=True)
            plain += gain @ share.T / len(gains)
            drawn += gain @ again.T / len(gains)
    each = np.arange(_SPLITS)
    value = judge[choose.argmax(axis=0), each].mean()
    low, high = np.percentile(judged[seen.argmax(axis=0), each], [2.5, 97.5])
    return float(value), float(low), float(high)


def judged_on_others(gains: Sequence[Floats], seed: int) -> tuple[float, float, float]:
    """[mean, low, high] over recordings of the best cell of the others."""

    def mean_of_choices(values: Floats) -> Floats:  # [recordings, M, S] → [S]
        others = (values.sum(axis=0) - values).argmax(axis=1)  # [recordings, S]
        return np.asarray(np.take_along_axis(values, others[:, None], axis=1)[:, 0].mean(axis=0))

    here = mean_of_choices(np.stack([gain.mean(axis=1)[:, None] for gain in gains]))
    drawn = mean_of_choices(
        np.stack([question_resamples(gain.shape[1], seed).means(gain) for gain in gains])
    )
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(here[0]), float(low), float(high)
