"""Live runs on the same questions, held against one another at equal tokens.

A run's samples count in the order in which they were picked, as far as a budget goes, and the
plurality of their votes is graded afterwards: a run itself sees no target. Each run is one draw, so
that intervals are over questions alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab.analysis.metrics import estimates
from dynlab.analysis.resamples import Resamples, question_resamples
from dynlab.analysis.rows import interval
from dynlab.analysis.same_model import vote
from dynlab.online.results import FAILED
from dynlab.recordings.arrays import Floats
from dynlab.recordings.recording import load, right_of


@dataclass(frozen=True)
class LiveRun:
    """What a live run drew.

    Args:
        recording: What it is called in figures.
        strategy, allocator: Their names; stopping likewise, '' without a rule.
        dataset: What the questions are of; questions, their ids in order.
        picks: A row a sample in the order of its pick: question_id, answer ('' where it does not
            vote), right, and tokens, what was spent up to it, prompts included.
        settled: Whether it ended because its rule had no question left.
        wall_s: How long it took, in seconds, and NaN where its recording does not say.
    """

    recording: str
    strategy: str
    allocator: str
    stopping: str
    dataset: str
    questions: tuple[str, ...]
    picks: pd.DataFrame
    settled: bool = False
    wall_s: float = math.nan

    @property
    def total(self) -> float:
        """The tokens of all its samples."""
        return float(self.picks["tokens"].iloc[-1])

    @property
    def num_samples(self) -> float:
        """The samples of a question, on average."""
        return len(self.picks) / len(self.questions)

    def right(self, tokens: float) -> Floats:
        """The chance by question that the vote of what so many tokens buy is right: [Q]."""
        own = dict(iter(self.within(tokens).groupby("question_id")))
        none = self.picks.iloc[:0]
        rows = (own.get(name, none) for name in self.questions)
        return np.array([vote(list(each["answer"]), list(each["right"])) for each in rows])

    def within(self, tokens: float) -> pd.DataFrame:
        """The picks that so many tokens buy."""
        return self.picks[self.picks["tokens"] <= tokens]

    def cost(self, budget: float) -> float:
        """The tokens of its first samples, so many a question.

        Raises:
            InputError: it has not drawn as many.
        """
        count = int(budget * len(self.questions) + 1e-9)  # as a run counts its calls
        if not 1 <= count <= len(self.picks):
            most = f"{self.num_samples:g}"
            raise InputError(
                f"a live run by {self.allocator} has {most} samples a question, asked for are"
                f" {budget:g}: give 1 to {most}"
            )
        return float(self.picks["tokens"].iloc[count - 1])

    def reaches(self, tokens: float) -> bool:
        """Whether it has spent so many tokens, or had no use for them."""
        return self.settled or tokens <= self.total


def live_run(path: str | Path, name: str = "") -> LiveRun:
    """A run from its recording (.parquet), on questions with targets.

    Args:
        path: Beside its answers.
        name: What figures call it; default: the file's, up to its allocator's.

    Raises:
        InputError: it is not of a live run, weighs its votes, or lacks targets or tokens.
    """
    recording = load(path)
    if recording.design != "adaptive":
        raise InputError(f"{path} holds planned samples, not a live run: give one of `solve`")
    settings = recording.card["settings"]
    if settings["vote"]:
        raise InputError(f"{path} weighs its votes by {settings['vote']}: give a plurality's run")
    frame = recording.frame.sort_values("picked")
    right, tokens = right_of(frame), frame["prompt_tokens"] + frame["completion_tokens"]
    tokens = tokens.mask(frame["finish_reason"].str.startswith(FAILED, na=False), 0)
    for what, missing in {"targets": right.isna(), "tokens": tokens.isna()}.items():
        if missing.any():
            raise InputError(f"{path} lacks {what}: a live run is graded by targets and tokens")
    picks = pd.DataFrame(
        {
            "question_id": frame["question_id"],
            "answer": frame["answer"].where(frame["votes"].astype(bool), ""),
            "right": right.astype(bool),
            "tokens": tokens.cumsum(),
        }
    )
    totals = recording.card["totals"]
    return LiveRun(
        name or recording.name.removesuffix(f".{settings['allocator']}"),
        settings["strategy"],
        settings["allocator"],
        settings["stopping"] or "",
        settings["dataset"],
        tuple(recording.card["order"]),
        picks,
        totals["ended"] == "settled",
        math.nan if totals.get("wall_s") is None else float(totals["wall_s"]),
    )


def live_runs(named: str = "") -> list[LiveRun]:
    """The runs at paths with commas between; without any, those that come with dynlab, that of
    equal allocation first.

    Raises:
        InputError: as `live_run`.
    """
    paths = [name.strip() for name in named.split(",") if name.strip()]
    if paths:
        return [live_run(path) for path in paths]
    return sorted(
        (live_run(path) for path in run_files()), key=lambda run: run.allocator != "uniform"
    )


def run_files() -> list[Path]:
    """The recordings of live runs that come with dynlab; the answers that each gave lie beside."""
    return list(shipped_files.named("data/recordings/live", (".parquet",)).values())


def live_totals(runs: Sequence[LiveRun]) -> pd.DataFrame:
    """What each run drew: samples, tokens with prompts, and wall_s, how long it took."""
    return pd.DataFrame(
        {"recording": run.recording, "strategy": run.strategy, "allocator": run.allocator}
        | {"stopping": run.stopping, "samples": len(run.picks)}
        | {"tokens": run.total, "wall_s": run.wall_s}
        for run in runs
    )


def live_curves(runs: Sequence[LiveRun], budgets: Sequence[float]) -> pd.DataFrame:
    """Accuracy at equal tokens: a row a run and budget that it reaches, for `plot_curves`.

    Args:
        runs: On the same questions, each by another allocator or rule.
        budgets: In what so many samples a question cost the first run.

    Raises:
        InputError: the runs cannot be held against one another, or a budget is more than the first
            run has drawn.
    """
    rows = []
    for run in _paired(runs):
        costs = {budget: runs[0].cost(budget) for budget in budgets}
        for budget, cost in costs.items():
            if run.reaches(cost):
                own = run.within(cost)
                spent = float(own["tokens"].max()) if len(own) else 0.0
                rows.append(
                    {"recording": runs[0].recording, "strategy": run.strategy}
                    | {"allocator": run.allocator, "stopping": run.stopping}
                    | {"unit": "tokens", "tokens_kind": "total", "budget": budget}
                    | {"spent_samples": len(own) / len(run.questions)}
                    | {"spent_tokens": spent / len(run.questions), "exhausted": 0.0}
                    | interval("accuracy", *estimates(run.right(cost)[None], _resamples(run)))
                )
    return pd.DataFrame(rows)


def live_differences(runs: Sequence[LiveRun], at: Sequence[float]) -> pd.DataFrame:
    """Accuracy of each later run minus the first's at equal tokens, paired over questions: a row a
    run and budget that it reaches. Arguments and errors are those of `live_curves`.
    """
    first, *others = _paired(runs)
    rows = [
        {"recording": first.recording, "strategy": run.strategy, "allocator": run.allocator}
        | {"unit": "tokens", "at": budget}
        | interval(
            "difference", *estimates((run.right(cost) - first.right(cost))[None], _resamples(run))
        )
        for run in others
        for budget, cost in ((budget, first.cost(budget)) for budget in at)
        if run.reaches(cost)
    ]
    return pd.DataFrame(rows)


def _resamples(run: LiveRun) -> Resamples:
    return question_resamples(len(run.questions))


def _paired(runs: Sequence[LiveRun]) -> Sequence[LiveRun]:
    """Runs that can be told apart and paired."""
    if not runs:
        raise InputError("there is no live run to draw: give recordings of `solve`")
    if len({(run.dataset, run.questions) for run in runs}) > 1:
        raise InputError("live runs on different questions cannot be paired: give others")
    if len({(run.strategy, run.allocator, run.stopping) for run in runs}) < len(runs):
        raise InputError("two live runs are by the same allocator and rule: give one of them")
    return runs
