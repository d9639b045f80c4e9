"""How long the calls of a live run took in a row, by a run laid out by hand."""

from types import SimpleNamespace

import pytest

from dynlab._util.values import Sample
from dynlab.online.results import path_seconds


def run(adaptive, waited, depth, parents=None):
    allocator = SimpleNamespace(adaptive=adaptive)
    return SimpleNamespace(
        setup=SimpleNamespace(policy=SimpleNamespace(allocator=allocator)),
        waited=waited,
        depth=depth,
        awaited=lambda key: (parents or {}).get(key, []),
    )


A0, A1, B0, B1 = (("a", "s", 0, 0), ("a", "s", 0, 1), ("b", "s", 0, 0), ("b", "s", 0, 1))


def samples(**seconds):
    keys = {"a0": A0, "a1": A1, "b0": B0, "b1": B1}
    return {
        keys[name]: Sample(*keys[name], answer="x", text="x", latency_s=took)
        for name, took in seconds.items()
    }


def test_an_adaptive_pick_waits_for_the_round_before_it_and_another_for_its_own_question():
    depth = {A0: 1, B0: 1, A1: 2}
    held = samples(a0=1.0, b0=5.0, a1=2.0)
    waited = {A0: 0, B0: 0, A1: 1}
    assert path_seconds(run(True, waited, depth), held) == 7.0
    assert path_seconds(run(False, waited, depth), held) == 5.0  # a: 1 + 2, b: 5


def test_a_chained_sample_waits_for_what_it_is_shown():
    depth, waited = {A0: 1, A1: 2, B0: 1, B1: 2}, dict.fromkeys((A0, A1, B0, B1), 0)
    state = run(True, waited, depth, parents={A1: [A0], B1: [B0]})
    assert path_seconds(state, samples(a0=1.0, a1=6.0, b0=5.0, b1=1.5)) == 7.0


@pytest.mark.parametrize("held", [{}, samples(a0=None)])
def test_what_is_not_known_is_not_said(held):
    assert path_seconds(run(True, {A0: 0}, {A0: 1}), held) is None
