"""How much the bandit's settings matter: every setting minus uniform at equal budgets.

The best of many cells looks better than it is: it was also the luckiest. `Sensitivity.chosen`
therefore judges a choice on questions that did not make it (`dynlab.analysis.selection`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dynlab.analysis.budgets import held_budgets
from dynlab.analysis.comparison import Comparison
from dynlab.analysis.methods import Policies, named_policies
from dynlab.analysis.replays import Setup
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.selection import judged_on_half, judged_on_others
from dynlab.policies.policy import Policy
from dynlab.policies.ucb import UCB
from dynlab.policies.uncertainty import UNCERTAINTIES
from dynlab.recordings.streams import Floats

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


@dataclass(frozen=True)
class Sensitivity:
    """Every setting minus uniform at equal budgets, question by question, on the same draws.

    A difference is the mean over the budgets B that a recording holds.
    """

    settings: pd.DataFrame  # [M] rows of `SETTING`; one row a cell
    names: tuple[str, ...]  # of the recordings
    gains: tuple[Floats, ...]  # of each recording [M, Q] accuracy minus uniform's
    # of each recording [M] calls that wait for one another, at the largest B
    depths: tuple[Floats, ...]
    budgets: tuple[float, ...]
    measure: str  # 'accuracy', or without targets 'self-consistency rate'
    setup: Setup

    @classmethod
    def of(cls, comparison: Comparison) -> Sensitivity:
        """The methods of a comparison as settings, each one minus the reference.

        Differences are averaged over the budgets; one that a recording does not hold counts as all
        that it holds.
        """
        gains, depths = [], []
        for own in comparison.replays:
            curves = own.curves(held_budgets(comparison.budgets, own.longest))
            base = curves[own.reference.name]
            others = [curves[method.name] for method in own.rivals]
            gains.append(
                np.stack([(curve.accuracy - base.accuracy).mean(axis=0) for curve in others])
            )
            depths.append(np.array([curve.depth[-1] for curve in others]))
        first = comparison.replays[0]
        return cls(
            pd.DataFrame([m.columns() for m in first.rivals], columns=SETTING),
            tuple(own.streams.name for own in comparison.replays),
            tuple(gains),
            tuple(depths),
            tuple(comparison.budgets.tolist()),
            comparison.measure,
            first.setup,
        )

    @property
    def best(self) -> int:
        """The cell whose mean over recordings is largest."""
        return int(np.argmax(np.mean([gain.mean(axis=1) for gain in self.gains], axis=0)))

    def table(self) -> pd.DataFrame:
        """The mean over recordings of every cell, with its interval: rows of columns `CELLS`."""
        found = estimates_of(self.gains, self.setup.seed)
        depth = np.mean(self.depths, axis=0)
        return self._rows(MEAN if len(self.names) > 1 else self.names[0], found, depth, self.best)

    def each(self) -> pd.DataFrame:
        """Every cell of every recording: rows of columns `CELLS`."""
        parts = [
            self._rows(
                name,
                estimates_of([gain], self.setup.seed),
                depth,
                int(np.argmax(gain.mean(axis=1))),
            )
            for name, gain, depth in zip(self.names, self.gains, self.depths, strict=True)
        ]
        return pd.concat(parts, ignore_index=True)

    def behind_best(self) -> tuple[int, int]:
        """How many cells are behind the best by the paired interval, and how many are not."""
        lag = estimates_of([gain[[self.best]] - gain for gain in self.gains], self.setup.seed)
        worse = int((lag[:, 1] > 0).sum())
        return worse, len(lag) - worse - 1

    def chosen(self, *references: Sensitivity) -> pd.DataFrame:
        """What choosing among the cells is worth, with intervals over questions: columns `CHOICES`.

        Rows: the settings of the references, which come by default and are not chosen here; the
        best cell on the very questions that chose it (`open`: it is optimistic); the best cell of
        one half of the questions on the other half (mean of random splits; its interval takes in
        the choice, and is wide: half of the questions judge it); the best cell of the other
        recordings.
        """
        seed = self.setup.seed
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
                    *judged_on_half(self.gains, seed),
                    False,
                )
            )
        if len(self.gains) > 1:
            rows.append(
                (
                    "best cell of the other recordings",
                    "ucb",
                    *judged_on_others(self.gains, seed),
                    False,
                )
            )
        return pd.DataFrame(rows, columns=CHOICES[:6]).assign(
            cells=len(self.settings),
            recordings=len(self.names),
            unit=self.setup.unit,
            budgets=self._worth,
            measure=self.measure,
        )

    @property
    def _worth(self) -> str:
        return " ".join(f"{b:g}" for b in self.budgets)

    def _rows(self, recording: str, found: Floats, depth: Floats, best: int) -> pd.DataFrame:
        table = self.settings.assign(
            recording=recording,
            unit=self.setup.unit,
            budgets=self._worth,
            depth=depth,
            best=np.arange(len(found)) == best,
            measure=self.measure,
            replications=self.setup.replications,
            seed=self.setup.seed,
            **dict(zip(("difference", "low", "high"), found.T, strict=True)),
        )
        return table[CELLS]


def settings_grid(
    uncertainties: Sequence[str] = tuple(UNCERTAINTIES),
    explorations: Sequence[float] = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0),
    warmups: Sequence[int] = (1, 2, 3, 4),
) -> list[Policy]:
    """The bandit (`ucb`) in every combination of uncertainty, exploration c and warm-up.

    Args:
        uncertainties: Names of `dynlab.policies.uncertainty.UNCERTAINTIES`.
        explorations: c ≥ 0, without unit.
        warmups: Samples that every question gets first.

    Raises:
        InputError: An unknown name, or a number out of range.
    """
    # one object for all its warm-ups: a replay computes its index once
    bandits = [
        UCB(uncertainty, float(exploration))
        for uncertainty in uncertainties
        for exploration in explorations
    ]
    return [Policy(bandit, warmup=int(warmup)) for bandit in bandits for warmup in warmups]


def in_batches(
    policies: Policies = ("ucb", "priced"), sizes: Sequence[int] = (1, 4, 16, 64)
) -> list[Policy]:
    """Policies in rounds of several pulls that are decided at once."""
    named = named_policies(policies).values()
    return [
        replace(policy, batch=int(size)) for policy in named if policy is not None for size in sizes
    ]


def estimates_of(gains: Iterable[Floats], seed: int) -> Floats:
    """[M, 3] mean over recordings, low, high: gains [M, Q], questions resampled within each."""
    shares = [(gain, question_resamples(gain.shape[1], seed)) for gain in gains]
    means = np.mean([gain.mean(axis=1) for gain, _ in shares], axis=0)
    drawn = np.mean([share @ gain.T for gain, share in shares], axis=0)  # [resamples, M]
    return np.column_stack([means, *np.percentile(drawn, [2.5, 97.5], axis=0)])


def worded(setting: pd.Series) -> str:
    """A setting in a few words: 'UCB, top-share, c = 1, warm-up 2'."""
    if setting["allocator"] != "ucb":
        return str(setting["allocator"])
    batch = "" if setting["batch"] == 1 else f", batch {setting['batch']}"
    return (
        f"UCB, {setting['uncertainty']}, c = {setting['exploration']:g}, warm-up"
        f" {setting['warmup']}{batch}"
    )
