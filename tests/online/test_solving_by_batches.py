"""Live runs whose rounds are a provider's batches."""

from functools import partial

import pytest
from helpers.batch_server import BatchServer
from helpers.fixtures import solved_sums
from helpers.sums import answers, endpoint_at

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.options import RequestOptions
from dynlab.online.run_audit import audit

BY_BATCH = {"provider_batch": True, "first_poll_s": 0.05, "concurrency": None}


@pytest.fixture
def server():
    with BatchServer(answers) as running:
        yield running


@pytest.mark.slow
def test_rounds_by_batches_decide_as_live_rounds_do_also_where_a_run_was_interrupted(
    server, tmp_path
):
    settings = {"allocator": "ucb", "batch": 9, "budget": 4}
    live = solved_sums(endpoint_at(server), tmp_path, **settings)
    server.fault = lambda method, path: 500 if path == "/v1/batches/batch-1" else 0
    with pytest.raises(DynlabError, match="cannot be reached.*; 18 samples are kept"):
        solved_sums(endpoint_at(server), tmp_path, "b.jsonl", timeout_s=0.05, **settings | BY_BATCH)
    server.fault = lambda method, path: 0
    batched = solved_sums(endpoint_at(server), tmp_path, "b.jsonl", **settings | BY_BATCH)
    # a warm-up of two samples a question, then rounds
    assert [len(batch.lines) for batch in server.batches] == [18, 9, 9]
    assert batched.path.read_bytes() == live.path.read_bytes()
    assert "equal" in audit(batched.path) and batched.totals["reserved_calls"] == 0


def test_a_forecast_says_how_many_rounds_there_are_and_how_long_each_may_take(server, tmp_path):
    forecast = partial(solved_sums, endpoint_at(server), tmp_path, dry_run=True, **BY_BATCH)
    said = forecast(allocator="ucb").summary
    assert "ucb in rounds of 9;" in said  # a sample a question
    assert "by 5 batches in a row of up to 24 h each, up to 5 days" in said
    said = forecast(allocator="uniform").summary
    assert "by batches, up to 24 h;" in said


def test_rounds_are_what_batches_need():
    with pytest.raises(InputError, match="batches are rounds: leave --async"):
        RequestOptions(asynchronous=True, provider_batch=True)
