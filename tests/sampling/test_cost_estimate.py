"""What is said before a run: calls, tokens, USD and time, how sure that is, and the worst case."""

from __future__ import annotations

import pytest

from dynlab._util.options import Limits, Sampling
from dynlab._util.values import Question, Sample, Usage
from dynlab.models.prices import Price
from dynlab.sampling import cost_estimate
from dynlab.sampling.budget import Spending
from dynlab.sampling.cost_estimate import capped, estimate, seconds_expected
from dynlab.sampling.plan import Plan
from dynlab.strategies.sequential import Sequential
from dynlab.tasks.task import Task

QUESTIONS = tuple(Question(f"q{i}", f"{'long ' * i}question?") for i in range(7))
PLAN = Plan(
    Task("made-up", QUESTIONS), Sequential(), Sampling(max_tokens=20), num_samples=4, greedy=False
)
PRICE = Price(1.0, 2.0)


def held(question_id, tokens, latency_s=None):
    usage = Usage(10, tokens - 10, None, None, None, None)
    own = {"usage": usage, "latency_s": latency_s}
    return Sample(question_id, "sequential", 0, 0, "x", "x", **own)


def test_where_nothing_is_known_it_is_called_a_guess_and_no_time_is_made_up():
    said = str(estimate(PLAN, PLAN.keys, (), PRICE, "m"))
    assert said.startswith("m: 28 samples in 28 calls; expected ") and said.endswith(
        "nothing was sent"
    )
    assert "(a guess: 4 bytes a token" in said
    assert "how long is not known before the first answers; at worst " in said


def test_the_mean_of_what_is_there_comes_with_its_interval_over_questions():
    there = [held("q0", 20), held("q1", 30), held("q1", 50), held("q2", 30)]
    found = estimate(PLAN, PLAN.keys[4:], there, PRICE, "m")
    assert found.expected.tokens == 24 * 130 // 4
    # means of questions 20, 40 and 30: a standard error of 10/√3 around 30
    assert found.spread == pytest.approx(1.96 * 10 / 3**0.5 / 30)
    assert "± 38%: the mean of the 4 samples that are there" in found.words
    assert estimate(PLAN, PLAN.keys, there[1:3], PRICE, "m").spread is None  # one question


def test_time_goes_by_latencies_that_were_measured():
    there = [held(f"q{i}", 20, latency_s=2.0) for i in range(6)]
    assert seconds_expected(40, there, num_in_flight=4) == pytest.approx(40 * 2 / 4 + 2, rel=0.1)
    assert seconds_expected(40, there, 4, num_per_call=4) == pytest.approx(7, rel=0.1)
    assert seconds_expected(40, [held("q0", 20)], num_in_flight=4) is None


def test_of_very_many_calls_the_worst_case_is_still_enough(monkeypatch):
    exact = estimate(PLAN, PLAN.keys, (), PRICE, "m")
    monkeypatch.setattr(cost_estimate, "_MOST_KINDS", 5)
    coarse = estimate(PLAN, PLAN.keys, (), PRICE, "m")
    assert coarse.worst.calls == exact.worst.calls == 28
    assert exact.worst.tokens < coarse.worst.tokens and exact.worst.usd < coarse.worst.usd
    assert coarse.expected.tokens == pytest.approx(exact.expected.tokens, rel=0.05)


def test_a_limit_bounds_what_is_said():
    spending = Spending(10, 1000, 2 * 10**12)
    assert capped(spending, Limits(usd=0.5, calls=3)) == Spending(3, 1000, 5 * 10**11)
    assert capped(Spending(10, None, None), Limits(tokens=9)) == Spending(10, None, None)
