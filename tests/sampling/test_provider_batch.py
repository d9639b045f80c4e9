"""Recording by a provider's batches: the same samples at half the price, and none paid for twice."""

import hashlib

import pytest
from helpers.batch_server import BatchServer
from helpers.flat_options import grouped
from helpers.scripted_server import Reply
from helpers.targeted_sums import KEY, TASK, right

from dynlab import recordings
from dynlab.models.llama_cpp import Endpoint
from dynlab.sampling.recorder import record

BY_BATCH = {"provider_batch": True, "first_poll_s": 0.01, "price": (1.0, 5.0)}
LIVE = {"price": (2.0, 10.0)}


def seeded(call):
    """An answer, tokens and log-probabilities that depend on the call's body alone."""
    lot = hashlib.blake2b(repr(sorted(call.body.items())).encode()).digest()
    token = {"token": "x", "logprob": -lot[1] / 255}
    return Reply(
        f"{right(call)}" if lot[0] % 2 else " 7",
        usage={"prompt_tokens": 10 + lot[2] % 9, "completion_tokens": 3 + lot[3] % 5},
        logprobs={"content": [token]} if "logprobs" in call.body else None,
    )


@pytest.fixture
def server():
    with BatchServer(seeded) as running:
        yield running


@pytest.fixture
def draw(server, tmp_path):
    """record() of the sums on the server of batches; its rows, sorted."""

    def run(**changes):
        arguments = {"num_samples": 3, "out": tmp_path / "sums.parquet", "progress": False}
        form = changes.pop("form", "text-completion-openai")
        endpoint = Endpoint(f"{form}/scripted", server.address, KEY)
        path = record(TASK, endpoint, **grouped(**arguments | changes))
        order = ["question_id", "strategy", "stream", "sample_index"]
        return recordings.load(path).frame.sort_values(order, ignore_index=True)

    return run


def calls_of(server):
    """Bodies of the calls that were answered, in any order."""
    return sorted(repr(sorted(call.body.items())) for call in server.calls)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text-completion-openai", "openai"])
def test_a_recording_by_batches_is_the_live_one_at_the_price_of_a_batch(
    server, draw, tmp_path, form
):
    asked = {"form": form, "logprobs": True, "num_per_call": 2, "top_p": 0.9}
    live = draw(out=tmp_path / "live.parquet", **asked, **LIVE)
    sent_live, server.calls = calls_of(server), []
    batched = draw(**asked, **BY_BATCH)
    assert len(server.batches) == 1  # greedy answers and samples
    assert [path.endswith("/content") for _, path in server.requests].count(True) == 1
    assert calls_of(server) == sent_live
    costs = ["cost_usd", "billed_usd"]
    same = live.drop(columns=["latency_s", *costs])
    assert batched.drop(columns=["latency_s", *costs]).equals(same)
    assert batched[costs].sum().tolist() == pytest.approx((live[costs].sum() / 2).tolist())
    assert batched["latency_s"].isna().all()


def test_a_batch_that_was_made_although_its_answer_was_lost_is_found_and_not_made_again(
    server, draw
):
    server.lose_creation = lambda number: True
    assert len(draw(**BY_BATCH)) == 16
    assert len(server.batches) == 1 and ("GET", "/v1/batches") in server.requests
