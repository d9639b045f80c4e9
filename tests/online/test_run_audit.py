from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from dynlab import recordings
from dynlab._util.errors import BudgetError, DynlabError, InputError
from dynlab.cli import parser
from dynlab.online.run_audit import audit, load_run
from dynlab.online.run_state import RunState
from dynlab.policies.base import Allocator, Index
from dynlab.sampling.sampler import Sampler
from dynlab.sampling.store import Store

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


def removed_between(frame, card):
    return frame.drop(index=frame.index[frame["picked"] == len(frame) // 2])


def added(frame, card):
    last = frame[frame["question_id"] == "q3"].iloc[[-1]].copy()
    last["sample_index"] += 1
    last["picked"] = len(frame)
    return pd.concat([frame, last])


def richer(frame, card):
    card["totals"]["cost_usd"] = 0.0


CHANGES = [flipped, swapped, another_seed, dearer, removed, removed_between, added, richer]


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
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


# ——— runs that a cap has ended ———


@pytest.fixture
def capped(solve, monkeypatch):
    """A run that a cap ends in its warm-up, as its first sample may not be tried again when 30
    others have come; at once where an earlier run has drawn those.
    """
    drawn, asked = Sampler.one, []

    async def but_the_first(self, key):
        asked.append(key)
        if key != asked[0]:
            return await drawn(self, key)
        while len(self.arrived) < 30:
            await asyncio.sleep(0.001)
        raise BudgetError("no other attempt", "calls")

    monkeypatch.setattr(Sampler, "one", but_the_first)
    return partial(solve, concurrency=2, batch=2, warmup=5, seed=3)


@pytest.mark.slow
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    "policy", [{"allocator": "ucb"}, {"allocator": "uniform"}, {"stopping": "esc"}]
)
def test_all_that_was_paid_for_is_written_and_equal_where_a_cap_left_a_sample_out(
    policy, asynchronous, capped, sums_model
):
    for _ in range(2):  # the same command changes nothing, and sends nothing
        solution = capped(asynchronous=asynchronous, **policy)
        frame = recordings.load(solution.recording).frame
        assert solution.totals["ended"] == "cap: max_calls"
        assert len(frame) == solution.totals["samples"] == len(sums_model.calls) >= 30
        assert frame["picked"].min() == 1 and frame["picked"].max() == len(frame)
        with Store(Path(f"{solution.recording}.sqlite"), {}, {}) as store:
            spent = store.totals().spent
        assert spent.tokens == solution.totals["tokens"]
        assert spent.usd == pytest.approx(solution.totals["cost_usd"])
        votes = (frame["answer"] != "").sum()
        assert solution.totals["missing"] == len(frame) - votes
        assert sum(row["samples"] - row["missing"] for row in solution.rows) == votes
        for path in (solution.path, solution.recording, Path(f"{solution.recording}.sqlite")):
            assert "lead to the same" in audit(path)


def removed_first(frame, card):
    return frame.drop(index=frame["picked"].idxmin())


def moved(frame, card):
    frame.loc[frame["picked"].idxmax(), "picked"] = 0  # where the sample that did not come was
    return frame


def moved_before_all(frame, card):
    frame.loc[frame["picked"].idxmax(), "picked"] = -1
    return frame


def placed_twice(frame, card):
    frame.loc[frame["picked"].idxmax(), "picked"] = frame["picked"].min()
    return frame


def filled(frame, card):
    (first,) = set(frame["question_id"]) - set(frame.loc[frame["sample_index"] == 0, "question_id"])
    came = frame[frame["question_id"] == first].iloc[[0]].copy()
    came["sample_index"] = came["picked"] = 0
    if "arrived" in frame:
        came["arrived"] = len(frame)
    return pd.concat([frame, came])


@pytest.mark.slow
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_check_finds_what_was_changed_in_a_run_that_a_cap_has_ended(asynchronous, capped):
    solution = capped(asynchronous=asynchronous, allocator="ucb")
    whole = solution.recording.read_bytes()
    for change in (
        *CHANGES,
        removed_first,
        moved,
        moved_before_all,
        placed_twice,
        filled,
    ):
        tampered(solution.recording, change)
        with pytest.raises(
            DynlabError, match="written down|never asked|not among the recomputed|asked for"
        ):
            audit(solution.path)
        solution.recording.write_bytes(whole)
    assert "equal" in audit(solution.path)


@pytest.mark.slow
def test_a_question_that_a_cap_left_without_a_sample_is_compared_too(solve):
    solution = solve(max_calls=5)
    assert [row["samples"] for row in solution.rows].count(0) == 4
    assert "equal" in audit(solution.path)
    rows = [dict(row) for row in solution.rows]
    place = [row["samples"] for row in rows].index(0)
    for name, said in (
        ("answer", f"'q{place}': answer is written down as 'other'"),
        ("question", "digest of the questions"),
    ):
        altered = [dict(row) for row in rows]
        altered[place][name] = "other"
        solution.path.write_text("".join(json.dumps(row) + "\n" for row in altered))
        with pytest.raises(DynlabError, match=said):
            audit(solution.path)


# ——— what is no run ———


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
