"""What a cell of a table means: its text, or the texts of a list that stands in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence, Set
from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np

from dynlab._util.errors import InputError

_LISTED = re.compile(r"\s*\[\s*['\"].*['\"]\s*\]\s*", re.DOTALL)
UNKNOWN = ("", "None", "nan", "NaN", "null")  # texts of a target that is not known


def text_of(value: object) -> str:
    """The text of a value: 5.0, which is how a column with gaps stores 5, is '5'.

    >>> text_of(5.0), text_of(b"Lima"), text_of(Decimal("5.50"))
    ('5', 'Lima', '5.50')
    """
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if isinstance(value, float | np.floating | Decimal) and value == value and value % 1 == 0:
        return str(int(value))
    return str(value)


def is_listed(target: object) -> bool:
    """Whether a target is a list, or the text of one."""
    if isinstance(target, str):
        return "[" in target and _LISTED.fullmatch(target) is not None
    return isinstance(target, Sequence | Set | np.ndarray) and not isinstance(target, bytes)


def accepted_targets(target: Any) -> list[str]:
    """The texts of a target: one, or a list of aliases, which may be given as its text.

    >>> accepted_targets("['Lima', 'Ciudad']"), accepted_targets(29.0), accepted_targets("None")
    (['Lima', 'Ciudad'], ['29'], [])
    """
    from pandas import NA

    if isinstance(target, str) and _LISTED.fullmatch(target):
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            target = ast.literal_eval(target.strip())
    if isinstance(target, Set):
        target = sorted(target, key=text_of)
    if isinstance(target, list | tuple | np.ndarray):
        return [text for one in target for text in accepted_targets(one)]
    if target is None or target is NA or target != target or target in UNKNOWN:
        return []
    return [text_of(target)]


def refuse_two_spellings(ids: Iterable[str], where: object) -> None:
    """Refuses ids of which one is another's with a decimal: `1.0`, as a column with gaps has 1.

    Raises:
        InputError: There are such.
    """
    known = set(ids)
    for each in sorted(known):
        plain = each.removesuffix(".0")
        if plain != each and plain in known:
            raise InputError(
                f"{where} has the ids {plain!r} and {each!r}: write those of one question alike,"
                " and those of two not as numbers"
            )
