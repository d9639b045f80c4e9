"""How often a chained sample repeats an answer that it was shown.

A model that copies what it sees gains nothing from a chain, however right the attempts are. So the
share of chained samples whose answer stands among those shown is held against the share of
independent samples of the same question that give one of the same answers, without having seen it.
"""

from __future__ import annotations

import pandas as pd

from dynlab.analysis.chained_samples import COLUMNS, chained_rows, with_chains, with_estimates
from dynlab.analysis.replays import Recordings, loaded

_KEY = ("question_id", "stream", "sample_index")


def repeated_answers(recordings: Recordings) -> pd.DataFrame:
    """Shares of samples with one of the shown answers, in each recording: columns `COLUMNS`.

    `chained` are the samples that were shown them, `sample` the independent ones, each a mean over
    questions with its 95 % interval. No answer is none that is repeated. Recordings without
    targets, or without integrated streams beside independent samples, are left out.

    Args:
        recordings: As for `dynlab.compare`.
    """
    tables = []
    for recording in loaded(recordings):
        if (own := with_chains(recording)) is not None:
            shares = repeats(own.frame).groupby("question_id")[["chained", "sample"]].mean()
            table = with_estimates({str(name): shares[name] for name in shares})
            tables.append(table.assign(recording=recording.name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per chained sample of an integrated recording: columns `question_id, chained,
    sample`.

    `chained` is 1 where it gives one of the answers that it was shown, else 0; `sample` is the
    share of its question's independent samples that give one of them.
    """
    independent = frame[frame["strategy"] == "parallel"].groupby("question_id")["answer"]
    shares = {name: dict(one.value_counts(normalize=True)) for name, one in independent}
    integrated = frame[frame["strategy"] == "integrated"]
    keys = zip(*(integrated[name] for name in _KEY), strict=True)
    answers = dict(zip(keys, integrated["answer"], strict=True))
    rows = []
    chained = chained_rows(frame)
    for question, stream, parents, answer in zip(
        *(chained[name] for name in ("question_id", "stream", "parents", "answer")), strict=True
    ):
        shown = {answers[question, stream, parent] for parent in parents} - {""}
        share = shares[question]
        rows.append(
            {
                "question_id": question,
                "chained": float(answer in shown),
                "sample": sum(share.get(each, 0.0) for each in shown),
            }
        )
    return pd.DataFrame(rows)
