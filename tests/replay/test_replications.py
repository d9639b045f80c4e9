"""Replications spread over threads, or another backend of joblib: the same numbers, bit for bit."""

from __future__ import annotations

import sys

import joblib
import numpy as np
import pytest
from joblib.parallel import ThreadingBackend

from dynlab._util import parallel
from dynlab.policies.parsing import as_policy
from dynlab.policies.registry import sweep
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay import draws
from dynlab.replay.loop import replay
from dynlab.replay.oracle import oracle
from dynlab.replay.sweeps import curves_of

POLICIES = ["uniform", "ucb", "priced", "okg-pets", "sequential-halving", "uniform+esc"]
BUDGETS = np.array([2.0, 3.0, 5.0])


class Counted(ThreadingBackend):
    """Threads that note every job, as a backend of someone else's."""

    jobs = 0

    def submit(self, func, callback=None):
        Counted.jobs += len(func)
        return super().submit(func, callback)


@pytest.fixture
def streams(random_pool, monkeypatch):
    """12 questions × 10 samples of random prices, whose sums depend on their order."""
    monkeypatch.setattr(parallel, "_ALONE", 0)
    cost = np.random.default_rng(1).exponential(1e-3, 120)
    return streams_of(load(random_pool(cost_usd=cost)))


def played(streams):
    """Every array that replay makes of a recording."""
    how = {"unit": "usd", "replications": 25, "seed": 3}
    curves = [
        *replay(streams, [as_policy(text) for text in POLICIES], BUDGETS, **how),
        oracle(streams, BUDGETS, **how),
        *curves_of(streams, {name: sweep(name) for name in ("esc", "doubling")}, **how).values(),
    ]
    return [
        table.tobytes()
        for curve in curves
        for table in (curve.accuracy, *curve.spent.values(), curve.depth, curve.exhausted)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [120, 360, 10_000], ids=["25 chunks", "9 chunks", "1 chunk"])
def test_numbers_are_those_of_one_thread_bit_for_bit(streams, monkeypatch, chunk):
    monkeypatch.setattr(draws, "_CHUNK", chunk)
    with joblib.parallel_config(n_jobs=1):
        alone = played(streams)
    with joblib.parallel_config(backend="threading", n_jobs=4):
        assert played(streams) == alone


def test_a_configured_backend_gets_the_jobs_and_few_chunks_are_parted(streams, monkeypatch):
    joblib.register_parallel_backend("counted", Counted)
    monkeypatch.setattr(Counted, "jobs", 0)
    policies = [as_policy(text) for text in POLICIES]
    monkeypatch.setattr(draws, "_CHUNK", 12 * 10 * 9)  # 9 + 9 + 7 replications
    seen = []
    with joblib.parallel_config(backend="counted", n_jobs=6):
        replay(streams, policies, BUDGETS, replications=25, done=seen.append)
    assert Counted.jobs == 3 * 2  # chunks × halves of the policies
    assert sum(seen) == 25 * len(policies)


def test_what_is_tiny_or_has_one_core_stays_in_this_thread(streams, monkeypatch):
    joblib.register_parallel_backend("counted", Counted)
    monkeypatch.setattr(Counted, "jobs", 0)
    with joblib.parallel_config(backend="counted", n_jobs=6):
        monkeypatch.setattr(parallel, "_ALONE", 10**6)
        replay(streams, [as_policy("ucb")], BUDGETS, replications=25)
    monkeypatch.setattr(parallel, "_ALONE", 0)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert parallel.num_workers(10**9, 10) == 1
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "64")
    assert parallel.num_workers(10**9, 10) == min(64, joblib.cpu_count())
    assert Counted.jobs == 0


def test_threads_share_a_machine_s_memory(monkeypatch):
    with joblib.parallel_config(backend="threading", n_jobs=64):
        assert parallel.num_workers(10**9, 10) == 64
        assert parallel.num_workers(10**9, 500_000) == 16
        assert parallel.num_workers(10**9, 6_400_000) == 1


def test_without_much_to_do_joblib_is_not_imported(random_pool, monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    streams = streams_of(load(random_pool()))
    (curve,) = replay(streams, [as_policy("uniform")], BUDGETS, replications=2)
    assert curve.spent["samples"].mean(axis=1).tolist() == [2.0, 3.0, 5.0]
