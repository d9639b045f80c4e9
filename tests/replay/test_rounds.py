"""Several pulls at once: the compiled loop and the plain one agree pull for pull, whatever is in
flight.
"""

import numpy as np
import pytest

from dynlab.analysis.comparison import Options
from dynlab.policies.registry import allocator, names
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay import rounds
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import run

pytest.importorskip("numba", reason="the compiled loop needs numba")
CHOOSING = [
    name for name in names("allocator") if allocator(name).adaptive and not allocator(name).plans
]


@pytest.fixture
def played(random_pool, monkeypatch):
    """The trace of a policy on a small pool, by the compiled loop or by the plain one."""
    pool = random_pool(9, 12, seed=2)
    pool["mean_logprob"] = -np.random.default_rng(0).random(len(pool))
    streams = streams_of(load(pool))

    def trace(compiled, budget=8.0, unit="tokens", **given):
        policy = Options(unit=unit, **{k: v for k, v in given.items() if k != "allocator"}).policy(
            given["allocator"]
        )
        monkeypatch.setattr(rounds, "find_spec", lambda _: compiled or None)
        (draws,) = draws_of(streams, 7, 5, unit, policy.profiles)
        return run(policy, draws, budget * streams.per_sample(unit) * streams.num_questions, 5)

    return trace


def same(one, other):
    pulled = one.question >= 0
    assert pulled.any()
    np.testing.assert_array_equal(one.question, other.question)
    np.testing.assert_array_equal(one.sample, other.sample)
    np.testing.assert_array_equal(one.arrived[pulled], other.arrived[pulled])
    np.testing.assert_array_equal(one.closed, other.closed)


@pytest.mark.parametrize("batch", [2, 3, 7, 40])
@pytest.mark.parametrize("name", CHOOSING)
def test_compiled_and_plain_rounds_pull_alike(name, batch, played):
    for budget in (5.0, 12.0):
        same(*(played(compiled, budget, allocator=name, batch=batch) for compiled in (True, False)))


@pytest.mark.parametrize(
    "given", [{"stopping": "esc"}, {"warmup": 4}, {"uncertainty": "posterior"}], ids=str
)
def test_they_do_with_other_settings_too(given, played):
    same(*(played(compiled, allocator="ucb", batch=5, **given) for compiled in (True, False)))


def test_where_more_is_in_flight_than_tables_are_made_for_the_plain_loop_takes_over(
    played, monkeypatch
):
    calls, plain = [], rounds.by_numpy
    monkeypatch.setattr(rounds, "by_numpy", lambda *given: calls.append(given) or plain(*given))
    one = played(True, allocator="ucb", batch=40)
    assert not calls
    monkeypatch.setattr(rounds, "LONGEST_AHEAD", 1)
    same(played(True, allocator="ucb", batch=40), one)
    assert len(calls) == 1
