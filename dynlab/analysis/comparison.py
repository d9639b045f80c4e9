"""Comparing policies on recordings: recordings in, one tidy table out (`curves.csv`,
`savings.csv`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab.analysis.greedy_answers import greedy_accuracy, greedy_rows
from dynlab.analysis.metrics import Estimate, difference, estimates, question_resamples, saving_at
from dynlab.policies.parsing import Defaults, parse_policy
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import GREEDY, UNITS, Floats, Streams, streams_of
from dynlab.replay.loop import Curve, replay
from dynlab.replay.oracle import oracle

Source = str | Path | pd.DataFrame | Recording
Played = Mapping[str, tuple[Policy | None, Curve]]  # by name; the oracle has no policy

ORACLE = "oracle"  # the hindsight bound, drawn beside the policies
_POLICY = [
    "recording",
    "strategy",
    "allocator",
    "uncertainty",
    "exploration",
    "warmup",
    "batch",
    "stopping",
    "unit",
    "tokens_kind",
]
CURVES = [
    *_POLICY,
    "budget",
    "spent_samples",
    "spent_tokens",
    "spent_usd",
    "depth",
    "exhausted",
    "accuracy",
    "low",
    "high",
    "replications",
    "seed",
]
SAVINGS = [*_POLICY, "at", "saving", "low", "high", "reached", "flat", "replications", "seed"]
GREEDY_VOTE = [
    "recording",
    "strategy",
    "at",
    "greedy",
    "vote",
    "difference",
    "low",
    "high",
    "replications",
    "seed",
]


@dataclass(frozen=True)
class Options:
    """How policies are run and counted; see `compare` for what each means."""

    unit: str = "samples"
    warmup: int | None = None
    exploration: float = 1.0
    uncertainty: str = "top-share"
    stopping: str | None = None
    batch: int = 1
    strategy: str | None = None
    price: tuple[float, float] | None = None
    replications: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise one_of("unit", self.unit, UNITS)
        for name, least in (("warmup", 1), ("batch", 1), ("replications", 1), ("seed", 0)):
            value = getattr(self, name)
            if (name, value) != ("warmup", None) and (
                not isinstance(value, (int, np.integer)) or value < least
            ):
                raise InputError(f"{name} must be a whole number from {least} on; not {value!r}")

    @property
    def opening(self) -> int:
        """The warm-up as given, or 2."""
        return 2 if self.warmup is None else self.warmup

    def policy(self, text: str) -> Policy:
        """The policy of a text form; what it does not set itself is as given here."""
        return parse_policy(
            text,
            Defaults(self.exploration, self.uncertainty, self.warmup, self.batch, self.stopping),
        )


def compare(
    recordings: Source | Iterable[Source],
    *,
    allocators: Sequence[str] = ("uniform", "ucb"),
    budgets: Sequence[float] = (2, 4, 8, 16),
    **options: Any,
) -> pd.DataFrame:
    """Accuracy and spending of every allocator at every budget, one row each (columns `CURVES`).

    Budgets and spending are per question. A curve ends where its budget can't be spent any more.
    Recordings that hold greedy answers (temperature 0) yield one more row for them; without targets
    `accuracy` is the self-consistency rate, the agreement with the plurality of all samples (then
    `DataFrame.attrs["measure"]` says so).

    Args:
        recordings: paths, names of shipped recordings, DataFrames or Recordings, one or several.
        allocators: policies in their text form (allocators or weighted votes, with settings);
            `oracle` is the hindsight bound.
        budgets: mean samples per question, or in another unit what so many samples cost on average.
        options: `unit` (samples, tokens or usd), `warmup` (samples that every question gets first;
            default: the policy's own, mostly 2), `exploration` and `uncertainty` (of ucb),
            `stopping` (a stopping rule), `batch` (pulls decided at
            once), `strategy` (default: the recording's first), `price` (USD per million prompt and
            completion tokens), `replications`, `seed`.

    Raises:
        InputError: an unknown name, a budget below the warm-up or above what is recorded, unknown
            prices, ….
    """
    chosen = options_of(options)
    grid = checked_budgets(budgets, chosen)
    if not allocators:
        raise InputError("no allocator was given; give one or several, such as uniform,ucb")
    policies = {name: chosen.policy(name) for name in allocators if name != ORACLE}
    rows, measures = [], set()
    for recording in loaded(recordings):
        streams = streams_of(recording, chosen.strategy, chosen.price)
        measures.add("accuracy" if streams.has_target else "self-consistency rate")
        curves = dict(
            zip(policies, _replayed(streams, list(policies.values()), grid, chosen), strict=True)
        )
        if ORACLE in allocators:
            curves[ORACLE] = oracle(
                streams, grid, unit=chosen.unit, replications=chosen.replications, seed=chosen.seed
            )
        share = question_resamples(streams.num_questions, chosen.seed)
        played = {name: (policies.get(name), curves[name]) for name in allocators}
        rows += (found := curve_rows(recording, streams, played, share, chosen))
        if all(row["allocator"] == GREEDY for row in found):
            raise unaffordable(streams, grid)
    table = pd.DataFrame(rows, columns=CURVES)
    table.attrs["measure"] = " / ".join(sorted(measures))
    return table


def savings(
    recordings: Source | Iterable[Source],
    *,
    allocators: Sequence[str] = ("ucb",),
    at: Sequence[float] = (4, 8, 16),
    **options: Any,
) -> pd.DataFrame:
    """Saving against uniform at equal accuracy, one row per policy and B (columns `SAVINGS`).

    The grid of budgets goes in quarter samples to 4, then in whole ones, to twice the largest B or
    as far as the recording does; a B that not even uniform can spend has no row. Other arguments
    are those of `compare`.
    """
    chosen = options_of(options)
    wanted = checked_budgets(at, chosen)
    names = [name for name in allocators if name not in ("uniform", ORACLE)]
    policies = [chosen.policy("uniform"), *(chosen.policy(name) for name in names)]
    policies[0] = Policy(policies[0].allocator, None, chosen.opening)
    rows = []
    for recording in loaded(recordings):
        streams = streams_of(recording, chosen.strategy, chosen.price)
        longest = float(streams.lengths.mean(axis=1).mean())
        if longest < wanted[0]:
            continue
        grid = dense_grid(chosen.opening, wanted, longest)
        uniform, *others = _replayed(streams, policies, grid, chosen)
        share = question_resamples(streams.num_questions, chosen.seed)
        played = dict(zip(names, zip(policies[1:], others, strict=True), strict=True))
        held = wanted[wanted <= longest]
        held = held[
            uniform.unspent[np.searchsorted(grid, held)] < 1
        ]  # that uniform can spend at all
        rows += saving_rows(streams, played, uniform, held, share, chosen)
    return pd.DataFrame(rows, columns=SAVINGS)


def curve_rows(
    recording: Recording, streams: Streams, played: Played, share: Floats, options: Options
) -> list[dict[str, Any]]:
    """Rows of `compare` for one recording: those of every policy, then greedy's where it is
    recorded.
    """
    rows = [
        row for name, own in played.items() for row in rows_of(streams, name, *own, share, options)
    ]
    greedy = greedy_accuracy(recording, streams)
    return (
        rows if greedy is None else [*rows, greedy_row(recording, streams, greedy, share, options)]
    )


def saving_rows(
    streams: Streams,
    played: Played,
    uniform: Curve,
    wanted: Floats,
    share: Floats,
    options: Options,
) -> list[dict[str, Any]]:
    """Rows of `savings` for one recording: policies by their names against uniform at each B, all
    on one dense grid.
    """
    rows = []
    for name, (policy, curve) in played.items():
        for budget in wanted:
            found = saving_at(curve, uniform, float(budget), options.unit, share)
            cell = {
                "at": budget,
                "reached": found.reached,
                "flat": found.flat,
                **_columns("saving", found.saving),
            }
            rows.append(_described(streams, name, policy, options) | cell)
    return rows


def greedy_vs_vote(
    recordings: Source | Iterable[Source], *, at: float = 16, **options: Any
) -> pd.DataFrame:
    """The vote of `at` samples per question minus the greedy answer, paired over questions (columns
    `GREEDY_VOTE`).
    """
    chosen = options_of(options)
    grid = checked_budgets([at], chosen)
    rows = []
    for recording in loaded(recordings):
        streams = streams_of(recording, chosen.strategy, chosen.price)
        greedy = greedy_accuracy(recording, streams)
        if greedy is None:
            continue
        vote = _replayed(streams, [chosen.policy("uniform")], grid, chosen)[0].accuracy[0]
        gap = difference(vote, greedy, question_resamples(streams.num_questions, chosen.seed))
        rows.append(
            [
                recording.name,
                streams.strategy,
                at,
                greedy.mean(),
                vote.mean(),
                gap.value,
                gap.low,
                gap.high,
                chosen.replications,
                chosen.seed,
            ]
        )
    return pd.DataFrame(rows, columns=GREEDY_VOTE)


def dense_grid(warmup: int, wanted: Floats, longest: float) -> Floats:
    """Budgets for savings: 2, quarter samples below 4, then whole ones, to twice the largest wanted
    or `longest`.
    """
    last = min(2 * float(wanted.max()), longest)
    steps = np.concatenate(
        [[2.0], np.arange(warmup, 4, 0.25), np.arange(max(4, warmup), np.floor(last) + 1), wanted]
    )
    return np.unique(steps[steps <= last + 1e-9])


def options_of(given: dict[str, Any]) -> Options:
    """The options by name; an unknown one is refused."""
    for name in given:
        if name not in Options.__dataclass_fields__:
            raise one_of("option", name, Options.__dataclass_fields__)
    return Options(**given)


def loaded(recordings: Source | Iterable[Source]) -> list[Recording]:
    """The recordings behind one source or several; none at all is refused."""
    sources = (
        [recordings]
        if isinstance(recordings, (str, Path, pd.DataFrame, Recording))
        else list(recordings)
    )
    if not sources:
        raise InputError(
            "no recording was given; give a path or a name (`dynlab recordings list` shows the"
            " shipped ones)"
        )
    return [load(source) for source in sources]


def checked_budgets(budgets: Sequence[float], options: Options) -> Floats:
    """[C] budgets ascending, each once; none below the warm-up."""
    try:
        grid = np.unique(np.asarray(list(budgets), float))
    except (TypeError, ValueError):
        raise InputError(f"budgets must be numbers, such as 2,4,8; not {budgets!r}") from None
    if grid.size == 0 or not np.isfinite(grid).all():
        raise InputError(f"budgets must be numbers, at least one; not {budgets!r}")
    if grid[0] < options.opening:
        raise InputError(
            f"budget {grid[0]:g} is below the warm-up of {options.opening} samples per question; "
            "raise the budget or lower the warm-up"
        )
    return grid


def unaffordable(streams: Streams, budgets: Floats) -> InputError:
    """Tells that a recording holds too few samples for all the budgets."""
    held = f"{streams.name} holds {streams.lengths.mean():g} samples per question"
    return InputError(
        f"{held}; a budget from {budgets.min():g} on cannot be spent on them: lower it"
    )


def _replayed(
    streams: Streams, policies: list[Policy], grid: Floats, options: Options
) -> list[Curve]:
    return replay(
        streams,
        policies,
        grid,
        unit=options.unit,
        replications=options.replications,
        seed=options.seed,
    )


def _described(
    streams: Streams, name: str, policy: Policy | None, options: Options
) -> dict[str, Any]:
    used = None if policy is None else policy.allocator
    adaptive = used is not None and used.adaptive
    parameters = {} if used is None else used.parameters
    return {
        "recording": streams.name,
        "strategy": streams.strategy,
        "allocator": name,
        "uncertainty": parameters.get("uncertainty", ""),
        "exploration": parameters.get("exploration", np.nan),
        "warmup": policy.warmup if policy is not None and adaptive else 0,
        "batch": options.batch if adaptive else 1,
        "stopping": (
            (options.stopping or "") if policy is not None and policy.stopping is not None else ""
        ),
        "unit": options.unit,
        "tokens_kind": streams.tokens_kind,
        "replications": options.replications,
        "seed": options.seed,
    }


def rows_of(
    streams: Streams,
    name: str,
    policy: Policy | None,
    curve: Curve,
    share: Floats,
    options: Options,
) -> list[dict[str, Any]]:
    """A row a budget, to the curve's end: where no replication can spend more.

    The end point of a rule that stops or drops questions is kept; one that plans for its budget has
    no end.
    """
    ended = curve.unspent >= 1
    gives_up = policy is not None and (policy.stopping is not None or policy.allocator.eliminates)
    last = len(ended) if not ended.any() else int(ended.argmax()) + gives_up
    last = len(ended) if policy is not None and policy.allocator.plans else last
    described = _described(streams, name, policy, options)
    return [
        described
        | {
            "budget": curve.budgets[c],
            "depth": curve.depth[c],
            "exhausted": curve.exhausted[c].mean(),
        }
        | {f"spent_{unit}": curve.spent[unit][c].mean() for unit in curve.spent}
        | _columns("accuracy", estimate)
        for c, estimate in enumerate(estimates(curve.accuracy, share)[:last])
    ]


def _columns(value: str, estimate: Estimate) -> dict[str, float]:
    return {value: estimate.value, "low": estimate.low, "high": estimate.high}


def greedy_row(
    recording: Recording, streams: Streams, accuracy: Floats, share: Floats, options: Options
) -> dict[str, Any]:
    """The row of `compare` for the greedy answers."""
    frame = greedy_rows(recording)
    counts = [
        frame[name].astype(float).mean()
        for name in ("prompt_tokens", "completion_tokens")
        if name in frame
    ]
    cost = frame["cost_usd"].mean() if "cost_usd" in frame else np.nan
    known = np.array(counts)[~np.isnan(counts)]
    spent = {
        "spent_samples": 1.0,
        "spent_tokens": known.sum() if known.size else np.nan,
        "spent_usd": cost,
    }
    return (
        _described(streams, GREEDY, None, options)
        | spent
        | {
            "strategy": GREEDY,
            "warmup": 0,
            "batch": 1,
            "budget": 1.0,
            "depth": 1.0,
            "exhausted": 0.0,
        }
        | _columns("accuracy", estimates(accuracy[None], share)[0])
    )
