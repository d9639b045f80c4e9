"""Recording by a provider's batches: the same samples at half the price, none paid for twice."""

import hashlib
import os
import shutil
import signal
import sqlite3
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import certifi
import pytest
from helpers.batch_server import BatchServer
from helpers.flat_options import grouped
from helpers.scripted_server import Call, Reply
from helpers.targeted_sums import KEY, TASK, right

from dynlab import recordings
from dynlab._util.errors import BudgetError, DynlabError, InputError
from dynlab._util.options import RequestOptions
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.price_list import list_price
from dynlab.models.prices import Price
from dynlab.models.provider_batch import Batch
from dynlab.sampling.batch_life import BatchLife
from dynlab.sampling.batch_notes import SentBatch
from dynlab.sampling.prompt_preview import preview
from dynlab.sampling.recorder import dry_run, record
from dynlab.sampling.store import Store, store_path
from dynlab.sampling.verification import verify

BY_BATCH = {"provider_batch": True, "first_poll_s": 0.01, "price": (1.0, 5.0)}
KEYS = ["question_id", "strategy", "stream", "sample_index"]
COSTS = ["cost_usd", "billed_usd"]


def seeded(call):
    """An answer, tokens and log-probabilities that depend on the call's body alone."""
    lot = hashlib.blake2b(repr(sorted(call.body.items())).encode()).digest()
    token = {"token": "x", "logprob": -lot[1] / 255}
    return Reply(
        f"{right(call)}" if lot[0] % 2 else " 7",
        usage={"prompt_tokens": 10 + lot[2] % 9, "completion_tokens": 3 + lot[3] % 5},
        logprobs={"content": [token]} if "logprobs" in call.body else None,
    )


@pytest.fixture(autouse=True, scope="module")
def one_certificate(tmp_path_factory):
    """LiteLLM makes a client for each call to a batch endpoint, which loads all that there are."""
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    end = "-----END CERTIFICATE-----\n"
    path.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


@pytest.fixture
def server():
    with BatchServer(seeded) as running:
        yield running


@pytest.fixture
def draw(server, tmp_path):
    """record() of the sums by batches on the server; its rows in the order of their keys."""

    def run(out="sums.parquet", form="text-completion-openai", **changes):
        arguments = {"num_samples": 2, "greedy": False, "progress": False, "out": tmp_path / out}
        endpoint = Endpoint(f"{form}/scripted", server.address, KEY)
        path = record(TASK, endpoint, **grouped(**arguments | BY_BATCH | changes))
        return recordings.load(path).frame.sort_values(KEYS, ignore_index=True)

    return run


@pytest.fixture
def totals(tmp_path):
    """What the store of a recording has spent and reserved, as (calls, tokens) each."""

    def read(out="sums.parquet"):
        with Store(store_path(tmp_path / out), {}, {}) as store:
            found = store.totals()
        return [(each.calls, each.tokens) for each in (found.spent, found.reserved)]

    return read


def bodies(calls):
    """What was asked, in any order."""
    return sorted(repr(sorted(call.body.items())) for call in calls)


def lines_of(server):
    return [len(batch.lines) for batch in server.batches]


# ——— the same as live ———


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text-completion-openai", "openai"])
def test_a_recording_by_batches_is_the_live_one_at_the_price_of_a_batch(server, draw, form):
    asked = {"form": form, "logprobs": True, "top_p": 0.9, "num_samples": 3, "greedy": True}
    asked |= {"num_per_call": 2, "extra_body": {"own": 1}}
    live = draw("live.parquet", provider_batch=False, **asked | {"price": (2.0, 10.0)})
    asked_live, server.calls = bodies(server.calls), []
    batched = draw(**asked)
    assert bodies(server.calls) == asked_live
    assert lines_of(server) == [12]  # greedy answers, pairs of samples, and third ones
    assert [path.endswith("/content") for _, path in server.requests].count(True) == 1
    apart = ["latency_s", *COSTS]
    assert batched.drop(columns=apart).equals(live.drop(columns=apart))
    assert batched[COSTS].to_numpy() == pytest.approx(live[COSTS].to_numpy() / 2)
    assert batched["latency_s"].isna().all()


