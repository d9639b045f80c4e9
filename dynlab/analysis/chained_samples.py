"""What a chained sample is worth by question, against all that could be mistaken for it.

A *chained* sample is shown earlier attempts at its question. It is held against one independent
sample, against a *placebo* that is shown the attempts at another question, against the vote of the
very attempts, and against a *control*, a model that was never shown attempts: in tables the
control's columns are named 'untaught'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.remote_files import is_address
from dynlab.analysis.metrics import estimates
from dynlab.analysis.replays import Recordings, answered_by_all, loaded
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.same_model import VOTERS, vote
from dynlab.policies.policy import Policy
from dynlab.policies.registry import allocator
from dynlab.recordings.recording import Recording, load, located, right_of
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import replay

REPLICATIONS = 200
WIDTH, STREAM = 4, 8  # attempts shown, and samples of a stream whose vote is compared
DIFFERENCES = (
    ("vote", "greedy"),
    ("chained", "sample"),
    ("chained", "placebo"),
    ("chained", "shown"),
    ("chained", "untaught"),
    ("4 + 4", "8 independent"),
    ("4 + 4", "independent, equal tokens"),
    ("4 + 4", "untaught, equal tokens"),
)
CONTROLS = ("placebo", "untaught")
CASES = ("absent", "present", "leading")  # where the right answer stood among the attempts
COLUMNS = ["measure", "value", "low", "high", "num_questions", "recording"]


def chained_samples(
    recordings: Recordings,
    controls: Sequence[str] = ("placebo",),
    *,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """What votes and chains are worth in each recording: columns `COLUMNS`.

    Recordings without targets, or without integrated streams beside independent samples, are left
    out; of the others the questions that have both are taken. Controls are read from the folder
    `controls` beside a recording, where they are: NAME.placebo.parquet, NAME.untaught.parquet.

    Args:
        recordings: As for `dynlab.compare`.
        controls: Which are read: 'placebo', 'untaught'.
        replications: Orders of the recorded samples that a vote is averaged over.
        seed: Of these orders.
    """
    tables = []
    for recording in loaded(recordings):
        if (own := with_chains(recording)) is not None:
            beside = (_control(recording, kind) if kind in controls else None for kind in CONTROLS)
            table = task_measures(own, own, *beside, replications=replications, seed=seed)
            tables.append(table.assign(recording=recording.name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def chained_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The samples of integrated streams that were shown others; none where that is not told."""
    if not {"role", "parents"} <= set(frame):
        return frame.iloc[:0]
    return frame[(frame["strategy"] == "integrated") & (frame["role"] == "chained")]


def width_of(frame: pd.DataFrame) -> int:
    """How many independent samples the first chained one of a stream is shown, in most streams."""
    chained = chained_rows(frame).sort_values("sample_index")
    first = chained.groupby(["question_id", "stream"])["parents"].first()
    return int(first.map(len).mode().iloc[0])


def with_chains(recording: Recording) -> Recording | None:
    """A recording on the questions that hold both, samples and chains; None: there are none."""
    part = answered_by_all(recording, ("parallel", "integrated"))
    if part is None or chained_rows(part.frame).empty:
        return None
    right = right_of(part.frame)
    if right.isna().all():
        return None
    return replace(part, frame=part.frame.assign(correct=right.fillna(False).astype(bool)))


def _control(recording: Recording, kind: str) -> Recording | None:
    """What was recorded to be held against a recording's chains, if it lies beside it."""
    if not recording.source or is_address(recording.source):
        return None
    beside = Path(located(recording.source)).parent / "controls"
    path = beside / f"{recording.name}.{kind}.parquet"
    return load(path, texts=False) if path.is_file() else None


def sample_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per question of a recording: `sample` and `greedy`, the shares that are right."""
    sampled = frame[frame["strategy"] == "parallel"].groupby("question_id", sort=True)
    return pd.DataFrame(
        {
            "sample": sampled["correct"].mean().astype(float),
            "greedy": (
                frame[frame["strategy"] == "greedy"]
                .groupby("question_id")["correct"]
                .mean()
                .astype(float)
            ),
        }
    )


def chain_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per question, stream and set of attempts of an integrated recording.

    `chained` is the share of the samples shown these attempts that are right, `shown` the vote of
    the attempts; `case` says where the right answer stood among them: 'absent', 'present' or
    'leading' (alone or tied).
    """
    rows = []
    for (question, stream), one in frame[frame["strategy"] == "integrated"].groupby(
        ["question_id", "stream"]
    ):
        attempts = one.set_index("sample_index")[["answer", "correct"]]
        chained = one[one["role"] == "chained"]
        for parents, own in chained.groupby(chained["parents"].map(tuple)):
            seen = attempts.loc[list(parents)]
            shown = vote(list(seen["answer"]), list(seen["correct"]))
            present = "present" if seen["correct"].any() else "absent"
            rows.append(
                {
                    "question_id": question,
                    "stream": stream,
                    "chained": float(own["correct"].mean()),
                    "shown": shown,
                    "case": "leading" if shown else present,
                }
            )
    return pd.DataFrame(rows)


