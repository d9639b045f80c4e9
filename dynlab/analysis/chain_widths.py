"""How many attempts a chain is shown: what its width is worth, from recordings that were drawn at
several widths.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util import shipped_files
from dynlab.analysis.comparison import Source, loaded, options_of
from dynlab.analysis.metrics import difference, question_resamples
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import replay

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


def widths(recordings: Source | Iterable[Source], **options: Any) -> pd.DataFrame:
    """What chains of each width gain on independent samples of the same model and questions
    (strategy `integrated`).

    Two differences for every recording of chains, each paired over questions: `chained`, one
    chained sample minus one independent sample; `integrated`, the vote of a whole stream minus that
    of as many independent samples as cost the same. A recording of chains takes its independent
    samples from itself, or from another one of the same data set and model; where none is given, it
    is left out. Without targets the share of votes that agree with all of the pool is compared, and
    `chained` is left out.

    Args:
        recordings: As for `dynlab.analysis.comparison.compare`.
        options: Further options of `compare`: `unit` (of the equal cost, default tokens),
            `replications`, `seed`.

    Returns:
        Rows of columns `WIDTHS`; `at` is how many independent samples a whole stream costs.
    """
    chosen = options_of({"unit": "tokens"} | options)
    given = list(loaded(recordings))
    pools = {
        _pair(each): each for each in reversed(given) if "parallel" in set(each.frame["strategy"])
    }
    rows: list[dict[str, Any]] = []
    for each in given:
        frame, pool = each.frame, pools.get(_pair(each))
        chains = frame[frame["strategy"] == "integrated"]
        if (
            pool is None
            or not {"role", "parents"} <= set(frame)
            or not (chains["role"] == "chained").any()
        ):
            continue
        plain = pool.frame[pool.frame["strategy"] == "parallel"]
        common = set(chains["question_id"]) & set(plain["question_id"])
        both = Recording(
            pd.concat([part[part["question_id"].isin(common)] for part in (plain, chains)]),
            each.card,
        )
        one, stream = (streams_of(both, name, chosen.price) for name in ("parallel", "integrated"))
        share, length = question_resamples(len(common), chosen.seed), float(stream.lengths.mean())
        at = length * stream.per_sample(chosen.unit) / one.per_sample(chosen.unit)
        whole, alone = (
            replay(
                held,
                [chosen.policy("uniform")],
                np.array([budget]),
                unit=unit,
                replications=chosen.replications,
                seed=chosen.seed,
            )[0].accuracy[0]
            for held, budget, unit in ((stream, length, "samples"), (one, at, chosen.unit))
        )
        gains = {"integrated": difference(whole, alone, share)}
        if one.has_target:
            right = [_right(rows, common) for rows in (chains[chains["role"] == "chained"], plain)]
            gains = {"chained": difference(right[0], right[1], share)} | gains
        rows += [
            {
                "recording": pool.name,
                "width": _width(chains),
                "method": method,
                "questions": len(common),
                "at": at,
            }
            | {"unit": chosen.unit, "difference": gain.value, "low": gain.low, "high": gain.high}
            | {"measure": "accuracy" if one.has_target else "self-consistency rate"}
            | {"replications": chosen.replications, "seed": chosen.seed}
            for method, gain in gains.items()
        ]
    return pd.DataFrame(rows, columns=WIDTHS).sort_values(
        ["recording", "method", "width"], ignore_index=True
    )


def _pair(recording: Recording) -> tuple[str, str]:
    """Data set and model of a recording."""
    dataset, model = (
        str(recording.frame[name].iloc[0]) if name in recording.frame else "" for name in _PAIR
    )
    return dataset, model


def _width(chains: pd.DataFrame) -> int:
    """How many independent samples the first chained one of a stream is shown, in most streams."""
    chained = chains[chains["role"] == "chained"].sort_values("sample_index")
    first = chained.groupby(["question_id", "stream"])["parents"].first()
    return int(first.map(len).mode().iloc[0])


def _right(frame: pd.DataFrame, questions: set[str]) -> Any:
    """The share of right samples of each question, sorted by question."""
    return (
        frame.groupby("question_id", sort=True)["correct"]
        .mean()
        .reindex(sorted(questions))
        .to_numpy(float)
    )
