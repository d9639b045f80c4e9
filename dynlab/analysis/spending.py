"""Who gets the budget: spending by difficulty and over time, regret, where votes are misled.

Everything is read from a comparison, question by question; intervals are over questions. A budget
that a recording does not hold counts as all that it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.budgets import held_budgets
from dynlab.analysis.comparison import Comparison
from dynlab.analysis.difficulty import OUTCOMES, difficulty_of
from dynlab.analysis.methods import ORACLE, Method
from dynlab.analysis.metrics import Estimate, estimates
from dynlab.analysis.replays import Replays
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.rows import interval
from dynlab.recordings.recording import text_or_none
from dynlab.recordings.streams import Floats
from dynlab.replay.loop import Curve

BANDS = 5  # of difficulty
_INTERVAL = ["low", "high"]
SPENT = [
    "recording",
    "allocator",
    "band",
    "from",
    "to",
    "questions",
    "unit",
    "at",
    "spent",
    *_INTERVAL,
    "measure",
]
REGRET = ["recording", "allocator", "unit", "budget", "regret", *_INTERVAL, "measure"]
BY_OUTCOME = [
    "outcome",
    "allocator",
    "questions",
    "unit",
    "at",
    "spent",
    *_INTERVAL,
    "accuracy",
    "measure",
]
MISLED = ["recording", "question_id", "question", "target", "leading", "share", "drawn"]


def by_difficulty(comparison: Comparison, *, at: float = 8) -> pd.DataFrame:
    """What each policy spends on a question at budget B, by how easy it is: columns `SPENT`.

    Bands are fifths of the share of right samples, 0 to 1; an empty band has no row.
    """
    unit, rows = comparison.unit, []
    for own, methods, curves in _played(comparison):
        easy = difficulty_of(own.streams).easy
        band = np.minimum((easy * BANDS).astype(int), BANDS - 1)
        for method in methods:
            curve = curves[method.name]
            c = _checkpoint(curve, at)
            for b in np.unique(band):
                inside = band == b
                spent = _mean(curve.spent[unit][c][inside], own.setup.seed)
                row = {
                    "recording": own.streams.name,
                    "allocator": method.name,
                    "band": (b + 0.5) / BANDS,
                    "from": b / BANDS,
                    "to": (b + 1) / BANDS,
                    "questions": int(inside.sum()),
                    "unit": unit,
                    "at": curve.budgets[c],
                    "measure": own.measure,
                }
                rows.append(row | interval("spent", spent))
    return pd.DataFrame(rows, columns=SPENT)


def over_time(comparison: Comparison, recording: int = 0) -> pd.DataFrame:
    """The samples drawn of every question at every budget, the hardest questions first.

    Columns: recording, allocator, question_id, easy (share of right samples), then a column a
    budget, by its number.

    Args:
        comparison: Of policies.
        recording: The index of one of its recordings.
    """
    own, methods, curves = list(_played(comparison))[recording]
    difficulty = difficulty_of(own.streams)
    order = np.lexsort((difficulty.leader, difficulty.easy))
    parts = []
    for method in methods:
        curve = curves[method.name]
        drawn = zip(curve.budgets, curve.spent["samples"], strict=True)
        columns = {
            "recording": own.streams.name,
            "allocator": method.name,
            "easy": difficulty.easy[order],
            "question_id": np.array(own.streams.question_ids)[order],
        }
        parts.append(pd.DataFrame(columns | {f"{b:g}": spent[order] for b, spent in drawn}))
    return pd.concat(parts, ignore_index=True)


def regret(comparison: Comparison) -> pd.DataFrame:
    """The oracle's accuracy minus each policy's at equal budgets, paired: columns `REGRET`.

    Raises:
        InputError: the oracle is not among the policies of the comparison.
    """
    rows = []
    for own, methods, curves in _played(comparison):
        if ORACLE not in curves:
            raise InputError("regret is to the hindsight oracle; add 'oracle' to the policies")
        for method in methods:
            if method.name == ORACLE:
                continue
            gaps = curves[ORACLE].accuracy - curves[method.name].accuracy
            found = estimates(gaps, own.resamples)
            for budget, gap in zip(curves[method.name].budgets, found, strict=True):
                row = {
                    "recording": own.streams.name,
                    "allocator": method.name,
                    "unit": comparison.unit,
                    "budget": budget,
                    "measure": own.measure,
                }
                rows.append(row | interval("regret", gap))
    return pd.DataFrame(rows, columns=REGRET)


def by_outcome(comparison: Comparison, *, at: float = 8) -> pd.DataFrame:
    """What each policy spends on a question at budget B, by where the vote of all its samples ends.

    The questions of all recordings are pooled. Spending is relative to the budget: 1 is what
    uniform allocation gives. `accuracy` is that of the policy's votes at B. Columns `BY_OUTCOME`.
    """
    unit, played, rows = comparison.unit, list(_played(comparison)), []
    outcome = np.concatenate([difficulty_of(own.streams).outcome for own, _, _ in played])
    names = [method.name for method in played[0][1]]
    for kind in OUTCOMES:
        inside = outcome == kind
        for name in names if inside.any() else ():
            spent, right, budgets = [], [], []
            for own, _, curves in played:
                curve = curves[name]
                c = _checkpoint(curve, at)
                spent.append(curve.spent[unit][c] / (own.price * curve.budgets[c]))
                right.append(curve.accuracy[c])
                budgets.append(float(curve.budgets[c]))
            row = {
                "outcome": kind,
                "allocator": name,
                "questions": int(inside.sum()),
                "unit": unit,
                "at": max(budgets),
                "accuracy": np.concatenate(right)[inside].mean(),
                "measure": played[0][0].measure,
            }
            mean = _mean(np.concatenate(spent)[inside], played[0][0].setup.seed)
            rows.append(row | interval("spent", mean))
    return pd.DataFrame(rows, columns=BY_OUTCOME)


def misled(comparison: Comparison, *, policy: str = "ucb", at: float = 8) -> pd.DataFrame:
    """The questions whose samples agree on a wrong answer, the most agreed first: columns `MISLED`.

    Args:
        comparison: Of policies.
        policy: Whose samples `drawn` counts, at B.
        at: B.
    """
    rows = []
    for own, _, curves in _played(comparison):
        frame = own.recording.frame
        frame = frame[frame["strategy"] == own.streams.strategy]
        difficulty = difficulty_of(own.streams)
        spent = curves[policy].spent["samples"][_checkpoint(curves[policy], at)]
        for q in np.flatnonzero(difficulty.outcome == OUTCOMES[3]):
            question = own.streams.question_ids[q]
            one = frame[frame["question_id"] == question].iloc[0]
            row = {
                "recording": own.streams.name,
                "question_id": question,
                "leading": difficulty.leading[q],
                "share": difficulty.leader[q],
                "drawn": spent[q],
            }
            told = {c: text_or_none(one[c]) if c in one else None for c in ("question", "target")}
            rows.append(row | told)
    return pd.DataFrame(rows, columns=MISLED).sort_values(
        "share", ascending=False, kind="stable", ignore_index=True
    )


def _played(
    comparison: Comparison,
) -> Iterator[tuple[Replays, list[Method], dict[str, Curve]]]:
    """Each recording with the methods that are shown, and their curves at the budgets it holds."""
    for own in comparison.replays:
        curves = own.curves(held_budgets(comparison.budgets, own.longest))
        yield own, comparison.shown(own), curves


def _checkpoint(curve: Curve, budget: float) -> int:
    """The index of a budget on a curve, or of the last one within it."""
    return max(int(np.searchsorted(curve.budgets, budget * (1 + 1e-9))) - 1, 0)


def _mean(values: Floats, seed: int) -> Estimate:
    """The mean over questions with its interval: values [Q]."""
    return estimates(values[None, :], question_resamples(len(values), seed))[0]
