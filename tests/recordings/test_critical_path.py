"""The longest path of calls that wait for one another, in calls and in seconds."""

import numpy as np
import pandas as pd

from dynlab.recordings.critical_path import longest_path


def rows(**columns):
    waits = [[], [], [0, 1], [2]]
    own = {"question_id": "q", "sample_index": range(4), "awaited": waits}
    return pd.DataFrame(own | columns)


def test_a_call_begins_when_those_have_ended_that_it_waits_for():
    assert longest_path(rows(latency_s=[1.0, 5.0, 2.0, 3.0])) == (3, 10.0)  # 5 + 2 + 3
    two = pd.concat([rows(latency_s=1.0), rows(latency_s=2.0).assign(question_id="r")])
    assert longest_path(two) == (3, 6.0)


def test_what_is_not_recorded_is_not_made_up():
    assert longest_path(rows().drop(columns="awaited")) is None
    calls, seconds = longest_path(rows())
    assert calls == 3 and np.isnan(seconds)


def test_a_latency_that_is_none_is_unknown():
    calls, seconds = longest_path(rows(latency_s=pd.Series([1.0, None, 2.0, None], dtype=object)))
    assert calls == 3 and np.isnan(seconds)
