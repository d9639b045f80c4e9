from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynlab.checking import check

# ——— interrupted ———

SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import dynlab
from dynlab.local import Endpoint
from sums import KEY, TASK

endpoint = Endpoint("text-completion-openai/scripted", {address!r}, KEY)
settings = {{"budget": 12, "concurrency": 6, "price": (1.0, 2.0), "progress": False}}
solution = dynlab.solve(TASK, endpoint, out={out!r}, **settings, **{changes!r})
print(solution.summary)
"""


def started(sums_server, out, **changes):
    script = SCRIPT.format(tests=str(Path(__file__).parent), address=sums_server.address, out=str(out), changes=changes)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(sums_server, number):
    end = time.monotonic() + 60
    while len(sums_server.answered) < number:
        assert time.monotonic() < end, "the calls never came"
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"allocator": "ucb", "batch": 6}, {"asynchronous": True, "strategy": "integrated"}]
)
def test_a_killed_run_goes_on_as_if_it_had_not_been_killed(changes, sums_server, tmp_path, solve):
    out = tmp_path / "killed.jsonl"
    for number in (7, 48):
        process = started(sums_server, out, **changes)
        wait_for(sums_server, number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not out.exists()
    ended = solve("killed.jsonl", budget=12, **changes)
    assert "equal" in check(ended.path)
    served = [call.body["seed"] for call in sums_server.answered]
    assert len(set(served)) == ended.totals["samples"] == 108
    assert len(served) - len(set(served)) <= 2 * 6  # answers that never reached a disk
    if "asynchronous" not in changes:
        assert solve("whole.jsonl", budget=12, **changes).path.read_bytes() == ended.path.read_bytes()


@pytest.mark.slow
def test_ctrl_c_finishes_what_is_in_flight_and_the_run_can_be_continued(sums_server, tmp_path, solve):
    process = started(sums_server, tmp_path / "stopped.jsonl", batch=6)
    wait_for(sums_server, 20)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    kept = int(re.search(r"(\d+) samples are kept, the same command goes on", complaint).group(1))
    assert kept == len(sums_server.answered)
    assert (
        solve("stopped.jsonl", budget=12, batch=6).path.read_bytes()
        == solve("b.jsonl", budget=12, batch=6).path.read_bytes()
    )
