import asyncio
import json
import os
import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from dataclasses import replace
from itertools import groupby

import pytest
from helpers.fake_mlflow import tracked
from helpers.flat_options import grouped
from helpers.forks import forked
from helpers.killable_runs import record_flat
from helpers.scripted_server import Reply, ScriptedServer
from helpers.targeted_sums import KEY, TASK, right

from dynlab import recordings
from dynlab._util.errors import BudgetError, DynlabError, InputError
from dynlab._util.options import RecordingOptions, RequestOptions, Sampling
from dynlab._util.values import Question
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.prices import Price
from dynlab.recordings.schema import KEY as KEY_COLUMNS
from dynlab.sampling.plan import Plan, sampling_seed
from dynlab.sampling.recorder import dry_run, record
from dynlab.sampling.store import Store, store_path
from dynlab.sampling.verification import verify
from dynlab.strategies.integrated import Integrated
from dynlab.strategies.parallel import Parallel
from dynlab.strategies.sequential import Sequential


@pytest.fixture
def server():
    with ScriptedServer(right) as running:
        yield running


@pytest.fixture
def draw(server, tmp_path):
    """record() of the sums on the scripted server."""

    def run(**changes):
        arguments = {
            "num_samples": 3,
            "out": tmp_path / "sums.parquet",
            "progress": False,
            "concurrency": 4,
        }
        endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
        return record(
            changes.pop("task", TASK),
            changes.pop("model", endpoint),
            **grouped(**arguments | changes),
        )

    return run


def keys_of(path):
    frame = recordings.load(path).frame
    return set(
        zip(
            frame["question_id"],
            frame["strategy"],
            frame["stream"],
            frame["sample_index"],
            strict=True,
        )
    )


# ——— the plan ———


def test_a_plan_is_drawn_sample_by_sample_over_the_questions_after_the_greedy_answers():
    plan = Plan(
        replace(TASK, questions=TASK.questions[:2]),
        Parallel(),
        Sampling(),
        num_samples=2,
        num_streams=2,
    )
    assert plan.keys == [
        ("q0", "greedy", 0, 0),
        ("q1", "greedy", 0, 0),
        ("q0", "parallel", 0, 0),
        ("q1", "parallel", 0, 0),
        ("q0", "parallel", 1, 0),
        ("q1", "parallel", 1, 0),
        ("q0", "parallel", 0, 1),
        ("q1", "parallel", 0, 1),
        ("q0", "parallel", 1, 1),
        ("q1", "parallel", 1, 1),
    ]


def test_with_slots_so_many_streams_are_drawn_at_a_time_each_at_a_slot_of_its_own():
    plan = Plan(replace(TASK, questions=TASK.questions[:3]), Parallel(), Sampling(), num_samples=2)
    slotted = replace(plan, num_slots=2)
    assert set(slotted.keys) == set(plan.keys)
    drawn = [
        (key[0], key[3], slotted.request(key, []).sampling.extra_body.get("id_slot"))
        for key in slotted.keys[3:]
    ]
    assert drawn == [
        ("q0", 0, 0),
        ("q1", 0, 1),
        ("q0", 1, 0),
        ("q1", 1, 1),
        ("q2", 0, None),
        ("q2", 1, None),
    ]
    assert not any(
        "id_slot" in slotted.request(key, []).sampling.extra_body for key in slotted.keys[:3]
    )
    own = replace(slotted, sampling=Sampling(extra_body={"id_slot": 7}))
    assert {own.request(key, []).sampling.extra_body["id_slot"] for key in own.keys} == {7}


def test_an_engine_in_this_process_draws_so_many_streams_of_chains_at_a_time():
    questions = tuple(Question(f"q{number}", "?", "1") for number in range(5))
    chains = Plan(
        replace(TASK, questions=questions), Integrated(width=2), Sampling(), 6, num_streams=2
    )
    assert most_open(chains) == 10 and most_open(replace(chains, num_at_once=3)) == 3
    assert set(replace(chains, num_at_once=3).keys) == set(chains.keys)
    independent = replace(chains, strategy=Parallel())
    assert replace(independent, num_at_once=3).keys == independent.keys  # balanced


def test_a_recording_by_an_engine_in_this_process_finishes_its_first_streams_first(draw, server):
    endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
    local = replace(endpoint, card={"server_settings": {"num_sequences": 2}})
    draw(strategy="integrated(width=1)", greedy=False, model=local, concurrency=1)
    asked = [call.words.rpartition("Question: ")[2].split()[0] for call in server.calls]
    assert asked == ["0", "1"] * 3 + ["2", "3"] * 3


