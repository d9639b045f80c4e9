"""Names with options, `gsm8k?size=100&seed=1`: taken apart, checked and written in one way."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

from dynlab._util.errors import InputError, one_of

Row = TypeVar("Row")


def parsed(name: str, known: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The name before '?', and the options behind it.

    >>> parsed("gsm8k?size=100&seed=1", ["size", "seed"])
    ('gsm8k', {'size': '100', 'seed': '1'})

    Raises:
        InputError: an option is unknown, has no value or stands twice.
    """
    known = list(known)
    head, _, query = name.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise InputError(
            f"{name}: options are key=value, joined by '&': {head}?{known[0]}=…"
        ) from None
    options: dict[str, str] = {}
    for key, value in pairs:
        if key not in known:
            raise one_of(f"option of {head}:", key, known)
        if not value or key in options:
            raise InputError(f"{name}: give {key} once, with a value")
        options[key] = value
    return head, options


def written(head: str, options: Mapping[str, str]) -> str:
    """The name again, its options in alphabetical order: one spelling, so one data set."""
    query = "&".join(f"{key}={value}" for key, value in sorted(options.items()))
    return f"{head}?{query}" if query else head


def whole(name: str, options: Mapping[str, str], key: str, least: int = 0) -> int | None:
    """An option that is a whole number; None where it is not given.

    Raises:
        InputError: it is none, or less than `least`.
    """
    text = options.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= least):
        raise InputError(f"{name}: {key} must be a whole number of at least {least}, not {text!r}")
    return int(text)


def drawn(rows: Sequence[Row], size: int | None, seed: int, name: str) -> list[Row]:
    """`size` of the rows, drawn by the seed, in their own order; all where no size is given. A
    smaller draw is part of a larger one.

    Raises:
        InputError: there are fewer.
    """
    if size is None:
        return list(rows)
    if size > len(rows):
        raise InputError(f"{name}: there are {len(rows)} questions, not {size}: ask for fewer")
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    return [rows[index] for index in sorted(order[:size])]
