"""Strategies of one recording against one another: on the questions that all of them answered, at
equal cost.

A budget of B means what B samples of the first strategy cost on average, whichever strategy spends
it. Pairs share their questions, not their draws: each strategy was sampled on its own. Recordings
that hold fewer than two of the strategies are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.comparison import (
    CURVES,
    Options,
    Source,
    checked_budgets,
    dense_grid,
    greedy_row,
    loaded,
    options_of,
    rows_of,
)
from dynlab.analysis.greedy_answers import greedy_accuracy
from dynlab.analysis.metrics import difference, estimates, question_resamples, saving_at
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import Floats, Streams, strategies_of, streams_of
from dynlab.replay.loop import Curve, replay

Names = Mapping[tuple[str, str], str]  # (strategy, allocator) → what the method is called

STRATEGIES = ("parallel", "sequential", "integrated")
ABLATION: Names = {
    ("parallel", "uniform"): "neither",
    ("parallel", "ucb"): "bandit only",
    ("integrated", "uniform"): "integration only",
    ("integrated", "ucb"): "both",
}
CONTRASTS = [
    "recording",
    "strategy",
    "allocator",
    "method",
    "against",
    "questions",
    "unit",
    "at",
    "difference",
    "low",
    "high",
    "replications",
    "seed",
]
SAVINGS = [*CONTRASTS[:8], "saving", "low", "high", "reached", "flat", "replications", "seed"]
DEPTHS = [
    "recording",
    "strategy",
    "method",
    "questions",
    "unit",
    "at",
    "depth",
    "spent_tokens",
    "accuracy",
    "low",
    "high",
    "lead",
    "lead_low",
    "lead_high",
    "replications",
    "seed",
]


def contrast(
    recordings: Source | Iterable[Source],
    *,
    strategies: Sequence[str] = STRATEGIES,
    allocators: Sequence[str] = ("uniform",),
    budgets: Sequence[float] = (2, 4, 8, 16),
    names: Names | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Accuracy and spending of every strategy under every allocator, as rows of
    `dynlab.analysis.comparison.compare`.

    Args:
        recordings: As for `compare`.
        strategies: The first one is what the others are held against, and budgets count its
            samples.
        allocators: Names of allocators, `uniform` among them or not.
        budgets: B: what so many samples of the first strategy cost on average, per question.
        names: What a (strategy, allocator) is called, such as `ABLATION`; default: its strategy,
            and its allocator where there are several. Those that a given mapping lacks are left
            out.
        options: As for `compare`, without `strategy`; `unit` is 'tokens' where it is not given.

    Returns:
        One row per recording, method and budget: columns `CURVES`, `method` and `questions`.
    """
    chosen = _options(options)
    grid = checked_budgets(budgets, chosen)
    rows, measures = [], set()
    for recording, held in _held(recordings, strategies, chosen):
        share = question_resamples(held[0].num_questions, chosen.seed)
        measures.add("accuracy" if held[0].has_target else "self-consistency rate")
        for method in _played(held, allocators, grid, chosen, names):
            drawn = rows_of(
                method.streams, method.allocator, method.policy, method.curve, share, chosen
            )
            rows += [row | _marks(method) for row in drawn]
        if (greedy := greedy_accuracy(recording, held[0])) is not None:
            row = greedy_row(recording, held[0], greedy, share, chosen)
            rows.append(row | {"method": "greedy", "questions": held[0].num_questions})
    table = pd.DataFrame(rows, columns=[*CURVES, "method", "questions"])
    table.attrs["measure"] = " / ".join(sorted(measures)) or "accuracy"
    return table


