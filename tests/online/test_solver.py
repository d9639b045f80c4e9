from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from helpers.fake_mlflow import tracked
from helpers.scripted_server import Reply
from helpers.sums import KEY, TASK, answers, lot

import dynlab
from dynlab import recordings
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.options import RequestOptions
from dynlab._util.values import Question
from dynlab.cli import parser
from dynlab.models.llama_cpp import Endpoint
from dynlab.online.cost_forecast import Forecast
from dynlab.online.results import Solution
from dynlab.online.run_audit import audit, summary
from dynlab.policies import registry
from dynlab.policies.policy import Policy
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import run
from dynlab.tasks.task import Task, as_task

# ——— what a run is ———


@pytest.mark.slow
@pytest.mark.parametrize(
    "allocator", ["uniform", "ucb", "thompson", "okg-pets", "uab", "strategic", "priced"]
)
def test_the_order_of_arrival_and_the_concurrency_change_nothing_and_the_replay_is_equal(
    allocator, solve
):
    first = solve("a.jsonl", allocator=allocator, batch=6, budget=4)
    other = solve("b.jsonl", allocator=allocator, batch=6, budget=4, concurrency=2)
    assert first.path.read_bytes() == other.path.read_bytes()
    assert first.totals["samples"] == 36 or allocator == "strategic"
    assert "equal" in audit(first.path)


@pytest.mark.slow
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
def test_a_replay_finds_equal_what_was_run(changes, solve, sums_model):
    solution = solve(seed=3, **changes)
    for path in (solution.path, solution.recording, Path(f"{solution.recording}.sqlite")):
        assert "lead to the same" in audit(path)
    assert solution.totals["ended"] in summary(solution.path)
    calls = len(sums_model.calls)
    assert calls == solution.totals["samples"]
    assert solve(seed=3, **changes).rows == solution.rows  # it is done: nothing is drawn again
    assert len(sums_model.calls) == calls
    limits = {
        "max_calls": calls,
        "max_total_tokens": solution.totals["tokens"],
        "max_usd": solution.totals["cost_usd"],
    }
    for cap, spent in limits.items():
        if cap in changes:
            assert spent <= changes[cap] and solution.totals["ended"] == f"cap: {cap}"


@pytest.mark.slow
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
        assert row["cost_usd"] == pytest.approx(
            (own["prompt_tokens"] + 2 * own["completion_tokens"]).sum() / 1e6
        )
        assert row["stop_reason"] == "cap: max_calls"
    assert [json.loads(line) for line in solution.path.read_text().splitlines()] == list(
        solution.rows
    )
    assert solution.totals["answered"] == 9 and solution.frame["samples"].sum() == 20
    assert solution.answers["q0"] == solution.rows[0]["answer"]


@pytest.mark.slow
def test_a_higher_cap_lets_a_capped_run_go_on_to_what_it_would_have_been(solve, solved):
    solve("a.jsonl", max_usd=0.0006)
    grown, whole = solve("a.jsonl", max_usd=1.0), solved()
    assert grown.path.read_bytes() == whole.path.read_bytes()


@pytest.mark.slow
def test_an_adaptive_recording_is_refused_by_what_needs_planned_samples(solved):
    recording = recordings.load(solved().recording)
    with pytest.raises(InputError, match="adaptive design"):
        streams_of(recording)


