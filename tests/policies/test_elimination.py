from __future__ import annotations

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.policies.elimination import Elimination
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import run


def test_a_question_of_one_mind_leaves_for_good(make_pool):
    frame = make_pool({"q1": "aaaaaaaa", "q2": "abababaa", "q3": "abcdabcd"})
    frame["strategy"] = "sequential"  # keeps the order
    draws = next(draws_of(streams_of(load(frame)), 1, 0, "samples"))
    trace = run(Policy(Elimination(samples=2, threshold=0.75)), draws, 20, 0)
    counts = np.bincount(trace.question[0][trace.question[0] >= 0], minlength=3)
    assert counts.tolist() == [
        2,
        8,
        8,
    ]  # q1 leaves at 2 of 2; the others have run out before they agree
    trace = run(Policy(Elimination(samples=2, threshold=0.5)), draws, 24, 0)
    assert (
        np.bincount(trace.question[0][trace.question[0] >= 0]).tolist() == [2, 2, 2]
        and trace.closed[0]
    )
    table = compare(frame, "strategic", [2, 4, 6, 8], replications=2).curves
    assert table["spent_samples"].tolist() == pytest.approx(
        [2, 4, 6, 20 / 3]
    )  # q1 left at 4 of 4, nothing else did


@pytest.mark.parametrize("settings", [{"samples": 0}, {"threshold": 0.0}, {"threshold": 1.2}])
def test_elimination_refuses_settings_that_cannot_work(settings):
    with pytest.raises(InputError, match="samples must be at least 1 and threshold"):
        Elimination(**settings)
