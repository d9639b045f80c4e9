"""Live runs at equal tokens: against a count by hand, and the answers that the runs gave."""

from dataclasses import replace

import pandas as pd
import pytest
from helpers.scripted_server import Reply
from helpers.sums import TASK, answers

from dynlab._util.errors import InputError
from dynlab.analysis.live_runs import (
    LiveRun,
    live_curves,
    live_differences,
    live_run,
    live_runs,
    live_totals,
    run_files,
)
from dynlab.online.run_audit import audit
from dynlab.plots.curves import plot_curves
from dynlab.plots.savings import plot_differences
from dynlab.recordings.recording import load
from dynlab.reports.live_runs import of_totals
from dynlab.reports.savings import of_differences

WITH_TARGETS = replace(
    TASK, questions=tuple(replace(q, target=str(i + 1)) for i, q in enumerate(TASK.questions))
)


def run_of(picks, name="mine"):
    """A run on two questions from (question, answer, tokens) in order; 'a' is right."""
    frame = pd.DataFrame(picks, columns=["question_id", "answer", "tokens"])
    frame = frame.assign(right=frame["answer"] == "a", tokens=frame["tokens"].cumsum())
    return LiveRun("sums--model", "parallel", name, "", "sums", ("q", "r"), frame)


FIRST = run_of([("q", "a", 10), ("r", "b", 10), ("q", "b", 10), ("r", "b", 10)], "uniform")
LATER = run_of([("r", "", 5), ("q", "a", 10), ("q", "a", 10), ("q", "b", 14), ("r", "a", 2)])
CHEAP = run_of([("q", "a", 10), ("r", "a", 12)], "cheap")


def test_votes_are_those_of_what_the_tokens_buy():
    curves = live_curves([FIRST, LATER], [1, 2]).set_index(["allocator", "budget"])
    assert curves.loc[("uniform", 1), "accuracy"] == 0.5  # a; b
    assert curves.loc[("uniform", 2), "accuracy"] == 0.25  # a and b are tied; b
    assert curves.loc[("mine", 1), ["accuracy", "spent_samples"]].tolist() == [0.5, 1.0]
    assert curves.loc[("mine", 2), ["accuracy", "spent_samples"]].tolist() == [0.5, 2.0]
    assert curves["spent_tokens"].tolist() == [10, 20, 7.5, 19.5]
    gaps = live_differences([FIRST, LATER], [1, 2])
    assert gaps["difference"].tolist() == [0.0, 0.25]
    assert (gaps["low"] <= gaps["difference"]).all() and (gaps["difference"] <= gaps["high"]).all()


def test_a_run_that_has_spent_less_is_not_held_against_more_unless_its_rule_ended_it():
    told = live_curves([FIRST, CHEAP], [1, 2])
    assert told.groupby("allocator")["budget"].apply(list).to_dict() == {
        "uniform": [1, 2],
        "cheap": [1],
    }
    assert live_differences([FIRST, CHEAP], [1, 2])["at"].tolist() == [1]
    settled = replace(CHEAP, stopping="esc", settled=True)
    assert live_differences([FIRST, settled], [1, 2])["difference"].tolist() == [0.0, 0.75]


def test_live_runs_are_drawn_as_replayed_ones_are():
    curves = live_curves([FIRST, LATER], [1, 2])
    labels = [line.get_label() for line in plot_curves(curves).get_lines()]
    assert labels[:2] == ["uniform", "mine"]
    ax = plot_differences(live_differences([FIRST, LATER], [1, 2]), label="mine − uniform")
    assert "at equal tokens" in ax.get_xlabel()
    told = of_differences(live_differences([LATER, FIRST], [1]), "mine")
    assert told.startswith("- **At equal tokens**, uniform − mine: +0.000 ")


def test_what_was_drawn_is_told_with_its_time_where_that_is_known():
    totals = live_totals([replace(FIRST, wall_s=120.4), LATER])
    assert of_totals(totals).splitlines() == [
        "- **uniform** drew 4 samples for 40 tokens in 2 min 0 s, 2 samples a minute.",
        "- **mine** drew 5 samples for 41 tokens.",
    ]


