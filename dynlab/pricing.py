"""Money: the price of a call, a bound on it before it is made, and the hard limit on spending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dynlab.errors import BudgetError
from dynlab.types import Request, Usage


@dataclass(frozen=True)
class Price:
    """List price in USD per million tokens; `cached` is that of prompt tokens which came from a cache."""

    prompt: float
    completion: float
    cached: float | None = None

    def cost_usd(self, usage: Usage) -> float | None:
        """The list price of a call, its full prompt included; None where its tokens are unknown.

        >>> Price(2.0, 10.0).cost_usd(Usage(1_000_000, 100_000))
        3.0
        """
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        return (usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion) / 1e6

    def billed_usd(self, usage: Usage) -> float | None:
        """What is billed when cached prompt tokens have their own price; None where that is unknown."""
        cost = self.cost_usd(usage)
        if cost is None or not usage.cached_tokens:
            return cost
        return None if self.cached is None else cost - usage.cached_tokens * (self.prompt - self.cached) / 1e6


class Ledger:
    """The hard limit on spending: the worst case of a call is reserved before it, and its cost is booked after it."""

    def __init__(self, max_usd: float, spent_usd: float = 0.0):
        self.max_usd = max_usd
        self.spent_usd = spent_usd
        self._reserved: list[float] = []  # of the calls in flight
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def reserve(self, worst_usd: float) -> AsyncIterator[list[float]]:
        """Holds the worst case of a call while it runs; what it cost is appended to the list that is given.

        Waits for calls in flight to settle where the worst case does not fit beside theirs.

        Raises:
            BudgetError: the worst case does not fit beside what is spent.
        """
        while self.spent_usd + sum(self._reserved) + worst_usd > self.max_usd:
            if not self._reserved:
                raise BudgetError(
                    f"the next call may cost {worst_usd:.6f} USD, and {self.spent_usd:.6f} of {self.max_usd} are spent"
                )
            await self._settled.wait()
        self._reserved.append(worst_usd)
        cost: list[float] = []
        try:
            yield cost
        finally:
            self._reserved.remove(worst_usd)
            self.spent_usd += sum(cost)
            self._settled.set()
            self._settled = asyncio.Event()


def most_prompt_tokens(request: Request) -> int:
    """A bound on the prompt's tokens: a token is at least one byte, and a message has a frame of a few."""
    texts = [request.prompt or "", *(message["content"] for message in request.messages or ())]
    return sum(len(text.encode(errors="replace")) + 16 for text in texts)
