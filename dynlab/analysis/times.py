"""What policies take in time: the longest path of calls, at how long recorded calls took."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dynlab.recordings.recording import Recording


def timed(curves: pd.DataFrame, recordings: dict[str, Recording]) -> pd.DataFrame:
    """Curves with `latency_s`, the mean seconds of a recorded call, and `spent_seconds`.

    spent_seconds = depth × latency_s, what a run takes in which every call of the longest path
    takes the mean and no call slows another down: a lower bound for rounds that wait for their
    slowest call. NaN where latencies are not recorded, or are those of a machine that the calls
    shared: they hold the waiting in line, and a call that waits for no other would be faster.

    Args:
        curves: Rows of `Comparison.curves`.
        recordings: By their names in the curves.
    """
    known = {name: mean_latencies(recording) for name, recording in recordings.items()}
    pairs = zip(curves["recording"], curves["strategy"], strict=True)
    latency = [known[name].get(strategy, np.nan) for name, strategy in pairs]
    found = curves.assign(latency_s=np.asarray(latency, float))
    found["spent_seconds"] = found["depth"].astype(float) * found["latency_s"]
    found.attrs.update(curves.attrs)
    return found


def mean_latencies(recording: Recording) -> dict[str, float]:
    """Strategy → mean seconds of a call, every question counting alike; none where calls shared a
    machine when they were recorded (the card names its server).
    """
    frame = recording.frame
    if "latency_s" not in frame or frame["latency_s"].isna().all() or recording.card.get("server"):
        return {}
    each = frame["latency_s"].astype(float).groupby([frame["strategy"], frame["question_id"]])
    return {str(name): float(mean) for name, mean in each.mean().groupby(level=0).mean().items()}
