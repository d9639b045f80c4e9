"""What votes and chains are worth by question, at equal calls and tokens, with intervals.

A *chained* sample is shown earlier attempts at its question, a *placebo* the attempts at another
one; the *control* is a model that was never shown attempts. In tables the control's columns are
named 'untaught', as its model is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dynlab.analysis.metrics import estimates
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.same_model import VOTERS, vote
from dynlab.policies.policy import Policy
from dynlab.policies.registry import allocator
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import replay

REPLICATIONS = 200
STREAM = 8  # samples of a stream whose vote is compared: four attempts and four chained
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
    """One row per question and stream of an integrated recording.

    `chained` is the share of chained samples that are right, `shown` the vote of the attempts that
    they were shown; `case` says where the right answer stood among these: 'absent', 'present' or
    'leading' (alone or tied).
    """
    rows = []
    for (question, stream), one in frame[frame["strategy"] == "integrated"].groupby(
        ["question_id", "stream"]
    ):
        attempts, chained = one[one["role"] != "chained"], one[one["role"] == "chained"]
        shown = vote(list(attempts["answer"]), list(attempts["correct"]))
        case = "leading" if shown else "present" if attempts["correct"].any() else "absent"
        right = float(chained["correct"].mean())
        rows.append(
            {
                "question_id": question,
                "stream": stream,
                "chained": right,
                "shown": shown,
                "case": case,
            }
        )
    return pd.DataFrame(rows)


def vote_shares(
    samples: Recording, chains: Recording, control: Recording | None = None, seed: int = 0
) -> pd.DataFrame:
    """One row per question: what votes are worth.

    `vote` is that of 16 independent samples (of all, where there are fewer), `4 + 4` that of a
    stream's first eight; it is held against `8 independent` ones and against as many as cost the
    same tokens, which count the whole prompt of every call, attempts included, and against as many
    of a model that was never shown attempts. A vote is averaged over orders of the recorded
    samples.
    """
    uniform = [Policy(allocator("uniform"), None, 1)]
    one, stream = streams_of(samples, "parallel"), streams_of(chains, "integrated")

    def played(streams: Any, budget: float, unit: str) -> Any:
        return replay(
            streams, uniform, np.array([budget]), unit=unit, replications=REPLICATIONS, seed=seed
        )[0]

    whole = played(stream, STREAM, "samples")
    cost, most = float(whole.spent["tokens"][0].mean()), float(one.lengths.min())
    at = cost / one.per_sample("tokens")
    votes = {"vote": played(one, min(VOTERS, most), "samples"), "4 + 4": whole}
    votes |= {"8 independent": played(one, STREAM, "samples")}
    votes |= {"independent, equal tokens": played(one, min(at, most), "tokens")}
    if control:
        plain = streams_of(control, "parallel")
        equal = min(cost / plain.per_sample("tokens"), float(plain.lengths.min()))
        votes |= {"untaught, equal tokens": played(plain, equal, "tokens")}
    table = pd.DataFrame(
        {name: curve.accuracy[0] for name, curve in votes.items()}, index=list(one.question_ids)
    )
    return table.assign(**{"samples that 4 + 4 cost": at})


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
    for case in ("absent", "present", "leading"):
        held = chains[chains["case"] == case].groupby("question_id", sort=True)["chained"].mean()
        measures[f"chained, right answer {case}"] = held
        measures[f"chained − sample, right answer {case}"] = held - table["sample"].reindex(
            held.index
        )
    rows = []
    for measure, values in measures.items():
        if len(values):
            one = estimates(values.to_numpy(float)[None, :], question_resamples(len(values)))[0]
            rows.append({"measure": measure, "value": one.value, "low": one.low, "high": one.high})
            rows[-1]["num_questions"] = len(values)
    return pd.DataFrame(rows)


def family_measures(
    samples: Recording,
    chains: Recording,
    placebo: pd.Series | None = None,
    control: Recording | None = None,
) -> pd.DataFrame:
    """What one family's recordings show: the rows of `with_intervals`.

    Args:
        samples: Holds independent samples and greedy answers.
        chains: Holds integrated streams of the same questions; may be the same recording.
        placebo: The share of right samples by question, where another question's attempts were
            shown.
        control: Independent samples, of the same questions, of a model that was never shown
            attempts.
    """
    table = sample_shares(samples.frame).join(vote_shares(samples, chains, control))
    if placebo is not None:
        table["placebo"] = placebo
    if control:
        table["untaught"] = sample_shares(control.frame)["sample"]
    return with_intervals(table, chain_shares(chains.frame))
