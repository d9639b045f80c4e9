"""Live runs on the same questions, held against one another at equal tokens.

A run's samples count in the order in which they were picked, as far as a budget goes. Their votes
are graded afterwards: a run itself sees no target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.metrics import estimates
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.same_model import vote
from dynlab.recordings.arrays import Floats
from dynlab.recordings.recording import load, right_of


@dataclass(frozen=True)
class LiveRun:
    """What a live run drew.

    Args:
        recording: What it is called in figures: its file's name, without that of its allocator.
        allocator: The allocator's name.
        order: Question ids.
        picks: A row a sample in the order of its pick: question_id, answer, right, and tokens, what
            was spent up to it, prompts included.
        wall_s: Seconds it took; None where it was interrupted.
    """

    recording: str
    allocator: str
    order: tuple[str, ...]
    picks: pd.DataFrame
    wall_s: float | None

    def right(self, tokens: float) -> Floats:
        """The chance by question that the vote of what so many tokens buy is right: [Q]."""
        own = dict(iter(self._within(tokens).groupby("question_id")))
        none = self.picks.iloc[:0]
        rows = (own.get(name, none) for name in self.order)
        return np.array([vote(list(each["answer"]), list(each["right"])) for each in rows])

    def num_samples(self, tokens: float) -> int:
        """How many samples so many tokens buy."""
        return len(self._within(tokens))

    def cost(self, budget: float) -> float:
        """The tokens of its first samples, so many a question."""
        count = round(budget * len(self.order))
        return float(self.picks["tokens"].iloc[count - 1]) if count >= 1 else 0.0

    def _within(self, tokens: float) -> pd.DataFrame:
        return self.picks[self.picks["tokens"] <= tokens]


def live_run(path: str | Path) -> LiveRun:
    """A run from its recording (.parquet), on questions with targets.

    Raises:
        InputError: it is not of a live run, or has no targets or tokens.
    """
    recording = load(path)
    if recording.design != "adaptive":
        raise InputError(f"{path} holds planned samples, not a live run: give one of `solve`")
    frame = recording.frame.sort_values("picked")
    tokens, right = frame["prompt_tokens"] + frame["completion_tokens"], right_of(frame)
    if right.isna().any() or tokens.isna().any():
        raise InputError(f"{path} lacks targets or tokens: a run without them cannot be graded")
    picks = frame[["question_id", "answer"]].assign(
        right=right.astype(bool), tokens=tokens.cumsum()
    )
    allocator, order = str(recording.card["settings"]["allocator"]), recording.card["order"]
    name, wall_s = recording.name.removesuffix(f".{allocator}"), recording.card["totals"]["wall_s"]
    return LiveRun(name, allocator, tuple(order), picks, wall_s)


def live_curves(runs: Sequence[LiveRun], budgets: Sequence[float]) -> pd.DataFrame:
    """Accuracy at equal tokens: a row a run and budget, as `Comparison.curves` has them.

    Args:
        runs: On the same questions.
        budgets: In what so many samples a question cost the first run.
    """
    rows = []
    for run in _paired(runs):
        costs = [runs[0].cost(budget) for budget in budgets]
        values = np.array([run.right(cost) for cost in costs])
        found = estimates(values, question_resamples(len(run.order)))
        for budget, cost, one in zip(budgets, costs, found, strict=True):
            spent = {"samples": run.num_samples(cost), "tokens": cost}
            each = {f"spent_{unit}": count / len(run.order) for unit, count in spent.items()}
            rows.append(
                {"recording": run.recording, "strategy": "parallel", "allocator": run.allocator}
                | {"stopping": None, "unit": "tokens", "tokens_kind": "total", "budget": budget}
                | each
                | {"exhausted": 0.0, "accuracy": one.value, "low": one.low, "high": one.high}
            )
    return pd.DataFrame(rows)


def live_differences(runs: Sequence[LiveRun], at: Sequence[float]) -> pd.DataFrame:
    """Accuracy of each later run minus the first's at equal tokens, paired over questions."""
    first, *others = _paired(runs)
    rows = []
    for run in others:
        costs = [first.cost(budget) for budget in at]
        gaps = np.array([run.right(cost) - first.right(cost) for cost in costs])
        found = estimates(gaps, question_resamples(len(run.order)))
        rows += [
            {"recording": run.recording, "allocator": run.allocator, "unit": "tokens", "at": budget}
            | {"difference": one.value, "low": one.low, "high": one.high}
            for budget, one in zip(at, found, strict=True)
        ]
    return pd.DataFrame(rows)


def _paired(runs: Sequence[LiveRun]) -> Sequence[LiveRun]:
    """Runs that can be paired.

    Raises:
        InputError: there are none, or their questions differ.
    """
    if not runs:
        raise InputError("there is no live run to draw: give recordings of `solve`")
    if any(run.order != runs[0].order for run in runs):
        raise InputError("live runs on different questions cannot be paired: give others")
    return runs
