"""One recording's numbers for a leaderboard, every estimate with its resamples.

A row of resampled numbers starts with the estimate itself (S = 1 + resamples), so that means over
recordings are taken resample by resample and get intervals of their own.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.values import GREEDY
from dynlab.analysis.budgets import dense_grid, unaffordable
from dynlab.analysis.greedy_answers import greedy_accuracy
from dynlab.analysis.methods import ORACLE, Method, warmup_of
from dynlab.analysis.metrics import curve_at, is_flat, resampled_saving
from dynlab.analysis.recording_notes import ends_at
from dynlab.analysis.replays import Replays
from dynlab.analysis.resamples import Resamples, question_resamples
from dynlab.policies.base import StoppingRule
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import Flags, Floats, Streams
from dynlab.replay.loop import Curve
from dynlab.replay.sweeps import curves_of

# samples per question for which no policy can do anything
_ONLY_ORACLE = np.arange(0.05, 1.0, 0.05)
_TABLES = 5  # numbers that a curve has of a question at a budget
_HELD = 2**25  # numbers of curves that are held at once: 256 MiB


@dataclass(frozen=True)
class Cells:
    """The numbers of policies, by name, on one recording at B budgets.

    NaN where the recording does not go so far; savings also where it ends.
    """

    streams: Streams
    at: Floats  # [B]
    flat: Flags  # [B] uniform gains less than FLAT over two samples: nothing to save
    saving: Mapping[str, Floats]  # policy → [B, S]
    reached: Mapping[str, Floats]  # policy → [B] 1 or 0: uniform's accuracy is reached within 2·B
    # policy → [B, S] accuracy minus uniform's; NaN below a policy's least spending
    difference: Mapping[str, Floats]
    accuracy: Mapping[str, Floats]  # policy → [B]
    depth: Mapping[str, Floats]  # policy → [B]
    exhausted: Mapping[str, Floats]  # policy → [B] share of questions whose samples have run out


def measured(own: Replays, rules: Mapping[str, Sequence[StoppingRule]], at: Floats) -> Cells:
    """Plays everything on the same draws of one recording, the oracle and greedy answers beside it.

    Args:
        own: Policies by their names, uniform being the reference.
        rules: Name → a stopping rule in its settings.
        at: [B] budgets.

    Raises:
        InputError: the recording holds fewer samples than the least budget, or does not know the
            unit's prices.
    """
    streams, setup = own.streams, own.setup
    held = at <= own.longest
    if not held.any():
        raise unaffordable(streams, at)
    grid = dense_grid(warmup_of(own.reference.policy), np.append(at[held], 2.0), own.longest)
    parts = _parts(own, len(grid))
    first = parts[0].curves(grid)
    uniform = first[own.reference.name]
    # those that uniform can spend at all
    held[held] = [curve_at(uniform, uniform.unspent, b) < 1 for b in at[held]]
    if not held.any():
        raise unaffordable(streams, at)

    def padded(values: Sequence[Floats | bool]) -> Floats:
        """[B, …] from the values of those budgets that are held."""
        table = np.full((len(at), *np.shape(values[0])), np.nan)
        table[held] = values
        return table

    def each(curve: Curve, table: Floats) -> Floats:
        """[B, …] a table of a curve at every budget."""
        return padded([curve_at(curve, table, b) for b in at[held]])

    rows = _resamples(streams, setup.seed)
    base = each(uniform, uniform.accuracy)
    ends = dict(zip(at[held], ends_at(own, at[held]), strict=True))

    def saved_at(curve: Curve, b: float) -> tuple[Floats, bool]:
        """[S] the saving, NaN where it cannot be told; whether uniform's accuracy is reached."""
        saving, reached = resampled_saving(curve, uniform, b, setup.unit, rows, bounded=True)
        return np.full_like(saving, np.nan) if ends[b] else saving, reached

    flat = padded([is_flat(uniform, float(b)) for b in at[held]]) == 1
    saving: dict[str, Floats] = {}
    reached: dict[str, Floats] = {}
    difference: dict[str, Floats] = {}
    accuracy: dict[str, Floats] = {}
    depth: dict[str, Floats] = {}
    exhausted: dict[str, Floats] = {}
    if not parts[0].units:  # else other units read what was played with this one
        parts[0].kept.clear()
    for name, curve in _played(own, parts, first, rules, grid):
        saved = [saved_at(curve, float(b)) for b in at[held]]
        saving[name] = padded([values for values, _ in saved])
        reached[name] = padded([found for _, found in saved])
        right = each(curve, curve.accuracy)
        difference[name] = rows.means(right - base)
        accuracy[name] = right.mean(axis=1)
        depth[name] = each(curve, curve.depth)
        exhausted[name] = each(curve, curve.exhausted).mean(axis=1)
        del curve  # the next ones are played without this one in memory
    return Cells(streams, at, flat, saving, reached, difference, accuracy, depth, exhausted)


