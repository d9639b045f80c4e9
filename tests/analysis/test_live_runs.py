"""Live runs at equal tokens: against a count by hand, and the answers that the runs gave."""

from dataclasses import replace

import pandas as pd
import pytest
from helpers.sums import TASK

from dynlab._util.errors import InputError
from dynlab.analysis.live_runs import LiveRun, live_curves, live_differences, live_run
from dynlab.plots.curves import plot_curves
from dynlab.plots.savings import plot_differences
from dynlab.recordings.recording import load

WITH_TARGETS = replace(
    TASK, questions=tuple(replace(q, target=str(i + 1)) for i, q in enumerate(TASK.questions))
)


def run_of(picks, name="mine", order=("q", "r")):
    """A run from (question, answer, tokens) in order; 'a' is right."""
    frame = pd.DataFrame(picks, columns=["question_id", "answer", "tokens"])
    frame = frame.assign(right=frame["answer"] == "a", tokens=frame["tokens"].cumsum())
    return LiveRun("sums--model", name, order, frame, None)


FIRST = run_of([("q", "a", 10), ("r", "b", 10), ("q", "b", 10), ("r", "b", 10)], "uniform")
LATER = run_of([("r", "", 5), ("q", "a", 10), ("q", "a", 10), ("q", "b", 14), ("r", "a", 2)])


def test_votes_are_those_of_what_the_tokens_buy():
    curves = live_curves([FIRST, LATER], [1, 2]).set_index(["allocator", "budget"])
    assert curves.loc[("uniform", 1), "accuracy"] == 0.5  # a; b
    assert curves.loc[("uniform", 2), "accuracy"] == 0.25  # a and b are tied; b
    assert curves.loc[("mine", 1), ["accuracy", "spent_samples"]].tolist() == [0.5, 1.0]
    assert curves.loc[("mine", 2), ["accuracy", "spent_samples"]].tolist() == [0.5, 2.0]
    assert curves["spent_tokens"].tolist() == [10, 20, 10, 20]
    gaps = live_differences([FIRST, LATER], [1, 2])
    assert gaps["difference"].tolist() == [0.0, 0.25]
    assert (gaps["low"] <= gaps["difference"]).all() and (gaps["difference"] <= gaps["high"]).all()


def test_live_runs_are_drawn_as_replayed_ones_are():
    curves = live_curves([FIRST, LATER], [1, 2])
    labels = [line.get_label() for line in plot_curves(curves).get_lines()]
    assert labels[:2] == ["uniform", "mine"]
    ax = plot_differences(live_differences([FIRST, LATER], [1, 2]), label="mine − uniform")
    assert "at equal tokens" in ax.get_xlabel()


@pytest.mark.slow
def test_at_the_end_a_run_has_the_answers_that_it_gave(solve):
    found = solve(budget=4, allocator="ucb", task=WITH_TARGETS)
    run = live_run(found.recording)
    assert (run.recording, run.allocator) == ("answers", "ucb") and run.wall_s > 0
    frame = load(found.recording).frame
    spent = (frame["prompt_tokens"] + frame["completion_tokens"]).sum()
    assert run.cost(4) == spent and run.num_samples(spent) == 36
    right = run.right(spent)
    for number, question in enumerate(WITH_TARGETS.questions):
        if right[number] in (0.0, 1.0):  # not tied
            assert (found.answers[question.id] == question.target) == right[number]
    assert (right % 1 == 0).mean() > 0


@pytest.mark.slow
def test_what_cannot_be_graded_or_paired_is_refused_in_a_line(solve, pool):
    with pytest.raises(InputError, match="planned samples, not a live run"):
        live_run(pool())
    with pytest.raises(InputError, match="lacks targets or tokens"):
        live_run(solve().recording)
    with pytest.raises(InputError, match="different questions"):
        live_curves([FIRST, replace(LATER, order=("q", "s"))], [1])
    with pytest.raises(InputError, match="no live run"):
        live_differences([], [1])
