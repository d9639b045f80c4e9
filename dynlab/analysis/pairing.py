"""Allocators against uniform at equal budgets: the paired difference in accuracy, with its interval
over questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dynlab.analysis.comparison import Source, checked_budgets, loaded, options_of
from dynlab.analysis.metrics import difference, question_resamples
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import replay

DIFFERENCES = [
    "recording",
    "strategy",
    "allocator",
    "unit",
    "at",
    "difference",
    "low",
    "high",
    "replications",
    "seed",
]


def differences(
    recordings: Source | Iterable[Source],
    *,
    allocators: Sequence[str] = ("ucb",),
    at: Sequence[float] = (4, 8, 16),
    **options: Any,
) -> pd.DataFrame:
    """Accuracy of each allocator minus uniform's, on the same questions and draws, at equal
    budgets.

    Args:
        recordings: As for `dynlab.analysis.comparison.compare`.
        allocators: Names of allocators.
        at: Budgets B: mean samples per question, or in another unit what so many samples cost on
            average.
        options: The options of `compare`.

    Returns:
        One row per recording, allocator and B (columns `DIFFERENCES`).
    """
    chosen = options_of(options)
    grid = checked_budgets(at, chosen)
    policies = [chosen.policy(name) for name in ("uniform", *allocators)]
    rows = []
    for recording in loaded(recordings):
        streams = streams_of(recording, chosen.strategy, chosen.price)
        share = question_resamples(streams.num_questions, chosen.seed)
        uniform, *others = replay(
            streams,
            policies,
            grid,
            unit=chosen.unit,
            replications=chosen.replications,
            seed=chosen.seed,
        )
        for name, curve in zip(allocators, others, strict=True):
            for number in np.flatnonzero(
                uniform.unspent < 1
            ):  # beyond, not even uniform can spend the budget
                gap = difference(curve.accuracy[number], uniform.accuracy[number], share)
                rows.append(
                    [
                        streams.name,
                        streams.strategy,
                        name,
                        chosen.unit,
                        grid[number],
                        gap.value,
                        gap.low,
                        gap.high,
                        chosen.replications,
                        chosen.seed,
                    ]
                )
    return pd.DataFrame(rows, columns=DIFFERENCES)
