"""What planned samples would cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dynlab._util.values import Sample, Usage
from dynlab.models.prices import Price, worst_case
from dynlab.sampling.budget import Spending, cost, total
from dynlab.sampling.plan import Plan
from dynlab.sampling.store_rows import Key

_BYTES = 4  # of a token of a prompt, about
_LONG = "\U00020bb7"  # a letter of four bytes, as long as they come


@dataclass(frozen=True)
class CostEstimate:
    """What would be called: `num_samples` in as many `calls`, at worst and as expected."""

    model: str
    num_samples: int
    worst: Spending
    expected: Spending
    basis: str

    def __str__(self) -> str:
        return (
            f"{self.model}: {self.num_samples} samples in {self.worst.calls} calls; at worst"
            f" {_words(self.worst)}, expected {_words(self.expected)} ({self.basis}); nothing was"
            " sent"
        )


def estimate(
    plan: Plan, missing: Sequence[Key], held: Sequence[Sample], price: Price | None, model: str
) -> CostEstimate:
    """The estimate of drawing the missing samples, one call each.

    The worst case is what the limits hold calls against: every byte of a prompt a token, attempts
    as long as they are shown at most, and every answer as long as it may be. What is expected goes
    by the samples that are held, where their tokens are known, else by 4 bytes a token and answers
    of half their greatest length.
    """
    worst = expected = Spending()
    known = [cost(sample.usage, price) for sample in held if sample.usage.prompt_tokens]
    for key in missing:
        text = _LONG * max(1024, _BYTES * plan.sampling.num_tokens)
        parents = [
            Sample(*parent, answer=str(parent), text=text) for parent in plan.parents(key)
        ]  # no two alike
        most = worst_case(plan.request(key, parents))
        worst += cost(most, price)
        expected += cost(
            Usage((most.prompt_tokens or 0) // _BYTES, plan.sampling.num_tokens // 2), price
        )
    basis = f"{_BYTES} bytes a token, answers of half their greatest length"
    if known:
        held_total, scale = total(known), len(missing) / len(known)
        amounts = (held_total.tokens, held_total.picousd)
        expected = Spending(
            len(missing), *(None if each is None else round(each * scale) for each in amounts)
        )
        basis = f"the mean of the {len(known)} samples that are there"
    return CostEstimate(model, len(missing), worst, expected, basis)


def _words(spending: Spending) -> str:
    return f"{spending.tokens} tokens, " + (
        "price unknown" if spending.usd is None else f"{spending.usd:.6f} USD"
    )
