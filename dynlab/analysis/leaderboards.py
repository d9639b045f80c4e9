"""The leaderboard: every policy on the same draws, one row each, intervals over questions.

Questions are resampled within each recording, the same ones for all policies and for recordings of
the same questions, and every number is computed anew from each resample, a mean over recordings
too. The recordings are given: an interval says nothing on recordings that are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.budgets import checked_budgets
from dynlab.analysis.entrants import Entrants, entrants_of
from dynlab.analysis.leaderboard_cells import Cells, measured
from dynlab.analysis.leaderboard_rows import CELLS, behind, origin, row_of, rows_of_cells
from dynlab.analysis.measures import framed
from dynlab.analysis.methods import Policies
from dynlab.analysis.recording_notes import limits_of, notes_of
from dynlab.analysis.replays import Recordings, Replays, Setup, loaded, replays_of
from dynlab.policies.base import Component
from dynlab.recordings.streams import ABSENT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynlab.reports.wording import Words


@dataclass(frozen=True)
class Leaderboard:
    """The leaderboard and what it is made of."""

    table: pd.DataFrame  # one row a policy
    cells: pd.DataFrame  # one row a policy, recording and B; columns `CELLS`
    notes: tuple[str, ...] = ()  # what a reader must know of the recordings

    def plot(self) -> Figure:
        """Savings by policy, a panel for every B."""
        from dynlab.plots.leaderboard import plot_leaderboard_grid

        return plot_leaderboard_grid(self.table)

    def report(self) -> Words:
        """The leaderboard in words: what is saved, and what is gained at equal cost."""
        from dynlab.reports.leaderboard import of_differences, of_savings
        from dynlab.reports.wording import Words

        return Words("\n".join([of_savings(self.table), of_differences(self.table)]))

    def _repr_html_(self) -> str:
        return str(shown(self.table).to_html(index=False))


def leaderboard(
    recordings: Recordings,
    policies: Policies | None = None,
    stopping: str | Sequence[str] | None = None,
    at: float | Iterable[float] = (4, 8, 16, 32),
    *,
    strategy: str | None = None,
    unit: str = "tokens",
    price: tuple[float, float] | None = None,
    replications: int = 200,
    seed: int = 0,
    progress: bool = True,
) -> Leaderboard:
    """Every policy against self-consistency (uniform allocation), the best mean saving first.

    Policies that some recordings can't be played by stand last: their means are over fewer
    `recordings`.

    Columns of `table`, with `_low` and `_high` beside a number that has an interval; B stands for
    each of `at`:

    - `saving_B`: 1 − b*/B, where b* ≤ 2·B is the first budget at which a policy is as accurate as
      uniform is at B; the mean over recordings. Where it never is, b* = 2·B; `reached` of `cells`
      counts the others, `reached_B` is their share. Cells in which uniform itself gains less than
      0.01 over two samples are `flat` and left out. Uniform's own row says what a first crossing
      gives away: its curve need not rise everywhere.
    - `saving`: the mean over recordings and B, by which rows are ordered.
    - `difference_B`: accuracy minus uniform's when either may spend B; `depth_B`: the longest path
      of calls that had to wait for one another.
    - `worst_saving`, `worst_difference`: the least of all cells, the latter in `worst_cell`.
    - `behind`: what the first policy (not the oracle, nor a baseline) saves more, paired.
    - `of_oracle`: `saving` as a share of that of the hindsight oracle, a bound that knows the
      targets.
    - `paper` and `deviates`: where a policy is from, and what is done otherwise here.

    Without targets, accuracy is the self-consistency rate (`measure` says so).

    Args:
        recordings: As for `dynlab.compare`.
        policies: As for `dynlab.compare`: texts, or objects of your own, by names of your own or
            not; None takes all allocators and weighted votes. Uniform allocation and the oracle are
            there in any case. Policies that need log-probabilities are played on the recordings
            that have them. A stopping rule that is given as an object is run in its one setting.
        stopping: Names of stopping rules, each swept over its settings, or in one setting as
            `esc(window=4)`; None takes all.
        at: Budgets B: mean samples per question, or in another unit what so many samples cost on
            average.
        strategy: Whose samples are drawn; by default the recording's first.
        unit: What is counted: samples, tokens or usd.
        price: USD per million prompt and completion tokens, for recordings without costs.
        replications: Draw orders that are averaged over.
        seed: Of the draw orders, ties and resamples.
        progress: Show a bar on stderr, where tqdm is installed.

    Raises:
        InputError: An unknown name, a name that stands twice, a B that no recording holds, unknown
            prices, ….
    """
    boards = leaderboards(
        recordings,
        policies,
        stopping,
        at,
        strategy=strategy,
        units=(unit,),
        price=price,
        replications=replications,
        seed=seed,
        progress=progress,
    )
    return boards[unit]


def leaderboards(
    recordings: Recordings,
    policies: Policies | None = None,
    stopping: str | Sequence[str] | None = None,
    at: float | Iterable[float] = (4, 8, 16, 32),
    *,
    strategy: str | None = None,
    units: Sequence[str] = ("samples", "tokens"),
    price: tuple[float, float] | None = None,
    replications: int = 200,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Leaderboard]:
    """`leaderboard` by unit, from one replay of what decides alike in all of them.

    Args:
        units: What is counted: samples, tokens, usd.

    Raises:
        InputError: As `leaderboard`, or no unit.
    """
    setups = {unit: Setup(unit, price, replications, seed) for unit in units}
    if not setups:
        raise InputError("no unit was given; give one or several, such as samples and tokens")
    entrants = entrants_of(policies, stopping)
    wanted = checked_budgets(at, entrants.policies["uniform"].warmup)
    sources, runs = loaded(recordings), entrants.policies
    found: dict[str, list[Cells]] = {unit: [] for unit in setups}
    notes: dict[str, list[str]] = {unit: [] for unit in setups}
    with _bar(len(sources) * (len(runs) + 1) * replications, progress) as done:
        first = next(iter(setups.values()))
        for own in replays_of(sources, runs, "uniform", first, strategies=strategy, done=done):
            for unit, counted in {unit: own.in_unit(unit) for unit in setups}.items():
                played = _with_confidence(counted)
                notes[unit] += [*notes_of((counted,)), *limits_of((counted,), wanted)]
                found[unit].append(measured(played, entrants.rules, wanted))
            done(replications * (1 + len(runs) - len(played.methods)))
    given = policies is not None
    return {
        unit: _board(entrants, found[unit], notes[unit], setup, given)
        for unit, setup in setups.items()
    }


def _board(
    entrants: Entrants, found: Sequence[Cells], notes: Sequence[str], setup: Setup, given: bool
) -> Leaderboard:
    """The leaderboard of one unit; whether policies were `given`, so that each must be played."""
    kinds = {
        name: kind
        for name, kind in entrants.kinds().items()
        if any(name in cells.saving for cells in found)
    }
    lacking = [name for name in entrants.policies if name not in kinds]
    if given and lacking:
        raise InputError(
            f"{lacking[0]} needs mean_logprob, which none of the recordings has; leave it out"
        )
    table = _table(kinds, entrants.parts(), found)
    table = table.assign(
        unit=setup.unit,
        measure=_joined(cells.streams.measure for cells in found),
        tokens_kind=_joined(cells.streams.tokens_kind for cells in found),
        replications=setup.replications,
        seed=setup.seed,
    )
    cells = framed(rows_of_cells(kinds, found, setup), CELLS)
    return Leaderboard(table, cells, tuple(dict.fromkeys(notes)))


def _table(
    kinds: Mapping[str, str], parts: Mapping[str, Component], found: Sequence[Cells]
) -> pd.DataFrame:
    """A row a policy, the best mean saving first."""
    # [B] by some recording
    held = np.any([~np.isnan(cells.accuracy["uniform"]) for cells in found], axis=0)
    rows = [
        row_of(name, kind, found, held) | origin(parts.get(name)) for name, kind in kinds.items()
    ]
    table = pd.DataFrame(rows).sort_values(
        ["recordings", "saving"], ascending=False, kind="stable", ignore_index=True
    )
    ranked = table.loc[table["kind"].isin(["allocator", "stopping", "yours"]), "policy"]
    first = ranked.iloc[0] if len(ranked) else "uniform"
    return table.join(pd.DataFrame([behind(name, first, found) for name in table["policy"]]))


def _with_confidence(own: Replays) -> Replays:
    """The methods that a recording can play: without log-probabilities, those that need none."""
    if not np.isnan(own.streams.logprob[own.streams.codes != ABSENT]).any():
        return own
    methods = [m for m in own.methods if m.policy is None or not m.policy.confidence]
    return replace(own, methods=tuple(methods))


def budgets_of(table: pd.DataFrame) -> list[float]:
    """The budgets B that a leaderboard's columns name, ascending."""
    return [
        float(name.removeprefix("depth_"))
        for name in map(str, table.columns)
        if name.startswith("depth_")
    ]


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """A leaderboard's main columns as text; a star: the policy `deviates` from its paper."""
    at = [f"{b:g}" for b in budgets_of(table)]
    text = pd.DataFrame({"policy": table["policy"] + np.where(table["deviates"] == "", "", "*")})
    for b in at:
        text[f"saving at {b}"] = _percentages(table, f"saving_{b}")
    text["behind"] = _percentages(table, "behind")
    middle = at[len(at) // 2]
    columns = {f"difference_{middle}": f"Δ accuracy at {middle}", "worst_difference": "worst Δ"}
    for column, label in columns.items():
        text[label] = [
            "" if np.isnan(value) else f"{round(value, 3) + 0.0:+.3f}" for value in table[column]
        ]
    text[f"depth at {middle}"] = table[f"depth_{middle}"].map("{:.0f}".format)
    text["of oracle"] = [
        "" if np.isnan(value) else f"{round(100 * value)} %" for value in table["of_oracle"]
    ]
    if table["recordings"].nunique() > 1:
        text["recordings"] = table["recordings"]
    text["reached"] = [f"{n} of {m}" for n, m in zip(table["reached"], table["cells"], strict=True)]
    return text


def _percentages(table: pd.DataFrame, name: str) -> list[str]:
    """A column with its interval: '31 % [5, 48]', '' where it is unknown."""
    rows = zip(table[name], table[f"{name}_low"], table[f"{name}_high"], strict=True)
    return [
        (
            ""
            if np.isnan(value)
            else f"{round(100 * value)} % [{round(100 * low)}, {round(100 * high)}]"
        )
        for value, low, high in rows
    ]


def _joined(words: Iterable[str]) -> str:
    return " / ".join(sorted(set(words)))


@contextmanager
def _bar(total: int, progress: bool) -> Iterator[Callable[[int], object]]:
    """A bar over replications on stderr, where it is wanted and tqdm is installed."""
    if not progress or find_spec("tqdm") is None:
        yield lambda replications: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc="leaderboard", unit="replication", leave=False) as bar:
        yield bar.update
