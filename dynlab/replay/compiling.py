"""Compiling the inner loops by numba, which is loaded when the first one runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """The loop as machine code, compiled once a machine.

    It is kept beside its file, or in the user's cache folder where that cannot be written. Where
    neither folder can be written, as in a read-only installation without a home, it is compiled
    anew in every process.
    """
    from numba import njit

    try:
        made: Callable[..., Any] = njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # numba found no folder for its cache
        made = njit(nogil=True)(loop)
    return made
