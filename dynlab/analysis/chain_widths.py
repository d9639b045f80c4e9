"""How many attempts a chain is shown, from recordings drawn at several widths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util import shipped_files
from dynlab.analysis.chained_samples import chained_rows, width_of
from dynlab.analysis.methods import Method
from dynlab.analysis.metrics import difference
from dynlab.analysis.replays import Recordings, Replays, Setup, loaded
from dynlab.analysis.resamples import Resamples
from dynlab.analysis.rows import interval
from dynlab.policies.policy import Policy
from dynlab.policies.uniform import Uniform
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import Floats, Streams, streams_of

WIDTHS = [
    "recording",
    "width",
    "method",
    "questions",
    "at",
    "unit",
    "difference",
    "low",
    "high",
    "measure",
    "replications",
    "seed",
]
_PAIR = ("dataset", "model")


def width_files() -> list[Path]:
    """The files of chains at other widths than the default that come with dynlab."""
    return list(shipped_files.named("data/recordings/widths", (".parquet",)).values())


def shipped_widths() -> list[Recording]:
    """Those files as recordings."""
    return [load(path) for path in width_files()]


def in_several_widths(recordings: Iterable[Recording]) -> list[Recording]:
    """Those of the recordings whose chains come with dynlab in further widths, and these chains."""
    wide = shipped_widths()
    pairs = {_pair(each) for each in wide}
    return [*(each for each in recordings if _pair(each) in pairs), *wide]


def widths(
    recordings: Recordings, *, unit: str = "tokens", replications: int = 200, seed: int = 0
) -> pd.DataFrame:
    """What integrated chains of each width gain on independent samples of the same model.

    Two differences for every recording of chains, each paired over questions: `chained`, one
    chained sample minus one independent sample; `integrated`, the vote of a whole stream minus that
    of as many independent samples as cost the same. A recording of chains takes its independent
    samples from itself, or from another one of the same data set and model; where none is given, it
    is left out. Without targets the share of votes that agree with all of the pool is compared, and
    `chained` is left out.

    Args:
        recordings: As for `dynlab.compare`.
        unit: Of the equal cost.
        replications: Draw orders, and streams, that are averaged over.
        seed: Of the draws, ties and resamples.

    Returns:
        Rows of columns `WIDTHS`; `at` is how many independent samples a whole stream costs.
    """
    setup, given = Setup(unit, None, replications, seed), loaded(recordings)
    pools = {
        _pair(each): each for each in reversed(given) if "parallel" in set(each.frame["strategy"])
    }
    rows: list[dict[str, Any]] = []
    for each in given:
        pool = pools.get(_pair(each))
        chains = each.frame[each.frame["strategy"] == "integrated"]
        if pool is not None and len(chained_rows(chains)):
            rows += _gains(each, pool, chains, setup)
    return pd.DataFrame(rows, columns=WIDTHS).sort_values(
        ["recording", "method", "width"], ignore_index=True
    )


def _gains(
    each: Recording, pool: Recording, chains: pd.DataFrame, setup: Setup
) -> list[dict[str, Any]]:
    """The rows of one recording of chains."""
    plain = pool.frame[pool.frame["strategy"] == "parallel"]
    common = set(chains["question_id"]) & set(plain["question_id"])
    parts = [part[part["question_id"].isin(common)] for part in (plain, chains)]
    both = Recording(pd.concat(parts), each.card)
    one, stream = (streams_of(both, name) for name in ("parallel", "integrated"))
    length = float(stream.lengths.mean())
    at = length * stream.per_sample(setup.unit) / one.per_sample(setup.unit)
    whole, _ = _vote(both, stream, length, replace(setup, unit="samples"))
    alone, resamples = _vote(both, one, at, setup)
    gains = {"integrated": difference(whole, alone, resamples)}
    if one.has_target:
        right = [_right(rows, common) for rows in (chained_rows(chains), plain)]
        gains = {"chained": difference(right[0], right[1], resamples)} | gains
    shared = {
        "recording": pool.name,
        "width": width_of(chains),
        "questions": len(common),
        "at": at,
        "unit": setup.unit,
        "measure": one.measure,
        "replications": setup.replications,
        "seed": setup.seed,
    }
    return [
        shared | {"method": name} | interval("difference", gain) for name, gain in gains.items()
    ]


def _vote(
    recording: Recording, streams: Streams, budget: float, setup: Setup
) -> tuple[Floats, Resamples]:
    """[Q] accuracy of the vote of a budget's samples, and resamples of the questions."""
    method = Method("uniform", "uniform", Policy(Uniform()), streams)
    price = streams.per_sample(setup.unit)
    own = Replays(recording, (method,), method, setup, price)
    return own.curves(np.array([budget]))["uniform"].accuracy[0], own.resamples


def _pair(recording: Recording) -> tuple[str, str]:
    """Data set and model of a recording."""
    dataset, model = (
        str(recording.frame[name].iloc[0]) if name in recording.frame else "" for name in _PAIR
    )
    return dataset, model


def _right(frame: pd.DataFrame, questions: set[str]) -> Any:
    """The share of right samples of each question, sorted by question."""
    return (
        frame.groupby("question_id", sort=True)["correct"]
        .mean()
        .reindex(sorted(questions))
        .to_numpy(float)
    )