def _parts(own: Replays, num_budgets: int) -> list[Replays]:
    """The policies, the reference first, in parts whose curves fit in memory together.

    Where there are several, other units play their own.
    """
    others = [method for method in own.methods if method is not own.reference]
    methods = [own.reference, *others]
    size = _TABLES * num_budgets * own.streams.num_questions * (1 + len(own.units))
    step = max(1, _HELD // size)
    if step >= len(methods):
        return [replace(own, methods=tuple(methods))]
    return [
        replace(own, methods=tuple(methods[first : first + step]), kept={}, units={})
        for first in range(0, len(methods), step)
    ]


def _played(
    own: Replays,
    parts: Sequence[Replays],
    first: Mapping[str, Curve],
    rules: Mapping[str, Sequence[StoppingRule]],
    grid: Floats,
) -> Iterator[tuple[str, Curve]]:
    """Names and curves: of the first part, of the others, a part at a time, then of the oracle,
    stopping rules and greedy answers.
    """
    yield from first.items()
    for part in parts[1:]:
        yield from part.curves(grid).items()
        part.kept.clear()
    yield from _bound(own, np.append(_ONLY_ORACLE, grid)).items()
    setup = own.setup
    how: dict[str, Any] = {"replications": setup.replications, "seed": setup.seed}
    yield from curves_of(own.streams, rules, unit=setup.unit, **how).items()
    greedy = _greedy(own.recording, own.streams, setup.unit)
    if greedy is not None:
        yield GREEDY, greedy


def _bound(own: Replays, budgets: Floats) -> dict[str, Curve]:
    """The oracle's curve."""
    method = Method(ORACLE, ORACLE, None, own.streams)
    return Replays(own.recording, (method,), method, own.setup, own.price).curves(budgets)


def _resamples(streams: Streams, seed: int) -> Resamples:
    """The estimate itself, then resamples, the same for recordings of the same questions."""
    questions = zlib.crc32("\n".join(streams.question_ids).encode())
    return question_resamples(streams.num_questions, seed + questions).with_estimate


def _greedy(recording: Recording, streams: Streams, unit: str) -> Curve | None:
    """The greedy answers as a curve of one checkpoint; None where their costs are not known."""
    accuracy = greedy_accuracy(recording, streams)
    if accuracy is None:
        return None
    frame = recording.greedy.set_index("question_id").loc[[*streams.question_ids]]
    lacking = pd.Series(np.nan, frame.index)
    counted = (
        ("completion_tokens",)
        if streams.tokens_kind == "completion"
        else ("prompt_tokens", "completion_tokens")
    )
    prices = {
        "samples": pd.Series(1.0, frame.index),
        "tokens": sum(
            (frame.get(name, lacking).astype(float) for name in counted),
            start=pd.Series(0.0, frame.index),
        ),
        "usd": frame.get("cost_usd", lacking).astype(float),
    }
    spent = {name: price.to_numpy(float)[None, :] for name, price in prices.items()}
    if np.isnan(spent[unit]).any():
        return None
    one = np.ones(1)
    return Curve(
        one * spent[unit].mean() / streams.per_sample(unit),
        accuracy[None, :],
        spent,
        np.zeros((1, len(accuracy))),
        one,
        one,
    )