@pytest.mark.slow
def test_a_chain_is_drawn_by_a_batch_for_each_of_its_steps(server, draw):
    live = draw("live.parquet", provider_batch=False, strategy="sequential")
    batched = draw(strategy="sequential")
    assert lines_of(server) == [4, 4]
    assert batched.drop(columns="latency_s").equals(live.drop(columns="latency_s"))


@pytest.mark.slow
def test_batches_hold_so_many_calls_and_a_concurrency_bounds_what_waits(server, draw):
    open_at_once = []

    def looked(batch):
        open_at_once.append(sum(not each.files for each in server.batches))

    server.looked = looked
    draw(lines_per_batch=3, concurrency=6)
    assert lines_of(server) == [3, 3, 2] and max(open_at_once) <= 2


# ——— what fails ———


@pytest.mark.slow
def test_a_third_of_the_lines_fail_and_are_asked_again_until_all_are_there(server, draw, totals):
    live = draw("live.parquet", provider_batch=False, num_samples=4)
    server.script = lambda call: Reply(status=500) if call.number % 3 == 0 else seeded(call)
    server.calls = []
    batched = draw(num_samples=4)
    assert lines_of(server) == [16, 6, 2]
    assert batched.drop(columns="latency_s").equals(live.drop(columns="latency_s"))
    spent, reserved = totals()
    assert (spent[0], reserved[0]) == (16, 8)  # as with live calls, a 500 may be billed


@pytest.mark.slow
def test_what_a_batch_left_unanswered_when_it_expired_is_asked_again_and_was_free(
    server, draw, totals
):
    server.ending = lambda batch: "expired" if batch is server.batches[0] else "completed"
    assert len(draw(concurrency=6)) == 8
    assert lines_of(server)[0] == 6 and sum(lines_of(server)) == 8 + 3
    assert [each[0] for each in totals()] == [8, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "kept", "said"),
    [("cancelled", 4, "batch batch-0 is cancelled at the provider"), ("failed", 0, "no JSON")],
)
def test_a_batch_that_is_cancelled_or_not_taken_ends_the_run_which_can_go_on(
    server, draw, totals, ending, kept, said
):
    server.ending = lambda batch: ending
    with pytest.raises(DynlabError, match=f"{said}.*; {kept} of 8 samples are kept"):
        draw()
    assert [each[0] for each in totals()] == [kept, 0]
    server.ending = lambda batch: "completed"
    assert len(draw()) == 8
    assert lines_of(server) == [8, 8 - kept]


@pytest.mark.slow
def test_where_too_much_waits_already_less_is_sent_once_there_is_room(server, draw, totals):
    server.refusal = {"code": "token_limit_exceeded", "message": "limit of enqueued tokens"}
    server.ending = lambda batch: "failed" if batch is server.batches[0] else "completed"
    assert len(draw()) == 8
    assert lines_of(server) == [8, 4, 4]
    assert [each[0] for each in totals()] == [8, 0]


@pytest.mark.slow
def test_lines_that_are_lost_doubled_or_broken_are_no_harm(server, draw, totals):
    def spoil(batch):
        if batch is server.batches[0] and batch.files:
            name = batch.files["output"]
            first, *others = server.files[name].split(b"\n")
            server.files[name] = b"\n".join(
                [first[:40], *others, others[0], b"[]", b"\xff", b"[" * 9999]
            )

    server.looked = spoil
    assert len(draw()) == 8
    assert lines_of(server) == [8, 1]
    assert [each[0] for each in totals()] == [8, 1]  # the lost line may be billed


@pytest.mark.slow
def test_batches_that_bring_nothing_at_all_end_the_run(server, draw):
    server.script = lambda call: Reply("overloaded", status=503)
    with pytest.raises(DynlabError, match="5 batches in a row brought no answer.*overloaded"):
        draw(num_samples=1)
    assert lines_of(server) == [4] * 5


