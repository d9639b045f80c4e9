"""How much the bandit's settings matter, and what choosing the best of many settings is worth on
questions not seen.

The best of many cells looks better than it is: it was also the luckiest. `Sensitivity.chosen`
therefore chooses on one half of the questions and scores the choice on the other, or chooses on the
other recordings (nested selection; Cawley and Talbot 2010).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dynlab.analysis.comparison import Options, Source, loaded, options_of
from dynlab.analysis.metrics import question_resamples
from dynlab.policies.uncertainty import UNCERTAINTIES
from dynlab.recordings.streams import Floats, streams_of
from dynlab.replay.loop import replay

SETTING = ["allocator", "uncertainty", "exploration", "warmup", "batch"]
CELLS = [
    "recording",
    *SETTING,
    "unit",
    "budgets",
    "difference",
    "low",
    "high",
    "depth",
    "best",
    "measure",
    "replications",
    "seed",
]
CHOICES = [
    "how",
    "allocator",
    "difference",
    "low",
    "high",
    "open",
    "cells",
    "recordings",
    "unit",
    "budgets",
    "measure",
]
MEAN = "mean"  # the name of the rows that are means over recordings
_SPLITS = 500


@dataclass(frozen=True)
class Sensitivity:
    """Every setting minus uniform at equal budgets, question by question, on the same draws.

    A difference is the mean over the budgets B that a recording holds.
    """

    settings: pd.DataFrame  # [M] rows of `SETTING`; one row a cell
    names: tuple[str, ...]  # of the recordings
    gains: tuple[Floats, ...]  # of each recording [M, Q] accuracy minus uniform's
    depths: tuple[
        Floats, ...
    ]  # of each recording [M] calls that wait for one another, at the largest B
    budgets: tuple[float, ...]
    measure: str  # 'accuracy', or without targets 'self-consistency rate'
    options: Options

    @property
    def best(self) -> int:
        """The cell whose mean over recordings is largest."""
        return int(np.argmax(np.mean([gain.mean(axis=1) for gain in self.gains], axis=0)))

    def table(self) -> pd.DataFrame:
        """The mean over recordings of every cell, with its interval over questions: M rows of
        columns `CELLS`.
        """
        found = estimates_of(self.gains, self.options.seed)
        depth = np.mean(self.depths, axis=0)
        return self._rows(MEAN if len(self.names) > 1 else self.names[0], found, depth, self.best)

    def each(self) -> pd.DataFrame:
        """Every cell of every recording: rows of columns `CELLS`."""
        parts = [
            self._rows(
                name,
                estimates_of([gain], self.options.seed),
                depth,
                int(np.argmax(gain.mean(axis=1))),
            )
            for name, gain, depth in zip(self.names, self.gains, self.depths, strict=True)
        ]
        return pd.concat(parts, ignore_index=True)

    def behind_best(self) -> tuple[int, int]:
        """In how many cells the paired interval of (best − cell) lies above zero, and in how many
        it does not.
        """
        lag = estimates_of([gain[[self.best]] - gain for gain in self.gains], self.options.seed)
        worse = int((lag[:, 1] > 0).sum())
        return worse, len(lag) - worse - 1

    def chosen(self, *references: Sensitivity) -> pd.DataFrame:
        """What choosing among the cells is worth: columns `CHOICES`, each with an interval over
        questions.

        Rows: the settings of the references, which come by default and are not chosen here; the
        best cell on the very questions that chose it (`open`: it is optimistic); the best cell of
        one half of the questions on the other half (mean of random splits; its interval takes in
        the choice, and is wide: half of the questions judge it); the best cell of the other
        recordings.
        """
        seed = self.options.seed
        rows = [
            (
                f"{worded(row)} (default)",
                row["allocator"],
                *estimates_of([g[[m]] for g in other.gains], seed)[0],
                False,
            )
            for other in references
            for m, (_, row) in enumerate(other.settings.iterrows())
        ]
        here = estimates_of([gain[[self.best]] for gain in self.gains], seed)[0]
        rows.append(("best cell, on the same questions", "ucb", *here, True))
        if min(gain.shape[1] for gain in self.gains) > 1:
            rows.append(
                (
                    "best cell of half the questions, on the other half",
                    "ucb",
                    *_halved(self.gains, seed),
                    False,
                )
            )
        if len(self.gains) > 1:
            rows.append(
                ("best cell of the other recordings", "ucb", *_left_out(self.gains, seed), False)
            )
        return pd.DataFrame(rows, columns=CHOICES[:6]).assign(
            cells=len(self.settings),
            recordings=len(self.names),
            unit=self.options.unit,
            budgets=self._worth,
            measure=self.measure,
        )

    @property
    def _worth(self) -> str:
        return " ".join(f"{b:g}" for b in self.budgets)

    def _rows(self, recording: str, found: Floats, depth: Floats, best: int) -> pd.DataFrame:
        table = self.settings.assign(
            recording=recording,
            unit=self.options.unit,
            budgets=self._worth,
            depth=depth,
            best=np.arange(len(found)) == best,
            measure=self.measure,
            replications=self.options.replications,
            seed=self.options.seed,
            **dict(zip(("difference", "low", "high"), found.T, strict=True)),
        )
        return table[CELLS]


def grid(
    recordings: Source | Iterable[Source],
    *,
    uncertainties: Sequence[str] = tuple(UNCERTAINTIES),
    explorations: Sequence[float] = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0),
    warmups: Sequence[int] = (1, 2, 3, 4),
    budgets: Sequence[float] = (4, 8, 16),
    **options: Any,
) -> Sensitivity:
    """The bandit (`ucb`) in every combination of uncertainty, exploration c and warm-up.

    Args:
        recordings: As for `dynlab.analysis.comparison.compare`.
        uncertainties: Names of `dynlab.policies.uncertainty.UNCERTAINTIES`.
        explorations: c ≥ 0, without unit.
        warmups: Samples that every question gets first.
        budgets: B: mean samples per question, or in another unit what so many samples cost on
            average; differences are averaged over them. One that a recording does not hold counts
            as all that it holds.
        options: Further options of `compare`: `unit`, `batch`, `strategy`, `price`, `replications`,
            `seed`.

    Raises:
        InputError: An unknown name, a number out of range, a unit whose prices are not known.
    """
    cells = [
        ("ucb", u, float(c), int(w)) for u in uncertainties for c in explorations for w in warmups
    ]
    return _played(
        recordings, [(*cell, options.get("batch", 1)) for cell in cells], budgets, options
    )


def batches(
    recordings: Source | Iterable[Source],
    *,
    allocators: Sequence[str] = ("ucb", "priced"),
    sizes: Sequence[int] = (1, 4, 16, 64),
    budgets: Sequence[float] = (4, 8, 16),
    **options: Any,
) -> Sensitivity:
    """Allocators with their defaults, in rounds of several pulls that are decided at once;
    arguments as for `grid`.
    """
    default = Options()
    cells = [
        (
            name,
            default.uncertainty if name == "ucb" else "",
            default.exploration if name == "ucb" else np.nan,
            2,
            size,
        )
        for name in allocators
        for size in sizes
    ]
    return _played(recordings, cells, budgets, options)


def estimates_of(gains: Iterable[Floats], seed: int) -> Floats:
    """[M, 3] mean over recordings, low, high: the questions are resampled within each recording,
    gains [M, Q] each.
    """
    shares = [(gain, question_resamples(gain.shape[1], seed)) for gain in gains]
    means = np.mean([gain.mean(axis=1) for gain, _ in shares], axis=0)
    drawn = np.mean([share @ gain.T for gain, share in shares], axis=0)  # [resamples, M]
    return np.column_stack([means, *np.percentile(drawn, [2.5, 97.5], axis=0)])


def _played(
    recordings: Source | Iterable[Source],
    cells: list[tuple[Any, ...]],
    budgets: Sequence[float],
    given: dict[str, Any],
) -> Sensitivity:
    options = options_of(given)
    settings = pd.DataFrame(cells, columns=SETTING)
    policies = [options.policy("uniform")]
    for name, uncertainty, exploration, warmup, batch in cells:
        bandit = {"uncertainty": uncertainty, "exploration": exploration} if name == "ucb" else {}
        policies.append(
            options_of({**given, **bandit, "warmup": warmup, "batch": batch}).policy(name)
        )
    names, gains, depths, measures = [], [], [], set()
    for recording in loaded(recordings):
        streams = streams_of(recording, options.strategy, options.price)
        held = np.unique(
            np.minimum(np.asarray(budgets, float), streams.lengths.mean(axis=1).mean())
        )
        uniform, *others = replay(
            streams,
            policies,
            held,
            unit=options.unit,
            replications=options.replications,
            seed=options.seed,
        )
        names.append(streams.name)
        measures.add("accuracy" if streams.has_target else "self-consistency rate")
        gains.append(
            np.stack([(curve.accuracy - uniform.accuracy).mean(axis=0) for curve in others])
        )
        depths.append(np.array([curve.depth[-1] for curve in others]))
    worth = tuple(sorted({float(b) for b in budgets}))
    return Sensitivity(
        settings,
        tuple(names),
        tuple(gains),
        tuple(depths),
        worth,
        " / ".join(sorted(measures)),
        options,
    )


def _halved(gains: Sequence[Floats], seed: int) -> tuple[float, float, float]:
    """What the best cell of a random half of the questions is worth on the other half: mean over
    splits, interval.
    """
    choose, judge, seen, judged = (np.zeros((gains[0].shape[0], _SPLITS)) for _ in range(4))
    for gain in gains:
        questions = gain.shape[1]
        rng = np.random.default_rng(
            [seed, questions, _SPLITS]
        )  # recordings of the same questions split alike
        first = (
            rng.permuted(np.tile(np.arange(questions), (_SPLITS, 1)), axis=1) < questions // 2
        )  # [S, Q]
        for half, plain, drawn in ((first, choose, seen), (~first, judge, judged)):
            share = half / half.sum(axis=1, keepdims=True)
            again = rng.multinomial(half.sum(axis=1), share) / half.sum(axis=1, keepdims=True)
            plain += gain @ share.T / len(gains)
            drawn += gain @ again.T / len(gains)
    each = np.arange(_SPLITS)
    value = judge[choose.argmax(axis=0), each].mean()
    low, high = np.percentile(judged[seen.argmax(axis=0), each], [2.5, 97.5])
    return float(value), float(low), float(high)


def _left_out(gains: Sequence[Floats], seed: int) -> tuple[float, float, float]:
    """What the best cell of the other recordings is worth on each: mean over recordings, interval
    over questions.
    """

    def mean_of_choices(values: Floats) -> Floats:  # [recordings, M, S] → [S]
        others = (values.sum(axis=0) - values).argmax(axis=1)  # [recordings, S]
        return np.asarray(np.take_along_axis(values, others[:, None], axis=1)[:, 0].mean(axis=0))

    here = mean_of_choices(np.stack([gain.mean(axis=1)[:, None] for gain in gains]))
    drawn = mean_of_choices(
        np.stack([gain @ question_resamples(gain.shape[1], seed).T for gain in gains])
    )
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(here[0]), float(low), float(high)


def worded(setting: pd.Series) -> str:
    """A setting in a few words: 'UCB, top-share, c = 1, warm-up 2'."""
    if setting["allocator"] != "ucb":
        return str(setting["allocator"])
    batch = "" if setting["batch"] == 1 else f", batch {setting['batch']}"
    return (
        f"UCB, {setting['uncertainty']}, c = {setting['exploration']:g}, warm-up"
        f" {setting['warmup']}{batch}"
    )