def most_open(plan):
    """The most streams that are on their way at once, drawn in order, one call after the other."""
    left, begun, most = Counter(key[:3] for key in plan.keys), set(), 0
    for *stream, _ in plan.keys:
        begun.add(tuple(stream))
        most = max(most, sum(left[each] > 0 for each in begun if each[1] != "greedy"))
        left[tuple(stream)] -= 1
    return most


@pytest.mark.slow
def test_a_server_of_this_machine_is_told_the_slot_of_each_stream_and_the_recording_is_the_same(
    draw, server, tmp_path
):
    card = {"server_settings": {"num_slots": 2}}
    chains = {"strategy": "sequential", "num_streams": 2, "greedy": False}
    endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
    first = draw(**chains)
    assert not any("id_slot" in call.body for call in server.calls)
    num_calls = len(server.calls)
    slotted = replace(endpoint, card=card)
    second = draw(**chains, model=slotted, concurrency=12, out=tmp_path / "slots.parquet")
    of_question: dict = {}
    at_slot: dict = {0: [], 1: []}
    for call in server.calls[num_calls:]:
        question = call.words.rpartition("Question: ")[2].split()[0]
        of_question.setdefault(question, set()).add(call.body["id_slot"])
        at_slot[call.body["id_slot"]].append(question)
    assert of_question == {"0": {0}, "1": {1}, "2": {0}, "3": {1}}
    streams = [[name for name, _ in groupby(asked)] for asked in at_slot.values()]
    assert streams == [
        ["0", "2", "0", "2"],
        ["1", "3", "1", "3"],
    ]  # one stream after the other, never in turns
    assert recordings.load(first).frame["answer"].equals(recordings.load(second).frame["answer"])
    assert recordings.load(first).card["settings"] == recordings.load(second).card["settings"]


def test_a_sampling_seed_depends_on_run_and_key_alone_and_fits_31_bits():
    keys = [
        (q, s, i, j)
        for q in ("a", "b")
        for s in ("parallel", "greedy")
        for i in range(10)
        for j in range(50)
    ]
    seeds = {sampling_seed(run, key) for run in (0, 1) for key in keys}
    assert len(seeds) == 2 * len(keys)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert (
        sampling_seed(0, ("q1", "parallel", 0, 0)) == 1690437171
    )  # recordings are made with it: it never changes


# ——— what is recorded ———


@pytest.mark.slow
def test_a_recording_holds_every_sample_with_its_answer_and_what_was_counted(draw, server):
    frame = recordings.load(draw()).frame
    assert len(frame) == len(server.calls) == 4 * 3 + 4
    assert sorted(frame["strategy"].unique()) == ["greedy", "parallel"]
    assert (
        (frame["answer"] == frame["target"]).all()
        and frame["correct"].all()
        and frame["votes"].all()
    )
    assert set(frame["prompt_tokens"]) == {10} and set(frame["completion_tokens"]) == {5}
    for unknown in ("cost_usd", "billed_usd", "cached_tokens", "reasoning_tokens", "mean_logprob"):
        assert frame[unknown].isna().all()
    assert frame["text"].tolist() == [f" {target}" for target in frame["target"]]


@pytest.mark.slow
def test_the_card_says_how_it_was_sampled(draw):
    task = replace(TASK, origin="me/sums@c0ffee/test.jsonl")
    card = recordings.load(draw(task=task, temperature=0.7, top_k=40, seed=3)).card
    assert card["task_origin"] == "me/sums@c0ffee/test.jsonl"
    assert (card["design"], card["questions"], card["samples"], card["greedy"]) == (
        "fixed",
        4,
        12,
        4,
    )
    settings = {
        "temperature": 0.7,
        "top_k": 40,
        "top_p": None,
        "seed": 3,
        "stop": ["\n"],
        "max_tokens": 8,
    }
    assert settings.items() <= card["settings"].items()
    json.dumps(card)


@pytest.mark.slow
def test_samples_have_seeds_of_their_own_and_greedy_answers_temperature_zero(draw, server):
    draw(num_streams=2)
    assert len({call.body["seed"] for call in server.calls}) == len(server.calls) == 4 * 3 * 2 + 4
    assert sorted(call.body["temperature"] for call in server.calls) == [0.0] * 4 + [1.0] * 24