@pytest.mark.slow
def test_runs_are_read_in_the_order_given(solve):
    adaptive = solve(out="sums.ucb.jsonl", task=WITH_TARGETS, allocator="ucb").recording
    equal = solve(out="sums.uniform.jsonl", task=WITH_TARGETS, allocator="uniform").recording
    runs = live_runs(f"{adaptive}, {equal}")
    assert [(run.recording, run.allocator) for run in runs] == [
        ("sums", "ucb"),
        ("sums", "uniform"),
    ]
    assert all(run.wall_s >= 0 for run in runs) and runs[0].num_samples == 6


@pytest.mark.slow
@pytest.mark.skipif(not run_files(), reason="no live runs are committed")
def test_the_live_runs_that_come_with_dynlab_are_what_their_samples_and_seed_lead_to():
    first, *others = live_runs()
    assert first.allocator == "uniform" and others
    for path in run_files():
        assert audit(path.with_suffix(".jsonl")).endswith(": equal")  # else it is an error
    gaps = live_differences([first, *others], [2, first.num_samples])
    assert gaps["at"].tolist() == [2, first.num_samples] * len(others)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"budget": 4}, {"budget": 5.5}, {"strategy": "integrated", "width": 2}]
)
def test_at_the_end_a_run_has_the_answers_that_it_gave(solve, changes):
    found = solve(allocator="ucb", task=WITH_TARGETS, **changes)
    run = live_run(found.recording)
    frame = load(found.recording).frame
    spent = (frame["prompt_tokens"] + frame["completion_tokens"]).sum()
    assert (run.recording, run.allocator, run.settled) == ("answers", "ucb", False)
    assert run.total == spent == run.cost(changes.get("budget", 6))
    assert len(run.within(spent)) == len(frame)
    answered = {question.id: question.target for question in WITH_TARGETS.questions}
    right = dict(zip(run.questions, run.right(spent), strict=True))
    told = {id_: right[id_] for id_ in answered if right[id_] in (0.0, 1.0)}  # the others are tied
    assert told == {id_: float(found.answers[id_] == answered[id_]) for id_ in told}
    assert len(told) >= 5 and len(set(told.values())) == 2


@pytest.mark.slow
def test_only_samples_that_vote_are_counted(solve):
    found = solve(task=WITH_TARGETS, strategy="integrated(width=2, voting=chained)")
    run, frame = live_run(found.recording), load(found.recording).frame
    assert not frame["votes"].all()
    assert (run.picks["answer"] != "").sum() == (frame["votes"] & (frame["answer"] != "")).sum()


@pytest.mark.slow
def test_what_cannot_be_graded_or_paired_is_refused_in_a_line(solve, pool):
    with pytest.raises(InputError, match="planned samples, not a live run"):
        live_run(pool())
    with pytest.raises(InputError, match="lacks targets"):
        live_run(solve().recording)
    with pytest.raises(InputError, match="weighs its votes by cisc"):
        live_run(solve(out="weighed.jsonl", task=WITH_TARGETS, vote="cisc").recording)
    for other in ({"questions": ("q", "s")}, {"dataset": "more sums"}):
        with pytest.raises(InputError, match="different questions"):
            live_curves([FIRST, replace(LATER, **other)], [1])
    with pytest.raises(InputError, match="by the same allocator"):
        live_curves([FIRST, FIRST], [1])
    with pytest.raises(InputError, match="no live run"):
        live_differences([], [1])
    with pytest.raises(InputError, match=r"has 2 samples a question, asked for are 3: give 1 to 2"):
        live_curves([FIRST], [3])


@pytest.mark.slow
def test_a_failed_sample_has_no_vote_and_no_tokens(solve_by_http, sums_server):
    def filtered(call):
        asked = int(call.words.rpartition("Question: ")[2].split()[0])
        return Reply("content policy", status=400) if asked == 4 else answers(call)

    sums_server.script = filtered
    found = solve_by_http(task=WITH_TARGETS, allocator="uniform")
    run = live_run(found.recording)
    assert found.totals["failed"] == (run.picks["question_id"] == "q4").sum() == 6
    assert run.total == load(found.recording).frame["completion_tokens"].sum() + (
        load(found.recording).frame["prompt_tokens"].sum()
    )
    assert run.right(run.total)[4] == 0
