"""Frames as `dynlab.compare` and `dynlab.savings` return them, made up, for tests of pictures and
words.
"""

import numpy as np
import pandas as pd

GAINS = {
    "uniform": 1.0,
    "ucb": 1.5,
    "thompson": 1.3,
    "entropy-greedy": 1.1,
    "margin-greedy": 1.25,
    "beta-greedy": 1.45,
    "adaptive-consistency": 1.4,
    "esc": 1.15,
    "doubling": 1.3,
}


def curves(
    recordings=("capitals--small",),
    methods=("uniform", "ucb"),
    budgets=(2, 4, 8, 16),
    unit="samples",
):
    rows = []
    for number, recording in enumerate(recordings):
        start, end, price = 0.45 + 0.05 * number, 0.62 + 0.03 * number, 40.0 + 20 * number
        for method in methods:
            stopping = method if method in ("adaptive-consistency", "esc", "doubling") else None
            for budget in budgets:
                spent = budget * (0.9 if stopping else 1.0)
                accuracy = end - (end - start) * (2 / (spent * GAINS[method] ** (spent > 2)))
                rows.append(
                    row(recording, method, stopping, unit, budget, spent, spent * price, accuracy)
                )
        rows.append(row(recording, "greedy", None, unit, 1, 1, price, end - 0.02))
    return pd.DataFrame(rows)


def row(recording, method, stopping, unit, budget, samples, tokens, accuracy):
    return {
        "recording": recording,
        "strategy": "greedy" if method == "greedy" else "parallel",
        "allocator": "uniform" if stopping else method,
        "uncertainty": "top-share",
        "exploration": 1.0,
        "warmup": 2,
        "batch": 1,
        "stopping": stopping,
        "unit": unit,
        "tokens_kind": "total",
        "budget": budget,
        "spent_samples": samples,
        "spent_tokens": tokens,
        "spent_usd": np.nan,
        "depth": samples,
        "exhausted": 0.0 if budget < 16 or method == "uniform" else 0.1,
        "accuracy": accuracy,
        "low": accuracy - 0.06,
        "high": accuracy + 0.05,
        "replications": 20,
        "seed": 0,
    }


def savings(
    recordings=("capitals--small", "opposites--small"), unit="samples", flat=(), unreached=()
):
    rows = []
    for number, recording in enumerate(recordings):
        for at in (4, 8, 16):
            saving = 0.1 + 0.02 * at - 0.05 * number
            rows.append(
                {
                    "recording": recording,
                    "strategy": "parallel",
                    "allocator": "ucb",
                    "uncertainty": "top-share",
                    "exploration": 1.0,
                    "warmup": 2,
                    "batch": 1,
                    "stopping": None,
                    "unit": unit,
                    "tokens_kind": "total",
                    "at": at,
                    "saving": saving,
                    "low": saving - 0.2,
                    "high": saving + 0.1,
                    "reached": (recording, at) not in unreached,
                    "flat": recording in flat,
                    "replications": 20,
                    "seed": 0,
                }
            )
    return pd.DataFrame(rows)