def differences(
    recordings: Source | Iterable[Source],
    *,
    strategies: Sequence[str] = STRATEGIES,
    allocators: Sequence[str] = ("uniform",),
    at: Sequence[float] = (4, 8, 16),
    names: Names | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Accuracy of every other method minus the first one's, at equal budgets, paired over questions
    (`CONTRASTS`).

    A cell in which one of both cannot spend the budget any more, because its samples have run out,
    is left out.
    """
    chosen = _options(options)
    grid = checked_budgets(at, chosen)
    rows: list[dict[str, Any]] = []
    for _, held in _held(recordings, strategies, chosen):
        share = question_resamples(held[0].num_questions, chosen.seed)
        base, *others = _played(held, allocators, grid, chosen, names)
        for method in others:
            for number in np.flatnonzero((base.curve.unspent < 1) & (method.curve.unspent < 1)):
                gap = difference(method.curve.accuracy[number], base.curve.accuracy[number], share)
                rows.append(
                    _row(method, base, chosen)
                    | {
                        "at": grid[number],
                        "difference": gap.value,
                        **_span(gap),
                    }
                )
    return pd.DataFrame(rows, columns=CONTRASTS)


def savings(
    recordings: Source | Iterable[Source],
    *,
    strategies: Sequence[str] = STRATEGIES,
    allocators: Sequence[str] = ("uniform",),
    at: Sequence[float] = (4, 8, 16),
    names: Names | None = None,
    **options: Any,
) -> pd.DataFrame:
    """What every other method saves at the accuracy that the first one has at B, as in
    `dynlab.analysis.comparison.savings`.
    """
    chosen = _options(options)
    wanted = checked_budgets(at, chosen)
    rows: list[dict[str, Any]] = []
    for _, held in _held(recordings, strategies, chosen):
        share = question_resamples(held[0].num_questions, chosen.seed)
        grid = dense_grid(chosen.opening, wanted, float(held[0].lengths.mean()))
        base, *others = _played(held, allocators, grid, chosen, names)
        for method in others:
            for budget in wanted[wanted <= grid[-1]]:
                found = saving_at(method.curve, base.curve, float(budget), chosen.unit, share)
                rows.append(
                    _row(method, base, chosen)
                    | {"at": budget, "saving": found.saving.value, **_span(found.saving)}
                    | {"reached": found.reached, "flat": found.flat}
                )
    return pd.DataFrame(rows, columns=SAVINGS)


def at_depth(
    recordings: Source | Iterable[Source],
    *,
    strategies: Sequence[str] = STRATEGIES,
    at: Sequence[float] = (4, 8, 16),
    depths: Sequence[int] = (1, 2, 4, 8, 16),
    **options: Any,
) -> pd.DataFrame:
    """Accuracy of every strategy at each budget when no call may wait for more than depth − 1
    others (`DEPTHS`).

    Questions are sampled in turn; a strategy leaves out what would come later, and spends what it
    can. `lead` is its accuracy minus the best other strategy's in the same cell, paired over
    questions.
    """
    chosen = _options(options)
    grid = checked_budgets(at, chosen)
    rows: list[dict[str, Any]] = []
    for _, held in _held(recordings, strategies, chosen):
        share = question_resamples(held[0].num_questions, chosen.seed)
        for depth in depths:
            within = [_within(streams, depth) for streams in held]
            methods = _played(
                within, ("uniform",), grid, chosen, None, per_sample=held[0].per_sample(chosen.unit)
            )
            for number, budget in enumerate(grid):
                accuracy = [method.curve.accuracy[number] for method in methods]
                for method, own in zip(methods, accuracy, strict=True):
                    best = max((other for other in accuracy if other is not own), key=np.mean)
                    lead, level = difference(own, best, share), estimates(own[None], share)[0]
                    rows.append(
                        _row(method, method, chosen)
                        | {"at": budget, "depth": depth, "accuracy": level.value, **_span(level)}
                        | {"spent_tokens": method.curve.spent["tokens"][number].mean()}
                        | {"lead": lead.value, "lead_low": lead.low, "lead_high": lead.high}
                    )
    return pd.DataFrame(rows, columns=DEPTHS)


@dataclass(frozen=True)
class _Method:
    """A strategy under an allocator, with its curve over budgets that count the first strategy's
    samples.
    """

    name: str
    streams: Streams
    allocator: str
    policy: Policy
    curve: Curve


def _options(given: Mapping[str, Any]) -> Options:
    if "strategy" in given:
        raise InputError("several strategies are compared here: name them in `strategies`")
    return options_of({"unit": "tokens"} | dict(given))


def _held(
    recordings: Source | Iterable[Source], strategies: Sequence[str], options: Options
) -> list[tuple[Recording, list[Streams]]]:
    """Recordings that hold two or more of the strategies, with their streams on the questions that
    all answered.
    """
    found = []
    for recording in loaded(recordings):
        known = strategies_of(recording)
        held = [name for name in strategies if name in known]
        frame = recording.frame
        answered = [set(frame.loc[frame["strategy"] == name, "question_id"]) for name in held]
        common = set.intersection(*answered) if answered else set()
        if len(held) >= 2 and common:
            part = Recording(
                frame[frame["question_id"].isin(common)], recording.card, recording.name
            )
            found.append((part, [streams_of(part, name, options.price) for name in held]))
    return found


def _played(
    held: Sequence[Streams],
    allocators: Sequence[str],
    grid: Floats,
    options: Options,
    names: Names | None,
    per_sample: float | None = None,
) -> list[_Method]:
    """Every method's curve; the budgets of all of them count samples of the first strategy
    (`per_sample` its price).
    """
    price = per_sample or held[0].per_sample(options.unit)
    found = []
    for streams in held:
        policies = {
            name: options.policy(name)
            for name in allocators
            if names is None or (streams.strategy, name) in names
        }
        curves = replay(
            streams,
            list(policies.values()),
            grid * price / streams.per_sample(options.unit),
            unit=options.unit,
            replications=options.replications,
            seed=options.seed,
        )
        for (allocator, policy), curve in zip(policies.items(), curves, strict=True):
            plain = streams.strategy if len(allocators) == 1 else f"{streams.strategy}, {allocator}"
            name = plain if names is None else names[streams.strategy, allocator]
            found.append(_Method(name, streams, allocator, policy, replace(curve, budgets=grid)))
    return found


def _within(streams: Streams, depth: int) -> Streams:
    """The streams without the samples whose calls would have to wait for `depth` others or more."""
    kept = np.flatnonzero(streams.path[0] <= depth)
    cut = {
        name: getattr(streams, name)[:, :, kept]
        for name in ("codes", "tokens", "cost_usd", "logprob")
    }
    return replace(streams, path=streams.path[np.ix_(kept, kept)], **cut)


def _marks(method: _Method) -> dict[str, Any]:
    return {"method": method.name, "questions": method.streams.num_questions}


def _row(method: _Method, base: _Method, options: Options) -> dict[str, Any]:
    return {
        "recording": method.streams.name,
        "strategy": method.streams.strategy,
        "allocator": method.allocator,
        "against": base.name,
        "unit": options.unit,
        "replications": options.replications,
        "seed": options.seed,
        **_marks(method),
    }


def _span(estimate: Any) -> dict[str, float]:
    return {"low": estimate.low, "high": estimate.high}