@pytest.mark.slow
def test_the_same_run_sends_the_same_requests(draw, server, tmp_path):
    draw(out=tmp_path / "a.parquet")
    first = {json.dumps(call.body) for call in server.calls}
    draw(out=tmp_path / "b.parquet", concurrency=1)
    assert {json.dumps(call.body) for call in server.calls[16:]} == first


@pytest.mark.slow
def test_a_response_without_an_answer_is_recorded_as_none(draw, server):
    server.script = lambda call: " no idea"
    frame = recordings.load(draw()).frame
    assert set(frame["answer"]) == {""} and not frame["correct"].any()


@pytest.mark.slow
def test_a_stop_string_that_a_server_hands_over_is_no_part_of_the_response(draw):
    with ScriptedServer(lambda call: f"{right(call)}\nQuestion: 8 + 8?\nAnswer: 16") as server:
        endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
        frame = recordings.load(draw(model=endpoint, num_samples=1)).frame
    assert not frame["text"].str.contains("\n").any()
    assert (frame["answer"] == frame["target"]).all()


@pytest.mark.slow
def test_text_may_be_kept_for_the_first_samples_only(draw):
    path = draw(keep_text=1)
    frame = recordings.load(path).frame
    assert (frame["text"].notna() == (frame["sample_index"] < 1)).all()
    with Store(store_path(path), {}, {}) as store:
        assert all(sample.text for sample in store.samples())


@pytest.mark.slow
def test_no_key_is_ever_stored(draw, tmp_path):
    draw()
    for path in tmp_path.iterdir():
        assert KEY.encode() not in path.read_bytes()


@pytest.mark.slow
def test_calls_in_flight_are_bounded(draw, server):
    server.script = lambda call: Reply(right(call), delay_s=0.02)
    draw(concurrency=5)
    assert server.most_in_flight == 5


@pytest.mark.slow
def test_the_greedy_answers_can_be_left_out(draw, server):
    assert {key[1] for key in keys_of(draw(greedy=False))} == {"parallel"}
    assert len(server.calls) == 12


@pytest.mark.slow
def test_a_task_of_completions_is_asked_in_chat_where_there_is_only_chat(draw, server):
    server.script = lambda call: "Answer: 1"
    draw(model=Endpoint("openai/scripted", server.address, KEY))
    assert {call.path for call in server.calls} == {"/v1/chat/completions"}
    assert all("stop" not in call.body for call in server.calls)


@pytest.mark.slow
def test_it_works_under_a_running_event_loop(draw):
    async def cell():
        return draw()

    assert len(recordings.load(asyncio.run(cell())).frame) == 16


# ——— chains ———


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [Sequential(), Integrated(2)])
def test_a_sample_starts_when_those_it_is_shown_have_arrived_and_is_shown_their_texts(
    draw, server, strategy
):
    def script(call):  # an answer that tells who it is; later calls are answered sooner
        return Reply(f" {call.body['seed']}", delay_s=0.03 if call.number % 3 == 0 else 0.0)

    server.script = script
    path = draw(strategy=strategy, num_samples=4, num_streams=2, concurrency=16)
    frame = recordings.load(path).frame
    number = {call.body["seed"]: call.number for call in server.calls}
    order = [call.body["seed"] for call in server.answered]
    assert len(frame) == 4 * 2 * 4 + 4
    for row in frame[frame["strategy"] == strategy.name].itertuples():
        key = (row.question_id, strategy.name, row.stream)
        seed = sampling_seed(0, (*key, row.sample_index))
        parents = [sampling_seed(0, (*key, index)) for index in strategy.parents(row.sample_index)]
        assert list(row.parents) == list(strategy.parents(row.sample_index))
        assert row.role == ("chained" if parents else "independent")
        words = server.calls[number[seed]].words
        positions = [words.find(f" {parent}") for parent in parents]
        assert positions == sorted(positions) and -1 not in positions
        assert all(order.index(parent) < order.index(seed) for parent in parents)
        strangers = set(order) - set(parents)
        assert not any(str(stranger) in words for stranger in strangers)


# ——— going on ———


@pytest.mark.slow
def test_a_complete_recording_is_not_sampled_again(draw, server, tmp_path):
    path = draw()
    before = path.read_bytes()
    draw()
    assert len(server.calls) == 16 and path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("with_store", [True, False])
