from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from dynlab import recordings
from dynlab._util.errors import DynlabError, InputError
from dynlab.cli import parser
from dynlab.online.run_audit import audit, load_run
from dynlab.online.run_state import RunState
from dynlab.policies.base import Allocator, Index

# ——— what an audit finds ———


def tampered(recording, change):
    loaded = recordings.load(recording)
    frame, card = loaded.frame.copy(), json.loads(json.dumps(dict(loaded.card)))
    frame = change(frame, card)
    recordings.write(loaded.frame if frame is None else frame, card, recording)


def flipped(frame, card):
    row = frame.index[frame["answer"] == frame["answer"].mode()[0]][0]
    frame.loc[row, "answer"] = "77"
    return frame


def swapped(frame, card):
    places = frame["picked"].to_numpy().copy()
    places[[0, 1]] = places[[1, 0]]
    return frame.assign(picked=places)


def another_seed(frame, card):
    card["settings"]["seed"] = 4


def dearer(frame, card):
    frame.loc[3, "completion_tokens"] += 1
    return frame


def removed(frame, card):
    return frame.drop(index=frame["picked"].idxmax())


def added(frame, card):
    last = frame[frame["question_id"] == "q3"].iloc[[-1]].copy()
    last["sample_index"] += 1
    last["picked"] = len(frame)
    return pd.concat([frame, last])


def richer(frame, card):
    card["totals"]["cost_usd"] = 0.0


@pytest.mark.slow
@pytest.mark.parametrize("change", [flipped, swapped, another_seed, dearer, removed, added, richer])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_check_finds_what_was_changed_in_a_recording(change, asynchronous, solved):
    solution = solved(asynchronous=asynchronous, allocator="ucb")
    audit(solution.path)
    tampered(solution.recording, change)
    with pytest.raises(
        DynlabError, match="written down|never asked|not among the recomputed|asked for"
    ):
        audit(solution.path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["answer", "share", "tokens", "stop_reason", "votes"])
def test_a_check_finds_what_was_changed_in_the_answers(name, solved, capsys):
    solution = solved()
    rows = [dict(row) for row in solution.rows]
    rows[4][name] = "other"
    solution.path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert parser.main(["replay", str(solution.path), "--check"]) == 1
    assert f"question 'q4': {name} is written down as 'other'" in capsys.readouterr().err


def test_what_is_no_live_run_is_refused(tmp_path, random_pool):
    recordings.write(random_pool(), {}, tmp_path / "pool.parquet")
    for path, said in (
        (tmp_path / "pool.parquet", "planned samples"),
        (tmp_path / "none.jsonl", "there is no file"),
        (tmp_path / "x.csv", "give a run's"),
    ):
        with pytest.raises(InputError, match=said):
            load_run(path)


@pytest.mark.slow
def test_a_course_is_told_of_nothing_that_it_did_not_ask_for(solve):
    run = load_run(solve().path)
    state = RunState(run.retraced().setup, lambda key: [])
    with pytest.raises(DynlabError, match="without having been asked for"):
        state.tell(next(iter(run.samples.values())))


def not_a_rule(frame, card):
    card["settings"]["allocator_parameters"] = {"exploration": "much"}


def no_such_rule(frame, card):
    card["settings"]["allocator"] = "\x1b[31mred"


def no_numbers(frame, card):
    card["settings"]["batch"] = ["six"]


def no_settings(frame, card):
    del card["settings"]


@pytest.mark.slow
@pytest.mark.parametrize("change", [not_a_rule, no_such_rule, no_numbers, no_settings])
def test_a_recording_that_makes_no_sense_is_refused_in_one_line_without_escapes(change, solved):
    solution = solved(allocator="ucb")
    tampered(solution.recording, change)
    with pytest.raises(InputError, match="is not of a live run|is not known here") as caught:
        audit(solution.path)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


@dataclass(frozen=True)
class Mine(Allocator):
    """An allocator that is not dynlab's own."""

    name: ClassVar[str] = "mine"

    def index(self, seen, rng):
        return Index(
            (1 - seen.first / np.maximum(seen.pulls, 1)) / np.sqrt(np.maximum(seen.pulls, 1))
        )


@pytest.mark.slow
def test_an_allocator_of_one_s_own_runs_live_and_is_checked(solve):
    solution = solve(allocator=Mine())
    with pytest.raises(InputError, match="goes to dynlab.audit"):
        audit(solution.path)
    assert "equal" in audit(solution.path, allocator=Mine())
