from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from scripted_server import Reply, ScriptedServer

import dynlab
from dynlab import cli, policies, recordings
from dynlab.checking import check, load_run, summary
from dynlab.course import Course
from dynlab.errors import DynlabError, InputError
from dynlab.forecasting import Forecast
from dynlab.local import Endpoint
from dynlab.solutions import Solution
from dynlab.streams import streams_of
from dynlab.tasks import Task, as_task
from dynlab.types import Question

KEY = "sk-marked-0123456789-abcdef"
TASK = Task(
    "sums", tuple(Question(f"q{i}", f"{i} + 1?") for i in range(9)),
    form="completion", answer="integer", reasoned=False, max_tokens=8, stop=("\n",),
)  # fmt: skip


def lot(call, salt=b""):
    """Bytes that depend on the sample's seed alone."""
    return hashlib.blake2b(str(call.body["seed"]).encode() + salt).digest()


def answers(call):
    """Answers of all difficulties to 'i + 1?', and tokens, by the sample's seed; late by chance."""
    asked = int(call.words.rpartition("Question: ")[2].split()[0])
    drawn = lot(call)
    text = " ?" if drawn[3] < 20 else f" {asked + 1 if drawn[0] % 9 > asked else drawn[1] % 4}"
    usage = {"prompt_tokens": 10 + asked, "completion_tokens": 3 + drawn[2] % 6}
    logprobs = {
        "tokens": ["x"],
        "token_logprobs": [-drawn[4] / 255],
        "content": [{"token": "x", "logprob": -drawn[4] / 255}],
    }
    return Reply(
        text, usage=usage, delay_s=random.random() * 0.01, logprobs=logprobs if "logprobs" in call.body else None
    )


@pytest.fixture
def server():
    with ScriptedServer(answers) as running:
        yield running


@pytest.fixture
def solve(server, tmp_path):
    """dynlab.solve of the sums on the scripted server, priced at 1 and 2 USD per million tokens."""

    def run(out="answers.jsonl", **changes):
        endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
        arguments = {"out": tmp_path / out, "budget": 6, "concurrency": 6, "progress": False, "price": (1.0, 2.0)}
        return dynlab.solve(changes.pop("task", TASK), changes.pop("model", endpoint), **arguments | changes)

    return run


# ——— what a run is ———


@pytest.mark.parametrize("allocator", [name for name in policies.ALLOCATORS if name != "sequential-halving"])
def test_the_order_of_arrival_and_the_concurrency_change_nothing_and_the_replay_is_equal(allocator, solve):
    first = solve("a.jsonl", allocator=allocator, batch=6)
    other = solve("b.jsonl", allocator=allocator, batch=6, concurrency=2)
    assert first.path.read_bytes() == other.path.read_bytes()
    assert first.totals["samples"] == 54 or allocator.startswith("strategic")
    assert "equal" in check(first.path)


@pytest.mark.parametrize(
    "changes",
    [
        {"asynchronous": True, "allocator": "ucb"},
        {"asynchronous": True, "allocator": "thompson", "stopping": "esc"},
        {"asynchronous": True, "strategy": "integrated", "width": 2},
        {"asynchronous": True, "allocator": "uab"},
        {"strategy": "sequential", "allocator": "ucb", "budget": 3},
        {"stopping": "adaptive-consistency", "allocator": "uniform"},
        {"stopping": "best-of-infinity", "unit": "usd"},
        {"vote": "cisc", "unit": "samples"},
        {"vote": "deepconf", "asynchronous": True},
        {"max_calls": 31},
        {"max_total_tokens": 700, "asynchronous": True},
        {"max_usd": 0.0007},
        {"max_usd": 0.0007, "strategy": "integrated", "width": 2, "asynchronous": True},
    ],
    ids=str,
)
def test_a_replay_finds_equal_what_was_run(changes, solve, server):
    solution = solve(seed=3, **changes)
    for path in (solution.path, solution.recording, Path(f"{solution.recording}.sqlite")):
        assert "lead to the same" in check(path)
    assert solution.totals["ended"] in summary(solution.path)
    calls = len(server.calls)
    assert calls == solution.totals["samples"]
    assert solve(seed=3, **changes).rows == solution.rows  # it is done: nothing is drawn again
    assert len(server.calls) == calls
    caps = {"max_calls": calls, "max_total_tokens": solution.totals["tokens"], "max_usd": solution.totals["cost_usd"]}
    for cap, spent in caps.items():
        if cap in changes:
            assert spent <= changes[cap] and solution.totals["ended"] == f"cap: {cap}"