def test_more_samples_are_added_to_those_that_are_there(draw, server, with_store):
    path = draw()
    first = recordings.load(path).frame
    if not with_store:
        store_path(path).unlink()
    draw(num_samples=5)
    assert len(server.calls) == 4 * 5 + 4
    assert len({call.body["seed"] for call in server.calls}) == len(server.calls)
    both = recordings.load(path).frame.merge(first, on=list(KEY_COLUMNS), suffixes=("", "_first"))
    assert len(both) == len(first)
    assert (both["text"] == both["text_first"]).all()


@pytest.mark.slow
def test_fewer_questions_later_lose_none_that_are_there(draw, server):
    path = draw()
    draw(num_questions=1, num_samples=4)
    assert len(server.calls) == 17
    assert len(keys_of(path)) == 17


@pytest.mark.slow
def test_a_chain_is_not_continued_from_texts_that_were_not_kept(draw):
    path = draw(strategy="sequential", keep_text=1)
    store_path(path).unlink()
    with pytest.raises(InputError, match="lacks texts"):
        draw(strategy="sequential", num_samples=4)


@pytest.mark.slow
def test_a_chain_goes_on_from_its_recording_because_the_texts_that_it_shows_are_always_kept(
    draw, server
):
    path = draw(strategy="integrated", width=2, keep_text=0)
    assert recordings.load(path).frame.groupby("sample_index")["text"].count().tolist() == [
        4,
        4,
        0,
    ]  # and 4 greedy
    store_path(path).unlink()
    draw(strategy="integrated", width=2, num_samples=4)
    assert len(server.calls) == 4 * 4 + 4


OTHERS = {
    "temperature = 1.0, given now is 0.5": {"temperature": 0.5},
    "seed = 0, given now is 1": {"seed": 1},
    "strategy": {"strategy": "sequential"},
    "wording": {"task": replace(TASK, instruction="Add.")},
    "question 'q0'": {
        "task": replace(TASK, questions=(Question("q0", "0 + 2?", "2"), *TASK.questions[1:]))
    },
    "model": {"model": Endpoint("text-completion-openai/other", "http://127.0.0.1:1/v1")},
}


@pytest.mark.slow
@pytest.mark.parametrize("kept", ["both", "recording", "store"])
def test_other_settings_are_refused_by_name_and_nothing_is_sampled(draw, server, kept):
    path = draw()
    if kept != "both":
        (path if kept == "store" else store_path(path)).unlink()
    for words, change in OTHERS.items():
        with pytest.raises(InputError, match=words):
            draw(num_samples=9, **change)
    assert len(server.calls) == 16


def test_a_recording_that_does_not_say_how_it_was_sampled_is_left_alone(
    draw, server, tmp_path, make_pool
):
    path = recordings.write(make_pool({"q1": "aab"}), {}, tmp_path / "sums.parquet")
    before = path.read_bytes()
    with pytest.raises(InputError, match="not as a recording of planned samples"):
        draw()
    assert path.read_bytes() == before and not server.calls


@pytest.mark.slow
def test_what_was_stored_before_a_kill_is_not_drawn_again(draw, server, tmp_path):
    out, reached = tmp_path / "killed.parquet", threading.Event()

    def script(call):
        if call.number == 50:
            reached.set()
        return Reply(right(call), delay_s=0.01)

    server.script = script
    settings = {"num_samples": 25, "strategy": "integrated", "concurrency": 4, "progress": False}
    run = (server.address, TASK, settings | {"out": out})
    process = forked(record_flat, *run, told=tmp_path / "told")
    assert reached.wait(60)
    process.kill()
    process.join()
    assert not out.exists()
    num_before = len(server.calls)
    assert 50 <= num_before < 104
    draw(out=out, **settings)
    assert len(keys_of(out)) == 25 * 4 + 4
    seeds = [call.body["seed"] for call in server.calls]
    again = {seed for seed in seeds if seeds.count(seed) > 1}
    assert len(again) <= 4  # those in flight when the process died: their answers never arrived
    assert len(set(seeds)) == 25 * 4 + 4
    assert len(seeds) == len(set(seeds)) + len(again)


def interrupted(*after_s, answers_in_s):
    """A script that sends Ctrl-C so many seconds after call 5; from call 4 on, answers take their
    time.
    """

    def script(call):
        if call.number == 5:
            for delay_s in after_s:
                threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGINT)).start()
        return Reply(right(call), delay_s=answers_in_s if call.number > 3 else 0)

    return script


