"""What a cell of a table means: its text, or the texts of a list that stands in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

_LISTED = re.compile(r"\s*\[\s*['\"].*['\"]\s*\]\s*", re.DOTALL)
UNKNOWN = ("", "None", "nan", "NaN", "null")  # texts of a target that is not known


def text_of(value: object) -> str:
    """The text of a value: 5.0, which is how a column with gaps stores 5, is '5'."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def is_listed(target: object) -> bool:
    """Whether a target is a list, or the text of one."""
    if isinstance(target, str):
        return "[" in target and _LISTED.fullmatch(target) is not None
    return isinstance(target, Sequence | np.ndarray)


def accepted_targets(target: Any) -> list[str]:
    """The texts of a target: one, or a list of aliases, which may be given as its text.

    >>> accepted_targets("['Lima', 'Ciudad']"), accepted_targets(29.0), accepted_targets("None")
    (['Lima', 'Ciudad'], ['29'], [])
    """
    from pandas import NA

    if isinstance(target, str) and _LISTED.fullmatch(target):
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            target = ast.literal_eval(target.strip())
    if isinstance(target, list | tuple | np.ndarray):
        return [text for one in target for text in accepted_targets(one)]
    if target is None or target is NA or target != target or target in UNKNOWN:
        return []
    return [text_of(target)]
