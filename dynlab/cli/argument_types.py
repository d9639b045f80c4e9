"""What several commands read from a flag's text."""

from __future__ import annotations

from dynlab._util.errors import InputError


def numbers(flag: str, text: str) -> list[float]:
    """The numbers of a list such as 2,4,8; `flag` is told where it is none."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--{flag} must be numbers with commas between, such as 2,4,8; not {text!r}"
        ) from None


def price(text: str) -> tuple[float, float]:
    """USD per million prompt and completion tokens, from IN,OUT."""
    prices = numbers("price", text)
    if len(prices) != 2 or not all(0 <= price < float("inf") for price in prices):
        raise InputError(
            "--price must be two numbers IN,OUT in USD per million tokens, such as 0.15,0.6; not"
            f" {text!r}"
        )
    return prices[0], prices[1]