def test_a_row_says_what_its_question_took(solve):
    solution = solve(max_calls=20)
    frame = recordings.load(solution.recording).frame
    for row in solution.rows:
        own = frame[frame["question_id"] == row["id"]]
        counts = own.loc[own["answer"] != "", "answer"].value_counts()
        assert row["samples"] == len(own) and row["missing"] == (own["answer"] == "").sum()
        assert row["votes"] == counts.to_dict()
        assert row["share"] == counts.max() / counts.sum() == counts[row["answer"]] / counts.sum()
        assert row["tokens"] == (own["prompt_tokens"] + own["completion_tokens"]).sum()
        assert row["cost_usd"] == pytest.approx((own["prompt_tokens"] + 2 * own["completion_tokens"]).sum() / 1e6)
        assert row["stop_reason"] == "cap: max_calls"
    assert [json.loads(line) for line in solution.path.read_text().splitlines()] == list(solution.rows)
    assert solution.totals["answered"] == 9 and solution.frame["samples"].sum() == 20
    assert solution.answers["q0"] == solution.rows[0]["answer"]


def test_a_higher_cap_lets_a_capped_run_go_on_to_what_it_would_have_been(solve, server):
    solve("a.jsonl", max_usd=0.0006)
    grown, whole = solve("a.jsonl", max_usd=1.0), solve("b.jsonl")
    assert grown.path.read_bytes() == whole.path.read_bytes()


def test_an_adaptive_recording_is_refused_by_what_needs_planned_samples(solve):
    recording = recordings.load(solve().recording)
    with pytest.raises(InputError, match="adaptive design"):
        streams_of(recording)