@pytest.mark.slow
def test_depth_counts_rounds_and_chains(solve):
    assert solve("a.jsonl", allocator="uniform", budget=3).totals["depth"] == 1
    assert (
        solve("b.jsonl", allocator="uniform", strategy="sequential", budget=3).totals["depth"] == 3
    )
    rounds = -(-(54 - 18) // 6)
    assert solve("c.jsonl", allocator="ucb", batch=6).totals["depth"] == 1 + rounds


# ——— what goes wrong ———


@pytest.mark.slow
def test_failed_samples_are_paid_for_with_a_pull_and_never_vote(sums_server, solve_by_http):
    def filtered(call):
        asked = int(call.words.rpartition("Question: ")[2].split()[0])
        bad = asked == 4 or (asked == 2 and lot(call)[5] < 128)
        return Reply("content policy", status=400) if bad else answers(call)

    sums_server.script = filtered
    solution = solve_by_http(allocator="uniform")
    rows = {row["id"]: row for row in solution.rows}
    assert (
        rows["q4"]["answer"] is None and rows["q4"]["share"] is None and rows["q4"]["samples"] == 6
    )
    assert rows["q4"]["stop_reason"].startswith("failed: ") and rows["q2"]["answer"] is not None
    assert solution.totals["answered"] == 8 and solution.totals["failed"] >= 6
    assert "equal" in audit(solution.path)


@pytest.mark.slow
def test_a_question_without_a_vote_ends_the_command_with_exit_code_1(
    sums_server, tmp_path, monkeypatch, capsys
):
    sums_server.script = lambda call: Reply("no idea")
    monkeypatch.setenv("OPENAI_BASE_URL", sums_server.address)
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
    assert parser.main(command) == 1
    assert "1 questions have no vote" in capsys.readouterr().err
    sums_server.script = lambda call: Reply("Answer: 2")
    command[-1] = str(tmp_path / "p.jsonl")
    assert parser.main(command) == 0
    assert parser.main(["replay", command[-1], "--check"]) == 0
    assert parser.main(["replay", command[-1]]) == 0
    assert "1 of 1 questions answered" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seed": 1}, "seed"),
        ({"allocator": "ucb"}, "allocator"),
        ({"budget": 5}, "calls"),
        ({"batch": 5}, "batch"),
        ({"asynchronous": True}, "asynchronous"),
        ({"temperature": 0.5}, "temperature"),
        ({"stopping": "esc"}, "stopping"),
        (
            {
                "task": Task(
                    "sums", TASK.questions[::-1], "completion", "integer", (), "", False, 8, ("\n",)
                )
            },
            "order",
        ),
    ],
    ids=str,
)
def test_other_settings_are_refused_field_by_field(changes, field, solve, solved, sums_model):
    solved(max_calls=12)
    solve("copy/answers.jsonl", max_calls=12)  # the same settings are taken, and nothing is missing
    with pytest.raises(InputError, match=field):
        solve("copy/answers.jsonl", **changes)
    assert not sums_model.calls


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"allocator": "sequential-halving"}, "cannot run live"),
        ({"allocator": "ubc"}, "did you mean 'ucb'"),
        ({"budget": 0.5}, "budget is 0.5: give .*, from 1 to 2147483647"),
        ({"budget": 1e308}, r"budget is 1e\+308: give .*, from 1 to 2147483647"),
        ({"max_usd": 1e300}, r"the limit of usd is 1e\+300"),
        ({"unit": "hours"}, "samples, tokens, usd"),
        ({"price": None, "max_usd": 1.0}, "--price IN,OUT"),
        ({"price": None, "unit": "usd"}, "--price IN,OUT"),
        ({"batch": 0}, "batch must be a whole number"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"price": (1.0, -1.0)}, "price is"),
        ({"out": "answers.csv"}, "ends in .jsonl"),
        ({"task": []}, "no questions"),
        ({"task": [{"id": "a", "qestion": "?"}]}, "question"),
        ({"task": ["1?", {"id": "q1", "question": "2?"}]}, "used twice"),
    ],
    ids=str,
)
def test_what_cannot_work_is_said_in_one_line_and_nothing_is_sent(
    changes, said, solve, sums_model, tmp_path
):
    with pytest.raises(InputError, match=said) as caught:
        solve(**changes)
    assert "\n" not in str(caught.value)
    assert not sums_model.calls and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_log_probabilities_that_do_not_come_end_the_run(sums_model, solve):
    sums_model.script = lambda call: Reply(" 1")
    with pytest.raises(InputError, match="cisc needs log-probabilities, and the model gives none"):
        solve(vote="cisc")


# ——— in and out ———


