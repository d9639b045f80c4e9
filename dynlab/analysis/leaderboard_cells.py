"""One recording's numbers for a leaderboard: every policy against uniform at every B, estimates
with their resamples.

A row of resampled numbers starts with the estimate itself (S = 1 + resamples), so that means over
recordings are taken resample by resample and get intervals of their own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dynlab.analysis.comparison import ORACLE, Options, dense_grid, unaffordable
from dynlab.analysis.greedy_answers import greedy_accuracy, greedy_rows
from dynlab.analysis.metrics import FLAT, first_reach, question_resamples
from dynlab.policies.base import StoppingRule
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import ABSENT, GREEDY, Flags, Floats, Streams, streams_of
from dynlab.replay.loop import Curve, replay
from dynlab.replay.oracle import oracle
from dynlab.replay.sweeps import curves_of

_ONLY_ORACLE = np.arange(
    0.05, 1.0, 0.05
)  # samples per question for which no policy can do anything


@dataclass(frozen=True)
class Cells:
    """The numbers of policies, by name, on one recording at B budgets; NaN where the recording does
    not go so far.
    """

    streams: Streams
    at: Floats  # [B]
    flat: Flags  # [B] uniform gains less than FLAT over two samples: nothing to save
    saving: Mapping[str, Floats]  # policy → [B, S]
    reached: Mapping[str, Floats]  # policy → [B] 1 or 0: uniform's accuracy is reached within 2·B
    difference: Mapping[
        str, Floats
    ]  # policy → [B, S] accuracy minus uniform's; NaN below a policy's least spending
    accuracy: Mapping[str, Floats]  # policy → [B]
    depth: Mapping[str, Floats]  # policy → [B]
    exhausted: Mapping[str, Floats]  # policy → [B] share of questions whose samples have run out


def measured(
    recording: Recording,
    policies: Mapping[str, Policy],
    rules: Mapping[str, Sequence[StoppingRule]],
    at: Floats,
    options: Options,
    done: Callable[[int], object] = lambda replications: None,
) -> Cells:
    """Plays everything on the same draws of one recording, and the oracle and the greedy answers
    beside it.

    Args:
        policies: Name → policy; 'uniform' among them.
        rules: Name → a stopping rule in its settings.
        at: [B] budgets.
        done: As for `replay`.

    Raises:
        InputError: the recording holds fewer samples than the least budget, or does not know the
            unit's prices.
    """
    streams = streams_of(recording, options.strategy, options.price)
    longest = float(streams.lengths.mean())
    held = at <= longest
    if not held.any():
        raise unaffordable(streams, at)
    how: dict[str, Any] = {
        "unit": options.unit,
        "replications": options.replications,
        "seed": options.seed,
    }
    grid = dense_grid(options.opening, np.append(at[held], 2.0), longest)
    played = {
        name: policy
        for name, policy in policies.items()
        if not policy.confidence or _confident(streams)
    }
    curves = dict(
        zip(played, replay(streams, list(played.values()), grid, done=done, **how), strict=True)
    )
    uniform = curves["uniform"]
    held[held] = [
        curve_at(uniform, uniform.unspent, b) < 1 for b in at[held]
    ]  # that uniform can spend at all
    if not held.any():
        raise unaffordable(streams, at)
    curves |= {
        ORACLE: oracle(streams, np.append(_ONLY_ORACLE, grid), **how),
        **curves_of(streams, rules, **how),
    }
    greedy = _greedy(recording, streams, options.unit)
    curves |= {} if greedy is None else {GREEDY: greedy}
    done(options.replications * (1 + len(policies) - len(played)))

    def padded(values: Sequence[Floats | bool]) -> Floats:
        """[B, …] from the values of those budgets that are held."""
        table = np.full((len(at), *np.shape(values[0])), np.nan)
        table[held] = values
        return table

    def each(table: Callable[[Curve], Floats]) -> dict[str, Floats]:
        """Policy → [B, …] a table of its curve at every budget."""
        return {
            name: padded([curve_at(curve, table(curve), b) for b in at[held]])
            for name, curve in curves.items()
        }

    accuracy = each(lambda curve: curve.accuracy)
    base = accuracy["uniform"]
    start = curve_at(uniform, uniform.accuracy, 2.0)
    rows = _resamples(streams, options.seed)
    saved = {
        name: [_saving(curve, uniform, b, options.unit, rows, longest) for b in at[held]]
        for name, curve in curves.items()
    }
    return Cells(
        streams,
        at,
        base.mean(axis=1) - start.mean() < FLAT,
        {name: padded([saving for saving, _ in cells]) for name, cells in saved.items()},
        {name: padded([reached for _, reached in cells]) for name, cells in saved.items()},
        {name: (values - base) @ rows.T for name, values in accuracy.items()},
        {name: values.mean(axis=1) for name, values in accuracy.items()},
        each(lambda curve: curve.depth),
        {name: values.mean(axis=1) for name, values in each(lambda curve: curve.exhausted).items()},
    )


def _confident(streams: Streams) -> bool:
    """Whether log-probabilities are recorded."""
    return not np.isnan(streams.logprob[streams.codes != ABSENT]).any()


def curve_at(curve: Curve, table: Floats, budget: float) -> Floats:
    """A curve's table [C, …] at a budget: straight between checkpoints, the last one beyond them,
    NaN before them.
    """
    after = int(np.searchsorted(curve.budgets, budget * (1 - 1e-9)))
    if after == len(curve.budgets):
        return np.asarray(table[-1])
    if np.isclose(curve.budgets[after], budget):
        return np.asarray(table[after])
    if after == 0:
        return np.full(table.shape[1:], np.nan)
    share = (budget - curve.budgets[after - 1]) / (curve.budgets[after] - curve.budgets[after - 1])
    return np.asarray((1 - share) * table[after - 1] + share * table[after])


def _resamples(streams: Streams, seed: int) -> Floats:
    """[S, Q] the share of each question: all alike, then the resamples, the same for the same
    questions.
    """
    questions = zlib.crc32("\n".join(streams.question_ids).encode())
    share = question_resamples(streams.num_questions, seed + questions)
    return np.concatenate([np.full((1, streams.num_questions), 1 / streams.num_questions), share])


def _saving(
    curve: Curve, uniform: Curve, at: float, unit: str, rows: Floats, longest: float
) -> tuple[Floats, bool]:
    """[S] 1 − b*/B, and whether uniform's accuracy is reached within 2·B (`metrics.saving_at` on
    such a grid).
    """
    target = rows @ curve_at(uniform, uniform.accuracy, at)
    base = curve_at(uniform, uniform.spent[unit], at)
    worth = at * (rows @ base) / base.mean()  # [S] what B costs on the questions of each row
    last = min(2 * at, longest)
    until, accuracy, spent = _until(curve, last, unit)
    if not until.size:
        return np.full(len(rows), 1 - last / at), False
    mean = spent.mean(axis=1)
    budgets = until * np.where(mean > 0, rows @ spent.T / np.where(mean > 0, mean, 1.0), 1.0)
    reach, reached = first_reach(rows @ accuracy.T, budgets, target)
    return np.where(reached, 1 - reach / worth, 1 - last / at), bool(reached[0])


def _until(curve: Curve, last: float, unit: str) -> tuple[Floats, Floats, Floats]:
    """Budgets [C], accuracy and spending [C, Q] up to a budget, which is cut from the straight line
    that crosses it.
    """
    inside = curve.budgets <= last * (1 + 1e-9)
    budgets, tables = curve.budgets[inside], (curve.accuracy, curve.spent[unit])
    if inside.all() or not inside.any() or np.isclose(budgets[-1], last):
        return budgets, tables[0][inside], tables[1][inside]
    accuracy, spent = (np.vstack([table[inside], curve_at(curve, table, last)]) for table in tables)
    return np.append(budgets, last), accuracy, spent


def _greedy(recording: Recording, streams: Streams, unit: str) -> Curve | None:
    """The greedy answers as a curve of one checkpoint; None where they, or what they cost, were not
    recorded.
    """
    accuracy = greedy_accuracy(recording, streams)
    if accuracy is None:
        return None
    frame = greedy_rows(recording).set_index("question_id").loc[[*streams.question_ids]]
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
