"""Forecasts: what a live run would call and what it would cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dynlab._util.options import Limits
from dynlab._util.values import Sample
from dynlab.models.prices import Price
from dynlab.online.run_state import Setup
from dynlab.sampling.budget import Spending
from dynlab.sampling.cost_estimate import CostEstimate, estimate
from dynlab.sampling.plan import Plan

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

    @property
    def summary(self) -> str:
        """In two lines."""
        return (
            f"{self.questions} questions, {self.how}; the first prompt has {self.prompt_bytes}"
            f" bytes\n{self.estimate}"
        )


def forecast_of(
    plan: Plan,
    setup: Setup,
    held: Sequence[Sample],
    price: Price | None,
    limits: Limits,
    model: str,
) -> Forecast:
    """The forecast of what a run still lacks.

    At worst every call is the dearest one, and what a cap forbids is not spent. What is expected
    goes by the samples that are held, else by each question's first prompt.
    """
    most = setup.limit if limits.calls is None else min(setup.limit, limits.calls)
    calls = max(0, most - len(held))
    ids = setup.question_ids
    deep = min(_DEEPEST, setup.limit) - 1
    worst = max(
        (estimate(plan, [(id_, setup.strategy, 0, deep)], (), price, model).worst for id_ in ids),
        key=lambda spending: spending.tokens or 0,
    )
    firsts = estimate(plan, [(id_, setup.strategy, 0, 0) for id_ in ids], held, price, model)
    first = plan.request((ids[0], setup.strategy, 0, 0), [])
    texts = [first.prompt or "", *(str(message["content"]) for message in first.messages or ())]
    whole = replace(
        firsts,
        num_samples=calls,
        worst=_capped(_times(worst, calls), calls, limits),
        expected=_capped(_times(firsts.expected, calls / len(ids)), calls, limits),
    )
    return Forecast(whole, len(ids), sum(len(text.encode()) for text in texts), setup.how)


def _times(spending: Spending, number: float) -> Spending:
    amounts = (spending.tokens, spending.picousd)
    return Spending(0, *(None if amount is None else round(amount * number) for amount in amounts))


def _capped(spending: Spending, calls: int, limits: Limits) -> Spending:
    most_picousd = None if limits.usd is None else round(limits.usd * 1e12)
    return Spending(
        calls,
        _least(spending.tokens, limits.tokens),
        _least(spending.picousd, most_picousd),
    )


def _least(amount: int | None, most: int | None) -> int | None:
    return amount if amount is None or most is None else min(amount, most)
