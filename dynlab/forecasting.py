"""Forecasts: what a live run would call and what it would cost, before anything is sent."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from dynlab.course import Setup
from dynlab.ledger import Caps
from dynlab.plans import Plan
from dynlab.pricing import Price, worst_case
from dynlab.types import Sample, Usage

_BYTES = 4  # of a token of a prompt, about
_DEEPEST = 64  # the sample of a question whose prompt is taken for the longest


@dataclass(frozen=True)
class Forecast:
    """What would be called.

    Args:
        model: Its name.
        questions: How many.
        calls: The most calls.
        prompt_bytes: Length of the first question's prompt.
        worst: Tokens and USD of all calls at worst, within the caps; USD None where the price is unknown.
        expected: The same as expected, by `basis`.
        basis: What the expectation is made of.
        batch: Picks of a round.
        allocator: Its name.
    """

    model: str
    questions: int
    calls: int
    prompt_bytes: int
    worst: tuple[int, float | None]
    expected: tuple[int, float | None]
    basis: str
    batch: int
    allocator: str

    @property
    def summary(self) -> str:
        """In a few lines."""
        return (
            f"{self.model}: {self.questions} questions, at most {self.calls} calls, decided by {self.allocator} "
            f"in rounds of {self.batch}; the first prompt has {self.prompt_bytes} bytes\n"
            f"at worst: {_amount(self.worst)}\nexpected: {_amount(self.expected)} ({self.basis})\nnothing was sent"
        )


def _amount(amount: tuple[int, float | None]) -> str:
    tokens, usd = amount
    return f"{tokens} tokens, " + ("price unknown" if usd is None else f"{usd:.6f} USD")


def forecast(model: str, plan: Plan, setup: Setup, price: Price | None, caps: Caps, store: Path) -> Forecast:
    """The forecast of a run.

    The worst case takes the dearest question's longest prompt and a full response for every call. What is expected: the
    mean of the samples in the store if there is one, else 4 bytes a token of the prompt and half of the longest
    response.
    """
    calls = setup.limit if caps.max_calls is None else min(setup.limit, caps.max_calls)
    questions = plan.task.questions
    sampling = plan.sampling
    longest = replace(plan, num_samples=_DEEPEST)
    firsts, worsts = [], []
    for question in questions:
        key = (question.id, setup.strategy, 0, 0)
        firsts.append(worst_case(plan.request(key, [])).prompt_tokens or 0)
        deep = (question.id, setup.strategy, 0, min(_DEEPEST, setup.limit) - 1)
        text = "x" * _BYTES * sampling.max_tokens
        shown = [Sample(*parent, answer="x", text=text) for parent in longest.parents(deep)]
        worsts.append(worst_case(plan.request(deep, shown)))
    dearest = max(worsts, key=lambda usage: usage.prompt_tokens or 0)
    means = _recorded(store)
    if means is None:
        expected = (sum(firsts) / len(firsts) / _BYTES, sampling.max_tokens / 2)
        basis = f"{_BYTES} bytes a token, responses half of the {sampling.max_tokens} tokens allowed"
    else:
        expected, basis = means, "the mean of the samples in the store"
    return Forecast(
        model, len(questions), calls, firsts[0],
        _within(_times(calls, dearest.prompt_tokens or 0, dearest.completion_tokens or 0, price), caps),
        _within(_times(calls, *expected, price), caps), basis, setup.policy.batch, setup.policy.allocator.name,
    )  # fmt: skip


def _recorded(store: Path) -> tuple[float, float] | None:
    """Mean prompt and completion tokens of the calls that a store holds; None where there are none."""
    if not store.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as database:
            query = "SELECT avg(prompt_tokens), avg(completion_tokens) FROM calls WHERE state = 'settled'"
            prompt, completion = database.execute(query).fetchone()
    except sqlite3.Error:
        return None
    return None if prompt is None or completion is None else (prompt, completion)


def _times(calls: int, prompt: float, completion: float, price: Price | None) -> tuple[int, float | None]:
    usage = Usage(round(calls * prompt), round(calls * completion))
    return round(calls * prompt) + round(calls * completion), None if price is None else price.cost_usd(usage)


def _within(amount: tuple[int, float | None], caps: Caps) -> tuple[int, float | None]:
    tokens, usd = amount
    tokens = tokens if caps.max_tokens is None else min(tokens, caps.max_tokens)
    return tokens, usd if caps.max_usd is None or usd is None else min(usd, caps.max_usd)
