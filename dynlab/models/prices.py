"""Prices: what a call costs, and a bound on its tokens before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dynlab._util.values import Request, Usage

_CHAT_FRAME = 256  # tokens that a chat template may add of its own: a system message, the date
_MOST_COUNTED = 10_000_000  # tokens of one call; a count beyond says nothing


@dataclass(frozen=True)
class Price:
    """List price in USD per million tokens.

    `cached` is that of prompt tokens from a cache, `reasoning` that of completion tokens that are
    reasoning, where these are dearer.
    """

    prompt: float
    completion: float
    cached: float | None = None
    reasoning: float | None = None

    @property
    def told(self) -> dict[str, float]:
        """What a recording's card says of it."""
        told = {"prompt": self.prompt, "completion": self.completion}
        return told if self.reasoning is None else told | {"reasoning": self.reasoning}

    def cost_usd(self, usage: Usage) -> float | None:
        """The list price of a call, its full prompt included; None where its tokens are unknown.

        >>> Price(2.0, 10.0).cost_usd(Usage(1_000_000, 100_000))
        3.0
        >>> Price(2.0, 10.0, reasoning=20.0).cost_usd(Usage(0, 100_000, 50_000))
        1.5
        """
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cost = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion
        if self.reasoning is not None:
            cost += (usage.reasoning_tokens or 0) * (self.reasoning - self.completion)
        return cost / 1e6

    def billed_usd(self, usage: Usage) -> float | None:
        """What is billed where cached prompt tokens have their own price; None = unknown."""
        cost = self.cost_usd(usage)
        if cost is None or not usage.cached_tokens:
            return cost
        return (
            None
            if self.cached is None
            else cost - usage.cached_tokens * (self.prompt - self.cached) / 1e6
        )


def worst_case(request: Request, num_samples: int = 1) -> Usage:
    """A bound on a call's tokens: none is shorter than a byte, no answer beyond `max_tokens`, and
    all of that may be reasoning.

    >>> from dynlab._util.options import Sampling
    >>> request = Request("q", "parallel", 0, 0, Sampling(max_tokens=8), 0, "1 + 1?")
    >>> worst_case(request, 2).completion_tokens
    16
    """
    texts = [request.prompt or "", *(message["content"] for message in request.messages or ())]
    prompt = sum(len(text.encode(errors="replace")) + 16 for text in texts)
    completion = num_samples * request.sampling.num_tokens
    return Usage(prompt + (_CHAT_FRAME if request.messages else 0), completion, completion)


def believed(usage: Usage, worst: Usage) -> Usage:
    """The usage where it can be true (no count negative or beyond the worst case), else unknown."""
    counts = (usage.prompt_tokens, usage.completion_tokens)
    bounds = (worst.prompt_tokens, worst.completion_tokens)
    possible = all(
        n is not None and most is not None and 0 <= n <= most
        for n, most in zip(counts, bounds, strict=True)
    )
    return usage if possible else Usage()


def billable(usage: Usage, worst: Usage) -> Usage:
    """The most that a call may be billed for: its worst case, or what its provider counts beyond.

    Such a count is not believed, and may be what is charged.

    >>> billable(Usage(10, 900), Usage(40, 8, 8)) == Usage(40, 900, 900)
    True
    """
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    if any(n is None or not 0 <= n <= _MOST_COUNTED for n in (prompt, completion)):
        return worst
    most = max(completion or 0, worst.completion_tokens or 0)
    return Usage(max(prompt or 0, worst.prompt_tokens or 0), most, most)


def priced(usage: Usage, price: Price | None, billed_prompt: float | None = None) -> Usage:
    """The usage with its list price, and what is billed of it where only part of the prompt was."""
    if price is None:
        return usage
    billed = price.billed_usd(usage)
    if billed is not None and billed_prompt is not None and usage.prompt_tokens is not None:
        billed -= (usage.prompt_tokens - billed_prompt) * price.prompt / 1e6
    return replace(usage, cost_usd=price.cost_usd(usage), billed_usd=billed)


def shared_out(usage: Usage, lengths: Sequence[int], price: Price | None) -> list[Usage]:
    """The usage of each of the samples that one call brought, summing up to what it counted.

    Each has the full prompt, since on its own it would have cost that; the discount stands in
    `billed_usd`. A provider counts the tokens of all answers together: they are shared out in
    proportion to the answers' lengths.

    >>> [share.completion_tokens for share in shared_out(Usage(10, 9), [40, 20], None)]
    [6, 3]
    """
    num = len(lengths)
    if num == 1:
        return [priced(usage, price)]
    completion, reasoning = (
        _apportioned(n, lengths) for n in (usage.completion_tokens, usage.reasoning_tokens)
    )
    shares = [
        Usage(usage.prompt_tokens, tokens, thought, usage.cached_tokens)
        for tokens, thought in zip(completion, reasoning, strict=True)
    ]
    prompt = None if usage.prompt_tokens is None else usage.prompt_tokens / num
    return [priced(share, price, prompt) for share in shares]


def _apportioned(total: int | None, lengths: Sequence[int]) -> list[int | None]:
    """Whole shares in proportion to lengths, by largest remainders."""
    if total is None:
        return [None] * len(lengths)
    weights = [length + 1 for length in lengths]
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    for place in sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])[
        : total - sum(shares)
    ]:
        shares[place] += 1
    return list(shares)
