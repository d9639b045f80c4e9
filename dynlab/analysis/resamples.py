"""Resamples of questions: what every interval is taken over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from dynlab.recordings.streams import Floats, Ints

RESAMPLES = 2000
_WHOLE = 2**25  # shares that are held as numbers, 256 MiB; of more, a few resamples at a time
_BLOCK = 2**23  # of those


@dataclass(frozen=True, eq=False)
class Resamples:
    """Resamples of questions with replacement: `resamples @ values` [Q, C] are their means [S, C].

    Args:
        counts: [S, Q] how often each question stands in each; a byte each, since none stands 256
            times among others.
        rows: [1 + S, Q] the same behind a row of ones; None: they begin with it.
    """

    counts: Ints
    rows: Ints | None = None

    def __len__(self) -> int:
        return len(self.counts)

    def __matmul__(self, values: Floats) -> Floats:
        """[S, …] the mean over the questions of each: values [Q] or [Q, C]."""
        return self.of_each([values])[0]

    def of_each(self, tables: Sequence[Floats]) -> list[Floats]:
        """[S, …] the same of several tables, [Q] or [Q, C], in one pass over the resamples."""
        parts = [[share @ table for table in tables] for share in self._shares()]
        return [np.concatenate(own) for own in zip(*parts, strict=True)]

    def means(self, values: Floats) -> Floats:
        """[C, S] the same with questions last: values [C, Q]."""
        if self._whole:
            return np.asarray(values @ self._share.T)
        return (self @ values.T).T  # a block of shares is read as it lies

    @cached_property
    def with_estimate(self) -> Resamples:
        """All questions once, which gives the estimate itself, then these resamples."""
        assert self.rows is not None, "these begin with the estimate already"
        return Resamples(self.rows)

    @property
    def _whole(self) -> bool:
        """Whether the shares are few enough to be held as numbers."""
        return self.counts.size <= _WHOLE

    @cached_property
    def _share(self) -> Floats:
        """[S, Q] the share of each question; rows sum to 1."""
        return np.asarray(self.counts / float(self.counts.shape[1]))

    def _shares(self) -> Iterator[Floats]:
        """The shares, whole or, where they would take too much memory, in blocks of resamples."""
        size, num_questions = self.counts.shape
        if self._whole:
            yield self._share
            return
        step = max(1, _BLOCK // num_questions)
        for first in range(0, size, step):
            yield self.counts[first : first + step] / float(num_questions)


@lru_cache(maxsize=4)  # the explorer asks for the same ones at every move of a slider
def question_resamples(num_questions: int, seed: int = 0, resamples: int = RESAMPLES) -> Resamples:
    """Resamples of so many questions, the same ones whenever they are asked for."""
    rng = np.random.default_rng([seed, num_questions])
    each = np.full(num_questions, 1 / num_questions)
    rows = np.ones((1 + resamples, num_questions), np.uint8)
    counts = rows[1:]
    step = max(1, _BLOCK // num_questions)
    for first in range(0, resamples, step):  # drawn as bytes: at 8 they would be gigabytes
        own = counts[first : first + step]
        own[:] = rng.multinomial(num_questions, each, size=len(own))
    for table in (rows, counts):  # all who ask for it have the same ones
        table.flags.writeable = False
    return Resamples(counts, rows)