def test_questions_come_from_texts_dicts_a_frame_or_a_file(tmp_path):
    rows = [{"id": "a", "question": "1 + 1?"}, {"id": "b", "question": "2 + 1?"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    frame = pd.DataFrame(rows).assign(target=[None, "3"], choices=[None, None])
    for questions in (rows, frame, tmp_path / "rows.jsonl", [Question(**row) for row in rows]):
        assert [(q.id, q.question) for q in as_task(questions).questions] == [
            ("a", "1 + 1?"),
            ("b", "2 + 1?"),
        ]
    assert [q.id for q in as_task(["x?", "y?"]).questions] == ["q1", "q2"]
    assert as_task([{"id": "c", "question": "?", "choices": ["x", "y"]}]).answer == "choice"


@pytest.mark.slow
def test_a_dry_run_sends_nothing_writes_nothing_and_bounds_the_cost(
    solve, sums_model, tmp_path, capsys
):
    found = solve(dry_run=True, max_usd=1.0)
    assert isinstance(found, Forecast) and not sums_model.calls and not list(tmp_path.iterdir())
    assert found.questions == 9 and found.estimate.num_samples == 54 and found.prompt_bytes == 24
    assert "nothing was sent" in found.summary
    again = solve(max_calls=20, progress=True).totals
    assert "20 samples in 20 calls; expected " in capsys.readouterr().err
    assert 0 < again["path_s"] <= again["wall_s"]
    left = solve(dry_run=True).estimate
    assert left.seconds > 0 and found.estimate.seconds is None  # by the calls so far
    assert left.num_samples == 34 and left.basis == "the mean of the 20 samples that are there"
    assert left.expected.usd == pytest.approx(again["cost_usd"] * 34 / 20, rel=1e-6)
    spent = solve().totals
    assert solve().totals == spent  # where nothing is drawn, nothing is counted
    assert (
        found.estimate.worst.tokens >= spent["tokens"]
        and found.estimate.worst.usd >= spent["cost_usd"]
    )
    assert left.worst.tokens >= spent["tokens"] - again["tokens"]


@pytest.mark.slow
def test_await_gives_the_solution_while_an_event_loop_runs(solve):
    async def cell():
        return await solve(budget=2)

    assert isinstance(asyncio.run(cell()), Solution)


@pytest.mark.slow
def test_the_key_is_in_no_file_that_is_written(solve_by_http, tmp_path, sums_server):
    sums_server.script = lambda call: (
        Reply(f"bad key {KEY}", status=400) if lot(call)[0] < 90 else answers(call)
    )
    solution = solve_by_http()
    assert solution.totals["failed"]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 3
    for path in written:
        assert KEY.encode() not in path.read_bytes()


@pytest.mark.slow
def test_model_text_is_inert_in_a_notebook_and_in_a_terminal(sums_server, tmp_path):
    task = Task("words", (Question("a", "say\x1b[31m <i>it</i>"),), answer="text", reasoned=False)
    sums_server.script = lambda call: Reply("<script>alert(1)</script>\x1b]0;x\x07")
    endpoint = Endpoint("openai/scripted", sums_server.address, KEY)
    solution = dynlab.solve(
        task, endpoint, out=tmp_path / "a.jsonl", budget=2, requests=RequestOptions(progress=False)
    )
    assert "<script>" not in solution._repr_html_() and "<i>" not in solution._repr_html_()
    assert "\x1b" not in solution.path.read_text() and "\\u001b" not in solution.path.read_text()


@pytest.mark.slow
def test_a_place_where_something_else_lies_is_refused(solve, sums_model, tmp_path):
    first = solve()
    store = tmp_path / "answers.parquet.sqlite"
    store.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="its store answers.parquet.sqlite is not"):
        solve()
    endpoint = sums_model.endpoint()
    planned, quiet = tmp_path / "planned.parquet", RequestOptions(progress=False)
    dynlab.record(TASK, endpoint, num_samples=2, out=planned, requests=quiet)
    with pytest.raises(InputError, match="planned samples"):
        solve("planned.jsonl")
    (tmp_path / "planned.parquet").unlink()
    with pytest.raises(InputError, match="planned samples"):
        solve("planned.jsonl")
    (tmp_path / "elsewhere").rename(store)
    assert solve().rows == first.rows


@pytest.mark.slow
@pytest.mark.parametrize("allocator", ["ucb", "thompson", "priced", "uniform"])
def test_the_loop_of_compare_pulls_what_was_picked_live(allocator, solve):
    """`replay.run`, which shares no state with the live policy, on the recorded samples in their
    order.
    """
    solution = solve(
        allocator=allocator, unit="samples", batch=6, stopping="adaptive-consistency", seed=5
    )
    frame = recordings.load(solution.recording).frame
    streams = streams_of(
        recordings.load(frame.assign(strategy="sequential").drop(columns=["parents", "awaited"]))
    )
    policy = Policy(
        registry.allocator(allocator), registry.stopping_rule("adaptive-consistency"), batch=6
    )
    draws = next(draws_of(streams, 1, 5, "samples", policy.profiles))
    trace = run(policy, draws, len(frame), 5)
    pulled = [
        (streams.question_ids[q], n)
        for q, n in zip(trace.question[0], trace.sample[0], strict=True)
        if q >= 0
    ]
    picked = frame.sort_values("picked")
    assert pulled == list(zip(picked["question_id"], picked["sample_index"], strict=True))


@pytest.mark.slow
def test_a_run_that_never_got_an_answer_may_be_begun_anew_with_other_settings(
    sums_server, solve_by_http
):
    sums_server.script = lambda call: Reply("no such model", status=404)
    with pytest.raises(DynlabError, match="no such model"):
        solve_by_http(seed=1)
    sums_server.script = answers
    assert "equal" in audit(solve_by_http(seed=2).path)


@pytest.mark.slow
def test_a_single_log_probability_that_is_missing_weighs_nothing(sums_model, solve):
    sums_model.script = lambda call: (
        replace(answers(call), logprobs=None) if lot(call)[6] < 40 else answers(call)
    )
    solution = solve(vote="cisc")
    assert recordings.load(solution.recording).frame["mean_logprob"].isna().any()
    assert "equal" in audit(solution.path)


@pytest.mark.slow
def test_a_live_run_is_tracked_by_what_it_spent(solve, monkeypatch):
    fake = tracked(monkeypatch)
    found = solve(allocator="ucb", budget=3)
    (run,) = fake.runs
    assert run["tags"] == {"dynlab_command": "solve"} and KEY not in repr(run)
    assert run["params"]["allocator"] == "ucb"
    points = {(metric.key, metric.step): metric.value for metric in run["metrics"]}
    num_samples = found.totals["samples"]
    assert points["samples", 0] == num_samples
    assert points["spent/cost_usd", num_samples] == pytest.approx(found.totals["cost_usd"])