@pytest.mark.slow
def test_a_key_that_is_not_known_ends_the_run_before_anything_is_reserved_for_good(
    server, draw, totals
):
    server.fault = lambda method, path: 401
    with pytest.raises(DynlabError, match="no batch was made.*; 0 of 8 samples are kept"):
        draw()
    assert totals() == [(0, 0), (0, 0)]


def test_a_wait_is_told_with_what_is_done_of_which_batch():
    sent = SentBatch(2, range(500), sent_at=time.time() - 725)
    life = BatchLife(sent, [], None, None, first_poll_s=1.0, outage_s=1.0)
    life.batch = Batch("id", "in_progress", num_ended=140)
    assert life.words(3) == "batch 2 of 3: 140 of 500 done, waiting for 12 min 5 s"


# ——— what is killed, and comes back ———


@pytest.mark.slow
def test_a_server_that_is_killed_while_a_batch_waits_comes_back_and_loses_nothing(server, draw):
    def kill(batch):
        server.looked = lambda batch: None

        def restart():
            server.__exit__()
            server.__enter__()

        threading.Thread(target=restart).start()

    server.looked = kill
    assert len(draw()) == 8 and lines_of(server) == [8]


MOMENTS = {
    "the upload": ("POST", "/v1/files"),
    "the creation": ("POST", "/v1/batches"),
    "a look": ("GET", "/v1/batches/batch-0"),
    "the answers": ("GET", "/v1/files/file-1/content"),
}


@pytest.mark.slow
def test_a_run_that_was_killed_at_any_moment_takes_up_its_batch_and_pays_once(
    server, draw, totals, tmp_path
):
    names = {request: name for name, request in MOMENTS.items()}

    def copied(method, path):  # the disk as a kill would leave it
        if (name := names.pop((method, path), None)) is not None:
            store = store_path(tmp_path / "sums.parquet")
            (tmp_path / name).mkdir()
            for part in ("", "-wal"):
                shutil.copy(f"{store}{part}", tmp_path / name)
        return 0

    server.fault = copied
    whole = draw()
    assert not names
    for name in MOMENTS:
        again = draw(f"{name}/sums.parquet")
        assert lines_of(server) == [8]
        assert again.equals(whole)
        assert totals(f"{name}/sums.parquet") == totals() and totals()[1] == (0, 0)
        assert not verify(store_path(tmp_path / name / "sums.parquet")).problems


@pytest.mark.slow
def test_a_run_that_was_killed_before_its_batch_was_made_makes_it_anew(
    server, draw, totals, tmp_path
):
    def copied(method, path):
        if path == "/v1/files" and len(server.files) == 7:
            shutil.copytree(tmp_path, tmp_path / "killed", ignore=shutil.ignore_patterns("*lock"))
        return 0

    server.fault = copied
    draw(lines_per_batch=1)
    server.batches.clear()  # it never came to that
    server.fault = lambda method, path: 0
    assert len(draw("killed/sums.parquet")) == 8
    assert lines_of(server) == [8] and totals("killed/sums.parquet") == totals()


@pytest.mark.slow
def test_a_batch_that_was_made_although_its_answer_was_lost_is_found_again(server, draw, totals):
    server.lose_creation = lambda number: True
    assert len(draw()) == 8
    assert lines_of(server) == [8] and totals()[1] == (0, 0)


@pytest.mark.slow
def test_where_batches_are_not_listed_what_may_have_been_made_stays_reserved(server, draw, totals):
    server.lose_creation = lambda number: number == 0
    server.fault = lambda method, path: 405 if (method, path) == ("GET", "/v1/batches") else 0
    assert len(draw()) == 8
    assert lines_of(server) == [8, 8] and [each[0] for each in totals()] == [8, 8]


