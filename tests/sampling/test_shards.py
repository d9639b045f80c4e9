"""A recording in shards: parts of the questions, drawn apart, killed, resumed and merged."""

from __future__ import annotations

import threading
from dataclasses import replace
from multiprocessing.process import BaseProcess

import pandas as pd
import pytest
from helpers.flat_options import grouped
from helpers.forks import forked
from helpers.killable_runs import record_flat
from helpers.scripted_server import Reply, ScriptedServer
from helpers.targeted_sums import KEY, TASK

from dynlab import recordings
from dynlab._util.errors import BudgetError, InputError
from dynlab._util.options import Limits, RecordingOptions
from dynlab._util.values import Question
from dynlab.cli import main
from dynlab.models.llama_cpp import Endpoint
from dynlab.recordings.merging import merge
from dynlab.sampling.recorder import dry_run, record
from dynlab.sampling.shards import shard_of

QUESTIONS = tuple(Question(f"q{i}", f"{i} + 1?", str(i + 1)) for i in range(10))
LARGE = replace(TASK, questions=QUESTIONS)
OF_A_RUN = ("spent", "reserved", "wall_s", "digest")  # of a card: what it took, and its latencies


def answer(call):
    """One of three answers, by the seed of the call."""
    return f" {call.body['seed'] % 3 + 1}"


@pytest.fixture(scope="module")
def server():
    with ScriptedServer(answer) as running:
        yield running


@pytest.fixture
def draw(server, tmp_path):
    """record() of ten sums on the scripted server, a shard of them or all."""

    def run(shard=None, name=None, **changes):
        out = tmp_path / f"{name or (shard or 'whole').replace('/', '-of-')}.parquet"
        endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
        arguments = {"num_samples": 3, "progress": False, "concurrency": 4, "task": LARGE}
        arguments |= changes
        task = arguments.pop("task")
        return record(task, endpoint, out=out, **grouped(shard=shard, **arguments))

    return run


def content(path):
    """A recording but for what its calls took: its rows, and its card."""
    recording = recordings.load(path)
    card = {name: value for name, value in recording.card.items() if name not in OF_A_RUN}
    return recording.frame.drop(columns="latency_s"), card


def test_shards_hold_each_question_once():
    for of in (1, 3, 10):
        held = [q for k in range(of) for q in shard_of(f"{k + 1}/{of}", QUESTIONS).questions]
        assert sorted(held, key=QUESTIONS.index) == list(QUESTIONS)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/2/3", "-1/4", "1/11"])
def test_what_is_no_shard_is_refused_in_a_line(text):
    with pytest.raises(InputError, match=r"such as 3/16|at most 10"):
        shard_of(text, QUESTIONS)


def test_limits_are_divided_by_questions_and_never_exceeded_together():
    whole = Limits(usd=0.1, tokens=1000, calls=7)
    parts = [shard_of(f"{k}/4", QUESTIONS) for k in range(1, 5)]  # 3, 3, 2 and 2 questions
    limits = [part.limits(whole) for part in parts]
    assert [each.usd for each in limits] == [0.03, 0.03, 0.02, 0.02]
    assert sum(each.tokens for each in limits) <= 1000 and limits[0].calls == 2
    assert parts[1].words(Limits(usd=0.1)) == (
        "shard 2/4: 3 of 10 questions; of its limits over all shards, 0.03 of 0.1 USD"
    )
    assert parts[1].words(Limits()) == "shard 2/4: 3 of 10 questions"


@pytest.mark.slow
def test_four_shards_that_are_killed_and_resumed_are_one_undisturbed_run(
    server, draw, tmp_path, monkeypatch
):
    reached, asked = threading.Event(), set()

    def stalling(call):
        if call.words not in asked:  # one call a question: each shard begins, and none ends
            asked.add(call.words)
            return answer(call)
        if server.in_flight == 4 * 2:  # all four are at work, and no call is answered any more
            reached.set()
        return Reply(delay_s=600)

    first = len(server.calls)
    monkeypatch.setattr(server, "script", stalling)
    processes = []
    for k in (1, 2, 3, 4):
        own = {"num_samples": 6, "progress": False, "concurrency": 2, "shard": f"{k}/4"}
        run = (server.address, LARGE, own | {"out": tmp_path / f"{k}-of-4.parquet"})
        processes.append(forked(record_flat, *run, told=tmp_path / f"told-{k}"))
    assert reached.wait(100)
    for end in (BaseProcess.kill, BaseProcess.join):
        for process in processes:
            end(process)
    assert not [*tmp_path.glob("*.parquet")]
    monkeypatch.setattr(server, "script", answer)
    parts = [draw(f"{k}/4", num_samples=6) for k in (1, 2, 3, 4)]
    again = len(server.calls) - first - 70
    assert 0 <= again <= 8  # those in flight when they were killed, two a shard
    merged = merge([parts[2], parts[0], parts[3], parts[1]], tmp_path / "merged.parquet")
    (rows, card), (whole_rows, whole_card) = (
        content(path) for path in (merged, draw(num_samples=6))
    )
    pd.testing.assert_frame_equal(rows, whole_rows)
    assert card == whole_card
    spent = recordings.load(merged).card["spent"]
    assert spent["calls"] == 70 and "shard" not in recordings.load(merged).card["settings"]