@pytest.mark.slow
def test_an_interrupt_finishes_what_is_in_flight_and_says_how_to_go_on(draw, server, tmp_path):
    server.script = interrupted(0.05, answers_in_s=0.2)
    with pytest.raises(
        DynlabError, match=r"interrupted; \d+ of 16 samples are kept, the same command goes on"
    ):
        draw()
    num_before = len(server.calls)
    assert 6 <= num_before < 16
    with Store(store_path(tmp_path / "sums.parquet"), {}, {}) as store:
        assert len(store.keys()) == num_before
    draw()
    assert len(server.calls) == 16


@pytest.mark.slow
def test_a_second_interrupt_ends_it_at_once(draw, server):
    server.script = interrupted(0.05, 0.25, answers_in_s=30.0)
    with pytest.raises(DynlabError, match="interrupted; 4 of 16 samples are kept"):
        draw()


@pytest.mark.slow
def test_a_failure_keeps_what_arrived_and_the_next_run_goes_on(draw, server):
    server.script = lambda call: (
        Reply("no such model", status=404) if call.number == 9 else right(call)
    )
    with pytest.raises(DynlabError, match=r"no such model.*; \d+ of 16 samples are kept"):
        draw()
    server.script = right
    draw()
    assert len(server.calls) == 17


@pytest.mark.slow
def test_the_limit_on_spending_holds_over_all_runs_of_a_recording(draw, server, tmp_path):
    price, cost = (1.0, 10.0), (10 * 1.0 + 5 * 10.0) / 1e6
    with pytest.raises(BudgetError, match=r"the next call may cost .* samples are kept"):
        draw(price=price, max_usd=8 * cost)
    num_first = len(server.calls)
    assert 0 < num_first <= 8
    with pytest.raises(BudgetError):
        draw(price=price, max_usd=8 * cost)
    assert len(server.calls) == num_first
    frame = recordings.load(draw(price=price, max_usd=1.0)).frame
    assert len(server.calls) == 16
    assert frame["cost_usd"].sum() == pytest.approx(16 * cost)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cap", "fitting"), [({"max_calls": 5}, 5), ({"max_total_tokens": 150}, None)]
)
def test_caps_in_calls_and_tokens_hold_over_all_runs_of_a_recording(draw, server, cap, fitting):
    for _ in range(2):
        with pytest.raises(BudgetError, match=r"samples are kept, the same command goes on"):
            draw(**cap)
        num = len(server.calls)
        assert num == fitting if fitting else 0 < 15 * num <= 150
    card = recordings.load(draw()).card
    assert len(server.calls) == 16
    assert card["spent"] == {"calls": 16, "tokens": 16 * 15, "usd": None}
    assert card["reserved"] == {"calls": 0, "tokens": 0, "usd": 0.0}


@pytest.mark.slow
def test_interrupted_under_a_cap_nothing_is_left_reserved(draw, server, tmp_path):
    server.script = interrupted(0.05, answers_in_s=0.2)
    with pytest.raises(DynlabError, match="interrupted"):
        draw(max_calls=16)
    with Store(store_path(tmp_path / "sums.parquet"), {}, {}) as store:
        totals = store.totals()
    assert (totals.spent.calls, totals.reserved.calls) == (len(server.calls), 0)
    draw(max_calls=16)
    assert len(server.calls) == 16


@pytest.mark.slow
def test_stopped_at_once_under_a_cap_what_was_in_flight_stays_reserved(draw, server, tmp_path):
    server.script = interrupted(0.05, 0.25, answers_in_s=30.0)
    with pytest.raises(DynlabError, match="interrupted; 4 of 16 samples are kept"):
        draw(max_calls=18)
    server.script = right
    with pytest.raises(BudgetError, match="reserved: 4 calls"):
        draw(max_calls=18)
    assert len(server.calls) == 18


@pytest.mark.slow
def test_killed_before_its_file_is_written_a_recording_s_card_tells_the_same_of_its_calls(
    draw, server
):
    server.script = lambda call: Reply("", status=500) if call.number == 3 else right(call)
    how = {"price": (1.0, 10.0), "num_per_call": 2}
    path = draw(**how)
    card = recordings.load(path).card
    assert card["spent"]["calls"] == len(server.calls) - 1 and card["reserved"]["calls"] == 1
    for change in ({}, {"max_usd": 1e-9, "price": None}):  # nothing is sent: no limit is in its way
        path.unlink()
        again = recordings.load(draw(**how | change)).card
        known = {**card, "price": card["price"] if not change else None}
        assert {"price": None, **again, "date": ""} == {**known, "date": ""}
    assert len(server.calls) == card["spent"]["calls"] + 1


