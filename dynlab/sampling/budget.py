"""Limits that hold under concurrency: a call's worst case is set aside before it is sent.

Money is counted in whole picodollars (10⁻¹² USD), so that sums are exact and no order of arrival
changes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dynlab._util.errors import BudgetError, InputError
from dynlab._util.options import Limits
from dynlab._util.values import Usage
from dynlab.models.prices import Price


@dataclass(frozen=True)
class Spending:
    """Calls, tokens (prompts and answers) and picodollars; adds up, unknown (None) stays unknown.

    >>> (Spending(1, 30, None) + Spending(1, 12, 5)).tokens
    42
    """

    calls: int = 0
    tokens: int | None = 0
    picousd: int | None = 0

    @property
    def usd(self) -> float | None:
        """In USD; None where a price is unknown."""
        return None if self.picousd is None else self.picousd / 1e12

    @property
    def told(self) -> dict[str, Any]:
        """As a card tells it."""
        return {"calls": self.calls, "tokens": self.tokens, "usd": self.usd}

    @classmethod
    def read(cls, told: Any) -> Spending:
        """The spending that a card tells, nothing where it tells none.

        >>> Spending.read({"calls": 2, "tokens": 96, "usd": 0.00016}).picousd
        160000000
        """
        if not told:
            return cls()
        usd = told["usd"]
        return cls(told["calls"], told["tokens"], None if usd is None else round(usd * 1e12))

    def __add__(self, other: Spending) -> Spending:
        def total(a: int | None, b: int | None) -> int | None:
            return None if a is None or b is None else a + b

        return Spending(
            self.calls + other.calls,
            total(self.tokens, other.tokens),
            total(self.picousd, other.picousd),
        )

    def __sub__(self, other: Spending) -> Spending:
        def less(a: int | None) -> int | None:
            return None if a is None else -a

        return self + Spending(-other.calls, less(other.tokens), less(other.picousd))


@dataclass(frozen=True)
class Excess:
    """A total that exceeds a limit: which, how much of it there would be (None = unknown)."""

    limit: str
    most: float
    amount: float | None

    def __str__(self) -> str:
        if self.amount is None:
            return "an unknown amount"
        if self.limit == "usd":
            return f"{self.amount:.6f} USD of at most {self.most}"
        return f"{self.amount} {self.limit} of at most {self.most}"


def excess(limits: Limits, total: Spending) -> Excess | None:
    """What of a total exceeds its limit; None where all of it fits.

    >>> str(excess(Limits(calls=2), Spending(3)))
    '3 calls of at most 2'
    """
    if limits.calls is not None and total.calls > limits.calls:
        return Excess("calls", limits.calls, total.calls)
    if limits.tokens is not None and (total.tokens is None or total.tokens > limits.tokens):
        return Excess("tokens", limits.tokens, total.tokens)
    if limits.usd is not None:
        most_picousd = round(limits.usd * 1e12)
        if total.picousd is None or total.picousd > most_picousd:
            return Excess("usd", limits.usd, total.usd)
    return None


def cost(usage: Usage, price: Price | None, calls: int = 1) -> Spending:
    """What calls of these tokens cost at list price; unknown where tokens or price are."""
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return Spending(calls, None, None)
    usd = None if price is None else math.ceil(round((price.cost_usd(usage) or 0.0) * 1e12, 3))
    return Spending(calls, usage.prompt_tokens + usage.completion_tokens, usd)


class Ledger:
    """What is spent, what is reserved for ever, and what is held for calls that are on their way.

    A call that was answered is spent, at what it cost. One whose outcome will never be known (a
    dropped connection, a kill) may have been billed: its worst case stays reserved.

    Raises:
        InputError: a limit cannot be kept, since the price or what earlier calls cost is unknown.
    """

    def __init__(
        self, limits: Limits, spent: Spending | None = None, reserved: Spending | None = None
    ):
        self.limits = limits
        self.spent = spent or Spending()  # of calls whose usage is known
        self.reserved = reserved or Spending()  # of calls whose outcome will never be known
        self.held = Spending()  # of calls on their way
        self.num_held = 0
        earlier = self.spent + self.reserved
        beyond = excess(limits, earlier)
        if beyond is not None and beyond.amount is None:
            raise InputError(
                "the tokens of earlier calls are unknown, so only a limit of calls can be kept:"
                " leave out the others"
                if earlier.tokens is None
                else "what earlier calls cost is unknown, so a limit cannot be kept: leave it out,"
                " or give --price IN,OUT"
            )

    @property
    def total(self) -> Spending:
        """The most that was spent, as far as can be known."""
        return self.spent + self.reserved + self.held

    def fits(self, worst: Spending) -> bool:
        """Whether a call may be sent now."""
        return excess(self.limits, self.total + worst) is None

    def hold(self, worst: Spending) -> None:
        """Sets the worst case of a call aside."""
        self.held += worst
        self.num_held += 1

    def retake(self, worst: Spending) -> None:
        """Sets aside what an earlier run reserved for a call that is waited for again."""
        self.reserved -= worst
        self.hold(worst)

    def settle(self, worst: Spending, actual: Spending) -> None:
        """Books what a call cost in place of its worst case; `Spending()` if it was turned down."""
        self._let_go(worst)
        self.spent += actual

    def keep(self, worst: Spending, most: Spending | None = None) -> None:
        """Leaves the worst case of a call reserved for ever, or more where it may have cost more:
        its outcome is unknown.
        """
        self._let_go(worst)
        self.reserved += most or worst

    def _let_go(self, worst: Spending) -> None:
        self.num_held -= 1
        # an unknown amount cannot be subtracted again; with nothing on its way there is nothing
        self.held = self.held - worst if self.num_held else Spending()

    def refusal(self, worst: Spending) -> BudgetError:
        """The error for a call that does not fit."""
        beyond = excess(self.limits, self.total + worst)
        message = f"the next call may cost {_words(worst)}, which would make it {beyond} ({self})"
        if beyond is None:
            return BudgetError(message)
        spent = {"usd": self.total.usd, "tokens": self.total.tokens, "calls": self.total.calls}
        return BudgetError(message, beyond.limit, beyond.most, spent[beyond.limit])

    @property
    def brief(self) -> str:
        """What is spent, and reserved where anything is, in a few words."""
        spent, reserved = self.spent, self.reserved
        unit = "tokens" if spent.usd is None else "USD"
        amounts = [
            each.tokens if each.usd is None else f"{each.usd:.4f}" for each in (spent, reserved)
        ]
        return f"{amounts[0]} {unit}" + (f", {amounts[1]} reserved" if reserved.calls else "")

    def __str__(self) -> str:
        return f"spent: {_words(self.spent)}; reserved: {_words(self.reserved + self.held)}"


def require_price(limits: Limits | None, price: Price | None, model: str) -> None:
    """Raises an InputError where a limit in USD cannot be kept, since the price is unknown."""
    if limits is not None and limits.usd is not None and price is None:
        raise InputError(
            f"the price of {model!r} is unknown, so a limit in USD cannot be kept: give --price"
            " IN,OUT (USD per million prompt and completion tokens)"
        )


def total(spendings: Iterable[Spending]) -> Spending:
    """The sum of spendings."""
    return sum(spendings, Spending())


def _words(spending: Spending) -> str:
    calls = f"{spending.calls} call{'s' * (spending.calls != 1)}"
    tokens = "an unknown number of" if spending.tokens is None else spending.tokens
    usd = "" if spending.usd is None else f", {spending.usd:.6f} USD"
    return f"{calls}, {tokens} tokens{usd}"