@pytest.mark.slow
def test_ctrl_c_waits_for_no_batch_and_a_live_run_does_not_pay_for_it_again(server, draw):
    def begun_anew(batch):  # so that it does not end, however late the run hears of the Ctrl-C
        batch.looks = 0

    def interrupt(batch):
        server.looked = begun_anew
        os.kill(os.getpid(), signal.SIGINT)

    server.looked = interrupt
    with pytest.raises(DynlabError, match="interrupted; 0 of 8 samples are kept"):
        draw(first_poll_s=0.2)
    assert not server.calls
    server.looked = lambda batch: None
    with pytest.raises(InputError, match="8 calls of .* wait in batches.*--provider-batch"):
        draw(provider_batch=False)
    assert len(draw()) == 8 and lines_of(server) == [8]


@pytest.mark.slow
def test_a_provider_that_is_away_for_too_long_ends_the_run_and_its_batch_is_kept(server, draw):
    looks = MOMENTS["a look"]
    server.fault = lambda method, path: 500 if (method, path) == looks else 0
    with pytest.raises(DynlabError, match="batches cannot be reached.*; 0 of 8 samples are kept"):
        draw(timeout_s=0.05)
    server.fault = lambda method, path: 404 if (method, path) == looks else 0
    with pytest.raises(DynlabError, match="batch-0 is not known at the provider: give the address"):
        draw()
    server.fault = lambda method, path: 0
    assert len(draw()) == 8 and lines_of(server) == [8]