@pytest.mark.slow
def test_killed_before_its_file_is_written_a_recording_s_card_tells_what_was_left_out(draw, server):
    def script(call):
        turned_down = "logprobs" in call.body
        return Reply("it takes no logprobs", status=400) if turned_down else right(call)

    server.script = script
    path = draw(logprobs=True)
    told = recordings.load(path).card["left_out"]
    assert told == ["logprobs", "top_logprobs"]
    num_calls = len(server.calls)
    path.unlink()
    assert recordings.load(draw(logprobs=True)).card["left_out"] == told
    assert len(server.calls) == num_calls


@pytest.mark.slow
def test_a_cap_in_usd_holds_for_reasoning_that_is_dearer(draw, server, monkeypatch):
    price = Price(1.0, 10.0, reasoning=40.0)
    monkeypatch.setattr("dynlab.models.client.list_price", lambda *_, **__: price)
    monkeypatch.setattr("dynlab.sampling.preparation.list_price", lambda *_, **__: price)
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 8,
        "completion_tokens_details": {"reasoning_tokens": 6},
    }
    server.script = lambda call: Reply("Answer: 1", usage=usage)
    cost = (10 * 1.0 + 2 * 10.0 + 6 * 40.0) / 1e6
    with pytest.raises(BudgetError, match="USD"):
        draw(max_usd=8 * cost)
    assert 0 < len(server.calls) <= 8
    path = draw(max_usd=1.0)
    assert recordings.load(path).frame["cost_usd"].tolist() == pytest.approx([cost] * 16)
    assert recordings.load(path).card["price"] == price.told and verify(path).problems == ()


@pytest.mark.slow
def test_samples_of_a_store_that_did_not_count_calls_are_spent(draw, server, tmp_path):
    draw()
    (tmp_path / "sums.parquet").unlink()
    with closing(sqlite3.connect(store_path(tmp_path / "sums.parquet"))) as database:
        database.executescript("DROP TABLE calls; DROP TABLE notes;")
    with pytest.raises(BudgetError, match="spent: 16 calls, 240 tokens"):
        draw(num_samples=4, max_calls=16)
    assert len(server.calls) == 16


@pytest.mark.slow
def test_several_samples_a_call_are_told_in_the_card(draw, server):
    recording = recordings.load(
        draw(num_samples=4, num_per_call=4, greedy=False, price=(1.0, 10.0))
    )
    assert len(server.calls) == 4 and len(recording.frame) == 16
    assert recording.card["num_per_call"] == 4
    assert recording.frame["billed_usd"].sum() == pytest.approx(recording.card["spent"]["usd"])
    assert recording.frame["cost_usd"].sum() > recording.card["spent"]["usd"]


@pytest.mark.slow
def test_a_dry_run_sends_nothing_and_its_worst_case_is_enough(draw, server, tmp_path):
    endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
    arguments = {"num_samples": 3, "out": tmp_path / "sums.parquet", "price": (1.0, 10.0)}
    before = dry_run(TASK, endpoint, **grouped(**arguments | {"out": tmp_path / "new/a.parquet"}))
    assert not server.calls and not list(tmp_path.iterdir())
    assert (before.num_samples, before.worst.calls) == (16, 16) and "nothing was sent" in str(
        before
    )
    draw(
        price=(1.0, 10.0),
        max_usd=before.worst.usd,
        max_total_tokens=before.worst.tokens,
        max_calls=16,
    )
    more = dry_run(TASK, endpoint, **grouped(**arguments | {"num_samples": 5}))
    assert more.num_samples == 8 and more.expected.usd == pytest.approx(8 * 60e-6)
    assert "the mean of the 16 samples" in str(more)


@pytest.mark.slow
@pytest.mark.parametrize(
    "strategy", [Sequential(), Integrated(2)], ids=lambda strategy: strategy.name
)
def test_the_worst_case_of_chains_covers_attempts_as_long_as_they_come(
    draw, server, tmp_path, strategy
):
    server.script = lambda call: Reply(
        "long " * 500, usage={"prompt_tokens": len(call.words), "completion_tokens": 8}
    )
    endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
    told = dry_run(
        TASK,
        endpoint,
        num_samples=4,
        out=tmp_path / "sums.parquet",
        strategy=strategy,
        requests=RequestOptions(price=(1.0, 10.0)),
    )
    draw(strategy=strategy, num_samples=4, price=(1.0, 10.0), max_usd=told.worst.usd)
    assert len(server.calls) == 4 * 4 + 4


