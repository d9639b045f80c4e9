"""Forecasts: what a live run would call and what it would cost, before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dynlab._util.options import Limits
from dynlab._util.values import Sample
from dynlab.models.prices import Price
from dynlab.online.run_state import Setup
from dynlab.sampling.budget import Spending
from dynlab.sampling.cost_estimate import (
    CostEstimate,
    capped,
    estimate,
    held_latencies,
    questions_by_length,
)
from dynlab.sampling.plan import Plan
from dynlab.sampling.time_left import in_flight_of_rounds, seconds_left

_DEEPEST = 64  # the sample of a question whose prompt is taken for the longest


@dataclass(frozen=True)
class Forecast:
    """What would be called and decided how.

    Args:
        estimate: Calls, tokens and USD, at worst and as expected.
        questions: How many.
        prompt_bytes: Length of the first question's first prompt.
        how: Allocator and rounds in words.
    """

    estimate: CostEstimate
    questions: int
    prompt_bytes: int
    how: str

    def by_batches(self, setup: Setup) -> Forecast:
        """The same where each round is a batch of the provider."""
        calls = self.estimate.num_samples
        rounds = 1  # an allocator that waits for no answer draws all at once
        if setup.policy.allocator.adaptive:
            held = setup.limit - calls
            opening = max(0, setup.policy.warmup * self.questions - held)  # a round of its own
            later = math.ceil(max(0, calls - opening) / setup.policy.batch)
            rounds = (opening > 0) + later
        return replace(self, estimate=replace(self.estimate, num_waves=rounds))

    @property
    def summary(self) -> str:
        """In two lines, of a run that is not begun."""
        return f"{self._asked}\n{self.estimate}"

    @property
    def words(self) -> str:
        """In two lines, of a run that begins."""
        return f"{self._asked}\n{self.estimate.words}"

    @property
    def _asked(self) -> str:
        return (
            f"{self.questions} questions, {self.how}; the first prompt has {self.prompt_bytes}"
            " bytes"
        )


def forecast_of(
    plan: Plan,
    setup: Setup,
    held: Sequence[Sample],
    price: Price | None,
    limits: Limits,
    model: str,
    num_in_flight: int,
) -> Forecast:
    """The forecast of what a run still lacks.

    At worst every call is the dearest one, and what a cap forbids is not spent. What is expected
    goes by the samples that are held, else by each question's first prompt.
    """
    most = setup.limit if limits.calls is None else min(setup.limit, limits.calls)
    calls = max(0, most - len(held))
    ids = setup.question_ids
    deep = min(_DEEPEST, setup.limit) - 1
    longest = questions_by_length(plan)[-1]
    worst = estimate(plan, [(longest, setup.strategy, 0, deep)], (), price, model).worst
    firsts = estimate(plan, [(id_, setup.strategy, 0, 0) for id_ in ids], held, price, model)
    first = plan.request((ids[0], setup.strategy, 0, 0), [])
    texts = [first.prompt or "", *(str(message["content"]) for message in first.messages or ())]
    whole = replace(
        firsts,
        num_samples=calls,
        worst=capped(_times(worst, calls, calls), limits),
        expected=capped(_times(firsts.expected, calls / len(ids), calls), limits),
        seconds=_seconds(setup, held, calls, num_in_flight),
    )
    return Forecast(whole, len(ids), sum(len(text.encode()) for text in texts), setup.how)


def _seconds(setup: Setup, held: Sequence[Sample], calls: int, most: int) -> float | None:
    """Seconds that calls take, where it is known how long those took that are held."""
    latencies = held_latencies(held)
    if latencies is None:
        return None
    width = in_flight_of_rounds(latencies, setup.policy.batch, most) if setup.rounds else most
    return seconds_left(latencies, calls, (), width)


def _times(spending: Spending, number: float, calls: int) -> Spending:
    amounts = (spending.tokens, spending.picousd)
    return Spending(
        calls, *(None if amount is None else round(amount * number) for amount in amounts)
    )
