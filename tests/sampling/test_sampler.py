"""Drawing one sample at a time: order, limits, retries, failed samples, interrupts."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from helpers.scripted_server import Reply, ScriptedServer
from helpers.targeted_sums import KEY, TASK, right

from dynlab._util.errors import BudgetError, DynlabError, InputError
from dynlab._util.options import Limits, Sampling
from dynlab._util.values import Question, Usage
from dynlab.models.client import Client
from dynlab.models.llama_cpp import Endpoint
from dynlab.sampling.budget import excess
from dynlab.sampling.plan import Plan
from dynlab.sampling.retries import RetryPolicy
from dynlab.sampling.sampler import Sampler, Stopped
from dynlab.sampling.scheduling import draw_plan
from dynlab.sampling.store import Store, store_path
from dynlab.strategies.parallel import Parallel
from dynlab.strategies.sequential import Sequential

PRICE = (1.0, 10.0)  # USD per million tokens
PARALLEL = Parallel()
FAILED = Usage(0, 0, 0, 0, 0.0, 0.0)


def key(question=0, index=0, strategy="parallel"):
    return (f"q{question}", strategy, 0, index)


@pytest.fixture
def path(tmp_path):
    return store_path(tmp_path / "a.parquet")


@pytest.fixture
def server():
    with ScriptedServer(right) as running:
        yield running


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr("dynlab.sampling.attempts.LONGEST_WAIT_S", 0.01)


def sampler_of(
    server, store, strategy=PARALLEL, num_questions=4, num_samples=4, concurrency=4, **settings
):
    questions = tuple(Question(f"q{i}", f"{i} + 1?", str(i + 1)) for i in range(num_questions))
    sampling = Sampling(max_tokens=8, stop=("\n",))
    plan = Plan(replace(TASK, questions=questions), strategy, sampling, num_samples, greedy=False)
    client = Client(Endpoint("text-completion-openai/scripted", server.address, KEY), PRICE)
    return Sampler(plan, store, client, concurrency, **settings)


def draw(server, path, keys, **settings):
    """What `one` gives for keys that are asked for at once, exceptions included; the totals; the
    store's calls.
    """

    async def all_at_once(sampler):
        async with sampler:
            return await asyncio.gather(*map(sampler.one, keys), return_exceptions=True)

    with Store(path, {}, {}) as store:
        sampler = sampler_of(server, store, **settings)
        outcomes = asyncio.run(all_at_once(sampler))
        totals = store.totals()
        assert (totals.spent, totals.reserved) == (sampler.ledger.spent, sampler.ledger.reserved)
        return outcomes, totals, calls_in(path)


def calls_in(path):
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM calls ORDER BY call")]
    database.close()
    return rows


def test_a_sample_is_on_disk_with_what_its_call_cost(server, path):
    (sample,), totals, (call,) = draw(server, path, [key(2)])
    assert (sample.answer, sample.usage) == ("3", Usage(10, 5, None, None, 60e-6, 60e-6))
    assert (totals.spent.calls, totals.spent.tokens, totals.spent.usd) == (
        1,
        15,
        pytest.approx(60e-6),
    )
    assert (call["state"], call["prompt_tokens"], call["completion_tokens"], call["picousd"]) == (
        "settled",
        10,
        5,
        60_000_000,
    )


def test_a_sample_is_drawn_once_however_often_it_is_asked_for(server, path):
    outcomes, *_ = draw(server, path, [key()] * 5)
    assert (
        len(server.calls) == 1
        and len(set(map(id, outcomes))) >= 1
        and len({o.text for o in outcomes}) == 1
    )
    draw(server, path, [key()])
    assert len(server.calls) == 1


@pytest.mark.slow
def test_a_reservation_is_on_disk_before_its_call_is_sent(server, path):
    seen = []

    def script(call):
        states = [row["state"] for row in calls_in(path)]
        seen.append(states.count("reserved"))
        return Reply(right(call), delay_s=0.05)

    server.script = script
    draw(server, path, [key(i) for i in range(4)])
    assert len(seen) == 4 and all(n >= place + 1 for place, n in enumerate(seen))


@pytest.mark.slow
def test_calls_are_reserved_in_the_order_in_which_they_were_asked_for(server, path):
    keys = [key(i, j) for j in range(4) for i in (2, 0, 3, 1)]
    server.script = lambda call: Reply(right(call), delay_s=0.01 * (call.number % 3))
    _, _, calls = draw(server, path, keys)
    assert [(row["question_id"], row["sample_index"]) for row in calls] == [
        (k[0], k[3]) for k in keys
    ]


def test_parents_come_first_even_if_they_were_not_asked_for(server, path):
    (sample,), _, calls = draw(server, path, [key(0, 2, "sequential")], strategy=Sequential())
    assert sample.parents == Sequential().parents(2) and [row["sample_index"] for row in calls] == [
        0,
        1,
        2,
    ]


def test_a_cancelled_caller_does_not_cancel_the_draw(server, path):
    server.script = lambda call: Reply(right(call), delay_s=0.1)

    async def leave(sampler):
        async with sampler:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sampler.one(key()), 0.03)

    with Store(path, {}, {}) as store:
        asyncio.run(leave(sampler_of(server, store)))
        assert store.keys() == {key()}
        assert store.totals().reserved.calls == 0


# ——— limits ———


@pytest.mark.slow
@pytest.mark.parametrize(
    "limits", [Limits(calls=5), Limits(tokens=120), Limits(usd=500e-6)], ids=str
)
@pytest.mark.parametrize("concurrency", [1, 16])
def test_a_cap_is_used_up_in_order_and_never_passed(server, path, limits, concurrency):
    server.script = lambda call: Reply(right(call), delay_s=0.01)
    keys = [key(i, j) for j in range(4) for i in range(4)]
    outcomes, totals, _ = draw(server, path, keys, limits=limits, concurrency=concurrency)
    drawn = [not isinstance(outcome, BudgetError) for outcome in outcomes]
    assert drawn == sorted(drawn, reverse=True)  # none overtakes one that did not fit
    assert 0 < sum(drawn) < 16 and len(server.calls) == sum(drawn)
    assert not excess(limits, totals.spent + totals.reserved)
    again, *_ = draw(server, path, keys, limits=limits, concurrency=concurrency)
    assert sum(not isinstance(outcome, BudgetError) for outcome in again) == sum(drawn)
    more, *_ = draw(server, path, keys)
    assert not any(isinstance(outcome, Exception) for outcome in more) and len(server.calls) == 16


def test_after_a_call_that_does_not_fit_no_later_one_is_let_through(server, path):
    async def one_after_another(sampler):
        async with sampler:
            await sampler.one(key(0))
            with pytest.raises(BudgetError):
                await sampler.one(key(1))
            sampler.ledger.limits = Limits()
            with pytest.raises(BudgetError):
                await sampler.one(key(2))

    with Store(path, {}, {}) as store:
        asyncio.run(one_after_another(sampler_of(server, store, limits=Limits(calls=1))))
    assert len(server.calls) == 1


def test_what_may_have_been_billed_counts_for_ever(server, path):
    server.script = lambda call: Reply(drop=True) if call.number == 0 else right(call)
    outcomes, totals, calls = draw(server, path, [key()], limits=Limits(calls=2))
    assert outcomes[0].answer == "1"
    assert [row["state"] for row in calls] == ["reserved", "settled"]
    assert (totals.spent.calls, totals.reserved.calls) == (1, 1)
    outcomes, *_ = draw(server, path, [key(1)], limits=Limits(calls=2))
    assert isinstance(outcomes[0], BudgetError) and len(server.calls) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_what_was_turned_down_is_released_and_keeps_its_place(server, path, status):
    server.script = lambda call: Reply(status=status) if call.number < 2 else right(call)
    outcomes, totals, calls = draw(
        server, path, [key(0), key(1)], limits=Limits(calls=1), concurrency=4
    )
    assert outcomes[0].answer == "1" and isinstance(outcomes[1], BudgetError)
    assert [row["state"] for row in calls] == ["settled"]
    assert (totals.spent.calls, totals.reserved.calls) == (1, 0)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {"prompt_tokens": 10**9, "completion_tokens": 1},
        {"prompt_tokens": 10, "completion_tokens": 10**30},
        {"prompt_tokens": -10, "completion_tokens": 1},
        {"prompt_tokens": 10, "completion_tokens": -1},
        {"prompt_tokens": "10", "completion_tokens": 1},
    ],
)
def test_a_usage_that_cannot_be_true_is_unknown_and_its_reservation_stays(server, path, usage):
    server.script = lambda call: Reply(right(call), usage=usage)
    (sample,), totals, (call,) = draw(server, path, [key()])
    assert (sample.answer, sample.votes, sample.usage) == ("1", True, Usage())
    assert (totals.spent.calls, totals.reserved.calls) == (0, 1)
    assert (
        call["reason"] == "usage unknown"
        and call["picousd"] == call["prompt_tokens"] * 10**6 + 8 * 10**7
    )


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ((10, 9), "9 tokens of an answer that may have at most 8"),
        ((10, 10**5), "100000 tokens of an answer that may have at most 8"),
        ((10**5, 1), "100000 tokens of a prompt that may have at most "),
    ],
    ids=repr,
)
def test_a_count_beyond_the_worst_case_stays_reserved_and_is_told_once(server, path, usage, words):
    counted = dict(zip(("prompt_tokens", "completion_tokens"), usage, strict=True))
    server.script = lambda call: Reply(right(call), usage=counted)
    with pytest.warns(UserWarning, match=words) as told:
        samples, totals, calls = draw(server, path, [key(0), key(1)])
    assert len(told) == 1 and [sample.usage for sample in samples] == [Usage(), Usage()]
    assert (totals.spent.calls, totals.reserved.calls) == (0, 2)
    for call in calls:
        tokens = call["prompt_tokens"], call["completion_tokens"]
        assert tokens[0] == max(usage[0], calls[0]["prompt_tokens"]) > 10
        assert tokens[1] == max(usage[1], 8)
        assert call["picousd"] == tokens[0] * 10**6 + tokens[1] * 10**7
        assert (call["state"], call["reason"]) == ("reserved", "usage unknown")


def test_a_cap_is_not_passed_where_answers_are_longer_than_they_may_be(server, path):
    server.script = lambda call: Reply(
        right(call), usage={"prompt_tokens": 10, "completion_tokens": 10**5}
    )
    keys, limits = [key(i) for i in range(4)], Limits(usd=1.5)  # one costs a dollar
    with pytest.warns(UserWarning, match="the provider counts"):
        outcomes, *_ = draw(server, path, keys, limits=limits, concurrency=1)
        assert [isinstance(o, BudgetError) for o in outcomes] == [False, False, True, True]
    outcomes, *_ = draw(server, path, keys, limits=limits)  # which is on disk
    assert len(server.calls) == 2 and isinstance(outcomes[2], BudgetError)


def test_a_cap_in_usd_needs_a_price(server, path):
    with Store(path, {}, {}) as store, pytest.raises(InputError, match=r"give --price IN,OUT"):
        plan = sampler_of(server, store).plan
        Sampler(plan, store, Client(Endpoint("openai/x", server.address)), 1, Limits(usd=1.0))


# ——— what passes and what does not ———


@pytest.mark.parametrize(
    "failure",
    [Reply(status=429), Reply(status=500), Reply(status=503), Reply(drop=True), Reply(body="{")],
    ids=repr,
)
def test_what_may_pass_is_tried_again_with_the_same_seed(server, path, failure):
    server.script = lambda call: right(call) if call.number >= 2 else failure
    (sample,), *_ = draw(server, path, [key()])
    assert sample.answer == "1"
    assert len(server.calls) == 3 and len({call.body["seed"] for call in server.calls}) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "reason", "usage"),
    [
        (
            Reply("1", finish_reason="content_filter"),
            "error: content filter",
            Usage(10, 5, None, None, 60e-6, 60e-6),
        ),
        (
            Reply("1", finish_reason="error"),
            "error: the provider broke off",
            Usage(10, 5, None, None, 60e-6, 60e-6),
        ),
        (Reply(num_choices=0), "error: no choices", Usage(10, 5, None, None, 60e-6, 60e-6)),
        (Reply(num_choices=0, usage=None), "error: no choices", Usage()),
        (
            Reply(status=400, body='{"error": {"code": "content_filter"}}'),
            "error: content filter",
            FAILED,
        ),
        (Reply("too long for me", status=400), "too long for me", FAILED),
        (Reply("poison", status=500), "poison", Usage()),
    ],
)
def test_a_sample_that_cannot_be_had_is_stored_with_its_reason_and_never_votes(
    server, path, reply, reason, usage
):
    server.script = lambda call: (
        reply if call.words.rpartition("Question: ")[2][0] == "1" else right(call)
    )
    keys = [key(i, j) for j in range(4) for i in range(4)]
    outcomes, *_ = draw(server, path, keys, retries=RetryPolicy(num_attempts=3))
    assert {o.answer for o in outcomes if o.votes} == {"1", "3", "4"}
    failed = [o for o in outcomes if not o.votes]
    assert {o.question_id for o in failed} == {"q1"} and len(failed) == 4
    assert {o.answer for o in failed} == {""} and {o.usage for o in failed} == {usage}
    assert all(o.finish_reason.startswith("error: ") and reason in o.finish_reason for o in failed)
    num_before = len(server.calls)
    draw(server, path, keys)  # and is not asked for again
    assert len(server.calls) == num_before


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_model_that_cannot_be_had_ends_the_run_at_once(server, path, status):
    server.script = lambda call: Reply("no\nmodel", status=status)
    outcomes, totals, _ = draw(server, path, [key(i) for i in range(4)], concurrency=1)
    assert len(server.calls) == 1 and all(isinstance(outcome, DynlabError) for outcome in outcomes)
    assert "text-completion-openai/scripted failed: " in str(outcomes[0]) and "no model" in str(
        outcomes[0]
    )
    assert (totals.spent.calls, totals.reserved.calls) == (0, 0)


@pytest.mark.slow
def test_settings_that_no_question_gets_through_with_end_the_run_and_spoil_no_sample(server, path):
    server.script = lambda call: Reply("bad setting", status=400)
    outcomes, totals, _ = draw(server, path, [key(i) for i in range(4)])
    assert all(isinstance(outcome, DynlabError) for outcome in outcomes)
    assert (totals.spent.calls, totals.reserved.calls) == (0, 0)
    server.script = right
    outcomes, *_ = draw(server, path, [key(i) for i in range(4)])
    assert [outcome.answer for outcome in outcomes] == ["1", "2", "3", "4"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        "'max_tokens' or 'max_completion_tokens' is too large: 9000. This model's maximum context"
        " length is 2048 tokens and your request has 12 input tokens",
        "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens"
        " (20 in the messages, 8980 in the completion). Please reduce the length of the messages"
        " or completion.",
    ],
)
def test_an_answer_longer_than_the_model_allows_ends_the_run_and_spoils_no_sample(
    server, path, said
):
    server.script = lambda call: Reply(said, status=400)
    outcomes, *_ = draw(server, path, [key(i) for i in range(4)])
    assert all(isinstance(outcome, DynlabError) for outcome in outcomes)
    assert "9000" in str(outcomes[0])


def test_choices_that_nobody_asked_for_are_left_out_and_paid_for(server, path):
    server.script = lambda call: Reply(right(call), num_choices=3)
    keys = [key(i) for i in range(4)]
    outcomes, totals, calls = draw(server, path, keys)
    assert [outcome.answer for outcome in outcomes] == ["1", "2", "3", "4"]
    assert len(calls) == totals.spent.calls == 4
    assert sum(outcome.usage.cost_usd for outcome in outcomes) == pytest.approx(totals.spent.usd)


@pytest.mark.slow
@pytest.mark.parametrize(
    "failure", [Reply(status=429), Reply(status=500), Reply(drop=True)], ids=repr
)
def test_an_outage_ends_the_run_and_spoils_no_sample(server, path, failure):
    server.script = lambda call: right(call) if call.number < 3 else failure
    keys = [key(i, j) for j in range(4) for i in range(4)]
    outcomes, *_ = draw(
        server, path, keys, retries=RetryPolicy(num_attempts=3, silence_s=0.3), concurrency=8
    )
    arrived = [outcome for outcome in outcomes if not isinstance(outcome, DynlabError)]
    assert len(arrived) == 3 and all(sample.votes for sample in arrived)
    server.script = right
    outcomes, *_ = draw(server, path, keys)
    assert all(outcome.votes for outcome in outcomes)


@pytest.mark.slow
def test_fewer_calls_are_in_flight_while_the_server_asks_for_that(server, path):
    server.script = lambda call: (
        Reply(status=429) if server.in_flight > 4 else Reply(right(call), delay_s=0.02)
    )
    with Store(path, {}, {}) as store:
        sampler = sampler_of(server, store, num_samples=30, concurrency=32)
        asyncio.run(draw_plan(sampler))
        assert len(store.keys()) == 120
    refused = len(server.calls) - len(server.answered)
    assert refused < 200 and sampler.concurrency.limit < 16


def test_nothing_new_begins_once_it_is_stopped(server, path):
    async def stopped(sampler):
        async with sampler:
            first = asyncio.create_task(sampler.one(key(0)))
            await asyncio.sleep(0.03)
            waiting = asyncio.create_task(sampler.one(key(1)))
            await asyncio.sleep(0)
            sampler.stop = True
            with pytest.raises(Stopped):
                await sampler.one(key(2))
            return await asyncio.gather(first, waiting, return_exceptions=True)

    server.script = lambda call: Reply(right(call), delay_s=0.1)
    with Store(path, {}, {}) as store:
        first, waiting = asyncio.run(stopped(sampler_of(server, store, concurrency=1)))
    assert first.answer == "1" and isinstance(waiting, Stopped) and len(server.calls) == 1


# ——— several samples in one call ———


def test_one_call_brings_several_samples_that_share_its_prompt(server, path):
    server.script = lambda call: Reply(
        right(call), usage={"prompt_tokens": 12, "completion_tokens": 8}
    )
    with Store(path, {}, {}) as store:
        sampler = sampler_of(server, store, num_per_call=4)
        asyncio.run(draw_plan(sampler))
        samples, totals = store.samples(), store.totals()
    assert len(server.calls) == 4 and {call.body["n"] for call in server.calls} == {4}
    assert len(samples) == 16 and {s.usage.prompt_tokens for s in samples} == {12}
    assert sum(s.usage.completion_tokens for s in samples) == 4 * 8
    assert totals.spent.calls == 4 and totals.spent.tokens == 4 * 20
    assert sum(s.usage.billed_usd for s in samples) == pytest.approx(totals.spent.usd)
    assert sum(s.usage.cost_usd for s in samples) == pytest.approx(totals.spent.usd + 4 * 3 * 12e-6)


@pytest.mark.slow
def test_what_a_provider_did_not_bring_is_asked_for_one_by_one(server, path):
    server.script = lambda call: Reply(
        right(call), num_choices=2 if call.body.get("n", 1) > 1 else 1
    )
    with Store(path, {}, {}) as store:
        asyncio.run(draw_plan(sampler_of(server, store, num_per_call=4)))
        assert len(store.keys()) == 16
    assert sorted(call.body.get("n", 1) for call in server.calls) == [1] * 8 + [4] * 4
    assert len({call.body["seed"] for call in server.calls}) == 12
