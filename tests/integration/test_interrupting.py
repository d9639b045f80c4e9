"""Live runs that are killed or interrupted at random moments, and go on with the same call."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from helpers.forks import forked
from helpers.killable_runs import solve_sums

from dynlab.online.run_audit import audit


@pytest.fixture
def interrupted(sums_server, tmp_path):
    """Starts a run and sends it a signal once so many further answers were given; what it said."""

    def run(out, number, sent, **changes):
        settings = {
            "out": str(tmp_path / out),
            "budget": 12,
            "concurrency": 6,
            "price": (1.0, 2.0),
            "progress": False,
        }
        aim = len(sums_server.answered) + number
        told = tmp_path / "told"
        told.unlink(missing_ok=True)
        process = forked(solve_sums, sums_server.address, settings | changes, told=told)
        end = time.monotonic() + 60
        while len(sums_server.answered) < aim:
            assert time.monotonic() < end, "the calls never came"
            time.sleep(0.002)
        os.kill(process.pid, sent)
        process.join(60)
        assert process.exitcode is not None, "it did not end"
        return told.read_text() if told.exists() else ""

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"allocator": "ucb", "batch": 6},
        {"asynchronous": True, "strategy": "integrated", "allocator": "thompson"},
    ],
    ids=["rounds", "asynchronous"],
)
def test_a_killed_run_goes_on_as_if_it_had_not_been_killed(
    changes, interrupted, sums_server, tmp_path, solve_by_http
):
    moments = random.Random(1)
    for _ in range(5):
        interrupted("killed.jsonl", moments.randrange(1, 18), signal.SIGKILL, **changes)
        assert not (tmp_path / "killed.jsonl").exists()
    ended = solve_by_http("killed.jsonl", budget=12, **changes)
    assert "equal" in audit(ended.path)
    served = [call.body["seed"] for call in sums_server.answered]
    assert len(set(served)) == ended.totals["samples"] == 108
    assert len(served) - len(set(served)) <= 5 * 6  # answers that never reached a disk
    assert ended.totals["reserved_calls"] >= len(served) - len(set(served))
    if "asynchronous" not in changes:
        whole = solve_by_http("whole.jsonl", budget=12, **changes)
        assert whole.path.read_bytes() == ended.path.read_bytes()


@pytest.mark.slow
def test_ctrl_c_finishes_calls_and_can_be_resumed(
    interrupted, sums_server, tmp_path, solve_by_http
):
    said = interrupted("stopped.jsonl", 20, signal.SIGINT, batch=6, budget=6)
    assert (
        said
        == f"interrupted; {len(sums_server.answered)} samples are kept, the same command goes on"
        " from there"
    )
    assert len(sums_server.answered) == len(sums_server.calls) < 54
    stopped, whole = (
        solve_by_http(name, budget=6, batch=6).path.read_bytes()
        for name in ("stopped.jsonl", "whole.jsonl")
    )
    assert stopped == whole
