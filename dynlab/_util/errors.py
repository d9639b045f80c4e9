"""The few exceptions of dynlab; a message says what was given, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from difflib import get_close_matches
from typing import Self


class DynlabError(Exception):
    """Something failed that the caller could not have known beforehand (exit code 1)."""

    exit_code = 1

    def extended(self, more: str) -> Self:
        """The same error, with more words behind its message."""
        error = copy(self)
        error.args = (f"{self}; {more}",)
        return error


class InputError(DynlabError):
    """Wrong use: a name, a file, a number or a setting that cannot work (exit code 2)."""

    exit_code = 2


class BudgetError(DynlabError):
    """The next call's worst case no longer fits a limit (exit code 1).

    Args:
        message: What to tell.
        limit: The limit: 'usd', 'tokens' or 'calls'.
        most: Its amount.
        spent: What is spent and reserved of it so far; None = unknown.
    """

    def __init__(self, message: str, limit: str = "", most: float = 0, spent: float | None = None):
        super().__init__(message)
        self.limit = limit
        self.most = most
        self.spent = spent


def one_of(what: str, given: object, options: Iterable[str]) -> InputError:
    """The error for a name that is not among the options, with the nearest ones first.

    >>> str(one_of("allocator", "ubc", ["uniform", "ucb"]))
    "unknown allocator 'ubc': did you mean 'ucb'? It must be one of 'ucb', 'uniform'"
    >>> str(one_of("recording", "coins", ["coins--my-model", "dice--my-model"])).split(":")[1]
    " did you mean 'coins--my-model'? It must be one of 'coins--my-model', 'dice--my-model'"
    """
    names = sorted(options)
    # what a longer name begins with is near it, too
    begun = [name for name in names if given and name.startswith(str(given))]
    near = begun[:2] or get_close_matches(str(given), names, n=2, cutoff=0.5)
    hint = f" did you mean {' or '.join(repr(name) for name in near)}? It" if near else " it"
    listed = ", ".join(repr(name) for name in names) or "(there is none)"
    return InputError(f"unknown {what} {str(given)!r}:{hint} must be one of {listed}")
