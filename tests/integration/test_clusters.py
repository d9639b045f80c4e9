"""Replay on a Dask cluster: the numbers of one process, also where a worker dies. `make
benchmarks`.
"""

from __future__ import annotations

import os
import signal

import joblib
import numpy as np
import pytest

from dynlab._util import clusters, parallel
from dynlab.cli import main
from dynlab.policies.parsing import as_policy
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import replay

POLICIES = [as_policy(text) for text in ("uniform", "ucb", "priced")]
REPLICATIONS = 400  # 160 questions × 64 samples: 9 chunks


@pytest.fixture(scope="module")
def cluster():
    """Two workers, processes of this machine, that start again when they die."""
    from distributed import LocalCluster

    how = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, silence_logs=50, **how) as running:
        yield running


def tables(curves):
    return [
        table.tobytes()
        for curve in curves
        for table in (curve.accuracy, curve.depth, curve.exhausted, *curve.spent.values())
    ]


@pytest.mark.benchmarks
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sent", [2**28, 0], ids=["data with the jobs", "data given once"])
def test_a_worker_that_is_killed_midway_changes_no_number(cluster, random_pool, monkeypatch, sent):
    monkeypatch.setattr(parallel, "_SENT", sent)
    streams = streams_of(load(random_pool(160, 64)))
    budgets = np.arange(2.0, 33.0)
    how = {"unit": "tokens", "replications": REPLICATIONS}
    killed = []

    def kill(_: int) -> None:
        """Once, after the first of the results."""
        if not killed:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.pid)
            os.kill(worker.process.process.pid, signal.SIGKILL)

    with joblib.parallel_config(n_jobs=1):
        alone = replay(streams, POLICIES, budgets, **how)
    with clusters.on_cluster(cluster.scheduler_address):
        spread = replay(streams, POLICIES, budgets, done=kill, **how)
    assert killed and tables(spread) == tables(alone)


@pytest.mark.benchmarks
@pytest.mark.filterwarnings("ignore")
def test_the_tables_of_compare_are_those_of_one_machine_byte_for_byte(
    cluster, random_pool, tmp_path
):
    pool = tmp_path / "pool.csv"
    random_pool(160, 64).to_csv(pool, index=False)
    command = f"compare --recording {pool} --unit tokens --replications {REPLICATIONS}"
    told = []
    for more in ("", f" --cluster {cluster.scheduler_address}"):
        out = tmp_path / f"{len(told)}" / "curves.csv"
        out.parent.mkdir()
        assert main([*f"{command}{more} --out {out}".split()]) == 0
        told.append([out.read_bytes(), out.with_name("savings.csv").read_bytes()])
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("localhost", "give the address of a Dask scheduler, such as tcp://HOST:8786"),
        ("tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_address_where_nobody_answers_is_told_in_a_line(
    address, words, random_pool, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(clusters, "_PATIENCE_S", 0.2)
    pool = tmp_path / "pool.csv"
    random_pool(4, 4).to_csv(pool, index=False)
    command = f"compare --recording {pool} --budgets 2 --cluster {address}"
    code = main([*command.split(), "--out", str(tmp_path / "curves.csv")])
    told = capsys.readouterr().err
    assert code in (1, 2) and told.count("\n") == 1 and words in told
    assert not (tmp_path / "curves.csv").exists()