@pytest.mark.slow
def test_a_merged_recording_is_gone_on_from_and_a_shard_is_not_another(server, draw, tmp_path):
    parts = [draw(f"{k}/2", num_samples=2) for k in (1, 2)]
    shard = recordings.load(parts[1]).card["shard"]
    told = ("number", "of", "questions", "samples", "streams", "greedy")
    assert [shard[name] for name in told] == [2, 2, 10, 2, 1, True]
    with pytest.raises(InputError, match=r"was recorded with shard = 2/2, given now is 1/2"):
        draw("1/2", name="2-of-2", num_samples=3)
    merge(parts, tmp_path / "whole.parquet")
    before = len(server.calls)
    draw(num_samples=3)
    assert len(server.calls) - before == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "lost", [Reply(status=500), Reply("1", usage=None)], ids=["no answer", "no usage"]
)
def test_what_shards_left_reserved_counts_once_in_the_whole(
    server, draw, tmp_path, monkeypatch, lost
):
    monkeypatch.setattr("dynlab.sampling.attempts.LONGEST_WAIT_S", 0.01)
    before, parts = len(server.calls), []
    own = {"greedy": False, "price": (1.0, 5.0), "name": "merged"}
    for k in (1, 2):
        first = len(server.calls)
        monkeypatch.setattr(
            server, "script", lambda call, at=first: lost if call.number == at else answer(call)
        )
        parts.append(draw(f"{k}/2", **own | {"name": f"{k}", "num_samples": 1}))
    merged = merge(parts, tmp_path / "merged.parquet")
    reserved = recordings.load(merged).card["reserved"]
    assert reserved["calls"] == 2 and reserved["tokens"] > 2 * 8 and reserved["usd"] > 0
    num_sent = len(server.calls) - before
    for more in (3, 5):  # of the ten that are missing
        with pytest.raises(BudgetError, match="reserved: 2 calls"):
            draw(num_samples=2, max_calls=num_sent + more, max_usd=1.0, **own)
        assert len(server.calls) - before == num_sent + more
    for num_samples in (2, 3):
        draw(num_samples=num_samples, max_usd=1.0, **own)
        card = recordings.load(merged).card
        assert card["reserved"] == reserved
        assert card["spent"]["calls"] + 2 == len(server.calls) - before
        (tmp_path / "merged.parquet.sqlite").unlink()  # again the card alone knows


@pytest.mark.slow
def test_merge_refuses_in_a_line_and_writes_nothing(draw, tmp_path, capsys):
    parts = {k: draw(f"{k}/3", num_samples=1) for k in (1, 2, 3)}
    more = draw("2/3", name="more", num_samples=2)
    warm = draw("2/3", name="warm", num_samples=1, temperature=0.3)
    other = draw("2/3", name="other", num_samples=1, task=replace(LARGE, questions=QUESTIONS[:9]))
    whole = draw(num_samples=1)
    out = tmp_path / "out.parquet"
    for given, words in {
        (parts[1], parts[3]): "of 3 shards 2 is missing: record with --shard 2/3",
        (parts[1], parts[2], parts[2]): "are both shard 2: give each shard once",
        (parts[1], parts[3], more): "was recorded with shard's samples = 1",
        (parts[1], parts[3], warm): "was recorded with temperature = 1.0",
        (parts[1], parts[3], other): "was recorded with shard's ",
        (parts[1], parts[2], parts[3], whole): "whole.parquet is no shard",
    }.items():
        assert main(["recordings", "merge", *map(str, given), "--out", str(out)]) == 2
        told = capsys.readouterr().err
        assert words in told and told.count("\n") == 1
    assert not out.exists()


def test_a_dry_run_of_a_shard_counts_its_questions_alone(server, tmp_path):
    endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
    options = RecordingOptions(shard="1/5", greedy=False)
    found = dry_run(LARGE, endpoint, num_samples=4, out=tmp_path / "a.parquet", options=options)
    assert found.worst.calls == 2 * 4
