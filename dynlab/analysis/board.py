"""The leaderboard: every policy on the same draws, one row each, with paired intervals over
questions.

Questions are resampled within each recording, the same ones for all policies and for recordings of
the same questions, and every number is computed anew from each resample, a mean over recordings
too. The recordings are given: an interval says nothing on recordings that are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.comparison import ORACLE, Options, Source, checked_budgets, loaded, options_of
from dynlab.analysis.leaderboard_cells import measured
from dynlab.analysis.leaderboard_rows import CELLS, behind, origin, row_of, rows_of_cells
from dynlab.policies.base import Allocator, StoppingRule
from dynlab.policies.policy import Policy
from dynlab.policies.registry import names as registered
from dynlab.policies.registry import stopping_rule, sweep
from dynlab.recordings.streams import GREEDY

Own = Mapping[str, Policy | Allocator | StoppingRule]


@dataclass(frozen=True)
class Board:
    """The leaderboard and what it is made of."""

    table: pd.DataFrame  # one row a policy
    cells: pd.DataFrame  # one row a policy, recording and B; columns `CELLS`

    def _repr_html_(self) -> str:
        return str(shown(self.table).to_html(index=False))


def leaderboard(
    recordings: Source | Iterable[Source],
    *,
    unit: str = "tokens",
    at: Sequence[float] = (4, 8, 16, 32),
    allocators: Sequence[str] | None = None,
    stopping: Sequence[str] | None = None,
    policies: Own | None = None,
    replications: int = 200,
    seed: int = 0,
    progress: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Every policy against self-consistency (uniform allocation), the best mean saving first:
    `board(…).table`.

    Policies that some recordings can't be played by stand last: their means are over fewer
    `recordings`.

    Columns, with `_low` and `_high` beside a number that has an interval; B stands for each of
    `at`:

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
        recordings: As for `dynlab.analysis.comparison.compare`.
        unit: What is counted: samples, tokens or usd.
        at: Budgets B: mean samples per question, or in another unit what so many samples cost on
            average.
        allocators: Names, weighted votes too; None takes all. Those that need log-probabilities are
            played on the recordings that have them.
        stopping: Names of stopping rules, each swept over its settings, or in one setting as
            `esc:4`; None takes all.
        policies: Your own by name, as an allocator, a stopping rule (run as it is), or a `Policy`
            of both.
        replications: Draw orders that are averaged over.
        seed: Of the draw orders, ties and resamples.
        progress: Show a bar on stderr, where tqdm is installed.
        options: Further options of `compare`: `warmup`, `batch`, `exploration`, `uncertainty`,
            `strategy`, `price`.

    Raises:
        InputError: An unknown name, a name that stands twice, a B that no recording holds, unknown
            prices, ….
    """
    return board(
        recordings,
        unit=unit,
        at=at,
        allocators=allocators,
        stopping=stopping,
        policies=policies,
        replications=replications,
        seed=seed,
        progress=progress,
        **options,
    ).table


def board(
    recordings: Source | Iterable[Source],
    *,
    at: Sequence[float] = (4, 8, 16, 32),
    allocators: Sequence[str] | None = None,
    stopping: Sequence[str] | None = None,
    policies: Own | None = None,
    progress: bool = True,
    **options: Any,
) -> Board:
    """The leaderboard with its cells; arguments as for `leaderboard`."""
    chosen = options_of({"unit": "tokens", **options})
    wanted = checked_budgets(at, chosen)
    runs, rules = _policies(allocators, policies or {}, chosen), _rules(stopping, policies or {})
    sources = loaded(recordings)
    with _bar(len(sources) * (len(runs) + 1) * chosen.replications, progress) as done:
        found = [measured(recording, runs, rules, wanted, chosen, done) for recording in sources]
    kinds = {
        ORACLE: "bound",
        **dict.fromkeys(runs, "allocator"),
        **dict.fromkeys(rules, "stopping"),
        GREEDY: "baseline",
    }
    kinds |= {"uniform": "baseline", **dict.fromkeys(policies or {}, "yours")}
    kinds = {
        name: kind for name, kind in kinds.items() if any(name in cells.saving for cells in found)
    }
    lacking = [name for name in allocators or () if name not in (*kinds, ORACLE)]
    if lacking:
        raise InputError(
            f"{lacking[0]} needs mean_logprob, which none of the recordings has; leave it out"
        )
    methods = {
        **{name: run.vote or run.allocator for name, run in runs.items()},
        **{name: s[0] for name, s in rules.items()},
    }
    held = np.any(
        [~np.isnan(cells.accuracy["uniform"]) for cells in found], axis=0
    )  # [B] by some recording
    table = pd.DataFrame(
        [
            row_of(name, kind, found, held) | origin(methods.get(name))
            for name, kind in kinds.items()
        ]
    )
    table = table.sort_values(
        ["recordings", "saving"], ascending=False, kind="stable", ignore_index=True
    )
    ranked = table.loc[table["kind"].isin(["allocator", "stopping", "yours"]), "policy"]
    gaps = [
        behind(name, ranked.iloc[0] if len(ranked) else "uniform", found)
        for name in table["policy"]
    ]
    table = table.join(pd.DataFrame(gaps)).assign(
        unit=chosen.unit,
        measure=_joined(
            "accuracy" if cells.streams.has_target else "self-consistency rate" for cells in found
        ),
        tokens_kind=_joined(cells.streams.tokens_kind for cells in found),
        replications=chosen.replications,
        seed=chosen.seed,
    )
    return Board(table, pd.DataFrame(rows_of_cells(kinds, found, chosen), columns=CELLS))


def budgets_of(table: pd.DataFrame) -> list[float]:
    """The budgets B that a leaderboard's columns name, ascending."""
    return [
        float(name.removeprefix("depth_"))
        for name in map(str, table.columns)
        if name.startswith("depth_")
    ]


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard as text to read, its main columns; a star says that a policy `deviates` from
    its paper.
    """
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


def _policies(allocators: Sequence[str] | None, own: Own, options: Options) -> dict[str, Policy]:
    """Uniform first, then the others by name, then the user's own."""
    names = dict.fromkeys(
        (
            "uniform",
            *(
                (*registered("allocator"), *registered("vote"))
                if allocators is None
                else allocators
            ),
        )
    )
    runs = {name: options.policy(name) for name in names if name != ORACLE}
    for name, policy in own.items():
        if name in (*runs, *registered("stopping rule"), ORACLE, GREEDY):
            raise InputError(f"a policy is named {name!r} already; give yours another name")
        if isinstance(policy, Policy):
            runs[name] = policy
        elif isinstance(policy, Allocator):
            runs[name] = Policy(policy, None, options.warmup or policy.warmup, options.batch)
    return runs


def _rules(stopping: Sequence[str] | None, own: Own) -> dict[str, Sequence[StoppingRule]]:
    """Stopping rules by name, each in its settings; the user's own as they are."""
    rules: dict[str, Sequence[StoppingRule]] = {
        name: [stopping_rule(name)] if ":" in name else sweep(name)
        for name in (registered("stopping rule") if stopping is None else stopping)
    }
    rules.update({name: [rule] for name, rule in own.items() if isinstance(rule, StoppingRule)})
    return rules


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