@contextmanager
def no_hang(seconds=60):
    """Interrupts what takes longer, so that a run that waits for nothing fails its test."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    except KeyboardInterrupt:  # before or after the run, which tells of it by its own error
        pytest.fail(f"not over after {seconds} s")
    finally:
        timer.cancel()


@pytest.fixture
def killed(server, draw, tmp_path):
    """Leaves killed/sums.parquet as a kill would while batches of one line each wait, but for those
    of a question that failed: their cost stays reserved.
    """

    def run(failed=None, **asked):
        num_failing = 0 if failed is None else asked["num_samples"]

        def failing(call):
            return failed is not None and right(call) == f" {failed + 1}"

        def looked(batch):
            if not failing(Call(0, "", batch.lines[0]["body"], {})):
                batch.looks = 0  # it is not over
            with closing(sqlite3.connect(store_path(tmp_path / "sums.parquet"))) as store:
                query = "SELECT count(*) FROM calls WHERE reason LIKE '%Error code: 500%'"
                ((num_failed,),) = store.execute(query)
                if len(server.batches) < asked["max_calls"] or num_failed < num_failing:
                    return
                server.looked = lambda batch: None
                (tmp_path / "killed").mkdir()
                path = store_path(tmp_path / "killed" / "sums.parquet")
                with closing(sqlite3.connect(path)) as copy:
                    store.backup(copy)

        server.script = lambda call: Reply(status=500) if failing(call) else seeded(call)
        server.looked = looked
        with suppress(BudgetError), no_hang():
            draw(lines_per_batch=1, **asked)
        server.script = seeded

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failed", "before", "then", "kept"),
    [
        pytest.param(1, 3, 3, 4, id="the same command, a question of it failed"),
        pytest.param(0, 2, 2, 2, id="the same command, its first question failed"),
        pytest.param(None, 2, 3, 4, id="with one question more"),
    ],
)
@pytest.mark.parametrize("concurrency", [None, 1])
def test_all_that_waits_in_batches_is_stored_although_the_cap_allows_no_further_call(
    server, draw, killed, totals, failed, before, then, kept, concurrency
):
    out, most = "killed/sums.parquet", 2 * before
    killed(failed, num_questions=before, num_samples=2, max_calls=most)
    said = f"{most + 1} calls of at most {most} .*; {kept} of {2 * then} samples are kept"
    with pytest.raises(BudgetError, match=said), no_hang():
        draw(out, num_questions=then, max_calls=most, concurrency=concurrency)
    assert [each[0] for each in totals(out)] == [kept, most - kept]
    assert lines_of(server) == [1] * most
    assert len(draw(out, num_questions=then)) == 2 * then  # without a cap it goes on


@pytest.mark.slow
def test_a_line_that_fails_once_it_is_taken_up_holds_up_no_other(server, draw, killed, totals):
    killed(num_questions=2, num_samples=2, max_calls=4)
    first = server.batches[0]
    first.looks, first.status, first.files = 0, "in_progress", {}
    server.script = lambda call: Reply(status=500)
    said = "5 calls of at most 4 .*; 3 of 4 samples are kept"
    with pytest.raises(BudgetError, match=said), no_hang():
        draw("killed/sums.parquet", num_questions=2, max_calls=4, concurrency=1)
    assert [each[0] for each in totals("killed/sums.parquet")] == [3, 1]
    assert lines_of(server) == [1] * 4


# ——— what it costs ———


@pytest.mark.slow
def test_a_cap_holds_with_what_waits_in_batches_included(server, draw, totals):
    most = 300
    at_worst = []

    def looked(batch):
        lines = [line for each in server.batches if not each.files for line in each.lines]
        prompts = [line["body"]["prompt"].encode() for line in lines]
        answered = 15 * (sum(lines_of(server)) - len(lines))
        at_worst.append(answered + sum(len(prompt) + 8 for prompt in prompts))

    server.looked = looked
    with pytest.raises(BudgetError, match="tokens of at most 300"):
        draw(num_samples=6, max_total_tokens=most)
    (calls, tokens), reserved = totals()
    assert len(server.batches) > 1 and reserved == (0, 0)
    assert calls == len(server.calls) and tokens <= most
    assert max(at_worst) <= most
    assert len(draw(num_samples=6)) == 24  # without a cap it goes on


def test_prices_of_batches_are_those_listed_and_never_more_than_live_ones():
    mini = Endpoint("gpt-4o-mini", "", "")
    live, batched = list_price(mini), list_price(mini, by_batch=True)
    assert (batched.prompt, batched.completion) == (live.prompt / 2, live.completion / 2)
    unlisted = Endpoint("mistral/mistral-large-latest", "", "")
    assert list_price(unlisted, by_batch=True) == list_price(unlisted)
    assert list_price(mini, (1.0, 2.0), by_batch=True) == Price(1.0, 2.0)
    assert list_price(Endpoint("openai/nobody-knows-this", "", ""), by_batch=True) is None


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("parallel", "by batches, up to 24 h;"),
        ("sequential", "by 3 batches in a row of up to 24 h each, up to 3 days;"),
    ],
)
def test_a_dry_run_says_how_long_batches_may_take(tmp_path, strategy, said):
    out = tmp_path / "a.parquet"
    requests = RequestOptions(provider_batch=True)
    arguments = {"num_samples": 3, "out": out, "strategy": strategy}
    batched = dry_run(TASK, "openai/gpt-4o-mini", requests=requests, **arguments)
    live = dry_run(TASK, "openai/gpt-4o-mini", **arguments)
    assert said in str(batched)
    assert batched.expected.usd == pytest.approx(live.expected.usd / 2)


# ——— what cannot work ———


@pytest.mark.parametrize(
    ("model", "api_base", "said"),
    [
        ("local/smollm2-135m", None, "runs on this machine"),
        ("anthropic/claude-sonnet-4-5", None, "not called by OpenAI's protocol.*openai/NAME"),
        ("openai/x", "http://one/v1,http://other/v1", "batches go to one server"),
    ],
)
def test_a_model_without_batches_is_refused_before_anything_is_written(
    tmp_path, model, api_base, said
):
    requests = RequestOptions(provider_batch=True, api_base=api_base)
    with pytest.raises(InputError, match=said):
        record(TASK, model, num_samples=1, out=tmp_path / "a.parquet", requests=requests)
    assert not list(tmp_path.iterdir())


def test_a_preview_is_drawn_live(tmp_path):
    requests = RequestOptions(provider_batch=True)
    with pytest.raises(InputError, match="a preview is drawn live"):
        preview(TASK, "openai/gpt-4o-mini", out=tmp_path / "a.parquet", requests=requests)