def vote_shares(
    samples: Recording,
    chains: Recording,
    control: Recording | None = None,
    *,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """One row per question: what votes are worth.

    `vote` is that of 16 independent samples (of all, where there are fewer). Where streams begin
    with four attempts and hold eight samples, `4 + 4` is the vote of these; it is held against `8
    independent` ones and against as many as cost the same tokens, which count the whole prompt of
    every call, attempts included, and against as many of a model that was never shown attempts. A
    vote is averaged over orders of the recorded samples. What would take more samples, or token
    counts, than are recorded is left out.
    """
    uniform = [Policy(allocator("uniform"), None, 1)]
    one, stream = streams_of(samples, "parallel"), streams_of(chains, "integrated")

    def played(streams: Any, budget: float, unit: str) -> Any:
        return replay(
            streams, uniform, np.array([budget]), unit=unit, replications=replications, seed=seed
        )[0]

    most = float(one.lengths.min())
    votes = {"vote": played(one, min(VOTERS, most), "samples")}
    table = pd.DataFrame(index=list(one.question_ids))
    if width_of(chains.frame) == WIDTH and min(stream.lengths.min(), most) >= STREAM:
        votes["4 + 4"] = whole = played(stream, STREAM, "samples")
        votes["8 independent"] = played(one, STREAM, "samples")
        cost = float(whole.spent["tokens"][0].mean())
        pools = {"independent": one}
        if control is not None:
            pools["untaught"] = streams_of(control, "parallel")
        for name, pool in pools.items():
            at = math.nan if math.isnan(cost) else cost / pool.per_sample("tokens")
            if at <= pool.lengths.min():
                votes[f"{name}, equal tokens"] = played(pool, at, "tokens")
            if pool is one:
                table["samples that 4 + 4 cost"] = at
    found = {name: curve.accuracy[0] for name, curve in votes.items()}
    return pd.DataFrame(found, index=table.index).join(table)


def with_intervals(table: pd.DataFrame, chains: pd.DataFrame) -> pd.DataFrame:
    """Measures with 95 % intervals over questions: columns `measure, value, low, high,
    num_questions`.

    Args:
        table: A row per question, a column per measure: of `sample_shares` and the like.
        chains: Of `chain_shares`, for the same questions.
    """
    table = table.join(chains.groupby("question_id", sort=True)[["chained", "shown"]].mean())
    measures = {str(name): table[name] for name in table}
    measures |= {f"{a} − {b}": table[a] - table[b] for a, b in DIFFERENCES if {a, b} <= set(table)}
    for case in CASES:
        held = chains[chains["case"] == case].groupby("question_id", sort=True)["chained"].mean()
        measures[f"chained, right answer {case}"] = held
        measures[f"chained − sample, right answer {case}"] = held - table["sample"].reindex(
            held.index
        )
    return with_estimates(measures)


def with_estimates(measures: Mapping[str, pd.Series]) -> pd.DataFrame:
    """The mean of each measure over its questions, with its 95 % interval: columns as above."""
    rows = []
    for measure, values in measures.items():
        values = values.dropna()  # a question may lack what others have
        if len(values):
            one = estimates(values.to_numpy(float)[None, :], question_resamples(len(values)))[0]
            rows.append({"measure": measure, "value": one.value, "low": one.low, "high": one.high})
            rows[-1]["num_questions"] = len(values)
    return pd.DataFrame(rows)


def task_measures(
    samples: Recording,
    chains: Recording,
    placebo: Recording | None = None,
    control: Recording | None = None,
    *,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """What the recordings of one task show: the rows of `with_intervals`.

    Args:
        samples: Holds independent samples and greedy answers.
        chains: Holds integrated streams of the same questions; may be the same recording.
        placebo: Samples that were shown the attempts at another question.
        control: Independent samples, of the same questions, of a model that was never shown
            attempts.
        replications: As `chained_samples`, and `seed` likewise.
    """
    votes = vote_shares(samples, chains, control, replications=replications, seed=seed)
    table = sample_shares(samples.frame).join(votes)
    for name, other in (("placebo", placebo), ("untaught", control)):
        if other is not None:
            table[name] = sample_shares(other.frame)["sample"]
    return with_intervals(table, chain_shares(chains.frame))
