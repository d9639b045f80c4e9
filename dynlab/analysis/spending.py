"""Who gets the budget: spending by difficulty and over time, regret to the hindsight oracle, where
the vote is misled.

Everything is computed from one replay of each recording, question by question; intervals are over
questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dynlab.analysis.comparison import ORACLE, Source, loaded, options_of
from dynlab.analysis.metrics import estimates, question_resamples
from dynlab.recordings.recording import text_or_none
from dynlab.recordings.streams import Flags, Floats, Streams, streams_of
from dynlab.replay.loop import Curve, replay
from dynlab.replay.oracle import oracle

BANDS = 5  # of difficulty
OUTCOMES = ("settled, right", "open, right", "open, wrong", "settled, wrong", "no answer")
SETTLED = 0.5  # a leading answer with at least this share of all samples
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


@dataclass(frozen=True)
class Played:
    """One recording, played by several allocators and the hindsight oracle on the same draws."""

    streams: Streams
    curves: Mapping[str, Curve]  # allocator → its curve; the oracle's last
    # [Q] share of a question's samples that are right (without targets: that agree with the
    # plurality)
    easy: Floats
    leader: Floats  # [Q] share of the leading answer among all samples
    winner: Floats  # [Q] chance that the vote of all samples is right
    leading: tuple[str, ...]  # [Q] the leading answer, '' where there is none
    unit: str
    seed: int

    @property
    def outcome(self) -> np.ndarray[Any, Any]:
        """[Q] one of `OUTCOMES`: where the vote of all samples ends up, and how clearly."""
        settled, right = self.leader >= SETTLED, self.winner >= 0.5
        names = np.where(
            right, np.where(settled, *OUTCOMES[:2]), np.where(settled, OUTCOMES[3], OUTCOMES[2])
        )
        return np.where(self.leader > 0, names, OUTCOMES[4])

    @property
    def measure(self) -> str:
        """What is counted as right."""
        return "accuracy" if self.streams.has_target else "self-consistency rate"

    def at(self, budget: float) -> int:
        """The checkpoint of a budget, or the last one within it."""
        budgets = next(iter(self.curves.values())).budgets
        return max(int(np.searchsorted(budgets, budget * (1 + 1e-9))) - 1, 0)


def played(
    recordings: Source | Iterable[Source],
    *,
    allocators: Sequence[str] = ("uniform", "ucb", "priced"),
    budgets: Sequence[float] = tuple(range(2, 17)),
    **options: Any,
) -> list[Played]:
    """Plays allocators, and the oracle beside them, on recordings.

    Args:
        recordings: As for `dynlab.analysis.comparison.compare`.
        allocators: Names of allocators, `uniform` among them.
        budgets: Checkpoints: mean samples per question, or in another unit what so many samples
            cost on average; those that a recording does not hold are left out, all that it holds
            counts instead.
        options: Further options of `compare`.

    Raises:
        InputError: An unknown name, a number out of range, a unit whose prices are not known.
    """
    chosen = options_of(options)
    names = list(dict.fromkeys(["uniform", *allocators]))
    found = []
    for recording in loaded(recordings):
        streams = streams_of(recording, chosen.strategy, chosen.price)
        longest = streams.lengths.mean(axis=1).mean()
        grid = np.unique(np.minimum(np.asarray(budgets, float), longest))
        how: dict[str, Any] = {
            "unit": chosen.unit,
            "replications": chosen.replications,
            "seed": chosen.seed,
        }
        curves = dict(
            zip(names, replay(streams, [chosen.policy(n) for n in names], grid, **how), strict=True)
        )
        curves[ORACLE] = oracle(streams, grid, **how)
        found.append(Played(streams, curves, *_difficulty(streams), chosen.unit, chosen.seed))
    return found


def by_difficulty(runs: Sequence[Played], *, at: float = 8) -> pd.DataFrame:
    """What each allocator spends on a question at budget B, by how easy it is: rows of columns
    `SPENT`.

    Bands are fifths of the share of right samples, 0 to 1; an empty band has no row.
    """
    rows = []
    for run in runs:
        band = np.minimum((run.easy * BANDS).astype(int), BANDS - 1)
        c = run.at(at)
        for name, curve in run.curves.items():
            for b in np.unique(band):
                inside = band == b
                spent = _mean(curve.spent[run.unit][c][inside], run.seed)
                rows.append(
                    [
                        run.streams.name,
                        name,
                        (b + 0.5) / BANDS,
                        b / BANDS,
                        (b + 1) / BANDS,
                        int(inside.sum()),
                        run.unit,
                        curve.budgets[c],
                        *spent,
                        run.measure,
                    ]
                )
    return pd.DataFrame(rows, columns=SPENT)


def over_time(run: Played) -> pd.DataFrame:
    """The samples drawn of every question at every budget: a row an allocator and question, the
    hardest first.

    Columns: recording, allocator, question_id, easy (share of right samples), then a column a
    budget, by its number.
    """
    order = np.lexsort((run.leader, run.easy))
    parts = [
        pd.DataFrame(
            {
                "recording": run.streams.name,
                "allocator": name,
                "easy": run.easy[order],
                "question_id": np.array(run.streams.question_ids)[order],
                **{f"{b:g}": curve.spent["samples"][c][order] for c, b in enumerate(curve.budgets)},
            }
        )
        for name, curve in run.curves.items()
    ]
    return pd.concat(parts, ignore_index=True)


def regret(runs: Sequence[Played]) -> pd.DataFrame:
    """The oracle's accuracy minus each allocator's at equal budgets, paired over questions: columns
    `REGRET`.
    """
    rows = []
    for run in runs:
        share = question_resamples(run.streams.num_questions, run.seed)
        bound = run.curves[ORACLE].accuracy
        for name, curve in run.curves.items():
            if name == ORACLE:
                continue
            for budget, gap in zip(
                curve.budgets, estimates(bound - curve.accuracy, share), strict=True
            ):
                rows.append(
                    [
                        run.streams.name,
                        name,
                        run.unit,
                        budget,
                        gap.value,
                        gap.low,
                        gap.high,
                        run.measure,
                    ]
                )
    return pd.DataFrame(rows, columns=REGRET)


def by_outcome(runs: Sequence[Played], *, at: float = 8) -> pd.DataFrame:
    """What each allocator spends on a question at budget B, by where the vote of all its samples
    ends up.

    The questions of all recordings are pooled. Spending is relative to the budget: 1 is what
    uniform allocation gives. `accuracy` is that of the allocator's votes at B. Rows of columns
    `BY_OUTCOME`.
    """
    outcome = np.concatenate([run.outcome for run in runs])
    rows = []
    for kind in OUTCOMES:
        inside = outcome == kind
        for name in runs[0].curves if inside.any() else ():
            at_b = [(run, run.curves[name], run.at(at)) for run in runs]
            price = [run.streams.per_sample(run.unit) * curve.budgets[c] for run, curve, c in at_b]
            spent = np.concatenate(
                [curve.spent[r.unit][c] / p for (r, curve, c), p in zip(at_b, price, strict=True)]
            )
            right = np.concatenate([curve.accuracy[c] for _, curve, c in at_b])
            most = max(float(curve.budgets[c]) for _, curve, c in at_b)
            rows.append(
                [
                    kind,
                    name,
                    int(inside.sum()),
                    runs[0].unit,
                    most,
                    *_mean(spent[inside], runs[0].seed),
                    right[inside].mean(),
                    runs[0].measure,
                ]
            )
    return pd.DataFrame(rows, columns=BY_OUTCOME)


def misled(
    recordings: Iterable[Source], runs: Sequence[Played], *, allocator: str = "ucb", at: float = 8
) -> pd.DataFrame:
    """The questions whose samples agree on a wrong answer, the most agreed first, with what an
    allocator drew of them.

    Columns: recording, question_id, question, target, leading (answer), share (of all samples),
    drawn (samples at B).
    """
    rows = []
    for recording, run in zip(loaded(list(recordings)), runs, strict=True):
        frame = recording.frame[recording.frame["strategy"] == run.streams.strategy]
        for q in np.flatnonzero(run.outcome == OUTCOMES[3]):
            name = run.streams.question_ids[q]
            own = frame[frame["question_id"] == name]
            said = {
                c: text_or_none(own[c].iloc[0]) if c in own else None
                for c in ("question", "target")
            }
            drawn = run.curves[allocator].spent["samples"][run.at(at)][q]
            rows.append(
                [
                    run.streams.name,
                    name,
                    said["question"],
                    said["target"],
                    run.leading[q],
                    run.leader[q],
                    drawn,
                ]
            )
    columns = ["recording", "question_id", "question", "target", "leading", "share", "drawn"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        "share", ascending=False, kind="stable", ignore_index=True
    )


def _difficulty(streams: Streams) -> tuple[Floats, Floats, Floats, tuple[str, ...]]:
    """[Q] share of right samples, the leading answer's share, chance that the vote of all is right,
    leading answer.
    """
    num_questions, num_answers = streams.right.shape
    counts = np.zeros((num_questions, num_answers))
    question, *_ = np.nonzero(streams.codes >= 0)
    np.add.at(counts, (question, streams.codes[streams.codes >= 0]), 1)
    samples = streams.lengths.sum(axis=1)
    most = counts.max(axis=1)
    leads: Flags = (counts == most[:, None]) & (counts > 0)
    winner = (leads & streams.right).sum(axis=1) / np.maximum(leads.sum(axis=1), 1)
    leading = tuple(
        own[k] if most[q] else ""
        for q, (own, k) in enumerate(zip(streams.answers, counts.argmax(axis=1), strict=True))
    )
    return (counts * streams.right).sum(axis=1) / samples, most / samples, winner, leading


def _mean(values: Floats, seed: int) -> tuple[float, float, float]:
    """The mean over questions with its interval: values [Q]."""
    found = estimates(values[None, :], question_resamples(len(values), seed))[0]
    return found.value, found.low, found.high