# ——— wrong use ———


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_samples": 0}, "num_samples is 0"),
        ({"num_samples": 2.5}, r"num_samples is 2\.5"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"temperature": -1.0}, r"temperature is -1\.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"strategy": "paralel"}, "did you mean 'parallel'"),
        ({"task": "capitols"}, "did you mean 'capitals'"),
        ({"out": "a.csv"}, r"ends in \.parquet"),
        ({"out": "/proc/nowhere/a.parquet"}, "writable"),
        ({"model": "local/smollm"}, "local/smollm2-135m"),
        ({"model": "nonsense"}, "does not know who serves 'nonsense'"),
        ({"max_usd": 1.0}, r"give --price IN,OUT"),
        ({"max_calls": -1}, "the limit of calls is -1"),
        ({"max_usd": float("inf")}, "the limit of usd is inf"),
        ({"max_total_tokens": float("nan")}, "the limit of tokens is nan"),
        ({"num_per_call": 0}, "num_per_call is 0"),
        ({"timeout_s": -1.0}, r"timeout_s is -1\.0"),
        ({"price": (-1.0, 1.0)}, r"price is \(-1\.0, 1\.0\)"),
    ],
)
def test_wrong_use_is_told_before_any_call(draw, server, tmp_path, change, words):
    with pytest.raises(InputError, match=words) as error:
        draw(**change)
    assert "\n" not in str(error.value)
    assert not server.calls
    assert not list(tmp_path.iterdir())


# ——— speed ———


@pytest.mark.slow
@pytest.mark.benchmarks
def test_recording_is_nearly_as_fast_as_the_same_requests_sent_straight_to_the_server(tmp_path):
    import time

    import aiohttp

    from dynlab.models.client import Client
    from dynlab.models.llama_cpp import resolve
    from dynlab.tasks.task import load_task

    task = load_task("capitals")

    async def straight(endpoint, plan):
        limit = asyncio.Semaphore(32)

        async def send(request, session):
            body = {
                "model": "x",
                "prompt": request.prompt,
                "max_tokens": plan.sampling.max_tokens,
                "logprobs": 1,
            }
            body |= {"stop": list(plan.sampling.stop), "temperature": 1.0, "seed": request.seed}
            async with (
                limit,
                session.post(f"{endpoint.api_base}/completions", json=body) as response,
            ):
                assert "choices" in await response.json()

        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(send(plan.request(key, []), session) for key in plan.keys))

    seconds = {"straight": 0.0, "recorded": 0.0}
    with resolve("local/smollm2-135m") as endpoint:
        Client(endpoint)  # LiteLLM's import is not what is measured
        for seed in range(4):
            sampling = Sampling(max_tokens=task.max_tokens, stop=task.stop, logprobs=True)
            plan = Plan(task, Parallel(), sampling, 2, greedy=False, seed=seed)
            for way in ("straight", "recorded") if seed % 2 else ("recorded", "straight"):
                started = time.perf_counter()
                if way == "straight":
                    asyncio.run(straight(endpoint, plan))
                else:
                    out = tmp_path / f"{seed}.parquet"
                    record(
                        task,
                        endpoint,
                        num_samples=2,
                        out=out,
                        options=RecordingOptions(greedy=False),
                        requests=RequestOptions(progress=False),
                        seed=seed,
                    )
                if seed:  # the first round warms the server up
                    seconds[way] += time.perf_counter() - started
    assert seconds["straight"] / seconds["recorded"] >= 0.9


@pytest.mark.slow
def test_a_tracking_server_that_fails_loses_nothing(draw, monkeypatch, capsys):
    fake = tracked(monkeypatch)
    fake.failing["create_run"] = ConnectionError("refused")
    path = draw()
    assert "not logged to MLflow" in capsys.readouterr().err
    assert len(recordings.load(path).frame) == 3 * len(TASK.questions) + len(TASK.questions)
    fake.failing.clear()
    draw(num_samples=4)
    (run,) = fake.runs
    assert run["name"] == "record sums" and KEY not in repr(run)
