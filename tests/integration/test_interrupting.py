"""Live runs that are killed or interrupted at random moments, and go on with the same call."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from dynlab.online.run_audit import audit

FORKS = """
import json, os, sys
import dynlab
from dynlab._util.errors import DynlabError
from dynlab.models.llama_cpp import Endpoint
from helpers.flat_options import grouped
from helpers.sums import KEY, TASK
from helpers.warm_model import warm

warm()
for line in sys.stdin:
    address, settings = json.loads(line)
    child = os.fork()
    if not child:
        try:
            endpoint = Endpoint("text-completion-openai/scripted", address, KEY)
            dynlab.solve(TASK, endpoint, **grouped(**settings))
        except DynlabError as error:
            os.write(1, f"{error}\\n".encode())
            os._exit(1)
        os._exit(0)
    os.write(1, f"{child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"ended\\n")
"""


@pytest.fixture(scope="module")
def forks():
    """A process that has loaded everything and forks a run for each line that it is given."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", FORKS],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def interrupted(forks, sums_server, tmp_path):
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
        forks.stdin.write(json.dumps([sums_server.address, settings | changes]) + "\n")
        forks.stdin.flush()
        child = int(forks.stdout.readline())
        end = time.monotonic() + 60
        while len(sums_server.answered) < aim:
            assert time.monotonic() < end, "the calls never came"
            time.sleep(0.002)
        os.kill(child, sent)
        said = ""
        while (line := forks.stdout.readline()) != "ended\n":
            said += line
        return said

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
        " from there\n"
    )
    assert len(sums_server.answered) == len(sums_server.calls) < 54
    stopped, whole = (
        solve_by_http(name, budget=6, batch=6).path.read_bytes()
        for name in ("stopped.jsonl", "whole.jsonl")
    )
    assert stopped == whole