def test_depth_counts_rounds_and_chains(solve):
    assert solve("a.jsonl", allocator="uniform").totals["depth"] == 1
    assert solve("b.jsonl", allocator="uniform", strategy="sequential", budget=3).totals["depth"] == 3
    rounds = -(-(54 - 18) // 6)
    assert solve("c.jsonl", allocator="ucb", batch=6).totals["depth"] == 1 + rounds


# ——— what goes wrong ———


def test_failed_samples_are_paid_for_with_a_pull_and_never_vote(server, solve):
    def filtered(call):
        asked = int(call.words.rpartition("Question: ")[2].split()[0])
        bad = asked == 4 or (asked == 2 and lot(call)[5] < 128)
        return Reply("content policy", status=400) if bad else answers(call)

    server.script = filtered
    solution = solve(allocator="uniform")
    rows = {row["id"]: row for row in solution.rows}
    assert rows["q4"]["answer"] is None and rows["q4"]["share"] is None and rows["q4"]["samples"] == 6
    assert rows["q4"]["stop_reason"].startswith("failed: ") and rows["q2"]["answer"] is not None
    assert solution.totals["answered"] == 8 and solution.totals["failed"] >= 6
    assert "equal" in check(solution.path)


def test_a_question_without_a_vote_ends_the_command_with_exit_code_1(server, tmp_path, monkeypatch, capsys):
    server.script = lambda call: Reply("no idea")
    monkeypatch.setenv("OPENAI_BASE_URL", server.address)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"task": {"answer": "integer"}}\n{"id": "a", "question": "1 + 1?"}\n')
    command = [
        "solve",
        str(questions),
        "--model",
        "openai/scripted",
        "--budget",
        "2",
        "--out",
        str(tmp_path / "o.jsonl"),
    ]
    assert cli.main(command) == 1
    assert "1 questions have no vote" in capsys.readouterr().err
    server.script = lambda call: Reply("Answer: 2")
    command[-1] = str(tmp_path / "p.jsonl")
    assert cli.main(command) == 0
    assert cli.main(["replay", command[-1], "--check"]) == 0
    assert cli.main(["replay", command[-1]]) == 0
    assert "1 of 1 questions answered" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seed": 1}, "seed"),
        ({"allocator": "ucb"}, "allocator"),
        ({"budget": 5}, "limit"),
        ({"batch": 5}, "batch"),
        ({"asynchronous": True}, "asynchronous"),
        ({"temperature": 0.5}, "temperature"),
        ({"stopping": "esc"}, "stopping"),
        ({"task": Task("sums", TASK.questions[::-1], "completion", "integer", (), "", False, 8, ("\n",))}, "order"),
    ],
    ids=str,
)
def test_other_settings_are_refused_field_by_field(changes, field, solve, server):
    solve(max_calls=12)
    before = len(server.calls)
    with pytest.raises(InputError, match=field):
        solve(**changes)
    assert len(server.calls) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"allocator": "sequential-halving"}, "cannot run live"),
        ({"allocator": "ubc"}, "did you mean 'ucb'"),
        ({"budget": 0.5}, "at least 1"),
        ({"unit": "hours"}, "samples, tokens, usd"),
        ({"price": None, "max_usd": 1.0}, "--price IN,OUT"),
        ({"price": None, "unit": "usd"}, "--price IN,OUT"),
        ({"batch": 0}, "batch is 0"),
        ({"out": "answers.csv"}, "ends in .jsonl"),
        ({"task": []}, "no questions"),
        ({"task": [{"id": "a", "qestion": "?"}]}, "question"),
        ({"task": ["1?", {"id": "q1", "question": "2?"}]}, "used twice"),
    ],
    ids=str,
)
def test_what_cannot_work_is_said_in_one_line_and_nothing_is_sent(changes, said, solve, server, tmp_path):
    with pytest.raises(InputError, match=said) as caught:
        solve(**changes)
    assert "\n" not in str(caught.value)
    assert not server.calls and not list(tmp_path.glob("*.jsonl"))


def test_log_probabilities_that_do_not_come_end_the_run(server, solve):
    server.script = lambda call: Reply(" 1")
    with pytest.raises(InputError, match="cisc needs log-probabilities, and the model gives none"):
        solve(vote="cisc")


# ——— interrupted ———

SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import dynlab
from test_solving import KEY, TASK
from dynlab.local import Endpoint
endpoint = Endpoint("text-completion-openai/scripted", {address!r}, KEY)
solution = dynlab.solve(TASK, endpoint, out={out!r}, budget=12, concurrency=6, price=(1.0, 2.0), progress=False, **{changes!r})
print(solution.summary)
"""


def started(server, out, **changes):
    script = SCRIPT.format(tests=str(Path(__file__).parent), address=server.address, out=str(out), changes=changes)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(server, number):
    end = time.monotonic() + 60
    while len(server.answered) < number:
        assert time.monotonic() < end, "the calls never came"
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"allocator": "ucb", "batch": 6}, {"asynchronous": True, "strategy": "integrated"}]
)
def test_a_killed_run_goes_on_as_if_it_had_not_been_killed(changes, server, tmp_path, solve):
    out = tmp_path / "killed.jsonl"
    for number in (7, 48):
        process = started(server, out, **changes)
        wait_for(server, number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not out.exists()
    ended = solve("killed.jsonl", budget=12, **changes)
    assert "equal" in check(ended.path)
    served = [call.body["seed"] for call in server.answered]
    assert len(set(served)) == ended.totals["samples"] == 108
    assert len(served) - len(set(served)) <= 2 * 6  # answers that never reached a disk
    if "asynchronous" not in changes:
        assert solve("whole.jsonl", budget=12, **changes).path.read_bytes() == ended.path.read_bytes()


@pytest.mark.slow
def test_ctrl_c_finishes_what_is_in_flight_and_the_run_can_be_continued(server, tmp_path, solve):
    process = started(server, tmp_path / "stopped.jsonl", batch=6)
    wait_for(server, 20)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    kept = int(re.search(r"(\d+) samples are kept, the same command goes on", complaint).group(1))
    assert kept == len(server.answered)
    assert (
        solve("stopped.jsonl", budget=12, batch=6).path.read_bytes()
        == solve("b.jsonl", budget=12, batch=6).path.read_bytes()
    )


# ——— in and out ———


def test_questions_come_from_texts_dicts_a_frame_or_a_file(tmp_path):
    rows = [{"id": "a", "question": "1 + 1?"}, {"id": "b", "question": "2 + 1?"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    frame = pd.DataFrame(rows).assign(target=[None, "3"], choices=[None, None])
    for questions in (rows, frame, tmp_path / "rows.jsonl", [Question(**row) for row in rows]):
        assert [(q.id, q.question) for q in as_task(questions).questions] == [("a", "1 + 1?"), ("b", "2 + 1?")]
    assert [q.id for q in as_task(["x?", "y?"]).questions] == ["q1", "q2"]
    assert as_task([{"id": "c", "question": "?", "choices": ["x", "y"]}]).answer == "choice"


def test_a_dry_run_sends_nothing_writes_nothing_and_bounds_the_cost(solve, server, tmp_path):
    found = solve(dry_run=True, max_usd=1.0)
    assert isinstance(found, Forecast) and not server.calls and not list(tmp_path.iterdir())
    assert found.questions == 9 and found.calls == 54
    assert "nothing was sent" in found.summary
    spent = solve().totals
    assert found.worst[0] >= spent["tokens"] and found.worst[1] >= spent["cost_usd"]
    again = solve(dry_run=True)
    assert again.basis == "the mean of the samples in the store"
    assert again.expected == (spent["tokens"], pytest.approx(spent["cost_usd"]))


def test_await_gives_the_solution_while_an_event_loop_runs(solve):
    async def cell():
        return await solve()

    assert isinstance(asyncio.run(cell()), Solution)


def test_the_key_is_in_no_file_that_is_written(solve, tmp_path, server):
    server.script = lambda call: Reply(f"bad key {KEY}", status=400) if lot(call)[0] < 90 else answers(call)
    solution = solve()
    assert solution.totals["failed"]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 3
    for path in written:
        assert KEY.encode() not in path.read_bytes()


def test_model_text_is_inert_in_a_notebook_and_in_a_terminal(server, tmp_path):
    task = Task("words", (Question("a", "say\x1b[31m <i>it</i>"),), answer="text", reasoned=False)
    server.script = lambda call: Reply("<script>alert(1)</script>\x1b]0;x\x07")
    endpoint = Endpoint("openai/scripted", server.address, KEY)
    solution = dynlab.solve(task, endpoint, out=tmp_path / "a.jsonl", budget=2, progress=False)
    assert "<script>" not in solution._repr_html_() and "<i>" not in solution._repr_html_()
    assert "\x1b" not in solution.path.read_text() and "\\u001b" not in solution.path.read_text()


# ——— what a check finds ———


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


@pytest.mark.parametrize("change", [flipped, swapped, another_seed, dearer, removed, added, richer])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_check_finds_what_was_changed_in_a_recording(change, asynchronous, solve):
    solution = solve(asynchronous=asynchronous, allocator="ucb")
    check(solution.path)
    tampered(solution.recording, change)
    with pytest.raises(DynlabError, match="written down|never asked|not among the recomputed|asked for"):
        check(solution.path)


@pytest.mark.parametrize("name", ["answer", "share", "tokens", "stop_reason", "votes"])
def test_a_check_finds_what_was_changed_in_the_answers(name, solve, capsys):
    solution = solve()
    rows = [dict(row) for row in solution.rows]
    rows[4][name] = "other"
    solution.path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert cli.main(["replay", str(solution.path), "--check"]) == 1
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


def test_a_course_is_told_of_nothing_that_it_did_not_ask_for(solve):
    run = load_run(solve().path)
    course = Course(run.retraced().setup, lambda key: [])
    with pytest.raises(DynlabError, match="without having been asked for"):
        course.tell(next(iter(run.samples.values())))
